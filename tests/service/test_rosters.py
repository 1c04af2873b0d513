"""What a clerk sees of their rosters, and nobody else does: results by page, the sheet back; and mandates in them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

from domain.errors import Forbidden, NotFound
from service import jobs as owed_work
from service.claims.commands import rosters
from service.claims.commands.mandates import revoke_mandate
from service.claims.queries.roster_sheet import sheet_of
from service.claims.queries.rosters import roster_page, rosters_page
from service.claims.tables import MandateRow, RosterLineRow, RosterRow
from service.database import Tx, transaction
from tests.rosters import Desk, line_of, reasons
from tests.sheets import HEADINGS, read_csv, sheet
from tests.world import World


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no broker here; the jobs are done by hand."""
    monkeypatch.setattr(owed_work, "send", lambda _: None)


@pytest.fixture
def desk(committed: World) -> Desk:
    return Desk(committed, committed.clerks[0])


async def count(table: type, *where: Any) -> int:
    async with transaction() as tx:
        return int((await tx.execute(select(func.count()).select_from(table).where(*where))).scalar_one())


async def test_the_sheet_of_lines_to_mend_goes_in_again(desk: Desk) -> None:
    good, bad = line_of(desk.world), line_of(desk.world, 等级="五级", 备注="=1+1")
    view = await desk.through(sheet([good, bad], headings=[*HEADINGS, "备注"]))
    (back,) = read_csv(await desk.sheet_back(view.id))
    assert back["须改的内容"] == "证书编号：证书编号里的等级和填的不一样。请对照证书。"
    assert (back["身份证号"], back["备注"]) == (bad["身份证号"], "'=1+1")
    assert len(read_csv(await desk.sheet_back(view.id, every=True))) == 2
    back["等级"] = "四级"
    mended = await desk.through(sheet([back], headings=[*back]))
    assert (mended.filed, mended.refused) == (1, 0)
    assert read_csv(await desk.sheet_back(mended.id)) == []


async def test_results_come_by_page_and_by_outcome(desk: Desk) -> None:
    view = await desk.through(sheet([line_of(desk.world, **({"等级": "x"} if n % 2 else {})) for n in range(7)]))
    pages, after = [], 0
    while True:
        page = await desk.see(view.id, after=after, limit=3)
        pages.append([each.line for each in page.results])
        if page.next is None:
            break
        after = page.next
    assert pages == [[2, 3, 4], [5, 6, 7], [8]]
    refused = await desk.see(view.id, outcome="refused")
    assert [each.line for each in refused.results] == [3, 5, 7]


async def test_another_institution_sees_nothing_of_it(desk: Desk) -> None:
    view = await desk.through(sheet([line_of(desk.world)]))
    stranger = desk.world.clerks[1]
    async with transaction() as tx:
        for ask in (
            roster_page(tx, stranger, view.id, after=0, limit=1, outcome=None),
            sheet_of(tx, stranger, view.id, every=True, kind=None),
        ):
            with pytest.raises(NotFound, match=r"roster\.not_found"):
                await ask
        assert (await rosters_page(tx, stranger, cursor=None, limit=10)).rosters == []
        mine = await rosters_page(tx, desk.me, cursor=None, limit=10)
        assert [each.id for each in mine.rosters] == [view.id]
        with pytest.raises(Forbidden):
            await rosters.receive_roster(
                tx, (await desk.world.trainee(tx)).actor, b"x", "csv", desk.world.today, desk.world.now
            )


async def test_rosters_are_listed_newest_first_by_page(desk: Desk) -> None:
    ids = [(await desk.hand_in(sheet([line_of(desk.world)]))).id for _ in range(5)]
    seen, cursor = [], None
    async with transaction() as tx:
        while True:
            page = await rosters_page(tx, desk.me, cursor=cursor, limit=2)
            seen += [each.id for each in page.rosters]
            cursor = page.next
            if cursor is None:
                break
    assert sorted(seen) == sorted(ids)


async def test_nothing_of_a_person_stands_in_clear(desk: Desk) -> None:
    line, bad = line_of(desk.world), line_of(desk.world, 等级="x")
    page = await desk.through(sheet([line, bad]))
    secrets = [each[heading] for each in (line, bad) for heading in ("姓名", "身份证号", "手机号", "收款卡号")]
    async with transaction() as tx:
        for table in ("rosters", "roster_portions", "roster_lines", "journal", "jobs", "idempotency_keys", "claims"):
            rows = (await tx.execute(text(f"SELECT t::text FROM {table} t"))).scalars().all()
            assert not [secret for secret in secrets for row in rows if secret in row], table
        sealed = await tx.execute(select(RosterRow.bytes_sealed).where(RosterRow.id == page.id))
        assert secrets[1].encode() not in sealed.scalar_one()
    assert not [secret for secret in secrets if secret in repr(page)]


async def test_what_became_of_a_line_is_written_once(tx: Tx, desk: Desk) -> None:
    page = await desk.through(sheet([line_of(desk.world)]))
    for statement in (
        "UPDATE roster_lines SET outcome = 'refused' WHERE roster_id = :id",
        "DELETE FROM roster_lines WHERE roster_id = :id",
        "UPDATE rosters SET sha256 = 'x' WHERE id = :id",
        "UPDATE roster_portions SET lines_sealed = 'x' WHERE roster_id = :id",
        "INSERT INTO roster_lines SELECT roster_id, 99, portion_id, 'filed', claim_id, '[]' FROM roster_lines"
        " WHERE roster_id = :id",
        "INSERT INTO roster_lines SELECT roster_id, 99, portion_id, 'filed', NULL, '[]' FROM roster_lines"
        " WHERE roster_id = :id",
        "UPDATE rosters SET status = 'filing' WHERE id = :id",
    ):
        savepoint = await tx.begin_nested()
        with pytest.raises(Exception, match=r"42501|23505|23514|ZD001|permission|unique|check|cannot make"):
            await tx.execute(text(statement), {"id": page.id})
        await savepoint.rollback()
    assert await count(RosterLineRow, RosterLineRow.roster_id == page.id) == 1


# ---- mandates


async def test_an_existing_mandate_serves_by_its_number_and_the_same_paper_is_recorded_once(desk: Desk) -> None:
    world, none = desk.world, dict.fromkeys(("协议签订日期", "协议开始日期", "协议结束日期", "协议文件指纹"), "")
    async with transaction() as tx:
        mine, other = await world.trainee(tx), await world.trainee(tx)
        known = await world.mandate(tx, desk.me, mine)
        foreign = await world.mandate(tx, world.clerks[1], other)
    paper = line_of(world, other.made)
    page = await desk.through(
        sheet(
            [
                line_of(world, mine.made, 代领协议编号=str(known), **none),
                line_of(world, other.made, 代领协议编号=str(foreign), **none),
                line_of(world, 代领协议编号=str(known), **none),  # somebody else's
                line_of(world, 代领协议编号="7", **none),
                line_of(world, **none),
                line_of(world, **{**none, "协议签订日期": "2099-01-01"}),
            ]
        )
    )
    assert page.filed == 1
    assert reasons(page) == {
        3: [("代领协议编号", "mandate.missing")],
        4: [("代领协议编号", "mandate.missing")],
        5: [("代领协议编号", "mandate.not_found")],
        6: [("代领协议编号", "roster.no_mandate")],
        7: [
            ("协议签订日期", "mandate.signed_in_future"),
            *((heading, "value.missing") for heading in ("协议开始日期", "协议结束日期", "协议文件指纹")),
        ],
    }
    async with transaction() as tx:
        await world.mandate(tx, desk.me, other)  # the paper that the line names, recorded before
    assert (await desk.through(sheet([paper]))).filed == 1
    assert await count(MandateRow, MandateRow.person_id == other.actor.person_id) == 2  # one of each institution


async def test_a_paper_that_was_taken_back_files_nothing_more_however_often_it_is_typed(desk: Desk) -> None:
    """Also when it was handed in before, and the worker came later."""
    world = desk.world
    async with transaction() as tx:
        now_, later = await world.trainee(tx), await world.trainee(tx)
        taken_back, waiting = [await world.mandate(tx, desk.me, each) for each in (now_, later)]
        await revoke_mandate(tx, now_.actor, taken_back, "", world.today, world.now)
    view = await desk.hand_in(sheet([line_of(world, now_.made), line_of(world, later.made)]))
    await desk.import_it(view.id)
    tomorrow = world.today + timedelta(days=1)
    async with transaction() as tx:
        await revoke_mandate(tx, later.actor, waiting, "", tomorrow, world.now)
    await desk.file_it(view.id)
    told = reasons(await desk.see(view.id))
    assert told == {line: [("代领协议编号", "mandate.not_in_force")] for line in (2, 3)}
