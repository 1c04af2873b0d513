"""Snapshots of registers, as JSON."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct, field

Words = Annotated[str, Meta(max_length=500)]
Day = Annotated[str, Meta(max_length=10)]


class NewSnapshot(Struct, forbid_unknown_fields=True):
    """What is told of a file: which register it is, the day it describes, whose it is, and from when to when it may
    be asked (from the day it describes, without an end, where nothing is said)."""

    register: Annotated[str, Meta(max_length=60)]
    as_of: Day
    source: Words
    first: Day | None = field(name="from", default=None)
    last: Day | None = field(name="to", default=None)


class SnapshotView(Struct):
    """`lines_before`: those of the snapshot that was asked when this one was loaded; null: none was. `asked`: whether
    it is the one that is asked today. `mine`: whether I loaded it, and so cannot confirm it."""

    id: UUID
    register: str
    name: str
    as_of: date
    first: date = field(name="from")
    last: date | None = field(name="to")
    source: str
    sha256: str
    lines: int
    lines_before: int | None
    loaded_at: datetime
    confirmed: bool
    asked: bool
    mine: bool


class SnapshotsView(Struct):
    """Newest first."""

    snapshots: list[SnapshotView]


class RegisterView(Struct):
    """A register that may be loaded, and the headings of its file."""

    register: str
    name: str
    headings: list[str]


class RegistersView(Struct):
    registers: list[RegisterView]
