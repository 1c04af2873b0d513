"""What marks come to: hours and share of each person on the rosters of classes, in one statement however many."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.errors import Conflict
from domain.training import Rate
from service.database import Tx

#: Marks that nobody corrected, for `FROM`; one without times says that somebody was not there.
STANDING = """
    (SELECT * FROM attendance_marks mark
      WHERE mark.during IS NOT NULL
        AND NOT EXISTS (SELECT FROM attendance_marks later WHERE later.corrects_id = mark.id))"""

# A session counts with all its hours for whoever was there for the percent of its time that policy asks, however many
# marks say so. Time that two marks say counts once, which is asked only where there are two: it costs. Policy is that
# of the first day of the class.
_ATTENDED = text(f"""
    WITH wanted AS (
        SELECT c.id, c.first, c.planned_hours, CAST(p.value AS integer) AS percent,
               make_interval(mins => CAST(g.value AS integer)) AS grace
          FROM training_classes c
          LEFT JOIN policies p ON p.key = 'attendance_session_percent' AND p.in_force @> c.first
          LEFT JOIN policies g ON g.key = 'attendance_grace_minutes' AND g.in_force @> c.first
         WHERE c.id = ANY (CAST(:classes AS uuid[]))
    ), stay AS (
        SELECT m.class_id, m.person_id, m.session_id, count(*) AS marks,
               min(lower(m.during)) AS came, max(upper(m.during)) AS gone
          FROM {STANDING} AS m
         WHERE m.class_id = ANY (CAST(:classes AS uuid[]))
           AND (CAST(:people AS uuid[]) IS NULL OR m.person_id = ANY (CAST(:people AS uuid[])))
         GROUP BY m.class_id, m.person_id, m.session_id
    ), there AS (
        SELECT stay.*, s.hours, s.during AS session, upper(s.during) - lower(s.during) AS whole,
               CASE stay.marks WHEN 1 THEN least(stay.gone, upper(s.during)) - greatest(stay.came, lower(s.during))
               ELSE (SELECT sum(upper(part) - lower(part))
                       FROM unnest((SELECT range_agg(m.during) FROM {STANDING} AS m
                                     WHERE m.class_id = stay.class_id AND m.person_id = stay.person_id
                                       AND m.session_id = stay.session_id) * tstzmultirange(s.during)) AS part)
               END AS present
          FROM stay JOIN training_sessions s ON s.id = stay.session_id
    )
    SELECT q.class_id, q.line, q.person_id, w.first, w.planned_hours, w.percent IS NULL OR w.grace IS NULL AS unruled,
           coalesce(sum(t.hours) FILTER (WHERE t.present * 100 >= t.whole * w.percent), 0) AS hours,
           count(DISTINCT date(lower(t.session) AT TIME ZONE 'Asia/Shanghai'))
                   FILTER (WHERE t.present * 100 >= t.whole * w.percent) AS days,
           count(*) FILTER (WHERE t.came > lower(t.session) + w.grace) AS late,
           count(*) FILTER (WHERE t.gone < upper(t.session) - w.grace) AS early,
           count(*) FILTER (WHERE t.marks > 1) AS doubled
      FROM training_places q
      JOIN wanted w ON w.id = q.class_id
      LEFT JOIN there t ON t.class_id = q.class_id AND t.person_id = q.person_id
     WHERE CAST(:people AS uuid[]) IS NULL OR q.person_id = ANY (CAST(:people AS uuid[]))
     GROUP BY q.class_id, q.line, q.person_id, w.first, w.planned_hours, w.percent, w.grace
     ORDER BY q.class_id, q.line
""")  # noqa: S608 (our own constants)


async def attended(tx: Tx, class_ids: Collection[UUID], people: Collection[UUID] | None = None) -> list[Any]:
    """A row for each place (of `people` only, where they are given): class_id, line, person_id, planned_hours, hours,
    days; late, early, doubled in sessions. Conflict `policy.missing`."""
    rows = (await tx.execute(_ATTENDED, {"classes": list(class_ids), "people": people and list(people)})).all()
    if unruled := next((row for row in rows if row.unruled), None):
        raise Conflict("policy.missing", key="attendance_session_percent", on=unruled.first.isoformat())
    return list(rows)


async def attendance_rates(
    tx: Tx, class_ids: Collection[UUID], people: Collection[UUID] | None = None
) -> dict[tuple[UUID, UUID], Rate]:
    """(class, person) → hours attended of hours planned, for everybody on the rosters of these classes, or those of
    `people`, also for whoever never came. The person is the id under which they stand on the roster; following
    `people.merged_into` is the caller's. Whether a share is enough is `Rate.reaches(policy attendance_share_least)`.

    One statement for any number of classes. Conflict `policy.missing`.
    """
    rows = await attended(tx, class_ids, people)
    return {(row.class_id, row.person_id): Rate(int(row.hours), row.planned_hours) for row in rows}
