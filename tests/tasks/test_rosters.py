"""Rosters through their jobs: every line comes to one end, whatever is in it and whoever is killed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from domain.actor import Actor, Post
from domain.errors import Conflict
from service import jobs as owed_work
from service.access.commands import make_user
from service.audit.queries import verify
from service.claims.commands import roster_lines, rosters
from service.claims.tables import ClaimRow, MandateRow
from service.database import Tx, transaction
from service.jobs import JobRow
from service.journal import JournalRow
from service.people.tables import PersonRow
from service.queue import Job
from tasks.rosters import file_portions, import_rosters
from tasks.runtime import do
from tests.gateways.test_spreadsheets import workbook
from tests.rosters import Desk, jobs, line_of, portions, reasons
from tests.sheets import HEADINGS, Line, read_csv, sheet
from tests.world import WELDER, WELDER_LEVEL_4_FEN, World


@pytest.fixture(autouse=True)
async def quiet(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """There is no broker here; the jobs are done by hand."""
    monkeypatch.setattr(owed_work, "send", lambda _: None)
    yield
    await owed_work.send_waiting()


@pytest.fixture
def desk(committed: World) -> Desk:
    return Desk(committed, committed.clerks[0])


async def count(table: type, *where: Any) -> int:
    async with transaction() as tx:
        return int((await tx.execute(select(func.count()).select_from(table).where(*where))).scalar_one())


async def claims_of(desk: Desk) -> list[Any]:
    async with transaction() as tx:
        found = select(ClaimRow).where(ClaimRow.institution_id == desk.me.institution_id).order_by(ClaimRow.id)
        return list((await tx.execute(found)).all())


async def promises_are_kept() -> None:
    async with transaction() as tx:
        reports = {report.name: report for report in await verify(tx)}
    for name in ("roster_lines", "one_subsidy", "journal_equals_rows", "legal_moves_and_frozen_money", "share"):
        assert reports[name].held, reports[name].detail


# ---- a line is a claim


async def test_a_line_becomes_the_claim_that_a_clerk_would_have_filed(desk: Desk) -> None:
    page = await desk.through(sheet([line_of(desk.world)]))
    assert (page.status, page.lines, page.filed, page.refused, page.waiting) == ("finished", 1, 1, 0, 0)
    (result,), (claim,) = page.results, await claims_of(desk)
    assert (result.line, result.outcome, result.claim_id, result.reasons) == (2, "filed", claim.id, [])
    assert (claim.channel, claim.status, claim.amount_fen, claim.district) == (
        *("institution", "filed", WELDER_LEVEL_4_FEN, desk.world.here),
    )
    async with transaction() as tx:
        journal = (await tx.execute(select(JournalRow).where(JournalRow.subject_id == claim.id))).one()
        assert (journal.action, journal.actor_user_id, journal.actor_name) == ("file", desk.me.user_id, "clerk")
        mandate = (await tx.execute(select(MandateRow).where(MandateRow.id == claim.mandate_id))).one()
        assert (mandate.person_id, mandate.recorded_by, mandate.fee_fen) == (claim.person_id, desk.me.user_id, 0)
        owed = await tx.execute(select(JobRow.kind, JobRow.state).where(JobRow.subject == claim.id))
        assert owed.all() == [("verification.verify_certificate", "ready")]
    await promises_are_kept()


async def test_what_may_be_left_out_and_what_is_written_otherwise(desk: Desk) -> None:
    world = desk.world
    today = world.today
    lines = [
        line_of(world, 职业编码="", 职业名称="焊工"),
        line_of(world, 手机号="", 证书日期=f"{today.year}/{today.month}/{today.day}", 等级="四级/中级工"),
        line_of(world, 目录="制造业 职业技能培训项目目录", 培训开始日期=today.isoformat()),
    ]
    lines[1]["身份证号"] = f" {lines[1]['身份证号'].lower()} "
    page = await desk.through(sheet(lines, "xlsx"), "xlsx")
    assert (page.filed, reasons(page)) == (3, {})
    assert {claim.subsidy_key for claim in await claims_of(desk)} == {WELDER}
    assert sorted(claim.list_kind for claim in await claims_of(desk)) == ["manufacturing", "shortage", "shortage"]


async def test_a_group_and_a_link_to_the_place_come_in_the_same_words(desk: Desk) -> None:
    today = desk.world.today.isoformat()
    group = {"人员类别": "城镇登记失业人员", "类别证明编号": "370100123", "类别证明生效日期": today}
    lines = [
        line_of(desk.world, **group, 与本市的关联="居住"),
        line_of(desk.world, 人员类别="好人", 类别证明编号="1"),
        line_of(desk.world, **{**group, "类别证明生效日期": "2099-01-01"}),
        line_of(desk.world, 与本市的关联="旅游"),
    ]
    page = await desk.through(sheet(lines))
    assert reasons(page) == {
        3: [("人员类别", "group.unknown"), ("类别证明", "value.missing"), ("类别证明生效日期", "value.missing")],
        4: [("类别证明生效日期", "group.too_late")],
        5: [("与本市的关联", "value.form")],
    }
    (claim,) = await claims_of(desk)
    facts = claim.decision["facts"]
    assert (claim.group_code, facts["place_link"]) == ("registered_unemployed", "residence")
    assert facts["age"]["months"] > 16 * 12  # of somebody who was not in the database yet


#: What is typed otherwise → heading and code of each reason.
BAD: dict[str, tuple[Line, list[tuple[str, str]]]] = {
    "check digit": ({"身份证号": "11010519491231002Y"}, [("身份证号", "id.characters")]),
    "spreadsheet number": ({"身份证号": "4.40305E+17"}, [("身份证号", "id.spreadsheet_number")]),
    "fifteen digits": ({"身份证号": "110105491231002"}, [("身份证号", "id.fifteen_digits")]),
    "zero width": ({"身份证号": "110105\u200b19491231002X"}, [("身份证号", "id.characters")]),
    "no name": ({"姓名": " "}, [("姓名", "value.missing")]),
    "a broken name": ({"姓名": "张\ufffd"}, [("姓名", "name.characters")]),
    "phone": ({"手机号": "12345"}, [("手机号", "phone.format")]),
    "unknown item": (
        {"职业编码": "9-99-99-99"},
        [("职业编码", "item.not_in_catalog"), ("职业编码", "standard.none")],
    ),
    "NUL in a code": (
        {"职业编码": "6-18\ufffd"},
        [("职业编码", "item.not_in_catalog"), ("职业编码", "standard.none")],
    ),
    "unknown name": ({"职业编码": "", "职业名称": "屠龙"}, [("职业名称", "roster.name_unknown")]),
    "neither": ({"职业编码": ""}, [("职业编码", "value.missing")]),
    "level": ({"等级": "九级"}, [("等级", "level.unknown")]),
    "another level": ({"等级": "五级"}, [("证书编号", "certificate.level_differs")]),
    "list": ({"目录": "别的"}, [("目录", "list.unknown")]),
    "certificate": ({"证书编号": "证书"}, [("证书编号", "certificate.characters")]),
    "no such day": ({"证书日期": "2025-02-29"}, [("证书日期", "date.no_such_day")]),
    "in the future": ({"证书日期": "2099-01-01", "培训开始日期": "2024-01-02"}, [("证书编号", "certificate.future")]),
    "late": ({"证书日期": "2024-01-02", "培训开始日期": "2024-01-02"}, [("证书日期", "window.over")]),
    "card": ({"收款卡号": "123"}, [("收款卡号", "account.length")]),
    "holder": ({"户名": "别人"}, [("户名", "account.holder_differs")]),
    "bank": ({"开户行联行号": "1"}, [("开户行联行号", "bank_code.length")]),
    "reversed": ({"协议结束日期": "2020-01-01"}, [("协议结束日期", "period.reversed")]),
    "over": (
        {"协议签订日期": "2020-01-01", "协议开始日期": "2020-01-01", "协议结束日期": "2020-12-31"},
        [("代领协议编号", "mandate.not_in_force")],
    ),
    "fingerprint": ({"协议文件指纹": "x"}, [("协议文件指纹", "sha256.format")]),
    "everything at once": (
        {"身份证号": "1", "证书日期": "昨天", "开户行联行号": "", "等级": "x"},
        [
            ("身份证号", "id.length"),
            ("等级", "level.unknown"),
            ("证书日期", "date.format"),
            ("开户行联行号", "value.missing"),
        ],
    ),
}


async def test_each_bad_line_is_named_by_line_field_and_reason_and_hinders_no_other(desk: Desk) -> None:
    people, claims = await count(PersonRow), await count(ClaimRow)
    lines = [line_of(desk.world), *(line_of(desk.world, **typed) for typed, _ in BAD.values()), line_of(desk.world)]
    page = await desk.through(sheet(lines))
    assert reasons(page) == {line: said for line, (_, said) in enumerate(BAD.values(), start=3)}
    assert (page.filed, page.refused) == (2, len(BAD))
    assert all(why.message != why.code and "{" not in why.message for each in page.results for why in each.reasons)
    # of a refused line nothing is stored but what was uploaded
    assert (await count(PersonRow) - people, await count(ClaimRow) - claims) == (2, 2)
    await promises_are_kept()


async def test_numbers_formulas_and_errors_in_a_workbook(desk: Desk) -> None:
    good, number, formula = line_of(desk.world), line_of(desk.world), line_of(desk.world)
    rows: list[list[object]] = [[line.get(heading, "") for heading in HEADINGS] for line in (good, number, formula)]
    rows[1][1] = int(rows[1][1][:17]) * 10  # type: ignore[index]
    rows[2][HEADINGS.index("证书日期")] = "=TODAY()"
    page = await desk.through(workbook(("名册", [[*HEADINGS], *rows])), "xlsx")
    assert page.filed == 1
    assert reasons(page) == {3: [("身份证号", "id.not_text")], 4: [("证书日期", "cell.formula")]}


async def test_the_same_person_or_certificate_twice_in_a_file(desk: Desk) -> None:
    first, again, copied = line_of(desk.world), line_of(desk.world), line_of(desk.world)
    again["姓名"], again["身份证号"] = first["姓名"], first["身份证号"].lower()
    copied["证书编号"] = first["证书编号"]
    page = await desk.through(sheet([first, again, copied]))
    assert reasons(page) == {3: [("身份证号", "roster.repeated")], 4: [("证书编号", "certificate.used")]}
    assert page.results[1].reasons[0].message == "这个人在第 2 行已经有了。一份名册里每人只写一行。"


async def test_a_known_number_under_another_name_an_earlier_claim_and_the_clerk_themself(desk: Desk) -> None:
    world = desk.world
    async with transaction() as tx:
        trainee, claimed = await world.trainee(tx), await world.trainee(tx)
        await world.claim(tx, trainee=claimed)
        person_id, made = await world.person(tx)
        posts, school = {Post.CLERK}, desk.me.institution_id
        user_id = await make_user(tx, f"c{made.id_number}", "no password", person_id, posts, world.here, school)
    clerk = Desk(world, Actor(user_id, person_id, frozenset(posts), world.here, school))
    lines = [line_of(world, trainee.made, 姓名="别人"), line_of(world, claimed.made), line_of(world, made)]
    page = await clerk.through(sheet(lines))
    assert reasons(page) == {
        2: [("姓名", "person.name_differs")],
        3: [("身份证号", "claim.already_filed")],
        4: [("", "claim.own_through_institution")],
    }
    assert "本人申领，已提交" in page.results[1].reasons[0].message


# ---- the file as a whole


async def test_the_same_bytes_are_the_same_roster_and_nothing_is_doubled(desk: Desk) -> None:
    data = sheet([line_of(desk.world) for _ in range(3)])
    first = await desk.through(data)
    second = await desk.through(data)
    assert (second.id, second.filed) == (first.id, 3)
    assert len(await claims_of(desk)) == 3
    neighbour = Desk(desk.world, desk.world.clerks[1])
    theirs = await neighbour.through(data)
    assert theirs.id != first.id
    assert {code for said in reasons(theirs).values() for _, code in said} == {
        "claim.already_filed",
        "certificate.used",
    }


async def test_two_who_hand_in_the_same_bytes_at_once_get_one_roster(desk: Desk) -> None:
    data = sheet([line_of(desk.world)])
    views = await asyncio.gather(*(desk.hand_in(data) for _ in range(6)))
    assert len({view.id for view in views}) == 1
    assert len(await jobs(Job.IMPORT_ROSTER, [views[0].id])) == 1


@pytest.mark.parametrize(
    ("data", "kind", "code", "message"),
    [
        (b"a,b\n1,2\n", "csv", "roster.no_headings", "没有找到表头"),
        ("姓名,身份证号\n张三,1\n".encode(), "csv", "roster.columns_missing", "等级、证书编号"),
        (sheet([]), "csv", "roster.empty", "没有一行内容"),
        (b'\xef\xbb\xbf"x\n', "csv", "csv.malformed", "引号"),
        (workbook(("甲", [["a"]]), ("乙", [["b"]])), "xlsx", "file.too_many_sheets", "工作表太多"),
    ],
)
async def test_a_file_that_is_no_roster_is_rejected_and_said_so(
    desk: Desk, data: bytes, kind: str, code: str, message: str
) -> None:
    view = await desk.hand_in(data + b"\n" if kind == "csv" else data, kind)
    await desk.import_it(view.id)
    page = await desk.see(view.id)
    assert (page.status, page.results, page.lines) == ("rejected", [], None)
    assert page.rejection is not None
    assert page.rejection.code == code
    assert message in page.rejection.message
    with pytest.raises(Conflict, match=r"roster\.not_read"):
        await desk.sheet_back(view.id)
    await desk.import_it(view.id)  # a doubled message changes nothing
    await promises_are_kept()


async def test_more_lines_than_a_roster_may_have(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "LINES_MAX", 2)
    page = await desk.through(sheet([line_of(desk.world) for _ in range(3)]))
    assert page.rejection is not None
    assert page.rejection.message == "一份名册最多 2 行。请拆成几份。"


# ---- killed, doubled, late


async def test_killed_half_way_it_goes_on_and_nothing_is_doubled(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "PORTION_LINES", 4)
    lines = [line_of(desk.world, **({"等级": "x"} if n % 5 == 0 else {})) for n in range(10)]
    view = await desk.hand_in(sheet(lines))
    await desk.import_it(view.id)
    first, second, third = await portions(view.id)
    keep = roster_lines._keep

    async def killed(tx: Tx, portion: Any, *rest: Any) -> None:
        await keep(tx, portion, *rest)
        if portion.id == second:
            raise RuntimeError("killed after everything was written, before COMMIT")

    monkeypatch.setattr(roster_lines, "_keep", killed)
    ids = await jobs(Job.FILE_ROSTER, [first, second, third])
    await do(file_portions, ids)
    page = await desk.see(view.id)
    assert (page.status, page.filed, page.refused, page.waiting) == ("filing", 5, 1, 4)
    assert {each.line for each in page.results}.isdisjoint(range(6, 10))
    await promises_are_kept()
    monkeypatch.setattr(roster_lines, "_keep", keep)
    await do(file_portions, [*ids, *ids])
    await do(file_portions, ids)
    page = await desk.see(view.id)
    assert (page.status, page.filed, page.refused, page.waiting) == ("finished", 8, 2, 0)
    assert len(await claims_of(desk)) == 8
    await promises_are_kept()


async def test_killed_while_it_is_read_nothing_is_left_behind(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    view = await desk.hand_in(sheet([line_of(desk.world)]))
    put_up = rosters.put_up

    async def killed(*given: Any) -> None:
        await put_up(*given)
        raise RuntimeError("killed")

    monkeypatch.setattr("tasks.rosters.put_up", killed)
    await desk.import_it(view.id)
    assert (await desk.see(view.id)).status == "received"
    assert await portions(view.id) == []
    monkeypatch.setattr("tasks.rosters.put_up", put_up)
    await desk.import_it(view.id)
    await desk.file_it(view.id)
    assert (await desk.see(view.id)).filed == 1


async def test_many_workers_with_the_same_messages_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rosters, "PORTION_LINES", 5)
    view = await desk.hand_in(sheet([line_of(desk.world) for _ in range(20)]))
    ids = await jobs(Job.IMPORT_ROSTER, [view.id])
    await asyncio.gather(*(do(import_rosters, ids) for _ in range(3)))
    while (await desk.see(view.id)).status == "received":
        await do(import_rosters, ids)
    owed = await jobs(Job.FILE_ROSTER, await portions(view.id))
    assert len(owed) == 4
    await asyncio.gather(*(do(file_portions, owed) for _ in range(4)))
    page = await desk.see(view.id)
    assert (page.status, page.filed) == ("finished", 20)
    assert len(await claims_of(desk)) == 20
    await promises_are_kept()


async def test_the_day_it_was_handed_in_counts_however_late_the_worker(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = await desk.hand_in(sheet([line_of(desk.world)]))
    later = desk.world.now + timedelta(days=500)
    monkeypatch.setattr("tasks.rosters.now", lambda: later)
    await desk.import_it(view.id)
    await desk.file_it(view.id)
    (claim,) = await claims_of(desk)
    assert (claim.filed_on, claim.filed_at) == (desk.world.today, later)


# ---- at size


async def test_five_thousand_lines_with_37_bad_ones_and_the_mended_sheet_of_37(desk: Desk) -> None:
    lines = [line_of(desk.world) for _ in range(5_000)]
    mended = {place: dict(lines[place]) for place in range(11, 5_000, 137)}
    wrong = [typed for typed, _ in BAD.values()]
    for turn, place in enumerate(mended):
        lines[place] |= wrong[turn % len(wrong)]
    page = await desk.through(sheet(lines))
    assert (page.status, page.lines, page.filed, page.refused, page.waiting) == ("finished", 5_000, 4_963, 37, 0)
    named = await desk.see(page.id, outcome="refused")
    expected = [said for _, said in BAD.values()]
    assert reasons(named) == {place + 2: expected[turn % len(wrong)] for turn, place in enumerate(mended)}
    back = read_csv(await desk.sheet_back(page.id))
    assert len(back) == 37
    again = [{**dict.fromkeys(line, ""), **right} for line, right in zip(back, mended.values(), strict=True)]
    page = await desk.through(sheet(again, headings=[*back[0]]))
    assert (page.filed, page.refused) == (37, 0)
    assert len(await claims_of(desk)) == 5_000
    await promises_are_kept()
