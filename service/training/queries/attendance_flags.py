"""Marks that cannot all be true: somebody in two places at one time, over all institutions; or marked twice."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.actor import Actor
from domain.identity import mask_name
from domain.period import FIRST_YEAR
from domain.training import clock_time
from service.clock import SHANGHAI
from service.crypto import keyring
from service.database import Tx
from service.training.queries.attendance_rates import STANDING
from service.training.queries.plans import times_of
from service.training.schemas.attendance import FlagsView, FlagView

FLAGS_MAX = 200
_EVER = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)

# Whose classes are looked at: those of `classes`, or of a district, or all; and from when on.
_OWN = f"""
    own AS MATERIALIZED (
        SELECT m.* FROM {STANDING} AS m JOIN training_classes c ON c.id = m.class_id
         WHERE (m.class_id = ANY (CAST(:classes AS uuid[])) OR CAST(:everywhere AS boolean)
                OR c.district = CAST(:district AS text))
           AND upper(m.during) >= CAST(:since AS timestamptz))"""  # noqa: S608 (our own constants)

# Two ids that were found to be one person are one. First those who were marked in several classes or rooms, who are
# few; then whether their marks meet. Back-to-back sessions of one class in one room may overlap by those who come
# early.
_IMPOSSIBLE = text(f"""
    WITH {_OWN}, human AS MATERIALIZED (
        SELECT DISTINCT coalesce(p.merged_into, p.id) AS human FROM own JOIN people p ON p.id = own.person_id
    ), called AS MATERIALIZED (
        SELECT human, human AS person_id FROM human
         UNION ALL SELECT human, p.id FROM human JOIN people p ON p.merged_into = human
    ), several AS MATERIALIZED (
        SELECT called.human
          FROM called JOIN {STANDING} AS m ON m.person_id = called.person_id
          JOIN training_sessions s ON s.id = m.session_id
         GROUP BY called.human
        HAVING min(s.class_id::text) <> max(s.class_id::text) OR min(s.room_id::text) <> max(s.room_id::text)
    ), mark AS MATERIALIZED (
        SELECT called.human, m.id, m.class_id, m.person_id, m.during, s.room_id, own.id IS NOT NULL AS mine
          FROM several JOIN called ON called.human = several.human
          JOIN {STANDING} AS m ON m.person_id = called.person_id
          JOIN training_sessions s ON s.id = m.session_id
          LEFT JOIN own ON own.id = m.id
    )
    SELECT a.human AS person_id, person.name_sealed, a.id AS one, b.id AS other, a.class_id, a.person_id AS placed,
           b.class_id AS class_there, b.person_id AS placed_there, a.during * b.during AS during
      FROM mark a
      JOIN mark b ON b.human = a.human AND b.id > a.id AND b.during && a.during
       AND (b.class_id <> a.class_id OR b.room_id <> a.room_id) AND (a.mine OR b.mine)
      JOIN people person ON person.id = a.human
     ORDER BY lower(a.during * b.during) DESC, a.id, b.id
     LIMIT :most
""")  # noqa: S608 (our own constants)

_DOUBLED = text(f"""
    WITH {_OWN}
    SELECT own.person_id, person.name_sealed, own.class_id, array_agg(own.id ORDER BY own.during, own.id) AS marks,
           s.during
      FROM own
      JOIN training_sessions s ON s.id = own.session_id
      JOIN people person ON person.id = own.person_id
     GROUP BY own.person_id, person.name_sealed, person.id, own.class_id, s.id
    HAVING count(*) > 1
     ORDER BY lower(s.during) DESC, own.class_id, own.person_id
     LIMIT :most
""")  # noqa: S608 (our own constants)


async def flags(tx: Tx, me: Actor, since: date) -> FlagsView:
    """The latest of each kind since a day in which a class of one's district is, whoever holds the other class."""
    given = {"classes": [], "everywhere": me.district is None, "district": me.district, "most": FLAGS_MAX}
    given["since"] = datetime.combine(since, time(), SHANGHAI)
    impossible = [_impossible(row) for row in await tx.execute(_IMPOSSIBLE, given)]
    return FlagsView(impossible + [_doubled(row) for row in await tx.execute(_DOUBLED, given)])


async def impossible_marks(tx: Tx, class_id: UUID) -> Counter[UUID]:
    """How many marks of a class have each of its people in two places."""
    given = {"classes": [class_id], "everywhere": False, "district": None, "most": None, "since": _EVER}
    found: dict[UUID, set[UUID]] = {}
    for row in await tx.execute(_IMPOSSIBLE, given):
        for class_, placed, mark in (
            (row.class_id, row.placed, row.one),
            (row.class_there, row.placed_there, row.other),
        ):
            if class_ == class_id:
                found.setdefault(placed, set()).add(mark)
    return Counter({person_id: len(marks) for person_id, marks in found.items()})


def _impossible(row: Any) -> FlagView:
    return _flag("impossible", row, sorted({row.class_id, row.class_there}, key=str), [row.one, row.other])


def _doubled(row: Any) -> FlagView:
    return _flag("doubled", row, [row.class_id], row.marks)


def _flag(kind: str, row: Any, classes: Sequence[UUID], marks: Sequence[UUID]) -> FlagView:
    who = mask_name(keyring().open(row.name_sealed, row.person_id))
    day, begins, ends = times_of(row.during)
    return FlagView(kind, who, day, clock_time(begins), clock_time(ends), list(classes), list(marks))
