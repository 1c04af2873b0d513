"""The leaders' board and the public's figures: numbers as in the statistics, and few persons hidden."""

import csv
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert

from domain.actor import Post
from domain.period import Period
from domain.share import DEFINITION, Filed, percent_of
from service import clock
from service.claims.tables import ClaimTallyDeltaRow
from service.claims.tables.review import ClaimApprovalRow
from service.database import Tx, transaction
from service.notices.tables import NoticeLineRow, NoticeRow
from service.pages import board, measures, once_a_day, public_figures
from service.policies.queries import work_calendar
from service.security import open_session
from service.settings import settings
from service.statistics.queries import returns, steps
from tests.pages import Browser, Page, at_a_browser, read
from tests.payments import Stage, a_return
from tests.service.test_reconciliation import of, take
from tests.world import World

TODAY = date(2061, 11, 20)
#: (month, district, list, level, channel, claims); each of 100 yuan, for institutions of 200.
_FILED = (
    ("2060-10", "370102", "shortage", "5", "individual", 20),
    ("2060-10", "370112", "general", "4", "institution", 80),
    ("2061-09", "370102", "shortage", "5", "individual", 30),
    ("2061-09", "370112", "general", "4", "institution", 70),
    ("2061-10", "370102", "shortage", "5", "individual", 60),
    ("2061-10", "370112", "general", "4", "institution", 60),
    ("2061-10", "370124", "general", "3", "enterprise", 3),
    ("2061-11", "370102", "shortage", "5", "individual", 7),
)


@contextmanager
def on_day(day: date) -> Iterator[None]:
    """The demo plays another day for a while."""
    file = Path(settings().clock_offset.removeprefix("@"))
    before = file.read_text()
    file.write_text(str(int(before) + (day - clock.today()).days))
    try:
        yield
    finally:
        file.write_text(before)


def _changes(sign: int) -> list[dict[str, Any]]:
    return [
        {
            "filed_on": date.fromisoformat(f"{month}-15"),
            "district": district,
            "list_kind": kind,
            "industry": "加工维修",
            "level": level,
            "channel": channel,
            "count": sign * count,
            "amount_fen": sign * count * (20_000 if channel == "institution" else 10_000),
        }
        for month, district, kind, level, channel, count in _FILED
    ]


@pytest.fixture
async def filed() -> AsyncIterator[None]:
    """Claims of years that no other test files in, taken back afterwards."""
    async with transaction() as tx:
        await tx.execute(insert(ClaimTallyDeltaRow), _changes(1))
    with on_day(TODAY):
        yield
    async with transaction() as tx:
        await tx.execute(insert(ClaimTallyDeltaRow), _changes(-1))


@asynccontextmanager
async def as_post(world: World, post: Post) -> AsyncIterator[Browser]:
    async with transaction() as tx:
        token = (await open_session(tx, world.staff[post])).token
    async with at_a_browser(token) as browser:
        yield browser


@pytest.fixture
async def leader(committed: World, filed: None) -> AsyncIterator[Browser]:
    async with as_post(committed, Post.AUDITOR) as browser:
        yield browser


async def _page(browser: Browser, path: str) -> Page:
    answer = await browser.get(path)
    assert answer.status_code == 200, answer.text[:400]
    return read(answer)


def _rows(text: str) -> list[list[str]]:
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text.removeprefix("\ufeff"))))


async def test_the_board_says_one_number_how_far_it_is_and_why_it_moved(leader: Browser) -> None:
    page = await _page(leader, "/board")
    assert "2061 年 10 月" in page.words["h1"][0]  # the last whole month
    now, before = Filed(60, 123), Filed(30, 100)
    assert now.share is not None
    assert page.words["dd"][0] == percent_of(now.share) == "48.8%"
    assert "10 月，比上月 +18.8 个百分点" in page.text
    assert "离目标 45%" not in page.text
    assert "3.8 个百分点超过目标 45%" in page.text
    # this year 90 of 223 up to October, the year before 20 of 100
    assert "40.4%今年累计，去年同期 20.0%" in page.text
    parts = [text for text in page.words["text"] if re.fullmatch(r"[+−]\d+\.\d\d|0", text)]
    moved = sum(float(each.replace("−", "-")) for each in parts)
    assert moved == pytest.approx(round(float(now.share - before.share) * 100, 2))  # type: ignore[operator]
    assert f"加总 {moved:+.2f} 个百分点" in page.text
    assert DEFINITION in page.text
    assert {"img"} <= set(page.values("role", "svg"))
    assert any("从 20.0% 到 48.8%；目标 45%" in each for each in page.values("aria-label", "svg"))


async def test_another_month_by_amount_and_what_cannot_be_asked(leader: Browser) -> None:
    page = await _page(leader, "/board?month=2061-09&by=amount")
    assert "2061 年 9 月" in page.words["h1"][0]
    assert page.words["dd"][0] == "17.6%"  # 30 of 30 + 2 * 70
    assert "上月没有申领可比" in page.text
    assert "目标按笔数定" in page.text
    running = await _page(leader, "/board?month=2061-11")
    assert "2061 年 11 月（到 20日）" in running.words["h1"][0]
    assert running.words["dd"][0] == "100.0%"
    none = await _page(leader, "/board?month=2061-08&by=%3Cb%3E")
    assert "这个月没有人提交申领" in none.text
    assert "<b>" not in none.source
    for wrong in ("2061-13", "2061-8", "二〇六一", "9999-99", "<script"):
        answer = await leader.get(f"/board?month={wrong}")
        assert answer.status_code == 422
        assert "script" not in read(answer).words["main"][0]
    assert (await leader.get("/board?month=2061-08-01")).status_code in {400, 422}


async def test_every_link_of_the_board_leads_to_its_measure_or_its_numbers(leader: Browser) -> None:
    page = await _page(leader, "/board")
    addresses = {each for each in page.values("href", "a") if each.startswith("/board/")}
    assert {each.split("/")[2].partition("?")[0] for each in addresses} == {
        *("share", "steps", "returns", "coverage", "offers"),
    }
    for address in sorted(addresses):
        answer = await leader.get(address)
        assert answer.status_code == 200, address
        if "/file?" in address:
            assert answer.headers["cache-control"] == "private, no-store"
            assert answer.headers["content-disposition"].startswith("attachment")
            assert len(_rows(answer.text)[0]) > 3


async def test_the_share_is_drilled_into_and_comes_as_a_file(leader: Browser) -> None:
    page = await _page(leader, "/board/share?along=district&from=2061-09&to=2061-10")
    assert re.search(r"历下区 ?100.0% ?90 ?90 ?0 ?0", page.text)
    further = next(each for each in page.values("href", "a") if "along=level" in each and "district=370112" in each)
    inside = await _page(leader, further)
    assert "历城区" in inside.text
    assert re.search(r"四级/中级工 ?0.0% ?130 ?0 ?130 ?0", inside.text)
    rows = _rows((await leader.get("/board/share/file?along=district&from=2061-09&to=2061-10")).text)
    assert rows[0][:6] == ["区县", "占比", "合计", "本人", "机构代领", "企业"]
    by_name = {row[0]: row[1:] for row in rows[1:]}
    assert by_name["历下区"] == ["1.0000", "90", "90", "0", "0", "1.0000", "9000.00", "9000.00"]
    assert by_name["合计"][:5] == [f"{90 / 223:.4f}", "223", "90", "130", "3"]
    by_month = await _page(leader, "/board/share?along=month&district=370102&from=2060-12&to=2061-10")
    assert "2061年9月" in by_month.text
    too_long = await leader.get("/board/share?along=level&district=370102&from=2060-01&to=2061-10")
    assert too_long.status_code == 422
    nothing = await _page(leader, "/board/share?district=nowhere%3Cb%3E&from=2061-01&to=2061-10")
    assert "这些日子里没有" in nothing.text
    assert "没有这个区县" in nothing.text
    assert "<b>" not in nothing.source


async def test_the_closer_look_has_the_months_of_the_trend(leader: Browser) -> None:
    (live,) = (await _page(leader, "/board")).values("data-live")
    look = json.loads(live)
    lengths = {len(look["months"]), *(len(each["data"]) for each in look["series"])}
    assert (len(lengths), [each["name"] for each in look["series"]]) == (1, ["本人申领", "机构代领", "企业代领"])
    for month in zip(*(each["data"] for each in look["series"]), strict=True):
        assert None in month or abs(sum(month) - 100) < 0.2


@pytest.mark.parametrize(
    "path",
    ["/board/people", "/board/share?from=2061-10&to=2061-09", "/board/share?from=0000-00", "/board/steps?to=x"],
)
async def test_what_is_no_measure_or_no_month_is_said_on_a_page(leader: Browser, path: str) -> None:
    answer = await leader.get(path)
    read(answer)
    assert answer.status_code == (404 if "people" in path else 422)


async def test_the_board_is_for_those_who_sign_publish_and_audit(committed: World) -> None:
    async with at_a_browser() as nobody:
        assert (await nobody.get("/board")).headers["location"] == "/sign-in?next=/board"
    for post in (Post.REVIEWER, Post.MAKER):
        async with as_post(committed, post) as browser:
            for path in ("/board", "/board/share", "/board/share/file"):
                assert (await browser.get(path)).status_code == 403


async def test_before_the_first_claim_the_board_and_the_statistics_say_so(
    committed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(_: Any) -> list[date]:
        return []

    for module in (board, measures, public_figures):
        monkeypatch.setattr(module, "months_filed", none)
    with on_day(date(2059, 1, 5)):
        async with as_post(committed, Post.AUDITOR) as browser:
            assert "第一笔申领提交的当天，这里就有数" in (await _page(browser, "/board")).text
            for measure in measures.MEASURES:
                assert "这里就有数" in (await _page(browser, f"/board/{measure}")).text
            assert "还没有人提交申领" in (await _page(browser, "/statistics")).text


# ---- how long, and what came back


async def test_steps_and_returns_are_those_of_the_claims_that_were_paid(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=3)
    filed_on, calendar = world.today, work_calendar()
    approved_on, closes_on, paid_on = (calendar.add(filed_on, days).on for days in (4, 9, 12))
    officer = world.staff[Post.REVIEWER]
    notice = {"id": uuid4(), "district": stage.district, "opens_on": approved_on, "closes_on": closes_on}
    await tx.execute(
        insert(NoticeRow).values(
            **notice, provisional=False, line_count=3, content_hash="0" * 64, published_by=officer.user_id
        )
    )
    approval = {
        "district": stage.district,
        "filed_on": filed_on,
        "seed": b"0" * 32,
        "percent": 0,
        "why": [],
        "approved_by": officer.user_id,
        "approved_person": officer.person_id,
        "approved_at": noon(approved_on),
    }
    await tx.execute(insert(ClaimApprovalRow), [{**approval, "claim_id": claim} for claim in stage.claims])
    await tx.execute(
        insert(NoticeLineRow), [{"notice_id": notice["id"], "claim_id": claim} for claim in stage.claims]
    )
    stage.world = replace(world, today=paid_on, now=noon(paid_on))
    batch = await stage.sent(tx)
    await take(tx, stage, a_return(batch, await of(tx, batch, "done", "done", "failed:permanent")))

    month = paid_on.replace(day=1)
    found = await steps.steps(tx, replace(officer, district=stage.district), month, steps.Along.DISTRICT)
    took = {step: (each.count, each.half, each.nine_tenths) for step, each in found.whole.items()}
    assert took == {
        steps.PaidStep.REVIEW: (2, 4, 4),
        steps.PaidStep.NOTICE: (2, 5, 5),
        steps.PaidStep.PAYMENT: (2, 3, 3),
        steps.PaidStep.WHOLE: (2, 12, 12),
    }
    assert found.every == 1
    assert found.rows.keys() == {stage.district}
    assert found.whole[steps.PaidStep.REVIEW].late == 0
    elsewhere = await steps.steps(tx, replace(officer, district="370124"), month, steps.Along.LEVEL)
    assert not elsewhere.rows
    span = Period(month, paid_on)
    back = await returns.returns(tx, replace(officer, district=stage.district), span, returns.Along.MONTH)
    assert back.rows == {f"{paid_on:%Y-%m}": returns.Returned(sent=3, back=1)}
    assert back.whole == returns.Returned(3, 1)


async def test_of_many_lines_every_nth_is_looked_at(tx: Tx, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await Stage.build(tx, world, claims=4)
    batch = await stage.sent(tx)
    await take(tx, stage, a_return(batch, await of(tx, batch, "done", "done", "done", "done")))
    monkeypatch.setattr(steps, "LOOKED_AT", 2)
    me = replace(world.staff[Post.AUDITOR], district=stage.district)
    found = await steps.steps(tx, me, world.today.replace(day=1), steps.Along.CHANNEL)
    assert (found.every, found.whole[steps.PaidStep.WHOLE].count) == (2, 2)


async def test_what_takes_long_is_counted_once_a_day_and_says_when(world: World) -> None:
    counted: list[int] = []

    async def count() -> int:
        counted.append(len(counted))
        return 1_000

    async def ask(*named: str, at: datetime, many: int = 300) -> once_a_day.Counted[int]:
        return await once_a_day.once_a_day((*named, str(world.now)), at, count, lambda number: number > many)

    morning, evening, later = (noon(world.today) + timedelta(hours=hours) for hours in (-3, 6, 24))
    assert (await ask("here", at=morning)).kept_at == (await ask("here", at=evening)).kept_at == morning
    assert len(counted) == 1
    assert (await ask("there", at=evening)).kept_at == evening  # of another district: nothing is shown across
    assert (await ask("here", at=later)).kept_at == later
    assert len(counted) == 3
    assert [(await ask("few", at=morning, many=2_000)).kept_at for _ in range(2)] == [None, None]
    assert len(counted) == 5


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), clock.SHANGHAI)


# ---- what anybody may see


async def test_the_public_sees_no_few_and_only_whole_months_of_places(filed: None) -> None:
    async with at_a_browser() as browser:
        page = await _page(browser, "/statistics?year=2061&by=district")
        assert re.search(r"平阴县( ?＜5){8}", page.text)
        assert re.search(r"历下区( ?不列){8}", page.text)  # else 3 would be what is missing
        assert re.search(r"历城区 ?0.0% ?130 ?0 ?130 ?0", page.text)
        assert "2061年10月31日" in page.text  # seven of November are not in it
        assert re.search(r"合计 ?40.4% ?223 ?90 ?130 ?3", page.text)
        rows = _rows((await browser.get("/statistics/file?year=2061&by=district")).text)
        assert {row[0]: row[3] for row in rows[1:]} == {
            "历下区": "不列", "历城区": "0", "平阴县": "＜5", "合计": "90",
        }  # fmt: skip
        months = await _page(browser, "/statistics?year=2061")
        assert re.search(r"2061年11月 ?100.0% ?7 ?7 ?0 ?0", months.text)
        assert DEFINITION in months.text


async def test_a_year_without_figures_names_those_that_have_some(filed: None) -> None:
    async with at_a_browser() as browser:
        empty = await _page(browser, "/statistics?year=2055")
        assert "2055 年没有数据" in empty.text
        assert "2060年10月" in empty.text
        with on_day(date(2061, 1, 10)):
            january = await _page(browser, "/statistics?year=2061&by=list")
            assert "2061年2月1日起有" in january.text
        for odd in ("year=%3Cscript%3E", "year=99999", "year=²⁰²⁶", "by=person", "year=0000"):
            page = await _page(browser, f"/statistics?{odd}")
            assert "<script>" not in page.words["main"][0]


async def test_every_open_file_is_there(filed: None) -> None:
    async with at_a_browser() as browser:
        page = await _page(browser, "/open-data")
        files = [each for each in page.values("href", "a") if "/file" in each]
        assert len(files) > 10
        assert {each.split("?")[0].rsplit("/", 2)[-2] for each in files} >= {
            "standards",
            "institutions",
            "statistics",
        }
        for address in files:
            answer = await browser.get(address)
            assert answer.status_code == 200, address
            if "xlsx" not in address:
                assert len(_rows(answer.text)) >= 1
        answer = await browser.get("/statistics/file?year=2061&by=month")
        assert answer.headers["content-disposition"].endswith("individual-share-2061-month.csv")
