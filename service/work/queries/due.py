"""How much waits in a district, is due today, and is late: for a summary, and for the daily word to officers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import text

from domain.actor import Actor
from service.database import Tx
from service.policies.queries import parameters, work_calendar
from service.wording import words
from service.work.queries.kinds import SOURCES, Due, Source, kinds_of
from service.work.schemas import DueView, Kind, SummaryView


@dataclass(frozen=True)
class Load:
    """Work of a kind in a district."""

    district: str
    kind: Kind
    waiting: int
    due_today: int
    overdue: int


async def summary(tx: Tx, me: Actor, today: date) -> SummaryView:
    """Of each kind of my posts' work in my district, or in the city for whoever works for it; with what I must leave
    to others."""
    kinds = kinds_of(me)
    there = [each for each in await loads(tx, kinds, today) if me.district in (None, each.district)]
    return SummaryView(today, [_summed(kind, [each for each in there if each.kind is kind]) for kind in kinds])


def _summed(kind: Kind, there: list[Load]) -> DueView:
    waiting, due_today, overdue = (
        sum(getattr(each, name) for each in there) for name in ("waiting", "due_today", "overdue")
    )
    return DueView(kind, words(f"work.{kind}"), waiting, due_today, overdue)


async def loads(tx: Tx, kinds: Iterable[Kind], today: date) -> list[Load]:
    """Of every district in which something of these kinds waits. Where policy sets no day, nothing is due."""
    working_days = (await parameters(tx, today)).get("review_working_days")
    found = []
    for kind in kinds:
        source = SOURCES[kind]
        late, on_today = _days(source.due, today, working_days)
        rows = await tx.execute(text(_counting(source)), {"late": late, "today": on_today, "own": []})
        found += [Load(row.district, kind, row.waiting, row.due_today, row.overdue) for row in rows]
    return found


def _days(due: Due, today: date, working_days: int | None) -> tuple[date, date]:
    """What waits since the first day or longer is late, and what waits since the second is due today or late."""
    if due is Due.ITS_OWN:
        return today - timedelta(days=1), today
    if due is Due.NONE or working_days is None:
        return date.min, date.min
    calendar = work_calendar()
    return calendar.over_since(today, working_days), calendar.over_since(today + timedelta(days=1), working_days)


def _counting(source: Source) -> str:
    return f"""
        SELECT {source.place} AS district, count(*) AS waiting,
               count(*) FILTER (WHERE {source.on} <= :late) AS overdue,
               count(*) FILTER (WHERE {source.on} > :late AND {source.on} <= :today) AS due_today
          FROM {source.rows} WHERE {source.is_open} GROUP BY 1 ORDER BY 1
    """  # noqa: S608 (our own constants)
