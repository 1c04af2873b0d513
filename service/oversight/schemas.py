"""Oversight as JSON: credit, penalties and appeals; evaluations; complaints. Institutions go by their credit code."""

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct, field

from domain.complaint import WORDS_MAX, ComplaintKind
from domain.evaluation import Indicator
from domain.institution import Standing, Stop
from domain.penalty import EventKind, InFlight
from domain.signal import Signal

Code = Annotated[str, Meta(max_length=40)]
Day = Annotated[str, Meta(max_length=10)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Words = Annotated[str, Meta(max_length=500)]


class NewCreditEvent(Struct, forbid_unknown_fields=True):
    """What happened at an institution; `points` below 0 cost it credit. `classes_held` and `classes_failed` belong to
    `class_results` alone. `document_sha256`: of what it stands in."""

    institution: Code
    kind: EventKind
    happened_on: Day
    words: Words
    document_sha256: Sha256
    points: Annotated[int, Meta(ge=-100, le=100)] = 0
    classes_held: Annotated[int, Meta(ge=1, le=100_000)] | None = None
    classes_failed: Annotated[int, Meta(ge=0, le=100_000)] | None = None


class NewCorrection(Struct, forbid_unknown_fields=True):
    """A further event that adds `points` to those of an earlier one, on its day."""

    points: Annotated[int, Meta(ge=-100, le=100)]
    words: Words
    document_sha256: Sha256


class CreditEventView(Struct):
    id: UUID
    institution: str
    kind: EventKind
    kind_name: str
    points: int
    happened_on: date
    words: str
    document_sha256: str
    recorded_at: datetime
    classes_held: int | None = None
    classes_failed: int | None = None
    corrects: UUID | None = None
    penalty: UUID | None = None


class DueView(Struct):
    """The step that the rules call for and that no penalty has answered; `why` in words."""

    institution: str
    institution_name: str
    step: str
    step_name: str
    rule: str
    since: date
    figures: dict[str, int]
    why: str


class CreditView(Struct):
    """An institution's credit of a year, with its events; how it stands today, and what is stopped."""

    institution: str
    institution_name: str
    year: int
    credit: int
    standing: Standing
    stops: list[Stop]
    events: list[CreditEventView]
    due: DueView | None


class DueList(Struct):
    due: list[DueView]


class NewPenalty(Struct, forbid_unknown_fields=True):
    """A step of the ladder from a day on; the rule that calls for it is found, if one does."""

    institution: Code
    step: Code
    first: Day
    reason: Words
    document_sha256: Sha256


class NewAppeal(Struct, forbid_unknown_fields=True):
    reason: Words


class NewAppealAnswer(Struct, forbid_unknown_fields=True):
    """`granted`: what the penalty stops is lifted from `lifted_on` on (today, when none is given), and `points` are
    given back, for which a `document_sha256` is told."""

    granted: bool
    answer: Words
    lifted_on: Day | None = None
    points: Annotated[int, Meta(ge=0, le=100)] = 0
    document_sha256: Sha256 | None = None


class AppealView(Struct):
    appealed_on: date
    reason: str
    answered_on: date | None
    granted: bool | None
    answer: str | None


class PenaltyView(Struct):
    """`stops` on the days `first` to `last`, or to the day before `lifted_on`; `claims_in_flight_name` says what
    becomes of claims that were filed before."""

    id: UUID
    institution: str
    institution_name: str
    step: str
    step_name: str
    rule: str
    why: str
    reason: str
    document_sha256: str
    first: date
    last: date | None
    stops: list[Stop]
    claims_in_flight: InFlight
    claims_in_flight_name: str
    leaves: bool
    status: str
    status_name: str
    proposed_at: datetime
    decided_on: date | None
    mend_until: date | None
    appeal_until: date | None
    appeal: AppealView | None
    lifted_on: date | None
    published_until: date | None


class PenaltyList(Struct):
    penalties: list[PenaltyView]
    next: UUID | None = None


class PublicPenaltyView(Struct):
    """What everybody may read while it is published."""

    institution: str
    institution_name: str
    step_name: str
    reason: str
    stops: list[Stop]
    first: date
    last: date | None
    decided_on: date
    published_until: date


class PublicPenalties(Struct):
    penalties: list[PublicPenaltyView]


# ---- evaluations


class NewEvaluation(Struct, forbid_unknown_fields=True):
    """Points between 0 and 100, with one decimal at most, for each indicator of the year's formula, and the hash of
    the document that each stands in. `summary` is published."""

    institution: Code
    year: Annotated[int, Meta(ge=2000, le=2100)]
    values: dict[Indicator, float]
    evidence: dict[Indicator, Sha256]
    summary: Words


class NewEvaluationCorrection(Struct, forbid_unknown_fields=True):
    values: dict[Indicator, float]
    evidence: dict[Indicator, Sha256]
    summary: Words
    reason: Words


class EvaluationView(Struct):
    """`score` in points; `for_year`: the year whose catalog it decides. `version` above 1 corrects the one before."""

    id: UUID
    institution: str
    institution_name: str
    year: int
    for_year: int
    version: int
    formula: str
    sample: bool
    values: dict[str, str]
    evidence: dict[str, str]
    score: str
    passed: bool
    summary: str
    reason: str
    evaluated_at: datetime


class EvaluationResultView(Struct):
    institution: str
    institution_name: str
    score: str
    passed: bool
    summary: str
    version: int


class EvaluationsView(Struct):
    """A year as it is published: by what formula, how many passed, and each result."""

    year: int
    for_year: int
    mark: int | None
    weights: dict[str, int]
    source: str
    sample: bool
    evaluated: int
    passed: int
    failed: int
    results: list[EvaluationResultView]


# ---- complaints


class NewComplaint(Struct, forbid_unknown_fields=True):
    """`class_number` (开班编号): the class it is about, if one is named."""

    institution: Code
    words: Annotated[str, Meta(max_length=WORDS_MAX)]
    kind: ComplaintKind = ComplaintKind.COMPLAINT
    class_number: Annotated[str, Meta(max_length=40)] | None = None


class ComplaintReceipt(Struct):
    """`due_on`: the day by which it is answered; `provisional`: that year's holidays are not arranged yet; `number`:
    what people call it by."""

    id: UUID
    due_on: date
    provisional: bool
    number: str = ""


class ComplaintStateView(Struct):
    """For whoever has the number of a complaint; `answered_on` null: it waits."""

    id: UUID
    number: str
    filed_on: date
    due_on: date
    answered_on: date | None


class NewComplaintAnswer(Struct, forbid_unknown_fields=True):
    answer: Annotated[str, Meta(max_length=WORDS_MAX)]
    founded: bool


class AnsweredView(Struct):
    id: UUID
    answered_on: date
    founded: bool
    late: bool


class ComplaintView(Struct):
    """For who complained and for the officers who answer."""

    id: UUID
    number: str
    institution: str
    institution_name: str
    kind: ComplaintKind
    kind_name: str
    words: str
    anonymous: bool
    filed_on: date
    due_on: date
    overdue: bool
    class_number: str | None = None
    answer: str | None = None
    founded: bool | None = None
    answered_on: date | None = None


class ComplaintList(Struct):
    complaints: list[ComplaintView]
    next: UUID | None = None


class ComplaintCountView(Struct):
    """`complaints`: null where there are fewer than five."""

    institution: str
    institution_name: str
    complaints: int | None


class ComplaintCounts(Struct):
    counts: list[ComplaintCountView] = field(default_factory=list)


# ---- risk signals


class SignalRunView(Struct):
    """`done_at` null: it is owed, and the worker has not come to it."""

    id: UUID
    origin: str
    origin_name: str
    day: date
    asked_at: datetime
    done_at: datetime | None


class SignalFindingView(Struct):
    """`score` from 50, where the signal begins to speak, to 100; `why` in words. `rows` are ids of whom and what it
    is about, the first ones of `rows_found`."""

    id: UUID
    signal: Signal
    signal_name: str
    institution: str
    institution_name: str
    score: int
    why: str
    figures: dict[str, Any]
    first_seen: date
    rows_found: int
    rows: list[dict[str, str]]


class SignalsView(Struct):
    run: SignalRunView
    findings: list[SignalFindingView]
