"""Claims and decisions as they are shown."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct, field

from domain.eligibility import Decision, Outcome
from service.claims.schemas.care import RemedyView, ToDoView
from service.wording import next_step, words


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
    """Every rule's outcome, and what they come to: `verdict` eligible, needs_human or refused, said in words, with
    what the claimant can do next.

    `eligible`: no rule refuses it, so it can be filed, also where an officer has to look then. `amount_fen` in fen
    when eligible, else null. `may_insist`: not eligible, but filed with `insist` it would be stored and refused in
    due form.
    """

    verdict: str
    message: str
    next: str
    eligible: bool
    amount_fen: int | None
    rules_version: int
    may_insist: bool
    outcomes: list[OutcomeView]

    @classmethod
    def of(cls, decision: Decision, *, filed: bool = False) -> "DecisionView":
        """`filed`: the claim is stored, and whoever is refused may appeal."""
        return cls(
            verdict=decision.verdict,
            message=words(f"verdict.{decision.verdict}"),
            next=_next(decision, filed=filed),
            eligible=decision.eligible,
            amount_fen=decision.amount_fen,
            rules_version=decision.rules_version,
            may_insist=decision.may_insist,
            outcomes=[_outcome_view(each) for each in decision.outcomes],
        )


def _next(decision: Decision, *, filed: bool) -> str:
    if decision.eligible:
        return words(f"then.{decision.verdict}")
    if filed:
        return words("then.appeal")
    return words("then.mend_or_insist" if decision.may_insist else "then.mend")


def _outcome_view(said: Outcome) -> OutcomeView:
    facts, outcome = dict(said.facts), str(said.outcome)
    message, following = words(said.code, facts), next_step(said.code, facts)
    return OutcomeView(said.rule, said.version, outcome, said.code, facts, said.basis, message, following)


class RefusalView(Struct):
    """Why a claim was refused, and what may be done against it."""

    refused_on: date
    reasons: list[str]
    remedies: list[RemedyView]


class FoundResultView(Struct):
    """The result of a class in which the claim's certificate stands; `same_person`: as the claimant's."""

    class_number: str
    body: str
    assessed_on: date
    same_person: bool
    message: str


class ClaimView(Struct, kw_only=True):
    """A claim as those see it who may. `amount` is for people, `amount_fen` counts fen.

    `refusal`: of one claim that was refused, when and why, and the remedies.
    `to_do` is there when the claim waits for the claimant. `assessed`: of one claim, what an assessment body told of
    its certificate; null where none did. `payee`: the institution that is paid in the claimant's place, or
    null. A claim of a project has no item code and no certificate. A supplement names the claim it belongs to
    (`supplement_of`).
    """

    id: UUID
    kind: str
    kind_name: str
    status: str
    status_name: str
    channel: str
    district: str
    item_code: str | None
    item_name: str
    list_kind: str
    level: str
    amount_fen: int
    amount: str
    claimant: str
    account_tail: str
    certificate_number: str | None
    certificate_issued_on: date | None
    filed_on: date
    class_number: str | None = None
    payee: str | None = None
    supplement_of: UUID | None = None
    decision: DecisionView | None = None
    refusal: RefusalView | None = None
    to_do: ToDoView | None = None
    assessed: FoundResultView | None = None


class ClaimsView(Struct):
    """`next` is the cursor of the page that follows; null on the last."""

    claims: list[ClaimView]
    next: str | None


class CountsView(Struct):
    """How many claims stand in each status, came by each channel, and were turned away at the door."""

    counts: dict[str, int]
    channels: dict[str, int]
    turned_away: int


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


class NewOtherwise(Struct, forbid_unknown_fields=True):
    """Another value of a parameter, for claims filed from a day on (`to`: up to another); `after`: as the page before
    gave it."""

    key: Annotated[str, Meta(max_length=60)]
    value: Any
    first: Annotated[str, Meta(max_length=10)] = field(name="from")
    last: Annotated[str, Meta(max_length=10)] | None = field(name="to", default=None)
    after: UUID | None = None


class DecidedOtherwise(Struct):
    """Fen are null where the claim is not eligible; `reasons` why it would not be."""

    claim_id: UUID
    status: str
    status_name: str
    district: str
    filed_on: date
    was_fen: int | None
    would_be_fen: int | None
    reasons: list[str]


class OtherwiseView(Struct):
    """Of `looked_at` claims those that would be decided otherwise; `next` null on the last page."""

    claims: list[DecidedOtherwise]
    looked_at: int
    next: UUID | None
