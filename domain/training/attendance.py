"""考勤: which marks of who was there are taken, and what a person's hours come to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

from domain.errors import Conflict, Invalid
from domain.faults import Faults
from domain.training.lifecycle import ClassStatus


class MarkSource(StrEnum):
    """Where a mark comes from; an OFFICER corrects one."""

    UPLOAD = "upload"
    DEVICE = "device"
    OFFICER = "officer"


@dataclass(frozen=True)
class AttendanceRules:
    """Policy in force on the first day of the class. Percents are of a session's time, and of the planned hours."""

    attendance_minutes_around: int
    attendance_grace_minutes: int
    attendance_session_percent: int
    attendance_share_least: int

    @classmethod
    def of(cls, policy: Mapping[str, Any], on: date) -> Self:
        """From the parameters by key; Conflict `policy.missing` where one is not in force on that day."""
        keys = [each.name for each in fields(cls)]
        if missing := set(keys) - policy.keys():
            raise Conflict("policy.missing", key=min(missing), on=on.isoformat())
        return cls(*(policy[key] for key in keys))

    @property
    def around(self) -> timedelta:
        """How long before and after a session people may come and leave."""
        return timedelta(minutes=self.attendance_minutes_around)


@dataclass(frozen=True)
class Held:
    """A session as it stands in the timetable."""

    id: UUID
    begins: datetime
    ends: datetime


@dataclass(frozen=True)
class Stay:
    """From when to when somebody was there."""

    came: datetime
    left: datetime

    def seconds_in(self, session: Held) -> float:
        """How much of a session they were there; not positive where none of it."""
        return (min(self.left, session.ends) - max(self.came, session.begins)).total_seconds()


_INSTANT = re.compile(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})")


def instant_of(text: object, field: str) -> datetime:
    """An instant written 2026-03-02T08:31:05+08:00 and in no other way; Invalid `instant.format`."""
    try:
        if isinstance(text, str) and _INSTANT.fullmatch(text):
            return datetime.fromisoformat(text)
    except ValueError:  # 25 o'clock, or 30 February
        pass
    raise Invalid("instant.format", field)


#: Classes that have attendance. One that is APPROVED runs from its first day on, whenever that is written down.
HELD = frozenset({ClassStatus.APPROVED, ClassStatus.RUNNING, ClassStatus.FINISHED})


def must_be_held(status: ClassStatus, first: date, today: date) -> None:
    """Conflict `attendance.not_held` (status): before it began, or once it is closed, a class has no attendance."""
    if status not in HELD or today < first:
        raise Conflict("attendance.not_held", status=str(status), first=first.isoformat())


def must_have_happened(stay: Stay, now: datetime) -> None:
    """Invalid `attendance.reversed`, `attendance.future`; field `left`."""
    if stay.left <= stay.came:
        raise Invalid("attendance.reversed", "left")
    if stay.left > now:
        raise Invalid("attendance.future", "left")


def session_of(stay: Stay, sessions: Sequence[Held], around: timedelta) -> Held:
    """The session that somebody was in most of the time.

    Invalid `attendance.outside` (field `came`) where there is none; `attendance.too_early`, `attendance.too_late` for
    whoever came or left too far from it.
    """
    session = max(sessions, key=stay.seconds_in, default=None)
    if session is None or stay.seconds_in(session) <= 0:
        raise Invalid("attendance.outside", "came")
    faults, minutes = Faults(), int(around.total_seconds()) // 60
    if stay.came < session.begins - around:
        faults.tell("attendance.too_early", "came", minutes=minutes)
    if stay.left > session.ends + around:
        faults.tell("attendance.too_late", "left", minutes=minutes)
    faults.raise_all()
    return session


@dataclass(frozen=True)
class Rate:
    """A person's share of a class: 学时 of the sessions attended, of those planned."""

    hours: int
    planned_hours: int

    @property
    def percent(self) -> int:
        """Whole, rounded down: what does not reach a limit does not look as if it did."""
        return self.hours * 100 // self.planned_hours

    def reaches(self, percent: int, hours_ahead: int = 0) -> bool:
        """Whether the share is that large, or can still be with `hours_ahead` of sessions to come."""
        return (self.hours + hours_ahead) * 100 >= self.planned_hours * percent
