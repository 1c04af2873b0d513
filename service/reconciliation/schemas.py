"""Return files and the lines that a person must look at, as JSON."""

from datetime import date, datetime
from typing import Literal, TypeAlias
from uuid import UUID

from msgspec import Struct

from domain.batch import AttemptStatus
from service.batches.schemas import Sha256
from service.claims.schemas import Note, ReasonCode


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


class ReturnFileView(Struct, kw_only=True):
    """A return file that was taken: what the bank stated, and what became of its lines. `open`: payments of its batch
    that the bank has not settled yet."""

    id: UUID
    batch_id: UUID
    number: str
    file_id: str
    source: str
    received_at: datetime
    sha256: str
    line_count: int
    sum_fen: int
    settled: int
    repeats: int
    exceptions: int
    open: int


class ReturnFileList(Struct):
    """The latest first. `next` is the cursor of the page that follows; null on the last."""

    files: list[ReturnFileView]
    next: UUID | None


class ResolutionView(Struct):
    """How a person worked an exception off; `message` says the code in words."""

    code: str
    message: str
    note: str
    resolved_at: datetime


class NewResolution(Struct, forbid_unknown_fields=True):
    """A code of `resolution.…` in the wording."""

    code: ReasonCode
    note: Note = ""


class ExceptionView(Struct):
    """A line that fits no open payment. `line_no` 0: the whole file could not be read.

    `payee` is masked, and null where the line names no payment of ours. `resolution` is null while it is open.
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
    resolution: ResolutionView | None = None
    exception_words: str = ""


class ExceptionList(Struct):
    """Oldest first. `next` is the cursor of the page after this one."""

    exceptions: list[ExceptionView]
    next: str | None


class SaidView(Struct):
    """What one person said of an unknown payment, which waits for another. `mine`: I said it."""

    outcome: str
    evidence_sha256: str
    note: str
    proposed_at: datetime
    mine: bool


class EvidenceView(Struct):
    """A line of a return that names a payment."""

    file_id: str
    line_no: int
    received_at: datetime
    result: str
    reason: str


class UnknownView(Struct, kw_only=True):
    """A payment of which the bank cannot tell what became of it. `payee` is masked; `attempt_id`: what
    a step-up for `attempt.decide` names."""

    reference: str
    attempt_id: UUID
    batch_id: UUID
    number: str
    claim_id: UUID
    payee: str
    account_tail: str
    amount_fen: int
    unknown_since: datetime
    status: AttemptStatus
    said: SaidView | None = None
    evidence: list[EvidenceView] = []


class UnknownList(Struct):
    """By reference. `next` is the cursor of the page after this one."""

    unknown: list[UnknownView]
    next: str | None


class MissingView(Struct):
    """A payment that went to the bank and of which no return has told how it ended. `payee` is masked.

    `sent`: no return names it. `unknown`: the bank cannot tell; two persons may decide.
    """

    reference: str
    batch_id: UUID
    file_id: str
    sent_on: date
    payee: str
    amount_fen: int
    amount: str
    status: AttemptStatus


class MissingList(Struct):
    """Those that went to the bank on `sent_until` or earlier. `next` is the cursor of the page after this one."""

    missing: list[MissingView]
    sent_until: date
    next: str | None


Outcome: TypeAlias = Literal["paid", "not_paid"]


class NewAttemptDecision(Struct, forbid_unknown_fields=True):
    """What became of a payment, as a document shows whose SHA-256 is named (a statement of the account, a letter)."""

    outcome: Outcome
    evidence_sha256: Sha256
    note: Note = ""


class AttemptDecisionView(Struct):
    """`decided`: two persons have said the same, and the payment has moved. Otherwise it waits for a second person;
    `replaced`: something else had been said before."""

    reference: str
    outcome: Outcome
    decided: bool
    replaced: bool = False
