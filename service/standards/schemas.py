"""Standards as JSON: sets with their signatures, amounts with their steps, what one looks up; and reviews."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct, field

from domain.level import LEVELS
from domain.money import format_yuan
from domain.period import day_before
from domain.review import Measure, Voice

Words = Annotated[str, Meta(max_length=500)]


class StepView(Struct, omit_defaults=True):
    """One term of the formula: `value` in `unit` (fen or percent), a fraction as `1001/4`.

    `of`: the terms it stands on; `by` and `fact`: what it looked at (no `fact`: not known, or not in the table).
    """

    term: str
    kind: str
    unit: str
    value: int | str
    by: str | None = None
    fact: int | str | None = None
    of: list[str] = []
    each: int | None = None
    to: str | None = None
    how: str | None = None


def steps_of(derivation: Mapping[str, Any]) -> list[StepView]:
    """The steps that a stored derivation holds; those from before there were formulas are told in their words."""
    if "steps" in derivation:
        return [StepView(**each) for each in derivation["steps"]]
    if "base_fen" not in derivation:
        return []
    percent = 100 + derivation["on_top_percent"]
    return [
        StepView("base", "table", "fen", derivation["base_fen"], by="level"),
        StepView("list", "table", "percent", percent, by="lists", fact=derivation["list"]),
        StepView("amount", "product", "fen", derivation["amount_fen"], of=["base", "list"]),
    ]


class StandardView(Struct):
    """`amount_fen` in fen; `amount` for people; `sample`: not the city's real amount."""

    occupation: str
    level: str
    level_name: str
    amount_fen: int
    amount: str
    sample: bool
    source: str
    steps: list[StepView]

    @classmethod
    def of(
        cls, occupation: str, level: str, amount_fen: int, sample: bool, source: str, derivation: Mapping[str, Any]
    ) -> "StandardView":
        name, amount = LEVELS[level].name, format_yuan(amount_fen)
        return cls(occupation, level, name, amount_fen, amount, sample, source, steps_of(derivation))


class StandardsView(Struct):
    standards: list[StandardView]


class NewStandardSet(Struct, forbid_unknown_fields=True):
    """A formula over an edition (the one in force on the first day, when none is named), from a day on.

    `facts` says of occupations what their lists do not: fact → occupation → value. `projects`: a formula for projects
    (项目制), which have no level. `corrects`: the published set
    whose mistake this one mends, for days that may be past; it then needs a `reason`.
    """

    year: Annotated[int, Meta(ge=2000, le=2100)]
    formula: dict[str, Any]
    source: Words
    first: str = field(name="from")
    last: str | None = field(name="to", default=None)
    facts: dict[str, Any] = {}
    projects: dict[str, Any] | None = None
    edition_id: UUID | None = None
    corrects: UUID | None = None
    reason: Words = ""


class NewSignature(Struct, forbid_unknown_fields=True):
    """`content_hash` of what was shown: a signature binds it."""

    content_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class DaysView(Struct):
    """Both ends included; `last` null: without an end."""

    first: date
    last: date | None


class TakenView(Struct):
    """A published set, and the days that it would give up for another."""

    id: UUID
    year: int
    revision: int
    days: list[DaysView]


class SignatureView(Struct):
    bureau: str
    signed_at: datetime
    mine: bool


class SetView(Struct, kw_only=True):
    """A set of standards. `first` to `last`: what it is for; `in_force`: the days that nothing later has taken."""

    id: UUID
    year: int
    revision: int
    status: str
    status_name: str
    first: date
    last: date | None
    in_force: list[DaysView]
    published_on: date | None
    source: str
    reason: str
    sample: bool
    corrects: UUID | None
    edition_id: UUID | None
    content_hash: str
    amounts: int
    mine: bool
    signatures: list[SignatureView]


class SetsView(Struct):
    sets: list[SetView]


class AmountView(Struct):
    """The amount for whoever brings no fact of their own, and the steps that made it."""

    occupation: str
    level: str
    level_name: str
    facts: dict[str, Any]
    amount_fen: int
    amount: str
    steps: list[StepView]


class WholeSetView(SetView, kw_only=True):
    """A set with its formula and a page of its amounts. `next` is the `after` of the page that follows."""

    formula: dict[str, Any] | None
    projects: dict[str, Any] | None
    facts: dict[str, Any]
    rows: list[AmountView]
    next: str | None


class SetNameView(Struct):
    id: UUID
    year: int
    revision: int
    source: str
    sample: bool
    published_on: date | None


class ReasonView(Struct):
    """Why there is no amount: `code` for programs, `message` for people."""

    code: str
    facts: dict[str, Any]
    message: str


class EditionNameView(Struct):
    """The edition of the day; `last` null: until superseded."""

    id: UUID
    year: int
    revision: int
    first: date
    last: date | None
    source_name: str
    source_sha256: str


class LookupView(Struct, kw_only=True):
    """What one will get on a day; or `reason`, the one thing that stands in the way, and then no amount.

    `lists`: those of the edition in which the occupation stands.
    """

    on: date
    level: str
    level_name: str
    group: str | None
    occupation: str | None
    name: str | None
    lists: list[str]
    edition: EditionNameView | None
    standard_set: SetNameView | None
    standard_id: UUID | None
    amount_fen: int | None
    amount: str | None
    steps: list[StepView]
    reason: ReasonView | None


class ProjectView(Struct, kw_only=True):
    """What is paid for a project on a day, by what its contract and its result bring; or `reason`, and no amount.

    `facts`: what was said; what the formula asks beside it counted by its default, as the steps tell.
    """

    on: date
    name: str
    facts: dict[str, int | str]
    edition: EditionNameView | None
    standard_set: SetNameView | None
    amount_fen: int | None
    amount: str | None
    steps: list[StepView]
    reason: ReasonView | None


def days_of(spans: Iterable[Any]) -> list[DaysView]:
    """The ranges of a multirange of days."""
    return [DaysView(each.lower, day_before(each.upper)) for each in spans]


# ---- reviews

Day = Annotated[str, Meta(max_length=10)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class NewReview(Struct, forbid_unknown_fields=True):
    """`first` to `last`, written `from` and `to`: the days that are looked back on."""

    title: Words
    first: Day = field(name="from")
    last: Day = field(name="to")


class NewSample(Struct, forbid_unknown_fields=True):
    """`value` in fen for `training_cost`, in per mille for the others. `document_sha256`: of what it stands in."""

    occupation: Annotated[str, Meta(max_length=20)]
    level: Annotated[str, Meta(max_length=20)]
    measure: Measure
    value: int
    source: Words
    document_sha256: Sha256


class NewSamples(Struct, forbid_unknown_fields=True):
    samples: Annotated[list[NewSample], Meta(min_length=1, max_length=1_000)]


class NewOpinion(Struct, forbid_unknown_fields=True):
    """`summary` is what will be published. `speaker`: an expert or an office; a trainee or one of the public is
    heard without a name."""

    voice: Voice
    summary: Words
    heard_on: Day
    speaker: Annotated[str, Meta(max_length=100)] = ""
    document_sha256: Sha256 | None = None


class NewAnswer(Struct, forbid_unknown_fields=True):
    adopted: bool
    answer: Words


class NewClosing(Struct, forbid_unknown_fields=True):
    """`summary`: what the review came to, for everybody."""

    summary: Annotated[str, Meta(max_length=2_000)]


class NewConclusion(Struct, forbid_unknown_fields=True):
    """The set of standards that the review led to."""

    set_id: UUID


class FiguresView(Struct):
    """What the samples of an occupation, level and measure say: how many, and their median (of an even number the
    lower of the two in the middle) in `unit`, fen or per mille."""

    occupation: str
    level: str
    level_name: str
    measure: str
    measure_name: str
    samples: int
    median: int
    unit: str


class OpinionView(Struct):
    """`adopted` and `answer` null: not answered yet."""

    id: UUID
    voice: str
    voice_name: str
    speaker: str
    summary: str
    heard_on: date
    document_sha256: str | None
    adopted: bool | None
    answer: str | None


class ReviewView(Struct, kw_only=True):
    """`set_id`: the set of standards that the review led to."""

    id: UUID
    title: str
    first: date = field(name="from")
    last: date = field(name="to")
    status: str
    status_name: str
    summary: str
    closed_on: date | None
    set_id: UUID | None
    samples: int
    opinions: int
    unanswered: int


class ReviewsView(Struct):
    reviews: list[ReviewView]


class WholeReviewView(ReviewView, kw_only=True):
    """`heard`: how many were heard, by voice."""

    figures: list[FiguresView]
    heard: dict[str, int]
    said: list[OpinionView]
