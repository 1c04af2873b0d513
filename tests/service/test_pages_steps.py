"""Days of steps for everybody, and returns by list: counted by a sweep, read from what was counted."""

import csv
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import DBAPIError

from domain.actor import Post
from domain.period import Period, add_months
from service import database
from service.claims.tables import ClaimRow
from service.database import Tx, transaction
from service.pages import measures
from service.statistics.commands import keep_lists_of_a_batch, keep_step_count
from service.statistics.queries import returns, step_counts, steps
from service.statistics.queries.step_counts import counted_months, months_to_count, steps_of_year
from service.statistics.tables import BatchListRow, StepCountRow
from tasks.statistics import count_paid as count_paid_sweep
from tests.app import the_app
from tests.pages import at_a_browser, read
from tests.payments import Stage, a_return, lines_of
from tests.service.test_pages_board import as_post, noon
from tests.service.test_reconciliation import of, take
from tests.world import World

YEAR = 2064
#: Month → of every how many-th, days from filing to payment → claims looked at, and days of correction → claims.
_COUNTED: dict[int, tuple[int, dict[int, int], dict[int, int]]] = {
    1: (1, {10: 6, 30: 4}, {}),
    2: (1, {12: 3}, {5: 3}),
    3: (3, {20: 9, 40: 1}, {6: 9}),
    4: (1, {15: 8}, {}),
}


def _row(month: int, every: int, whole: dict[int, int], correction: dict[int, int]) -> dict[str, Any]:
    days = {"whole": whole, "correction": correction}
    told = {step: {str(each): n for each, n in found.items()} for step, found in days.items() if found}
    at = noon(date(YEAR, 5, 2))
    return {
        "id": uuid4(),
        "month": date(YEAR, month, 1),
        "counted_on": at.date(),
        "counted_at": at,
        "every": every,
        "days": told,
    }


@pytest.fixture
async def counted() -> None:
    """A year that nothing else is counted in; what is kept stays, and the last one counts."""
    async with transaction() as tx:
        old = {**_row(1, 1, {99: 50}, {}), "counted_at": noon(date(YEAR, 2, 2))}
        await tx.execute(insert(StepCountRow), [old, *(_row(month, *told) for month, told in _COUNTED.items())])


async def test_the_public_reads_days_of_steps_but_not_of_few(counted: None) -> None:
    async with at_a_browser() as browser:
        answer = await browser.get(f"/statistics/steps?year={YEAR}")
        page = read(answer)
        # three times 9 and 1 weigh as 27 and 3 beside 10, 3 and 8 of the other months: 6, 3, 8, 27, 4 and 3 in order
        assert page.words["dd"][:3] == ["20", "30", "31"]
        assert "99" not in page.text  # an older count of the same month
        assert steps.DEFINITION in page.text
        assert "2064-05-02" in page.text
        months = page.text.partition("各月：从提交到到账")[2]
        assert "2064年2月＜5＜5＜5" in months.replace(" ", "")
        assert "2064年4月不列不列不列" in months.replace(" ", "")  # else three were what is missing
        assert "2064年1月101030" in months.replace(" ", "")
        correction = read(await browser.get(f"/statistics/steps?year={YEAR}&step=correction"))
        rows = correction.text.partition("各月：补正")[2].replace(" ", "")
        assert "2064年1月0——" in rows
        assert "2064年2月＜5＜5＜5" in rows
        assert "2064年3月不列不列不列" in rows
        assert f"/statistics/steps?year={YEAR}" in read(await browser.get(f"/statistics?year={YEAR}")).values("href")
        file = await browser.client.get(f"/statistics/steps/file?year={YEAR}")
        assert file.text.startswith("\ufeff")
        table = list(csv.reader(StringIO(file.text.removeprefix("\ufeff"))))
        heading = ["月份", "步骤", "笔数", "一半不超过（工作日）", "九成不超过（工作日）"]
        assert table[0] == heading
        assert ["2064年4月", "从提交到到账", "不列", "不列", "不列"] in table
        assert ["全年", "从提交到到账", "31", "20", "30"] in table
        assert not [row for row in table[1:] if row[2].isdigit() and 0 < int(row[2]) < 5]
        for odd in ("year=%3Cscript%3E", "year=99999", "step=x", "year=0000", "year=²⁰²⁶"):
            assert "<script>" not in read(await browser.get(f"/statistics/steps?{odd}")).words["main"][0]
        other = read(await browser.get("/statistics/steps?year=2055"))
        assert "2055 年没有数据" in other.text
        assert f"/statistics/steps?year={YEAR}" in other.values("href")
        assert len((await browser.client.get("/statistics/steps/file?year=2055")).text.splitlines()) == 1


async def test_who_reads_english_reads_them_too_and_the_file_stays_chinese(counted: None) -> None:
    async with at_a_browser(follow=True) as browser:
        page = read(await browser.get(f"/statistics/steps?year={YEAR}&step=correction&lang=en"))
        assert "Month by month: correction (by the claimant), in working days" in page.words["h2"]
        assert {"January 2064", "From filing to payment"} <= set(page.words["th"])
        assert {"<5", "not shown"} <= set(page.words["td"])
        assert "2064" in read(await browser.get("/statistics/steps?year=2055")).text
        file = await browser.client.get(f"/statistics/steps/file?year={YEAR}")
        assert "2064年4月,从提交到到账,不列" in file.text


async def test_the_api_hides_the_same(counted: None) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(the_app()), base_url="http://zhida.test") as client:
        found = (await client.get(f"/api/statistics/steps?year={YEAR}")).json()
        whole = {each["month"]: each["steps"][-1] for each in found["months"]}
        assert {month: each["claims"] for month, each in whole.items()} == {
            f"{YEAR}-01": 10, f"{YEAR}-02": None, f"{YEAR}-03": 10, f"{YEAR}-04": None,
        }  # fmt: skip
        assert (whole[f"{YEAR}-02"]["few"], whole[f"{YEAR}-04"]["few"]) == (True, False)
        assert whole[f"{YEAR}-04"]["suppressed"]
        assert found["whole"][-1]["half_days"] == 20
        assert (await client.get("/api/statistics/steps?year=99999")).status_code == 400
        nothing = (await client.get("/api/statistics/steps?year=2055")).json()
        assert (nothing["months"], nothing["counted_at"]) == ([], None)


async def test_the_page_reads_what_was_counted_and_no_claim(counted: None) -> None:
    asked: list[str] = []

    def heard(_: Any, __: Any, statement: str, *___: Any) -> None:
        asked.append(statement)

    engine = database.engine().sync_engine
    event.listen(engine, "before_cursor_execute", heard)
    try:
        async with at_a_browser() as browser:
            await browser.get(f"/statistics/steps?year={YEAR}")
    finally:
        event.remove(engine, "before_cursor_execute", heard)
    assert any("step_counts" in each for each in asked)
    assert not [each for each in asked if "claims" in each or "payment_attempts" in each]


async def test_a_month_is_counted_as_the_board_counts_it_and_again_while_it_grows(
    tx: Tx, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await Stage.build(tx, world, claims=3)
    batch = await stage.sent(tx)
    month, today = world.today.replace(day=1), world.today
    await keep_step_count(tx, month, today, world.now)
    (before,) = await counted_months(tx, month, month)
    await take(tx, stage, a_return(batch, await of(tx, batch, "done", "done", "failed:permanent")))
    assert await keep_step_count(tx, month, today, world.now + timedelta(minutes=10))
    assert not await keep_step_count(tx, month, today, world.now + timedelta(minutes=20))
    (after,) = await counted_months(tx, month, month)
    whole = steps.PaidStep.WHOLE
    assert after.days[whole].total() == before.days.get(whole, Counter()).total() + 2
    board = await steps.steps_in(tx, None, month, steps.Along.CHANNEL)
    view = {each.step: each for each in (await steps_of_year(tx, today.year)).months[-1].steps}
    assert board.whole[whole].count == after.days[whole].total()
    if not view[whole].suppressed:
        assert view[whole].half_days == board.whole[whole].half
    # of few it is counted each time; of many once a day; and no more once it is old
    assert month in await months_to_count(tx, today)
    monkeypatch.setattr(step_counts, "MANY", 0)
    assert month not in await months_to_count(tx, today)
    assert month in await months_to_count(tx, today + timedelta(days=1))
    assert month not in await months_to_count(tx, add_months(month, 3))


async def test_returns_are_told_apart_by_list_once_the_batch_was_counted(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=2)
    await stage.claim(tx, item_code="4-10-01-03")
    kinds = select(ClaimRow.list_kind).where(ClaimRow.id.in_(stage.claims))
    expected = Counter((await tx.execute(kinds)).scalars())
    assert len(expected) == 2
    batch = await stage.sent(tx)
    codes = ("done", "done", "failed:permanent")
    lines = zip(await lines_of(tx, batch.id), codes, strict=True)
    await take(tx, stage, a_return(batch, [(each.reference, each.amount_fen, code, "") for each, code in lines]))
    me = replace(world.staff[Post.AUDITOR], district=stage.district)
    span = Period(world.today.replace(day=1), world.today)
    early = await returns.returns(tx, me, span, returns.Along.LIST)
    assert (early.rows, early.uncounted) == ({}, 1)
    rounds = 0
    while await keep_lists_of_a_batch(tx):
        rounds += 1
        assert rounds < 1_000
    counted = dict((await tx.execute(select(BatchListRow.list_kind, BatchListRow.lines).where(_is(batch)))).all())
    assert counted == expected
    found = await returns.returns(tx, me, span, returns.Along.LIST)
    by_district = await returns.returns(tx, me, span, returns.Along.DISTRICT)
    assert (found.whole, found.uncounted) == (by_district.whole, 0)
    assert {key: each.sent for key, each in found.rows.items()} == counted
    assert sum(each.back for each in found.rows.values()) == 1


def _is(batch: Any) -> Any:
    return BatchListRow.batch_id == batch.id


@pytest.mark.parametrize("table", ["step_counts", "batch_lists"])
@pytest.mark.parametrize("attack", ["DELETE FROM {}", "UPDATE {} SET {}"])
async def test_what_was_counted_is_changed_by_nobody(tx: Tx, counted: None, table: str, attack: str) -> None:
    what = {"step_counts": "every = 9", "batch_lists": "lines = 9"}[table]
    with pytest.raises(DBAPIError, match="permission denied"):
        await tx.execute(text(attack.format(table, what)))


async def test_the_board_tells_returns_by_list_with_a_chart_and_a_file(committed: World) -> None:
    await count_paid_sweep()
    async with as_post(committed, Post.AUDITOR) as browser:
        page = read(await browser.get("/board/returns?along=list"))
        assert measures.MEASURES["returns"].definition in page.text
        (address,) = [each for each in page.values("href") if "/file" in each]
        assert "along=list" in address
        file = (await browser.client.get(address)).text
        assert file.startswith("\ufeff目录,已送银行,退回或没发成,退回率")
        assert "没有数清" not in page.text
