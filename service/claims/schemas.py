"""Claims and mandates as JSON. Views hold masked values only."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from domain.claim import Via
from domain.eligibility import Decision
from service.wording import words


class NewAccount(Struct, forbid_unknown_fields=True):
    number: str
    holder: str
    bank_code: str


class NewClaim(Struct, forbid_unknown_fields=True):
    """`district` is asked of a person; a claim by an institution belongs to the institution's. `list_kind` chooses
    the list to be counted under; `training_started_on` is the certificate's day where there was no class."""

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
    id: UUID
    trainee: str
    valid_from: date
    valid_to: date


class OutcomeView(Struct):
    rule: str
    version: int
    outcome: str
    code: str
    facts: dict[str, Any]
    basis: str
    message: str


class DecisionView(Struct):
    """Every rule's outcome; `amount_fen` in fen when eligible, else null."""

    eligible: bool
    amount_fen: int | None
    rules_version: int
    outcomes: list[OutcomeView]

    @classmethod
    def of(cls, decision: Decision) -> "DecisionView":
        outcomes = [
            OutcomeView(o.rule, o.version, str(o.outcome), o.code, dict(o.facts), o.basis, words(o.code, o.facts))
            for o in decision.outcomes
        ]
        return cls(decision.eligible, decision.amount_fen, decision.rules_version, outcomes)


class ClaimView(Struct, kw_only=True):
    """A claim as those see it who may. `amount` is for people, `amount_fen` counts fen."""

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
    approved: int
    left: int
