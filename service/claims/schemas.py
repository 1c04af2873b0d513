"""Claims and mandates as JSON. Views hold masked values only."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from domain.claim import PlaceLink, Via
from domain.correction import Correctable
from domain.eligibility import Decision, Outcome
from domain.objection import Finding, Ground
from service.wording import next_step, words


class NewAccount(Struct, forbid_unknown_fields=True):
    number: str
    holder: str
    bank_code: str


class NewGroup(Struct, forbid_unknown_fields=True):
    """A group of `/api/groups` that the claimant belongs to, with a proof that holds from a day on."""

    code: str
    proof_kind: str
    proof_number: str
    valid_from: str


class NewInvoice(Struct, forbid_unknown_fields=True):
    """The invoice over the fee that the claimant paid; `payer` as printed."""

    number: str
    amount_fen: int
    payer: str


class NewClaim(Struct, forbid_unknown_fields=True):
    """`district` is asked of a person; a claim by an institution belongs to the institution's. `list_kind` chooses
    the list to be counted under; `training_started_on` is the certificate's day where there was no class. With
    `insist` a claim that the rules do not grant is stored and refused, so that one may appeal."""

    item_code: str
    level: str
    certificate_number: str
    certificate_issued_on: str
    account: NewAccount
    district: str | None = None
    list_kind: str | None = None
    training_started_on: str | None = None
    mandate_id: UUID | None = None
    via: Via = Via.WEB
    group: NewGroup | None = None
    invoice: NewInvoice | None = None
    place_link: PlaceLink | None = None
    insist: bool = False


class NewTrainee(Struct, forbid_unknown_fields=True):
    name: str
    id_number: str
    phone: str | None = None


class NewMandate(Struct, forbid_unknown_fields=True):
    trainee: NewTrainee
    signed_on: str
    valid_from: str
    valid_to: str
    document_sha256: str
    fee_fen: int


class MandateView(Struct):
    """`trainee` is masked. `revoked_on`: from this day on the trainee has taken it back."""

    id: UUID
    trainee: str
    valid_from: date
    valid_to: date
    institution: str = ""
    revoked_on: date | None = None


class MandateList(Struct):
    """`next` is the cursor of the page that follows; null on the last."""

    mandates: list[MandateView]
    next: UUID | None


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


class OutcomeView(Struct):
    """`message` says what is so, `next` what the claimant can do about it; empty where nothing needs doing."""

    rule: str
    version: int
    outcome: str
    code: str
    facts: dict[str, Any]
    basis: str
    message: str
    next: str


class DecisionView(Struct):
    """Every rule's outcome; `amount_fen` in fen when eligible, else null.

    `may_insist`: not eligible, but filed with `insist` it would be stored and refused in due form.
    """

    eligible: bool
    amount_fen: int | None
    rules_version: int
    may_insist: bool
    outcomes: list[OutcomeView]

    @classmethod
    def of(cls, decision: Decision) -> "DecisionView":
        outcomes = [_outcome_view(each) for each in decision.outcomes]
        return cls(decision.eligible, decision.amount_fen, decision.rules_version, decision.may_insist, outcomes)


def _outcome_view(said: Outcome) -> OutcomeView:
    facts, outcome = dict(said.facts), str(said.outcome)
    message, following = words(said.code, facts), next_step(said.code, facts)
    return OutcomeView(said.rule, said.version, outcome, said.code, facts, said.basis, message, following)


class RemedyView(Struct):
    """`last`: the last day on which this way is open; null: no law sets one."""

    kind: str
    last: date | None
    message: str


class RefusalView(Struct):
    """Why a claim was refused, and what may be done against it."""

    refused_on: date
    reasons: list[str]
    remedies: list[RemedyView]


class ClaimView(Struct, kw_only=True):
    """A claim as those see it who may. `amount` is for people, `amount_fen` counts fen.

    `refusal`: of one claim that was refused, when and why, and the remedies.
    `to_do` is there when the claim waits for the claimant.
    """

    id: UUID
    status: str
    status_name: str
    channel: str
    district: str
    item_code: str
    item_name: str
    list_kind: str
    level: str
    amount_fen: int
    amount: str
    claimant: str
    account_tail: str
    certificate_number: str
    certificate_issued_on: date
    filed_on: date
    decision: DecisionView | None = None
    refusal: RefusalView | None = None
    to_do: ToDoView | None = None


class ClaimsView(Struct):
    """`next` is the cursor of the page that follows; null on the last."""

    claims: list[ClaimView]
    next: str | None


class CountsView(Struct):
    """How many claims stand in each status, came by each channel, and were turned away at the door."""

    counts: dict[str, int]
    channels: dict[str, int]
    turned_away: int


#: What an officer or a claimant adds in their own words.
Note = Annotated[str, Meta(max_length=500)]
Reason = Annotated[str, Meta(min_length=1, max_length=500)]


class NewNote(Struct, forbid_unknown_fields=True):
    note: Note = ""


class NewRefusal(Struct, forbid_unknown_fields=True):
    reasons: Annotated[list[str], Meta(max_length=20)]
    note: Note = ""


class NewApproval(Struct, forbid_unknown_fields=True):
    """Which claims of my district to approve together: all with this status, filed up to a day."""

    status: str = "verified"
    filed_to: str | None = None
    limit: int = 500


class ApprovedView(Struct):
    """`left`: how many would fit again; `unfunded`: how many of those asked for wait for money."""

    approved: int
    left: int
    unfunded: int


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
    account: NewAccount


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
    received_at: datetime
    lines: int | None
    filed: int
    refused: int
    waiting: int
    rejection: RosterProblem | None


class ReasonView(Struct):
    """`heading` is the column in which it is mended; empty for the line as a whole."""

    field: str
    heading: str
    code: str
    message: str


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


class AffectedClaim(Struct):
    """A claim that a set of standards would give `would_be_fen` instead of `amount_fen`; of the two that may be due,
    one is 0."""

    claim_id: UUID
    status: str
    district: str
    channel: str
    filed_on: date
    training_started_on: date
    occupation: str
    level: str
    amount_fen: int
    would_be_fen: int
    supplement_fen: int
    recovery_fen: int


class AffectedView(Struct):
    """`next` is the `after` of the page that follows; null on the last. A page may list fewer than were looked at."""

    claims: list[AffectedClaim]
    next: UUID | None
