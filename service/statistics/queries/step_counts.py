"""Days of steps as they were counted: for pages that read a row a month, and no claim."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, text

from domain.duration import spread_of
from domain.period import add_months
from domain.suppression import SHOWN_MIN, hidden
from service.database import Tx
from service.statistics.queries.steps import DEFINITION, PaidStep
from service.statistics.schemas import StepMonthView, StepsView, StepTookView
from service.statistics.tables import StepCountRow
from service.wording import words

#: A month is counted on while what was batched in it may still be paid, or come back.
_GROWS_MONTHS = 2
#: As many claims are counted anew each time; of more, a month is counted once a day.
MANY = 300
#: So many months are counted in one go, the latest first; the others wait for the next.
MONTHS_AT_ONCE_MAX = 6


@dataclass(frozen=True)
class CountedMonth:
    """A month by its first day, as it was counted last: of every `every`-th line, step → days → claims."""

    month: date
    counted_on: date
    counted_at: datetime
    every: int
    days: Mapping[PaidStep, Counter[int]]


# The latest of each month is one look-up of the index, however often it was counted.
_LATEST = text("""
    SELECT counted.*
      FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 month') AS each (month)
     CROSS JOIN LATERAL (
           SELECT month, counted_on, counted_at, every, days FROM step_counts
            WHERE step_counts.month = CAST(each.month AS date) ORDER BY counted_at DESC LIMIT 1) AS counted
     ORDER BY counted.month
""")


async def counted_months(tx: Tx, first: date, last: date) -> list[CountedMonth]:
    """Those between two months (by their first days) that were counted, in order."""
    return [
        CountedMonth(
            row.month,
            row.counted_on,
            row.counted_at,
            row.every,
            {PaidStep(step): _counter(days) for step, days in row.days.items()},
        )
        for row in await tx.execute(_LATEST, {"first": first, "last": last})
    ]


def _counter(days: Mapping[str, int]) -> Counter[int]:
    return Counter({int(each): number for each, number in days.items()})


_BATCHED = text("""
    SELECT DISTINCT CAST(date_trunc('month', opened_at AT TIME ZONE 'Asia/Shanghai') AS date) AS month
      FROM batches WHERE status IN ('sent', 'settled') ORDER BY month DESC
""")


async def months_to_count(tx: Tx, today: date) -> list[date]:
    """The months, by their first days, that were never counted, or whose figures may be others by now."""
    months = list((await tx.execute(_BATCHED)).scalars())
    if not months:
        return []
    known = {each.month: each for each in await counted_months(tx, months[-1], months[0])}
    grows = add_months(today.replace(day=1), -_GROWS_MONTHS)

    def due(month: date) -> bool:
        if (counted := known.get(month)) is None:
            return True
        looked_at = counted.days.get(PaidStep.WHOLE, Counter[int]()).total()
        return month >= grows and (counted.counted_on < today or looked_at <= MANY)

    return [month for month in months if due(month)][:MONTHS_AT_ONCE_MAX]


async def years_counted(tx: Tx) -> list[int]:
    """From the first to the last year in which anything was counted."""
    row = StepCountRow
    first, last = (await tx.execute(select(func.min(row.month), func.max(row.month)))).one()
    return list(range(first.year, last.year + 1)) if first else []


async def steps_of_year(tx: Tx, year: int) -> StepsView:
    """A year as anybody may read it: each step by month and over the year; what few claims are behind is hidden, as
    elsewhere (`domain.suppression`)."""
    months = await counted_months(tx, date(year, 1, 1), date(year, 12, 1))
    rows: dict[date, list[StepTookView]] = {each.month: [] for each in months}
    whole = list[StepTookView]()
    for step in PaidStep:
        took = {each.month: each.days.get(step, Counter[int]()) for each in months}
        few = hidden({month: days.total() for month, days in took.items()})
        for month, days in took.items():
            rows[month].append(_took(step, days, days.total(), is_hidden=month in few))
        looked_at = sum(days.total() for days in took.values())
        whole.append(_took(step, _weighed(months, step), looked_at, is_hidden=0 < looked_at < SHOWN_MIN))
    return StepsView(
        year=year,
        counted_at=max((each.counted_at for each in months), default=None),
        months=[
            StepMonthView(f"{each.month:%Y-%m}", each.every, rows[each.month])
            for each in months
            if any(step.claims != 0 for step in rows[each.month])
        ],
        whole=whole,
        definition=DEFINITION,
    )


def _weighed(months: Sequence[CountedMonth], step: PaidStep) -> Counter[int]:
    """Over all months: a claim stands for as many as every how many-th of its month was looked at."""
    found = Counter[int]()
    for each in months:
        found.update({days: number * each.every for days, number in each.days.get(step, {}).items()})
    return found


def _took(step: PaidStep, days: Counter[int], claims: int, *, is_hidden: bool) -> StepTookView:
    name, spread = words(f"paid_step.{step}"), None if is_hidden else spread_of(days)
    if spread is None:
        few = is_hidden and claims < SHOWN_MIN
        return StepTookView(step, name, None if is_hidden else 0, None, None, few, is_hidden)
    return StepTookView(step, name, claims, spread.half, spread.nine_tenths, few=False, suppressed=False)
