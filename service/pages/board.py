"""The leaders' board: one number, how far it is from its target and why it moved; then where, who and how long."""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from functools import cache
from typing import Any

from domain.actor import Actor
from domain.claim import Channel
from domain.level import LEVELS
from domain.period import Period
from domain.share import Filed, in_hundredths, percent_of, points_of, why_it_moved
from service.access.queries import claimable_districts
from service.database import Tx
from service.pages import charts
from service.pages.board_closer import closer
from service.pages.board_months import Looked, last_of, months_of, name_of_month
from service.pages.once_a_day import Counted, once_a_day
from service.policies.queries import DATA, history
from service.statistics.queries import offers as became_of
from service.statistics.queries import returns as sent_back
from service.statistics.queries import steps as taken
from service.statistics.queries.drilled import months_filed
from service.statistics.queries.share import By, individual_share
from service.statistics.schemas import IndividualShareView, OffersFigures, ShareRowView
from service.training.queries.coverage import coverage
from service.training.schemas.patrols import CoverageLine
from service.wording import words

#: How claims are weighed, as the form says it.
BY = {"count": "笔数", "amount": "金额"}
#: As many months are named below the trend.
_TREND_LABELS = 8
_MONTHS_OFFERED = 24
#: Of more than so many claims, classes or offers the figures beside the share are counted once a day.
MANY = 300


@cache
def tile_places() -> Mapping[str, charts.Place]:
    """Where a district stands on the map of tiles (`data/district-tiles.toml`)."""
    places = tomllib.loads((DATA / "district-tiles.toml").read_text("utf-8"))["place"]
    return {code: (int(column), int(row)) for code, (column, row) in places.items()}


@dataclass(frozen=True)
class Weighed:
    """The rows of a breakdown as claims or as fen."""

    by: str

    def figures(self, row: ShareRowView) -> Mapping[str, int]:
        return (row.count if self.by == "count" else row.amount_fen) or {}

    def filed(self, row: ShareRowView) -> Filed:
        return Filed.of(self.figures(row))

    def all_of(self, view: IndividualShareView) -> dict[str, Filed]:
        return {row.key: self.filed(row) for row in view.rows}


async def board(tx: Tx, me: Actor, asked: str | None, by: str | None, today: date, now: datetime) -> dict[str, Any]:
    """Everything on the board of a month. Invalid `month.format`; without any claim only that there is none."""
    filed = await months_filed(tx)
    looked, weighed = Looked.at(asked, filed, today), Weighed(by if by in BY else "count")
    frame = {"looked": looked, "by": weighed.by, "ways": BY, "filed": filed[-_MONTHS_OFFERED:][::-1]}
    if not filed:
        return frame
    share = await _share(tx, looked, weighed)
    return {**frame, **share, **await _beside(tx, me, looked, now), "city": me.district is None}


# ---- the share


async def _share(tx: Tx, looked: Looked, weighed: Weighed) -> dict[str, Any]:
    months = await individual_share(tx, looked.two_years, By.MONTH, public=False)
    by_month = weighed.all_of(months)
    now, before = (by_month.get(f"{first:%Y-%m}", Filed()) for first in (looked.month, looked.before.first))
    target = await _targets(tx, looked, weighed)
    gap = None if now.share is None or target[-1] is None else Fraction(target[-1], 100) - now.share
    return {
        "sample": months.sample,
        "definition": months.definition,
        "now": now,
        "share": percent_of(now.share).removesuffix("%"),
        "moved": points_of(_change(before, now)),
        "year": percent_of(_sum_of(by_month, looked.year).share),
        "year_before": percent_of(_sum_of(by_month, looked.year_before).share),
        "target": target[-1],
        "gap": None if gap is None else points_of(abs(gap)).removeprefix("+"),
        "reached": gap is not None and gap <= 0,
        "trend": _trend(by_month, months_of(looked.two_years), target),
        "closer": closer(
            {row.key: weighed.figures(row) for row in months.rows if weighed.filed(row).total},
            [f"{month:%Y-%m}" for month in months_of(looked.two_years)],
            target[-1],
        ),
        **await _districts(tx, looked, weighed, target[-1]),
        "by_list": _stacked(await individual_share(tx, looked.year, By.LIST, public=False), weighed),
        "by_level": _stacked(await individual_share(tx, looked.year, By.LEVEL, public=False), weighed),
    }


def _change(before: Filed, now: Filed) -> Fraction | None:
    return None if before.share is None or now.share is None else now.share - before.share


def _sum_of(by_month: Mapping[str, Filed], span: Period) -> Filed:
    return sum((by_month.get(f"{month:%Y-%m}", Filed()) for month in months_of(span)), Filed())


async def _targets(tx: Tx, looked: Looked, weighed: Weighed) -> list[int | None]:
    """Per cent for each month of the trend, as in force at its end; a target is set for counts alone."""
    known = await history(tx, "individual_share_target") if weighed.by == "count" else []
    ends = map(last_of, months_of(looked.two_years))
    return [next((int(value) for days, value in known if end in days), None) for end in ends]


def _trend(by_month: Mapping[str, Filed], months: Sequence[date], target: Sequence[int | None]) -> dict[str, Any]:
    """The line in two widths and the sentence that says it; empty where no month has a share."""
    keys = [f"{month:%Y-%m}" for month in months]
    shares = [by_month.get(key, Filed()).share for key in keys]
    there = [i for i, share in enumerate(shares) if share is not None]
    if not there:
        return {}
    kept = slice(there[0], there[-1] + 1)
    values = [None if share is None else float(share * 100) for share in shares[kept]]
    goal = target[kept]
    above = [each + 1 for each in goal if each is not None]  # room for what stands on the line
    low, high, step = charts.axis([*(each for each in values if each is not None), *above])
    drawn = {
        name: charts.trend(
            values, keys[kept], goal, width=width, height=height, low=low, high=high, step=step,
            every=max(1, -(-len(values) // labels)),
        )
        for name, width, height, labels in (("large", 820, 250, _TREND_LABELS), ("small", 380, 200, 3))
    }  # fmt: skip
    first, last = (percent_of(shares[i]) for i in (there[0], there[-1]))
    aim = f"；目标 {goal[-1]}%" if goal[-1] is not None else ""
    said = f"{name_of_month(keys[there[0]])}到{name_of_month(keys[there[-1]])}个人申领占比，从 {first} 到 {last}{aim}"
    return {**drawn, "said": said}


async def _districts(tx: Tx, looked: Looked, weighed: Weighed, target: int | None) -> dict[str, Any]:
    spans = (looked.days, looked.before, looked.year)
    now, before, year = [await individual_share(tx, span, By.DISTRICT, public=False) for span in spans]
    names = dict(await claimable_districts(tx)) | {row.key: row.name for row in (*now.rows, *before.rows, *year.rows)}
    parts = in_hundredths(why_it_moved(weighed.all_of(before), weighed.all_of(now)))
    shares = {key: each.share for key, each in weighed.all_of(year).items() if each.share is not None}
    of_month = weighed.all_of(now)
    top = max([*(float(share * 100) for share in shares.values()), float(target or 0), 1.0])
    return {
        "change": charts.change([(names[key], each / 100) for key, each in parts.items()], width=302, gap=25),
        "moved_by": len(parts),
        "change_sum": f"{sum(parts.values()) / 100:+.2f}".replace("-", "−"),
        "by_district": charts.ranked(
            [(names[key], float(share * 100), percent_of(share)) for key, share in shares.items()],
            width=400, high=top * 1.05, goal=target, gap=29,
        ),
        "tiles": charts.tiles(
            {key: (name, _per_cent(of_month.get(key, Filed()))) for key, name in names.items()}, tile_places()
        ),
    }  # fmt: skip


def _per_cent(filed: Filed) -> float | None:
    return None if filed.share is None else float(filed.share * 100)


def _stacked(view: IndividualShareView, weighed: Weighed) -> charts.Chart:
    """Who filed, of each line, the largest first."""
    rows = sorted(view.rows, key=lambda row: -weighed.filed(row).total)
    return charts.stacked([(short(view.by, row), list(_parts(weighed.figures(row)))) for row in rows], width=400)


def _parts(figures: Mapping[str, int]) -> Iterable[float]:
    total = sum(figures.values())
    return (figures.get(channel, 0) / total if total else 0 for channel in Channel)


def short(by: str, row: ShareRowView) -> str:
    """What a line is called where there is little room."""
    return LEVELS[row.key].short if by == By.LEVEL and row.key in LEVELS else row.name


# ---- what stands beside it


@dataclass(frozen=True)
class StepLine:
    """A step as the table prints it."""

    name: str
    half: str
    nine_tenths: str
    limit: str
    late: str
    is_late: bool


def step_lines(found: Mapping[taken.PaidStep, Any], limits: Mapping[taken.PaidStep, int]) -> list[StepLine]:
    """Every step that occurred, in order."""
    return [
        StepLine(
            words(f"paid_step.{step}"),
            str(spread.half),
            str(spread.nine_tenths),
            str(limits.get(step, "—")),
            percent_of(spread.late_share),
            bool(spread.late),
        )
        for step in taken.PaidStep
        if (spread := found.get(step)) is not None
    ]


async def _beside(tx: Tx, me: Actor, looked: Looked, now: datetime) -> dict[str, Any]:
    spans = (looked.year, looked.year_before)
    took = await _steps(tx, me, looked.month, now)
    classes = [await _coverage(tx, me, span, now) for span in spans]
    made = [await _offers(tx, span, now) for span in spans]
    kept_at = [took.kept_at, *(each.kept_at for each in classes), *(each.kept_at for each in made)]
    steps, covered, offers = took.figures, [each.figures for each in classes], [each.figures for each in made]
    returned = [(await sent_back.returns(tx, me, span, sent_back.Along.MONTH)).whole for span in spans]
    return {
        "kept_at": min((at for at in kept_at if at), default=None),
        "steps": step_lines(steps.whole, steps.limits),
        "every": steps.every,
        "offers": offers[0],
        "offers_confirmed": part_of(offers[0].confirmed, offers[0].made),
        "others": [
            Other("returns", *(part_of(each.back, each.sent) for each in returned)),
            Other("coverage", *(part_of(each.patrolled, each.classes) for each in covered)),
            Other("offers", *(part_of(each.confirmed, each.made) for each in offers)),
        ],
    }


async def _steps(tx: Tx, me: Actor, month: date, now: datetime) -> Counted[taken.Steps]:
    return await once_a_day(
        ("steps", me.district, month),
        now,
        lambda: taken.steps(tx, me, month, taken.Along.CHANNEL),
        lambda found: any(each.count > MANY for each in found.whole.values()),
    )


async def _coverage(tx: Tx, me: Actor, span: Period, now: datetime) -> Counted[CoverageLine]:
    async def count() -> CoverageLine:
        return (await coverage(tx, me, span, now)).all

    return await once_a_day(("coverage", me.district, span), now, count, lambda line: line.classes > MANY)


async def _offers(tx: Tx, span: Period, now: datetime) -> Counted[OffersFigures]:
    async def count() -> OffersFigures:
        return (await became_of.offers(tx, span)).total

    return await once_a_day(("offers", span), now, count, lambda total: total.made > MANY)


@dataclass(frozen=True)
class Other:
    """A measure that the board names with its figure of this year and of the same days a year before."""

    measure: str
    now: str
    before: str

    @property
    def name(self) -> str:
        return words(f"measure.{self.measure}")

    @property
    def means(self) -> str:
        return words(f"measure_means.{self.measure}")


def part_of(part: int, whole: int) -> str:
    """A part of a whole as a share is read."""
    return percent_of(Fraction(part, whole) if whole else None)
