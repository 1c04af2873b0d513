"""Rosters and what became of their lines."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class RosterProblem(Struct):
    """Why a file as a whole cannot be read; `field` is `file`, a line or a cell."""

    field: str
    code: str
    message: str


class RosterView(Struct, kw_only=True):
    """A roster and how far it is. `lines` is null until it was read; `waiting` are neither filed nor refused yet."""

    id: UUID
    status: str
    status_name: str
    kind: str
    sha256: str
    class_number: str | None
    received_at: datetime
    lines: int | None
    filed: int
    refused: int
    waiting: int
    rejection: RosterProblem | None


class ReasonView(Struct):
    """`heading` is the column in which it is mended; empty for the line as a whole. `typed` is what stands there, as
    far as it may be shown: names and numbers of people are masked."""

    field: str
    heading: str
    code: str
    message: str
    typed: str = ""


class RosterLineView(Struct):
    """What became of one line; `line` is its row in the sheet. Name and id number are masked."""

    line: int
    outcome: str
    claim_id: UUID | None
    name: str
    id_number: str
    reasons: list[ReasonView]


class RosterPage(RosterView, kw_only=True):
    """`next` is the `after` of the page that follows; null on the last."""

    results: list[RosterLineView]
    next: int | None


class RostersView(Struct):
    """`next` is the cursor of the page that follows; null on the last."""

    rosters: list[RosterView]
    next: str | None
