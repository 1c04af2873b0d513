"""What finance is shown: forecasts, the monthly statement down to its lines, and vouchers that balance."""

import csv
from collections.abc import AsyncIterator
from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from typing import Any

import httpx
import pytest
from openpyxl import load_workbook

from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.fund import Movement, PositionKey
from service.accounting.queries.forecast import forecasts
from service.accounting.queries.statement import statement, statement_lines
from service.accounting.schemas import ForecastView, PositionStatement
from service.audit.queries.checks import first_breach
from service.audit.queries.fund_months import STATEMENT
from service.database import Tx, transaction
from service.funds.commands import confirm_transfer
from service.gateways.bank_files.neutral import read_return
from service.journal import By
from service.reconciliation.commands import take_return
from service.security import open_session
from tests.app import the_app
from tests.pages import read
from tests.payments import Stage, a_return, lines_of
from tests.service.test_fund_transfers import propose, transfer
from tests.service.test_funds import ONE, Office
from tests.service.test_patrols import own, tx
from tests.world import FUND, GENEROUS_FEN, World

__all__ = ["own", "tx"]


async def said_by_the_bank(tx: Tx, stage: Stage) -> Any:
    """A batch of three: one paid, one not, one paid and then returned."""
    batch = await stage.sent(tx)
    paid, failed, returned = [(line.reference, line.amount_fen) for line in await lines_of(tx, batch.id)]
    first = [(*paid, "done", ""), (*failed, "failed:permanent", "closed"), (*returned, "done", "")]
    for said in (first, [(*returned, "returned", "closed")]):
        data = a_return(batch, said)
        await take_return(tx, None, read_return(data), data, "bank", By("test", stage.world.now))
    return batch


def month_of(world: World) -> date:
    return world.today.replace(day=1)


# ---- the monthly statement


async def the_month(tx: Tx, me: Actor, world: World, first: date | None = None) -> PositionStatement:
    (mine,) = (await statement(tx, me, first or month_of(world), world.now)).positions
    return mine


def moved(position: PositionStatement) -> dict[str, tuple[int, int]]:
    return {each.kind: (each.amount_fen, each.lines) for each in position.moved if each.lines}


async def test_a_month_adds_up_from_the_opening_to_what_is_there(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world)
    await said_by_the_bank(tx, stage)
    maker = stage.staff[Post.MAKER]
    mine = await the_month(tx, maker, world)
    assert moved(mine) == {
        "appropriate": (GENEROUS_FEN, 1),
        "reserve": (3 * ONE, 3),
        "send": (3 * ONE, 3),
        "pay": (2 * ONE, 2),
        "fail": (ONE, 1),
        "bounce": (ONE, 1),
    }
    assert (mine.opening.balance_fen, mine.appropriated_fen, mine.paid_fen) == (0, GENEROUS_FEN, ONE)
    assert (mine.closing.free_fen, mine.closing.reserved_fen) == (GENEROUS_FEN - 3 * ONE, 2 * ONE)
    assert (mine.closing.paid_fen, mine.closing.balance_fen) == (ONE, GENEROUS_FEN - ONE)
    # the next month begins there, and nothing has moved in it; before, there was nothing
    later = await the_month(tx, maker, world, (month_of(world) + timedelta(days=40)).replace(day=1))
    assert (later.opening, later.closing, moved(later)) == (mine.closing, mine.closing, {})
    earlier = (month_of(world) - timedelta(days=1)).replace(day=1)
    assert (await statement(tx, maker, earlier, world.now)).positions == []
    assert await first_breach(tx, STATEMENT.checks) is None


async def test_every_figure_is_the_sum_of_its_lines(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world)
    await said_by_the_bank(tx, stage)
    maker = stage.staff[Post.MAKER]
    of = PositionKey(stage.district, FUND, world.today.year)
    for each in (await the_month(tx, maker, world)).moved:
        seen, cursor = list[Any](), None
        while True:
            page = await statement_lines(tx, maker, of, month_of(world), Movement(each.kind), cursor, 2)
            seen += page.lines
            if (cursor := page.next) is None:
                break
        assert (sum(line.amount_fen for line in seen), len(seen)) == (each.amount_fen, each.lines)
        assert [line.id for line in seen] == sorted({line.id for line in seen})
        assert {line.kind for line in seen} <= {each.kind}
    (granted,) = (await statement_lines(tx, maker, of, month_of(world), Movement.APPROPRIATE, None, 9)).lines
    assert (granted.document, granted.by) == ("示例下达文件", "checker")


async def test_a_transfer_stands_in_both_positions(tx: Tx, world: World) -> None:
    office = await Office.build(tx, world)
    await office.give(tx, 3 * ONE)
    proposed = await propose(tx, office, office.staff[Post.MAKER], transfer(office))
    await confirm_transfer(tx, office.staff[Post.CHECKER], proposed, world.now)
    old, new = (await statement(tx, office.staff[Post.MAKER], month_of(world), world.now)).positions
    assert (old.year, old.transferred_fen, old.closing.balance_fen) == (world.today.year, -ONE, 2 * ONE)
    assert (new.year, new.transferred_fen, new.closing.balance_fen) == (world.today.year + 1, ONE, ONE)
    of = PositionKey(office.district, FUND, new.year)
    found = await statement_lines(tx, office.staff[Post.MAKER], of, month_of(world), Movement.TRANSFER_IN, None, 9)
    assert [(line.transfer_id, line.document) for line in found.lines] == [(proposed, "示例文件")]


async def test_another_districts_lines_are_as_if_they_were_not_there(tx: Tx, world: World) -> None:
    office = await Office.build(tx, world)
    await office.give(tx, ONE)
    of = PositionKey(office.district, FUND, world.today.year)
    asked = (of, month_of(world), Movement.APPROPRIATE, None, 9)
    assert (await statement_lines(tx, world.staff[Post.AUDITOR], *asked)).lines
    with pytest.raises(NotFound, match=r"fund_position\.not_found"):
        await statement_lines(tx, world.staff[Post.MAKER], *asked)
    theirs = (await statement(tx, world.staff[Post.MAKER], month_of(world), world.now)).positions
    assert office.district not in {each.district for each in theirs}


# ---- will it last


async def the_forecast(tx: Tx, office: Office, days: int = 30) -> ForecastView:
    world = office.world
    found = await forecasts(tx, office.staff[Post.MAKER], world.today, world.now, days)
    (mine,) = [each for each in found.forecasts if each.fund == FUND]
    return mine


async def test_the_forecast_counts_what_was_drawn_and_what_is_owed(tx: Tx, world: World) -> None:
    office = await Office.build(tx, world)
    await office.claims(tx, 2)
    await world.claim(tx, "filed", district=office.district)
    # nobody gave it money, and it is asked
    bare = await the_forecast(tx, office)
    assert (bare.free_fen, bare.owed_claims, bare.owed_fen, bare.shortfall_fen) == (0, 3, 3 * ONE, 3 * ONE)
    assert (bare.days_left, bare.runs_out_on) == (None, None)
    await office.give(tx, 3 * ONE)
    await world.claim(tx, "approved", district=office.district)
    given = await the_forecast(tx, office, days=2)
    assert (given.free_fen, given.drawn_fen, given.days_left) == (2 * ONE, ONE, 4)
    assert (given.owed_claims, given.shortfall_fen, given.shortfall) == (3, ONE, "1,200 元")
    other = await forecasts(tx, world.staff[Post.MAKER], world.today, world.now, 30)
    assert office.district not in {each.district for each in other.forecasts}


# ---- over HTTP


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


async def signed_in(actor: Actor) -> dict[str, str]:
    async with transaction() as tx:
        return {"Authorization": f"Bearer {(await open_session(tx, actor)).token}"}


async def test_vouchers_balance_to_what_stayed_paid(client: httpx.AsyncClient, committed: World) -> None:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed)
        batch = await said_by_the_bank(tx, stage)
        names = [line.account_tail for line in await lines_of(tx, batch.id)]
    path = f"/api/batches/{batch.id}/vouchers"
    maker = await signed_in(stage.staff[Post.MAKER])
    answer = await client.get(path, headers=maker)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    lines, total = rows[:-1], rows[-1]
    assert [row["摘要"] for row in lines] == ["发放补贴"] * 4 + ["退票冲回"] * 2
    debit, credit = "借方金额（元）", "贷方金额（元）"
    sums = {side: sum(Decimal(row[side] or 0) for row in lines) for side in (debit, credit)}
    assert sums[debit] == sums[credit] == Decimal(total[debit]) == Decimal(total[credit]) == 3 * ONE // 100
    spent = [row for row in lines if row["科目"] == "就业补助资金支出"]
    assert sum(Decimal(row[debit] or 0) - Decimal(row[credit] or 0) for row in spent) == ONE // 100
    assert {row["政府支出经济分类"] for row in spent} == {"50999 其他对个人和家庭补助"}
    assert {row["科目"] for row in lines} == {"就业补助资金支出", batch.debit_account}
    assert names  # nothing of an account is told
    assert not {*names} & {cell for row in rows for cell in row.values()}
    assert "尾号" not in answer.text
    book = load_workbook(BytesIO((await client.get(f"{path}?kind=xlsx", headers=maker)).content)).active
    assert book is not None
    assert book.max_row == len(rows) + 1
    # another district's is not there, and a reviewer has no business with it
    stranger = await client.get(path, headers=await signed_in(committed.staff[Post.MAKER]))
    assert (stranger.status_code, stranger.json()["code"]) == (404, "batch.not_found")
    denied = await client.get(path, headers=await signed_in(committed.staff[Post.REVIEWER]))
    assert denied.status_code == 403


async def test_the_statement_is_a_page_a_workbook_and_a_document(client: httpx.AsyncClient, committed: World) -> None:
    async with transaction() as tx:
        office = await Office.build(tx, committed)
        await office.give(tx, 3 * ONE)
        await committed.claim(tx, "approved", district=office.district)
    maker = await signed_in(office.staff[Post.MAKER])
    month = f"{committed.today:%Y-%m}"
    told = (await client.get("/api/funds/statement", headers=maker)).json()
    assert (told["month"], told["ended"]) == (month, False)
    (mine,) = told["positions"]
    assert mine["closing"]["balance"] == "3,600 元"
    page = read(await client.get("/funds/statement", headers=maker))
    assert page.answer.headers["cache-control"] == "no-store"
    assert "3,600.00" in page.words["td"]
    assert "这个月还没有结束" in page.text
    (reserved,) = [each for each in page.values("href", "a") if "kind=reserve" in each]
    lines = read(await client.get(reserved, headers=maker))
    assert "1,200.00" in lines.words["td"]
    sheet = load_workbook(BytesIO((await client.get("/api/funds/statement/book", headers=maker)).content)).active
    assert sheet is not None
    heading, row = list(sheet.iter_rows(values_only=True))
    assert dict(zip(heading, row, strict=True))["期末结余"] == 3600
    forecast = (await client.get("/api/funds/forecast?days=7", headers=maker)).json()
    assert [each["free_fen"] for each in forecast["forecasts"]] == [2 * ONE]


async def test_only_finance_sees_it_and_a_month_is_a_month(client: httpx.AsyncClient, committed: World) -> None:
    reviewer, maker = [await signed_in(committed.staff[post]) for post in (Post.REVIEWER, Post.MAKER)]
    browser = {"Accept": "text/html"}
    for path in ("/api/funds/statement", "/funds/statement", "/api/funds/forecast", "/api/funds/statement/book"):
        assert (await client.get(path, headers=reviewer)).status_code == 403
        assert (await client.get(path)).status_code == 401
    asked = await client.get("/funds/statement", headers=browser)
    assert (asked.status_code, asked.headers["location"]) == (303, "/sign-in?next=/funds/statement")
    wrong = await client.get("/api/funds/statement?month=2026-13", headers=maker)
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "month.format")
    missing = await client.get(
        "/api/funds/statement/lines?month=2026-01&district=nowhere&fund=x&year=2026&kind=pay", headers=maker
    )
    assert (missing.status_code, missing.json()["code"]) == (404, "fund_position.not_found")
