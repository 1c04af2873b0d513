"""The share: exact whenever it is read, whatever is folded meanwhile, and discreet towards the public."""

import asyncio
import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from itertools import product
from typing import Any

import httpx
import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from domain.actor import Actor, Post
from domain.claim import Channel
from domain.errors import Invalid
from domain.period import Period
from domain.share import DEFINITION
from service import clock
from service.claims.commands.tally import fold_tally
from service.claims.queries.views import claim_view
from service.claims.tables import ClaimRow, ClaimTallyDeltaRow, ClaimTallyRow, ClaimTallySumRow
from service.database import Tx, async_url, transaction
from service.pages.headline import Paid
from service.security import open_session
from service.statistics.commands import keep_paid_count
from service.statistics.queries.paid import count_paid, latest_count
from service.statistics.queries.share import By, individual_share, parse_by, parse_span
from service.statistics.schemas import IndividualShareView, PaidCount
from tasks.claims import fold_tally as sweep
from tasks.statistics import count_paid as count_paid_sweep
from tests.app import the_app
from tests.conftest import ROOT, Databases
from tests.objections import PaidForThem
from tests.service.season import Season, fresh_database
from tests.world import World

FIRST, DAYS = date(2031, 11, 1), 120
SPAN = Period(FIRST, FIRST + timedelta(days=DAYS - 1))
WHOLE = ("filed_on", "district", "list_kind", "industry", "level", "channel")

_COLUMNS = {
    By.DISTRICT: ClaimRow.district,
    By.LIST: ClaimRow.list_kind,
    By.INDUSTRY: ClaimRow.industry,
    By.LEVEL: ClaimRow.level,
    By.MONTH: func.to_char(ClaimRow.filed_on, "YYYY-MM"),
}


async def counted_by_hand(tx: Tx, span: Period, by: By) -> dict[str, tuple[Counter[str], Counter[str]]]:
    """The definition over the claims themselves, one by one."""
    asked = select(_COLUMNS[by], ClaimRow.channel, ClaimRow.amount_fen).where(
        ClaimRow.filed_on.between(span.first, span.last), ClaimRow.status != "withdrawn"
    )
    found: dict[str, tuple[Counter[str], Counter[str]]] = {}
    for key, channel, amount_fen in await tx.execute(asked):
        count, amount = found.setdefault(key, (Counter(), Counter()))
        count[channel] += 1
        amount[channel] += amount_fen
    return found


def figures(view: IndividualShareView) -> dict[str, tuple[Counter[str], Counter[str]]]:
    return {row.key: (+Counter(row.count), +Counter(row.amount_fen)) for row in view.rows}


@pytest.mark.parametrize("seed", range(3))
async def test_the_kept_figures_equal_the_claims_counted_one_by_one(tx: Tx, seed: int) -> None:
    """Filing, withdrawing and folding in any order; then over whole months, and spans that cut through them."""
    dice = random.Random(seed)
    season, live = await Season.build(tx), []
    for _ in range(60):
        live.append(await season.random_claim(tx, dice, FIRST, DAYS))
        if dice.random() < 0.3:
            await season.withdraw(tx, live.pop(dice.randrange(len(live))))
        if dice.random() < 0.2:
            await fold_tally(tx, limit=dice.choice((1, 7, 10_000)))
    starts = [FIRST + timedelta(days=day) for day in dice.choices(range(DAYS // 2), k=6)]
    spans = [Period(first, first + timedelta(days=dice.randrange(30, 90))) for first in starts]
    for span in (SPAN, Period(FIRST, date(2031, 12, 31)), *spans):
        for by in By:
            view = await individual_share(tx, span, by, public=False)
            assert figures(view) == await counted_by_hand(tx, span, by)
            assert sum(view.total.count.values()) == sum(sum(row.count.values()) for row in view.rows if row.count)
            count, amount = view.total.count, view.total.amount_fen
            assert view.total.share.count == round(count["individual"] / sum(count.values()), 4)
            assert view.total.share.amount == round(amount["individual"] / sum(amount.values()), 4)


async def test_an_empty_span_has_no_share(tx: Tx) -> None:
    view = await individual_share(tx, Period(date(1950, 1, 1), date(1950, 12, 31)), By.MONTH, public=False)
    assert (view.rows, view.total.share.count, view.total.share.amount) == ([], None, None)
    assert view.total.count == dict.fromkeys(Channel, 0)
    assert view.definition == DEFINITION


async def test_what_is_read_grows_with_the_keys_and_not_with_the_claims(tx: Tx) -> None:
    await append(tx, 500, on=FIRST)
    while await fold_tally(tx):
        pass
    asked = select(func.count()).select_from(ClaimTallyDeltaRow)
    assert (await tx.execute(asked)).scalar_one() == 0
    kept = (await tx.execute(select(ClaimTallyRow.count).where(ClaimTallyRow.filed_on == FIRST))).scalars().all()
    assert kept == [500]


async def test_what_is_read_does_not_grow_with_what_claims_have_in_common(tx: Tx) -> None:
    """Many cells of the tally make few sums: a day has one for each key and channel."""
    for district, industry, level in product(("370102", "370112"), ("制造业", "建筑业", "农业"), "54321"):
        await append(tx, 1, on=FIRST, district=district, industry=industry, level=level)
    while await fold_tally(tx):
        pass
    cells = select(func.count()).where(ClaimTallyRow.filed_on == FIRST)
    assert (await tx.execute(cells)).scalar_one() == 2 * 3 * 5
    row = ClaimTallySumRow
    for grain in ("day", "month"):
        asked = select(row.along, func.count(), func.sum(row.count)).group_by(row.along)
        sums = await tx.execute(asked.where(row.filed_on == FIRST, row.grain == grain))
        assert {along: (rows, claims) for along, rows, claims in sums} == {
            "month": (1, 30), "district": (2, 30), "list": (1, 30), "industry": (3, 30), "level": (5, 30),
        }  # fmt: skip


async def append(tx: Tx, count: int, on: date, channel: str = "individual", times: int = 1, **key: Any) -> None:
    """`count` changes of `times` claims of 1 yuan."""
    where = {"filed_on": on, "district": "370102", "list_kind": "shortage", "industry": "制造业", "level": "5"} | key
    change = {**where, "channel": channel, "count": times, "amount_fen": 100 * times}
    await tx.execute(insert(ClaimTallyDeltaRow), [change] * count)


@pytest.fixture
async def own(databases: Databases) -> AsyncIterator[AsyncEngine]:
    """Real connections of the service's role to a database that nobody else uses."""
    async with fresh_database(databases.admin_url, "statistics") as name:
        engine = create_async_engine(async_url(f"{databases.app_url.rpartition('/')[0]}/{name}"), pool_size=12)
        yield engine
        await engine.dispose()


class Race:
    """Writers append, folders fold and readers read, each on connections of their own, until the writers are done."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.begun = self.committed = self.folded = self.reads = 0
        self.writing = True

    async def write(self) -> None:
        for _ in range(40):
            self.begun += 3
            async with self.engine.begin() as tx:
                await append(tx, 3, on=FIRST)
            self.committed += 3

    async def write_all(self) -> None:
        try:
            await asyncio.gather(*(self.write() for _ in range(3)))
        finally:
            self.writing = False

    async def fold(self) -> None:
        while self.writing:
            async with self.engine.begin() as tx:
                self.folded += await fold_tally(tx, limit=5)

    async def read(self) -> None:
        """At least what was committed before it asked, at most what was begun before it was answered."""
        while self.writing:
            least = self.committed
            async with self.engine.begin() as tx:
                view = await individual_share(tx, SPAN, By.MONTH, public=False)
            seen = view.total.count["individual"]
            assert least <= seen <= self.begun
            assert view.total.amount_fen["individual"] == 100 * seen
            self.reads += 1


async def test_no_reader_sees_a_wrong_sum_while_others_file_and_fold(own: AsyncEngine) -> None:
    race = Race(own)
    await asyncio.gather(race.write_all(), race.fold(), race.fold(), race.read(), race.read())
    assert race.reads > 10
    assert 0 < race.folded <= 360
    async with own.begin() as tx:
        while await fold_tally(tx):
            pass
        assert (await tx.execute(select(ClaimTallyRow.count))).scalars().all() == [360]


async def test_a_folder_leaves_the_work_to_the_one_who_is_at_it(own: AsyncEngine) -> None:
    async with own.begin() as tx:
        await append(tx, 2, on=FIRST)
    async with own.begin() as first, own.begin() as second:
        assert await fold_tally(first) == 2
        assert await asyncio.wait_for(fold_tally(second), timeout=5) == 0


@asynccontextmanager
async def filed(*changes: dict[str, Any]) -> AsyncIterator[None]:
    """Changes that everybody sees, taken back afterwards."""
    try:
        async with transaction() as tx:
            for change in changes:
                await append(tx, 1, **change)
        yield
    finally:
        async with transaction() as tx:
            for change in changes:
                await append(tx, 1, **{**change, "times": -change["times"]})


@pytest.fixture
async def api() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(the_app()), base_url="http://test") as client:
        yield client


async def bearer(me: Actor) -> dict[str, str]:
    async with transaction() as tx:
        return {"Authorization": f"Bearer {(await open_session(tx, me)).token}"}


ASKED = "/api/statistics/individual-share?from=2041-01-01&to=2041-12-31"


async def test_the_public_is_not_told_of_few_nor_can_it_subtract(api: httpx.AsyncClient, committed: World) -> None:
    january, february, march = (date(2041, month, 9) for month in (1, 2, 3))
    changes = (
        {"on": january, "times": 4},
        {"on": february, "times": 6},
        {"on": february, "times": 3, "channel": "institution"},
        {"on": march, "times": 30, "channel": "institution"},
    )
    async with filed(*changes):
        open_ = (await api.get(ASKED)).json()
        staff = (await api.get(ASKED, headers=await bearer(committed.staff[Post.AUDITOR]))).json()
        clerk = (await api.get(ASKED, headers=await bearer(committed.clerks[0]))).json()
    hidden = {"count": None, "amount_fen": None, "share": {"count": None, "amount": None}, "suppressed": True}
    shown = {
        "count": {"individual": 0, "institution": 30, "enterprise": 0},
        "amount_fen": {"individual": 0, "institution": 3000, "enterprise": 0},
        "share": {"count": 0.0, "amount": 0.0},
        "suppressed": False,
    }
    assert open_["rows"] == [
        {"key": "2041-01", "name": "2041年1月", **hidden},
        {"key": "2041-02", "name": "2041年2月", **hidden},
        {"key": "2041-03", "name": "2041年3月", **shown},
    ]
    assert clerk == open_
    assert [row["suppressed"] for row in staff["rows"]] == [False, False, False]
    assert staff["rows"][1]["count"] == {"individual": 6, "institution": 3, "enterprise": 0}
    assert staff["rows"][1]["share"] == {"count": 0.6667, "amount": 0.6667}
    assert staff["total"] == open_["total"]
    assert open_["total"]["share"] == {"count": round(10 / 43, 4), "amount": round(10 / 43, 4)}
    assert (open_["from"], open_["to"], open_["by"]) == ("2041-01-01", "2041-12-31", "month")
    assert (open_["definition"], open_["sample"]) == (DEFINITION, True)


async def test_every_breakdown_names_its_keys_in_chinese(api: httpx.AsyncClient, committed: World) -> None:
    headers = await bearer(committed.staff[Post.AUDITOR])
    async with filed({"on": date(2041, 5, 5), "times": 5}):
        rows = {by: (await api.get(f"{ASKED}&by={by}", headers=headers)).json()["rows"] for by in By}
    assert {by: (row["key"], row["name"]) for by, (row,) in rows.items()} == {
        "month": ("2041-05", "2041年5月"),
        "district": ("370102", "历下区"),
        "list": ("shortage", "急需紧缺"),
        "industry": ("制造业", "制造业"),
        "level": ("5", "五级/初级工"),
    }


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("from=2041-02-29", "from", "date.no_such_day"),
        ("from=20410101", "from", "date.format"),
        ("to=", "to", "date.format"),
        ("to=9999-12-31", "to", "date.out_of_range"),
        ("from=2041-01-02&to=2041-01-01", "to", "period.reversed"),
        ("from=2031-01-01&to=2041-01-01", "to", "period.too_long"),
        ("by=person", "by", "statistics.unknown_by"),
        ("by=", "by", "statistics.unknown_by"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_its_field(
    api: httpx.AsyncClient, query: str, field: str, code: str
) -> None:
    answer = await api.get(f"/api/statistics/individual-share?{query}")
    assert answer.status_code == 422
    assert [(each["field"], each["code"]) for each in answer.json()["errors"]] == [(field, code)]


def test_ten_years_may_be_asked_and_a_day_more_may_not() -> None:
    assert parse_span("2031-03-01", "2041-02-28", FIRST) == Period(date(2031, 3, 1), date(2041, 2, 28))
    with pytest.raises(Invalid):
        parse_span("2031-03-01", "2041-03-01", FIRST)


def test_what_is_not_said_is_the_year_to_date_by_month() -> None:
    assert parse_span(None, None, FIRST) == Period(date(2031, 1, 1), FIRST)
    assert parse_by("month") is By.MONTH


async def test_the_sweep_folds_everything() -> None:
    async with filed({"on": FIRST, "times": 1}):
        await sweep()
        async with transaction() as tx:
            assert (await tx.execute(select(func.count()).select_from(ClaimTallyDeltaRow))).scalar_one() == 0
            view = await individual_share(tx, Period(FIRST, FIRST), By.DISTRICT, public=False)
    assert [row.count for row in view.rows] == [{"individual": 1, "institution": 0, "enterprise": 0}]


async def test_the_command_prints_the_same_figures() -> None:
    command = [sys.executable, "-m", "service.cli", "stats", "--from", "2042-01-01", "--to", "2042-12-31"]
    environment = dict(os.environ) | {"COLUMNS": "120"}

    def zhida(*more: str) -> str:
        return subprocess.run(
            [*command, *more], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        ).stdout

    async with filed(
        {"on": date(2042, 5, 5), "times": 3}, {"on": date(2042, 6, 1), "times": 1, "channel": "enterprise"}
    ):
        by_level = json.loads(await asyncio.to_thread(zhida, "--by", "level", "--json"))
        table = await asyncio.to_thread(zhida)
    assert by_level["total"]["count"] == {"individual": 3, "institution": 0, "enterprise": 1}
    assert [row["count"] for row in by_level["rows"]] == [by_level["total"]["count"]]
    assert "2042年5月" in table
    assert "75.0%" in table
    assert "样例" in table


async def test_what_was_paid_this_year_is_counted_once_and_read_as_it_was_counted(tx: Tx, world: World) -> None:
    before = await count_paid(tx, world.today)
    paid = await PaidForThem.build(tx, world)
    counted = await count_paid(tx, world.today)
    assert (counted.persons, counted.payments) == (before.persons + 1, before.payments + 1)
    claim = await claim_view(tx, paid.trainee.actor, paid.claim_id)
    assert counted.paid_fen == before.paid_fen + claim.amount_fen
    assert counted.month == world.today.replace(day=1)
    assert await keep_paid_count(tx, world.today, world.now)
    assert not await keep_paid_count(tx, world.today, world.now)
    assert await latest_count(tx, world.today) == counted
    assert await latest_count(tx, date(2019, 12, 31)) is None


@pytest.mark.parametrize(
    ("persons", "month_claims", "shown"),
    [(0, None, ("0", 0, None)), (4, 4, ("＜5", None, None)), (5, 4, ("5", 500, None)), (1_234, 9, ("1,234", 500, 7))],
)
def test_few_persons_are_not_counted_in_public(
    persons: int, month_claims: int | None, shown: tuple[str, int | None, int | None]
) -> None:
    fen, month = 500 if persons else 0, date(2026, 11, 1) if month_claims else None
    counted = PaidCount(date(2026, 11, 26), persons, persons, fen, month, month_claims, 7 if month_claims else None)
    paid = Paid.of(counted)
    assert paid is not None
    assert (paid.persons, paid.paid_fen, paid.half_days) == shown


async def test_the_first_page_says_what_was_counted_and_when() -> None:
    await count_paid_sweep()
    async with transaction() as tx:
        counted = Paid.of(await latest_count(tx, clock.today()))
    assert counted is not None
    async with httpx.AsyncClient(transport=httpx.ASGITransport(the_app()), base_url="https://zhida.test") as client:
        page = (await client.get("/", headers={"Accept": "text/html"})).text
    assert f'领到补贴的</dt><dd class="v">{counted.persons} <small>人' in page
    assert f'截至 <time datetime="{counted.counted_on}">' in page
