"""Statements, their lines, and closed days, as JSON."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from service.claims.schemas import Note, Reason, ReasonCode

Account = Annotated[str, Meta(min_length=1, max_length=200)]


class StatementView(Struct, kw_only=True):
    """What became of a statement. `blocked`: why nothing of it was counted, null once it is taken; `known`: these
    bytes were here before, and nothing changed; `followed`: blocked ones that now followed, and were taken too."""

    id: UUID
    account: str
    district: str
    fund: str
    sequence: int
    from_on: date
    to_on: date
    opening_fen: int
    closing_fen: int
    line_count: int = 0
    owned: int = 0
    waiting: int = 0
    exceptions: int = 0
    blocked: str | None = None
    blocked_words: str = ""
    known: bool = False
    followed: int = 0
    ended_at: datetime | None = None


class StatementList(Struct):
    """The latest first."""

    statements: list[StatementView]
    next: UUID | None


class NewSettingAside(Struct, forbid_unknown_fields=True):
    """Why a blocked statement is not to be waited for."""

    note: Reason


class StatementLineView(Struct, kw_only=True):
    """A booking. `counterparty` is masked. `exception`: why a person must look, empty where nobody must;
    `expected_fen`: the sum that would have fitted, where the two differ."""

    id: UUID
    statement_id: UUID
    line_no: int
    account: str
    booked_on: date
    side: str
    amount_fen: int
    amount: str
    reference: str
    counterparty: str
    text: str
    verdict: str
    owner: str
    owner_name: str
    exception: str
    exception_words: str
    expected_fen: int | None
    resolution: str | None
    note: str


class StatementLineList(Struct):
    """By day and place. `next` is the cursor of the page that follows; null on the last."""

    lines: list[StatementLineView]
    next: UUID | None


class NewLineResolution(Struct, forbid_unknown_fields=True):
    """A code of `resolution.…` in the wording."""

    code: ReasonCode
    note: Note = ""


class NewClose(Struct, forbid_unknown_fields=True):
    account: Account
    day: date


class DifferenceView(Struct):
    """Where the bank and the ledger differ. `kind`: `payment` (key: its reference) or `file` (key: its id)."""

    kind: str
    key: str
    bank_fen: int
    ledger_fen: int


class CloseView(Struct, kw_only=True):
    """日终 of an account: what the bank booked on the day, what the ledger moved, and what differs."""

    id: UUID
    account: str
    district: str
    fund: str
    day: date
    opening_fen: int
    treasury_fen: int
    paid_fen: int
    returned_fen: int
    repaid_fen: int
    charges_fen: int
    other_credits_fen: int
    other_debits_fen: int
    closing_fen: int
    closing: str
    line_count: int
    ledger: dict[str, int]
    differences: list[DifferenceView]
    closed_at: datetime


class OpenDayView(Struct):
    """An account whose next day is not closed. `why`: a code of the wording; `lines`: of that day for a person."""

    account: str
    district: str
    day: date
    why: str
    message: str
    lines: int


class CloseList(Struct):
    """Closed accounts of a day, and those whose next day waits."""

    closes: list[CloseView]
    open: list[OpenDayView]
