"""两班重叠: people whom two live classes have at one time, however that came to be."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.actor import Actor, Post
from domain.identity import mask_name
from domain.training import DEAD, clock_time
from service.crypto import keyring
from service.database import Tx
from service.training.queries.plans import times_of
from service.training.schemas import OverlapsView, OverlapView

OVERLAPS_MAX = 200

# Who learns in a class has all of its sessions, who teaches there has their own; two ids that were found to be one
# person are one. First those who are in two classes, who are few, then whether the days of these meet, then their
# sessions: the other way round every class meets every other. (Rooms are kept apart by their constraint.)

#: Parts of a statement: `live` classes with their days, and who is in `twice` of them; `teacher_id` where they teach.
IN_TWO_CLASSES = """
    live AS (
        SELECT id, district, institution_id, daterange(first, last, '[]') AS days
          FROM training_classes WHERE status <> ALL (CAST(:dead AS text[]))
    ), held AS (
        SELECT coalesce(p.merged_into, p.id) AS person_id, h.class_id, h.teacher_id
          FROM (SELECT person_id, class_id, NULL::uuid AS teacher_id FROM training_places
                 UNION ALL SELECT person_id, class_id, person_id FROM training_teachers) AS h
          JOIN people p ON p.id = h.person_id
    ), twice AS MATERIALIZED (
        SELECT a.person_id, a.class_id AS one, a.teacher_id, b.class_id AS other, b.teacher_id AS teacher_there
          FROM held a JOIN held b ON b.person_id = a.person_id AND b.class_id > a.class_id
    )
"""

# Of each pair and person, the first time at which they meet.
_OVERLAPS = text(f"""
    WITH {IN_TWO_CLASSES}, pair AS MATERIALIZED (
        SELECT twice.*
          FROM twice
          JOIN live la ON la.id = twice.one
          JOIN live lb ON lb.id = twice.other AND lb.days && la.days
         WHERE CAST(:everywhere AS boolean) OR CAST(:district AS text) IN (la.district, lb.district)
            OR CAST(:institution AS uuid) IN (la.institution_id, lb.institution_id)
    )
    SELECT DISTINCT ON (pair.person_id, pair.one, pair.other)
           CASE WHEN pair.teacher_id IS NULL OR pair.teacher_there IS NULL THEN 'trainee' ELSE 'teacher' END AS whose,
           pair.person_id AS id, pair.one, pair.other, s.during * t.during AS during, person.name_sealed
      FROM pair
      JOIN training_sessions s
        ON s.class_id = pair.one AND s.teacher_id = coalesce(pair.teacher_id, s.teacher_id)
      JOIN training_sessions t
        ON t.class_id = pair.other AND t.teacher_id = coalesce(pair.teacher_there, t.teacher_id)
           AND t.during && s.during
      JOIN people person ON person.id = pair.person_id
     ORDER BY pair.person_id, pair.one, pair.other, lower(s.during)
     LIMIT :most
""")  # noqa: S608 (our own constant)


async def overlaps(tx: Tx, me: Actor) -> OverlapsView:
    """Those in which a class of one's district is, or of one's institution."""
    of_institution: UUID | None = me.institution_id if me.holds(Post.CLERK) else None
    given = {"everywhere": me.district is None and of_institution is None, "institution": of_institution}
    district = None if of_institution else me.district
    found = await tx.execute(_OVERLAPS, {**given, "district": district, "most": OVERLAPS_MAX, "dead": list(DEAD)})
    return OverlapsView([_view(row) for row in found])


def _view(row: Any) -> OverlapView:
    who = mask_name(keyring().open(row.name_sealed, row.id))
    day, begins, ends = times_of(row.during)
    return OverlapView(row.whose, who, day, clock_time(begins), clock_time(ends), [row.one, row.other])
