"""What officers and claimants say of a claim that was filed: review, corrections, holds, objections."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from domain.appeal import Answer
from domain.correction import Correctable
from domain.objection import Finding, Ground
from domain.relative import Bar
from service.claims.schemas.filing import NewAccount


class FaultView(Struct):
    """One thing to mend: `message` says the code in words."""

    code: str
    field: Correctable
    note: str
    message: str


class ToDoView(Struct):
    """What the claimant is asked to do, and why; `faults` and `due_on` for a claim that was sent back.

    `provisional`: the holidays of that year are not arranged yet.
    """

    code: str
    message: str
    why: str = ""
    faults: list[FaultView] = []
    due_on: date | None = None
    provisional: bool = False


#: What an officer or a claimant adds in their own words.
Note = Annotated[str, Meta(max_length=500)]


Reason = Annotated[str, Meta(min_length=1, max_length=500)]


class NewNote(Struct, forbid_unknown_fields=True):
    note: Note = ""


class NewRefusal(Struct, forbid_unknown_fields=True):
    reasons: Annotated[list[str], Meta(max_length=20)]
    note: Note = ""


class NewApprovalPreview(Struct, forbid_unknown_fields=True):
    """Which claims of my district to approve together: all with this status, filed up to a day."""

    status: str = "verified"
    filed_to: str | None = None
    limit: int = 500


class ShownSet(Struct, forbid_unknown_fields=True):
    """What a preview said of the same choice."""

    count: int
    sum_fen: int
    hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class NewApproval(NewApprovalPreview, forbid_unknown_fields=True):
    """With `shown`, just those are approved, or none."""

    shown: ShownSet | None = None


class ApprovedView(Struct):
    """`left`: how many would fit again; `unfunded`: how many of those asked for wait for money; `second_reviews`: at
    how many of them another person must look again."""

    approved: int
    left: int
    unfunded: int
    second_reviews: int = 0


class TallyView(Struct):
    code: str
    name: str
    count: int
    sum_fen: int


class LeftOutView(Struct):
    """How many of those that fit are left to others, or wait, and why."""

    bar: Bar
    message: str
    count: int


class DrawnClaim(Struct):
    """One of those that a preview would approve, drawn by chance, to be looked at before."""

    id: UUID
    claimant: str
    item_name: str
    level_name: str
    channel_name: str
    amount_fen: int


class PreviewView(Struct, kw_only=True):
    """What would be approved now. `hash`: SHA-256 over a line `id amount_fen` each, sorted. `second_reviews`: at how
    many another person must look again for certain; a sample is drawn besides. `left_out`: of the oldest 10,000.
    `drawn`: a few of them, others each time."""

    count: int
    sum_fen: int
    sum: str
    hash: str
    by_item: list[TallyView]
    by_level: list[TallyView]
    by_channel: list[TallyView]
    left_out: list[LeftOutView]
    unfunded: int
    second_reviews: int
    drawn: list[DrawnClaim]


#: A code of a list in the wording: `fault.…`, `hold.…`.
ReasonCode = Annotated[str, Meta(pattern="^[a-z_]{1,40}$")]


class NewFault(Struct, forbid_unknown_fields=True):
    code: ReasonCode
    field: Correctable
    note: Note = ""


class NewSendBack(Struct, forbid_unknown_fields=True):
    """All faults of the claim, named once (一次性告知)."""

    faults: Annotated[list[NewFault], Meta(min_length=1, max_length=20)]


class NewCorrection(Struct, forbid_unknown_fields=True):
    """Those of the fields in question that the claimant mends; at least one."""

    item_code: str | None = None
    level: str | None = None
    certificate_number: str | None = None
    certificate_issued_on: str | None = None
    training_started_on: str | None = None
    account: NewAccount | None = None


class NewMending(Struct, forbid_unknown_fields=True):
    """`account` null where an enterprise is paid: then it is the one that is confirmed for today."""

    account: NewAccount | None = None


class NewAccountAnswer(Struct, forbid_unknown_fields=True):
    """`note`: by what the account was checked, or what is wrong with it."""

    confirm: bool
    note: Reason


class AccountCheckView(Struct, kw_only=True):
    """Another account for a claim whose money came back; `confirmed` null while it waits for a checker."""

    id: UUID
    claim_id: UUID
    amount_fen: int
    amount: str
    holder: str
    account_tail: str
    bank_code: str
    proposed_at: datetime
    confirmed: bool | None
    note: str


class AccountCheckList(Struct):
    """`next` is the cursor of the page that follows; null on the last."""

    checks: list[AccountCheckView]
    next: UUID | None


class NewHold(Struct, forbid_unknown_fields=True):
    code: ReasonCode
    note: Note = ""


class HoldView(Struct):
    """A hold on a claim; live while `lifted_at` is null."""

    id: UUID
    claim_id: UUID
    code: str
    message: str
    note: str
    placed_at: datetime
    lifted_at: datetime | None = None


class HoldList(Struct):
    """`next` is the cursor of the page that follows; null on the last."""

    holds: list[HoldView]
    next: UUID | None


class NewObjection(Struct, forbid_unknown_fields=True):
    ground: Ground
    reason: Reason


class NewFinding(Struct, forbid_unknown_fields=True):
    finding: Finding
    reason: Reason


class ObjectionView(Struct):
    """An objection to a paid claim; open while `finding` is null. `message` says what the finding means."""

    id: UUID
    claim_id: UUID
    ground: Ground
    ground_name: str
    reason: str
    raised_at: datetime
    finding: Finding | None
    message: str
    finding_reason: str
    closed_at: datetime | None


class ObjectionList(Struct):
    """Oldest first. `next` is the cursor of the page that follows; null on the last."""

    objections: list[ObjectionView]
    next: UUID | None


class RemedyView(Struct):
    """`last`: the last day on which this way is open; null: no law sets one."""

    kind: str
    last: date | None
    message: str


class NewAppeal(Struct, forbid_unknown_fields=True):
    """Why the refusal is not right; without numbers of persons."""

    reason: Reason


class NewAppealAnswer(Struct, forbid_unknown_fields=True):
    grant: bool
    answer: Reason


class AppealView(Struct, kw_only=True):
    """复核 of a refusal; open while `answer` is null. `message` says what the answer means, `in_the_way` which other
    claims' facts kept a granted one out, `remedies` what remains outside of the house where it was not granted."""

    id: UUID
    claim_id: UUID
    reason: str
    appealed_at: datetime
    due_on: date
    overdue: bool
    answer: Answer | None
    message: str
    answer_text: str
    in_the_way: list[str]
    answered_at: datetime | None
    remedies: list[RemedyView]


class AppealList(Struct):
    """By the day on which they are due. `next` is the cursor of the page that follows; null on the last."""

    appeals: list[AppealView]
    next: UUID | None
