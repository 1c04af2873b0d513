"""Attendance as JSON: marks as they come in, and what they come to. People are masked, or a line of the roster."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from service.training.schemas import Name, Words

#: Marks in one message of a device.
MARKS_MAX = 1_000
Instant = Annotated[str, Meta(max_length=40)]


class NewDeviceMark(Struct, forbid_unknown_fields=True):
    """`event` is how the device calls it: the same event again is the same mark. `came` and `left` are written
    2026-03-02T08:31:05+08:00."""

    event: Annotated[str, Meta(min_length=1, max_length=100)]
    id_number: str
    came: Instant
    left: Instant


class NewDeviceMarks(Struct, forbid_unknown_fields=True):
    """Of one class, by its number."""

    class_number: Annotated[str, Meta(max_length=40)]
    marks: Annotated[list[NewDeviceMark], Meta(min_length=1, max_length=MARKS_MAX)]


class RefusedMark(Struct):
    """`at` is the line of a sheet, or the place of a mark in the message, from 1."""

    at: int
    field: str
    code: str
    facts: dict[str, Any]
    message: str


class ReceivedView(Struct):
    """What became of marks: `known` ones were there already. `refused` counts marks, `refusals` has every
    reason of the first of them."""

    class_id: UUID
    new: int
    known: int
    refused: int
    refusals: list[RefusedMark]


class NewMarkCorrection(Struct, forbid_unknown_fields=True):
    """When somebody really came and left; without both, they were not there."""

    reason: Words
    came: Instant | None = None
    left: Instant | None = None


class MarkView(Struct):
    """A mark of a person at a session. `came` null: a correction by which they were not there. `corrected_by`: it
    stands no more."""

    id: UUID
    line: int
    day: date
    begins: str
    ends: str
    came: datetime | None
    left: datetime | None
    source: str
    received_at: datetime
    corrects_id: UUID | None
    corrected_by: UUID | None
    reason: str


class MarksView(Struct):
    marks: list[MarkView]


class AttendanceLine(Struct):
    """A trainee's attendance so far. `below`: less than the least share, or no longer to be reached; `late`, `early`,
    `doubled`: sessions; `impossible`: marks while another mark has them elsewhere."""

    line: int
    name: str
    hours: int
    percent: int
    below: bool
    late: int
    early: int
    doubled: int
    impossible: int


class AttendanceView(Struct):
    """`held_hours`: 学时 of the sessions that are over; `share_least`: the least percent of the planned hours."""

    class_id: UUID
    planned_hours: int
    held_hours: int
    share_least: int
    people: list[AttendanceLine]


class FlagView(Struct):
    """`kind` is `doubled` (several marks of one session) or `impossible` (in two classes or rooms at one time)."""

    kind: str
    who: str
    day: date
    begins: str
    ends: str
    class_ids: list[UUID]
    mark_ids: list[UUID]


class FlagsView(Struct):
    flags: list[FlagView]


class NewAttendanceKey(Struct, forbid_unknown_fields=True):
    """`name` of the device; `until` the last day, within a year. `institution_id` is said by officers."""

    name: Name
    until: Annotated[str, Meta(max_length=10)]
    institution_id: UUID | None = None


class NewRevocation(Struct, forbid_unknown_fields=True):
    reason: Words


class AttendanceKeyView(Struct):
    id: UUID
    institution_id: UUID
    name: str
    first: date
    last: date
    revoked_at: datetime | None


class IssuedKeyView(AttendanceKeyView):
    """`key` is shown this once; the service keeps its hash."""

    key: str


class AttendanceKeysView(Struct):
    keys: list[AttendanceKeyView]
