"""Batches, their lines and signatures, as JSON. Amounts: integers of fen beside a text for people."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from domain.batch import AttemptStatus, BatchAction, BatchStatus, Step
from service.claims.schemas import HoldView, Note, ReasonCode

#: Agent banks commonly limit a file to this many lines.
LINES_MAX = 9_999

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
PositiveFen = Annotated[int, Meta(ge=1, le=2**63 - 1)]


class BatchFilter(Struct, forbid_unknown_fields=True):
    """Which payable claims of the maker's district a batch takes; `filed_to` is the last filing day."""

    filed_to: date | None = None


class NewBatch(Struct, forbid_unknown_fields=True):
    """A batch pays from one fund, by its code: the one whose account is debited."""

    fund: Annotated[str, Meta(min_length=1, max_length=40)]
    filter: BatchFilter
    limit: Annotated[int, Meta(ge=1, le=LINES_MAX)] = LINES_MAX


class Shown(Struct, forbid_unknown_fields=True):
    """What the signer was shown; the signature binds exactly this (promise 8)."""

    content_hash: Sha256
    line_count: Annotated[int, Meta(ge=1, le=LINES_MAX)]
    sum_fen: PositiveFen


class NewRelease(Shown, forbid_unknown_fields=True):
    """The signer's view, and the treasury's transfer of the whole sum to the agent bank (拨付)."""

    voucher: Annotated[str, Meta(pattern="^[A-Za-z0-9][A-Za-z0-9/_.-]{0,63}$")]
    transferred_on: date


class Dissolution(Struct, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(min_length=1, max_length=200)]


class Rejection(Struct, forbid_unknown_fields=True):
    """Why a checker or releaser says no to what was put before them: a code of `rejection.…` in the wording."""

    code: ReasonCode
    note: Note = ""


class SignatureView(Struct):
    step: Step
    signed_at: datetime


class TransferView(Struct):
    """The treasury's transfer. `carried_over`: the batch was dissolved afterwards, and the money waits at the bank
    for another batch of the district and fund that names the voucher again."""

    voucher: str
    transferred_on: date
    sum_fen: int
    sum: str
    carried_over: bool


class GivenUpView(Struct):
    """How a batch ended before it was sent: `dissolve` or `reject`, in which post, and why."""

    action: BatchAction
    by: str
    reason: str
    at: datetime


class BatchView(Struct):
    """`content_hash`, `line_count`, `sum_fen` and `sum` are null until the batch is frozen. `debit_account`: the
    account that pays, as the bank file names it; `terms`: what was agreed with its bank."""

    id: UUID
    number: str
    district: str
    fund: str
    fund_name: str
    debit_account: str
    terms: dict[str, Any]
    filter: dict[str, Any]
    status: BatchStatus
    content_hash: str | None
    line_count: int | None
    sum_fen: int | None
    sum: str | None
    opened_at: datetime
    signatures: list[SignatureView]
    transfer: TransferView | None = None
    given_up: GivenUpView | None = None


class BatchList(Struct):
    """Newest first. `next` is the cursor of the page after this one."""

    batches: list[BatchView]
    next: str | None


class DueView(Struct):
    """What a batch would take that is opened now: the payable claims of a district whose money a fund holds."""

    district: str
    fund: str
    fund_name: str
    count: int
    sum_fen: int
    sum: str


class DueList(Struct):
    """Only funds from which something is due."""

    due: list[DueView]


class LineView(Struct):
    """One payment: `payee` masked, `account_tail` the last four digits."""

    reference: str
    payee: str
    account_tail: str
    bank_code: str
    amount_fen: int
    amount: str
    status: AttemptStatus
    failure: str


class LineList(Struct):
    lines: list[LineView]
    next: str | None


class TakenOutView(Struct):
    """The batch that was dissolved to take a claim out of it; `others`: its other claims, payable again."""

    batch_id: UUID
    number: str
    others: int


class HeldView(HoldView, kw_only=True):
    """A hold, and the batch that it stopped."""

    dissolved: TakenOutView | None = None


class RevokedView(Struct):
    """A mandate that was taken back: the claims under it that were withdrawn with it, and those whose money is paid
    or on its way, to which the trainee may object once it is paid (`/api/claims/{claim_id}/object`)."""

    mandate_id: UUID
    revoked_on: date
    withdrawn: list[UUID]
    past_no_return: list[UUID]


class NewHandover(Struct, forbid_unknown_fields=True):
    """`sha256`: of the file, as the bank's receipt or the carrier's copy shows it, typed by who confirms;
    `evidence_sha256`: of the bank's receipt as it is kept."""

    sha256: Sha256
    evidence_sha256: Sha256
    note: Note = ""


class NewFileWord(Struct, forbid_unknown_fields=True):
    """What became of a file that was taken out. `evidence_sha256`: of the bank's stamped word, or the report that
    nobody can tell."""

    outcome: Literal["not_handed_over", "unclear"]
    evidence_sha256: Sha256
    note: Note = ""


class NewResend(Struct, forbid_unknown_fields=True):
    """Why the same bytes should leave once more."""

    note: Annotated[str, Meta(min_length=1, max_length=200)]


class SendingView(Struct):
    """A time that the bytes were allowed to leave: `sent`, `carried` (by a person), or `resent`."""

    kind: str
    at: datetime


class BankFileView(Struct):
    """A batch's file. `waiting`: what one person said of it and nobody has confirmed (`not_handed_over`, `unclear`,
    `resend`)."""

    batch_id: UUID
    name: str
    media_type: str
    sha256: str
    line_count: int
    sum_fen: int
    sum: str
    written_at: datetime
    sendings: list[SendingView]
    waiting: list[str]


class RestoredView(Struct):
    """What was stopped when a backup was put back; the next batch's serial is higher than `serial`."""

    jobs_stopped: int
    attempts_unknown: int
    batches_dissolved: int
    serial: int
