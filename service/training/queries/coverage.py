"""巡查覆盖率: of the classes that held a session in a period, how many were patrolled in it."""

from datetime import datetime
from typing import Any

from sqlalchemy import text

from domain.actor import Actor
from domain.period import Period
from service.database import Tx
from service.training.schemas.patrols import CoverageLine, CoverageView

# Class by class: how many there are is guessed too badly for anything else to be quick.
_COVERAGE = text("""
    WITH held AS (
        SELECT c.id, c.district, c.institution_id
          FROM training_classes c
         WHERE c.status IN ('approved', 'running', 'finished', 'closed')
           AND c.first <= CAST(:last AS date) AND c.last >= CAST(:first AS date)
           AND c.district = coalesce(CAST(:district AS text), c.district)
           AND EXISTS (SELECT FROM training_sessions s
                        WHERE s.class_id = c.id AND s.live AND lower(s.during) <= CAST(:now AS timestamptz)
                          AND CAST(lower(s.during) AT TIME ZONE 'Asia/Shanghai' AS date)
                              BETWEEN CAST(:first AS date) AND :last)
    )
    SELECT held.district, held.institution_id, i.name, count(*) AS classes,
           count(*) FILTER (WHERE seen.patrols > 0) AS patrolled, coalesce(sum(seen.failed), 0) AS failed
      FROM held
      JOIN institutions i ON i.id = held.institution_id
     CROSS JOIN LATERAL (
           SELECT count(*) AS patrols, count(*) FILTER (WHERE p.result = 'failed') AS failed
             FROM patrols p
            WHERE p.class_id = held.id AND p.result IS NOT NULL
              AND CAST(p.begins AT TIME ZONE 'Asia/Shanghai' AS date) BETWEEN CAST(:first AS date) AND :last) AS seen
     GROUP BY GROUPING SETS ((), (held.district), (held.district, held.institution_id, i.name))
     ORDER BY held.district, i.name, held.institution_id
""")


async def coverage(tx: Tx, me: Actor, period: Period, now: datetime) -> CoverageView:
    """In one's district, or in the whole city."""
    assert period.last is not None, "a period that is asked for ends"
    given = {"first": period.first, "last": period.last, "district": me.district, "now": now}
    rows = (await tx.execute(_COVERAGE, given)).all()
    lines = [_line(row) for row in rows]
    whole = next(each for each in lines if not each.district)
    return CoverageView(
        period.first,
        period.last,
        whole,
        [each for each in lines if each.district and each.institution_id is None],
        [each for each in lines if each.institution_id is not None],
    )


def _line(row: Any) -> CoverageLine:
    percent = row.patrolled * 100 // row.classes if row.classes else 0
    about = (row.district or "", row.institution_id, row.name or "")
    return CoverageLine(*about, row.classes, row.patrolled, percent, int(row.failed))
