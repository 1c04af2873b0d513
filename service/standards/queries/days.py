"""Days: those that a set would take from others, and those for which nothing is in force."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE

from service.database import Tx
from service.standards.schemas import DaysView, TakenView, days_of

_TAKEN = text("""
    SELECT s.id, s.year, s.revision, s.in_force * datemultirange(daterange(n.first, n.until)) AS days
      FROM standard_sets n
      JOIN standard_sets s ON s.id <> n.id AND s.in_force && datemultirange(daterange(n.first, n.until))
     WHERE n.id = :set_id
     ORDER BY s.place
""").columns(days=DATEMULTIRANGE)
_UNCOVERED = text("""
    WITH spans AS (SELECT unnest(in_force) AS span FROM standard_sets
                   UNION ALL
                   SELECT daterange(first, until) FROM standard_sets WHERE id = CAST(:set_id AS uuid)),
         covered AS (SELECT range_agg(span) AS days FROM spans)
    SELECT datemultirange(daterange(lower(days), NULL)) - days AS days FROM covered WHERE days IS NOT NULL
""").columns(days=DATEMULTIRANGE)


async def taken_by(tx: Tx, set_id: UUID) -> list[TakenView]:
    """The days that others would give up for a set, when it is published; of one that is published, none."""
    rows = await tx.execute(_TAKEN, {"set_id": set_id})
    return [TakenView(each.id, each.year, each.revision, days_of(each.days)) for each in rows]


async def uncovered(tx: Tx, with_set: UUID | None = None) -> list[DaysView]:
    """The days since the first standard for which there is none: now, or as if `with_set` were published."""
    found = (await tx.execute(_UNCOVERED, {"set_id": with_set})).one_or_none()
    return days_of(found.days) if found else []
