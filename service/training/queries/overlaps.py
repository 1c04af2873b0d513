"""两班重叠: people and rooms that two live classes have at one time, however that came to be."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.actor import Actor, Post
from domain.identity import mask_name
from domain.training import clock_time
from service.crypto import keyring
from service.database import Tx
from service.training.queries.plans import times_of
from service.training.schemas import OverlapsView, OverlapView

OVERLAPS_MAX = 200

# Who learns in a class has all of its sessions, who teaches there has their own. Classes whose days are apart are not
# looked at. Of each pair, person or room, the first time at which they meet.
_OVERLAPS = text("""
    WITH live AS (
        SELECT id, district, institution_id, daterange(first, last, '[]') AS days
          FROM training_classes WHERE status NOT IN ('denied', 'withdrawn')
    ), held AS (
        SELECT person_id, class_id, NULL::uuid AS teacher_id FROM training_places
         UNION ALL SELECT person_id, class_id, person_id FROM training_teachers
    ), met AS (
        SELECT CASE WHEN a.teacher_id IS NULL OR b.teacher_id IS NULL THEN 'trainee' ELSE 'teacher' END AS whose,
               a.person_id AS id, a.class_id AS one, b.class_id AS other, s.during * t.during AS during
          FROM held a
          JOIN held b ON b.person_id = a.person_id AND b.class_id > a.class_id
          JOIN live la ON la.id = a.class_id
          JOIN live lb ON lb.id = b.class_id AND lb.days && la.days
          JOIN training_sessions s
            ON s.class_id = a.class_id AND s.teacher_id = coalesce(a.teacher_id, s.teacher_id)
          JOIN training_sessions t
            ON t.class_id = b.class_id AND t.teacher_id = coalesce(b.teacher_id, t.teacher_id)
               AND t.during && s.during
         UNION ALL
        SELECT 'room', s.room_id, least(s.class_id, t.class_id), greatest(s.class_id, t.class_id),
               s.during * t.during
          FROM training_sessions s
          JOIN training_sessions t ON t.room_id = s.room_id AND t.during && s.during AND t.class_id > s.class_id
          JOIN live la ON la.id = s.class_id
          JOIN live lb ON lb.id = t.class_id
    )
    SELECT DISTINCT ON (met.whose, met.id, met.one, met.other)
           met.whose, met.id, met.one, met.other, met.during, person.name_sealed, room.name AS room
      FROM met
      JOIN live la ON la.id = met.one
      JOIN live lb ON lb.id = met.other
      LEFT JOIN people person ON person.id = met.id
      LEFT JOIN training_rooms room ON room.id = met.id
     WHERE CAST(:everywhere AS boolean) OR CAST(:district AS text) IN (la.district, lb.district)
        OR CAST(:institution AS uuid) IN (la.institution_id, lb.institution_id)
     ORDER BY met.whose, met.id, met.one, met.other, lower(met.during)
     LIMIT :most
""")


async def overlaps(tx: Tx, me: Actor) -> OverlapsView:
    """Those in which a class of one's district is, or of one's institution."""
    of_institution: UUID | None = me.institution_id if me.holds(Post.CLERK) else None
    given = {"everywhere": me.district is None and of_institution is None, "institution": of_institution}
    district = None if of_institution else me.district
    found = await tx.execute(_OVERLAPS, {**given, "district": district, "most": OVERLAPS_MAX})
    return OverlapsView([_view(row) for row in found])


def _view(row: Any) -> OverlapView:
    who = row.room if row.room is not None else mask_name(keyring().open(row.name_sealed, row.id))
    day, begins, ends = times_of(row.during)
    return OverlapView(row.whose, who, day, clock_time(begins), clock_time(ends), [row.one, row.other])
