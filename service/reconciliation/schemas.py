"""Return files and the lines that a person must look at, as JSON."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct


class ReturnView(Struct):
    """What became of a return file's lines. `open`: payments of its batch that the bank has not settled yet.

    `known`: these bytes were here before, and nothing changed.
    """

    id: UUID
    batch_id: UUID
    file_id: str
    line_count: int
    settled: int
    repeats: int
    exceptions: int
    open: int
    known: bool = False


class ExceptionView(Struct):
    """A line that fits no open payment. `line_no` 0: the whole file could not be read.

    `payee` is masked, and null where the line names no payment of ours.
    """

    return_id: UUID
    file_id: str
    line_no: int
    reference: str
    payee: str | None
    amount_fen: int
    amount: str
    code: str
    reason: str
    exception: str
    received_at: datetime


class ExceptionList(Struct):
    """Oldest first. `next` is the cursor of the page after this one."""

    exceptions: list[ExceptionView]
    next: str | None
