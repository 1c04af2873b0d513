"""What people see of attendance, each only of classes they may see."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from domain.actor import Actor
from domain.errors import NotFound
from domain.identity import mask_name
from domain.training import AttendanceRules, Rate, clock_time
from service.database import Tx
from service.policies.queries import parameters
from service.training.queries.attendance_flags import impossible_marks
from service.training.queries.attendance_rates import attended
from service.training.queries.plans import during, stored_plan, times_of
from service.training.queries.views import visible_to
from service.training.schemas.attendance import AttendanceLine, AttendanceView, MarksView, MarkView
from service.training.tables import AttendanceMarkRow, ClassRow, PlaceRow, SessionRow

#: Of one person in one class.
MARKS_MAX = 1_000


async def attendance_view(tx: Tx, me: Actor, class_id: UUID, now: datetime) -> AttendanceView:
    """Everybody's attendance in a class so far. NotFound `class.not_found`; Conflict `policy.missing`."""
    await _must_be_seen(tx, me, class_id)
    plan = await stored_plan(tx, class_id)
    least = AttendanceRules.of(await parameters(tx, plan.starts_on), plan.starts_on).attendance_share_least
    ahead = sum(each.hours for each in plan.sessions if not _is_over(during(each).upper, now))
    impossible = await impossible_marks(tx, class_id)
    people = []
    for row, member in zip(await attended(tx, [class_id]), plan.trainees, strict=True):
        rate = Rate(int(row.hours), row.planned_hours)
        below = not rate.reaches(least, ahead)
        told = (row.late, row.early, row.doubled, impossible[row.person_id])
        people.append(AttendanceLine(row.line, mask_name(member.name), rate.hours, rate.percent, below, *told))
    return AttendanceView(class_id, plan.planned_hours, plan.planned_hours - ahead, least, people)


async def marks_of(tx: Tx, me: Actor, class_id: UUID, line: int) -> MarksView:
    """Every mark of one line of a roster, corrected ones too, in order of time. NotFound `class.not_found`."""
    await _must_be_seen(tx, me, class_id)
    return MarksView(await _marks(tx, AttendanceMarkRow.class_id == class_id, PlaceRow.line == line))


async def mark_view(tx: Tx, mark_id: UUID) -> MarkView:
    """A mark that the caller has just made."""
    return (await _marks(tx, AttendanceMarkRow.id == mark_id))[0]


async def _must_be_seen(tx: Tx, me: Actor, class_id: UUID) -> None:
    if (await tx.execute(select(ClassRow.id).where(ClassRow.id == class_id, visible_to(me)))).first() is None:
        raise NotFound("class.not_found")


def _is_over(ends: datetime | None, now: datetime) -> bool:
    assert ends is not None, "a session ends"
    return ends <= now


async def _marks(tx: Tx, *where: ColumnElement[bool]) -> list[MarkView]:
    row, later, session, place = AttendanceMarkRow, aliased(AttendanceMarkRow), SessionRow, PlaceRow
    asked = (
        select(
            *(row.id, place.line, session.during, row.source, row.received_at, row.corrects_id, row.reason),
            func.lower(row.during).label("came"),
            func.upper(row.during).label("gone"),
            later.id.label("corrected_by"),
        )
        .join(session, session.id == row.session_id)
        .join(place, (place.class_id == row.class_id) & (place.person_id == row.person_id))
        .outerjoin(later, later.corrects_id == row.id)
        .where(*where)
        .order_by(session.during, row.received_at, row.id)
        .limit(MARKS_MAX)
    )
    return [_mark(each) for each in await tx.execute(asked)]


def _mark(row: Any) -> MarkView:
    day, begins, ends = times_of(row.during)
    return MarkView(
        *(row.id, row.line, day, clock_time(begins), clock_time(ends), row.came, row.gone, row.source),
        *(row.received_at, row.corrects_id, row.corrected_by, row.reason),
    )
