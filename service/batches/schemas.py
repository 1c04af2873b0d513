"""Batches, their lines and signatures, as JSON. Amounts: integers of fen beside a text for people."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from domain.actor import Post
from domain.batch import AttemptStatus, BatchAction, BatchStatus, Step
from domain.claim import ClaimKind
from service.claims.schemas import HoldView, Note, ReasonCode

#: Claims of one opening; what is more than the bank's file holds is split over several batches.
CLAIMS_MAX = 100_000

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
PositiveFen = Annotated[int, Meta(ge=1, le=2**63 - 1)]
DistrictCode = Annotated[str, Meta(min_length=1, max_length=20)]
#: Who is paid: the person, a training institution (项目制), or the enterprise that trained its staff.
Payee = Literal["person", "institution", "enterprise"]


class BatchFilter(Struct, forbid_unknown_fields=True):
    """Which payable claims of the district a batch takes: filed on days from `filed_from` to `filed_to`, of these
    `kinds` (none named: of any), paid to this kind of `payee`."""

    filed_to: date | None = None
    filed_from: date | None = None
    kinds: Annotated[list[ClaimKind], Meta(max_length=len(ClaimKind))] = []
    payee: Payee | None = None


class NewBatch(Struct, forbid_unknown_fields=True):
    """A batch pays from one fund, by its code: the one whose account is debited. `district`: the maker's own where it
    is not named; who stands in for a maker names it."""

    fund: Annotated[str, Meta(min_length=1, max_length=40)]
    filter: BatchFilter
    limit: Annotated[int, Meta(ge=1, le=CLAIMS_MAX)] = CLAIMS_MAX
    district: DistrictCode | None = None


class Shown(Struct, forbid_unknown_fields=True):
    """What the signer was shown; the signature binds exactly this (promise 8)."""

    content_hash: Sha256
    line_count: Annotated[int, Meta(ge=1, le=CLAIMS_MAX)]
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


class NewBatchHold(Struct, forbid_unknown_fields=True):
    """Why a batch is stopped: a code of `batch_hold.…` in the wording."""

    code: ReasonCode
    note: Note = ""


class Lifting(Struct, forbid_unknown_fields=True):
    note: Note = ""


class NewDelegation(Struct, forbid_unknown_fields=True):
    """City finance is to stand in for `post` in a district, by the user with this login, on these days and no more
    than 366."""

    district: DistrictCode
    post: Literal["maker", "checker", "releaser"]
    login: Annotated[str, Meta(min_length=1, max_length=80)]
    first_day: date
    last_day: date
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class DelegationView(Struct):
    """`mine`: I proposed it, so another confirms it; in force from then on, on its days."""

    id: UUID
    district: str
    post: Post
    login: str
    first_day: date
    last_day: date
    reason: str
    mine: bool
    proposed_at: datetime
    confirmed_at: datetime | None


class DelegationList(Struct):
    """The latest, newest first."""

    delegations: list[DelegationView]


class SignatureView(Struct):
    """`stands_in`: by a delegation, in place of a person whom the district lacks."""

    step: Step
    signed_at: datetime
    stands_in: bool


class BatchHoldView(Struct):
    """Why a batch is stopped; `lifted_at` None: it still is, until another person lifts it."""

    code: str
    said: str
    note: str
    placed_at: datetime
    lifted_at: datetime | None
    lift_note: str


class LeftOutView(Struct):
    """A claim that is not paid with this batch: `reference` where it had left a frozen one. `said`: why, in words."""

    claim_id: UUID
    reference: str | None
    codes: list[str]
    said: str
    left_at: datetime


class SiblingView(Struct):
    """Another batch of the same opening."""

    id: UUID
    number: str
    status: BatchStatus
    line_count: int | None
    sum_fen: int | None


class ProgressView(Struct):
    """How far assembling is: `done` of `total` claims have become lines, of this batch; siblings have their own."""

    id: UUID
    number: str
    status: BatchStatus
    done: int
    total: int


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


class TogetherView(Struct):
    """What was counted for the checks of a batch: it and those `beside` it, by number, in the same district and fund.
    `said`: why more than one person checks it; empty where one does."""

    sum_fen: int
    sum: str
    beside: list[str]
    said: str = ""


class BatchView(Struct):
    """`content_hash`, `line_count`, `sum_fen` and `sum` are null until the batch is frozen. `debit_account`: the
    account that pays, as the bank file names it; `terms`: what was agreed with its bank. `checks_needed`: by how many
    persons it is checked, settled when its maker signs and until then as it was at its freezing; `together` says why.
    `siblings`: what the same opening was split over. `goes_to_bank_at`: once it is released, when its bank takes the
    file, and `goes_to_bank` says it in words. At most 200 are named of `left_out`; `left_out_count` counts them all.
    """

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
    checks_needed: int = 1
    together: TogetherView | None = None
    holds: list[BatchHoldView] = []
    left_out: list[LeftOutView] = []
    left_out_count: int = 0
    siblings: list[SiblingView] = []
    goes_to_bank_at: datetime | None = None
    goes_to_bank: str = ""


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


class PartView(Struct):
    """How many of a batch's payments have a `code` (a level, a channel), over how much."""

    code: str
    count: int
    sum_fen: int


class RecheckView(Struct):
    """A time that a batch's claims were looked up in the registers: `stopped` of `claims` left."""

    step: str
    checked_at: datetime
    claims: int
    stopped: int


class FundShareView(Struct):
    """A position that pays a batch: what it was given, and of that paid, on its way, and waiting for this batch."""

    year: int
    appropriated_fen: int
    paid_fen: int
    in_flight_fen: int
    waits_fen: int


class ContentView(Struct, kw_only=True):
    """What a batch is made of, which follows from what was frozen. `again`: payments that were tried before and
    failed, or came back; `shared_accounts`: payments to an account that another person of the batch is paid to as
    well."""

    by_level: list[PartView]
    by_channel: list[PartView]
    largest_fen: int
    payees: int
    again: int
    shared_accounts: int


class SampleLineView(Struct):
    reference: str
    payee: str
    account_tail: str
    item: str
    level: str
    amount_fen: int
