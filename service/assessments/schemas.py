"""Results of classes as JSON. Views hold masked values only."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

#: What one class may have at most.
RESULTS_MAX, EXAMINERS_MAX = 500, 20

Short = Annotated[str, Meta(max_length=60)]
Words = Annotated[str, Meta(max_length=500)]


class NewExaminer(Struct, forbid_unknown_fields=True):
    name: str
    id_number: str


class NewAssessed(Struct, forbid_unknown_fields=True):
    """One trainee. `mark` is passed, failed or absent; `score` has points between 0 and 100, one decimal at most, of
    whoever sat; a certificate is of whoever passed."""

    name: str
    id_number: str
    mark: Short
    score: Short | None = None
    certificate_number: Short | None = None
    certificate_issued_on: Short | None = None


class NewAssessment(Struct, forbid_unknown_fields=True):
    """The results of a whole class, each trainee once. A correction names the version that it `corrects`, and why."""

    class_number: Short
    assessed_on: Annotated[str, Meta(max_length=10)]
    examiners: Annotated[list[NewExaminer], Meta(min_length=1, max_length=EXAMINERS_MAX)]
    results: Annotated[list[NewAssessed], Meta(min_length=1, max_length=RESULTS_MAX)]
    corrects: int | None = None
    reason: Words = ""


class AssessedView(Struct):
    """`name` and `id_number` are masked; `line` is that of the class's roster. `warnings`: what is odd about the
    certificate's number, in words."""

    line: int
    name: str
    id_number: str
    mark: str
    mark_name: str
    score: str | None
    certificate_number: str | None
    certificate_issued_on: date | None
    warnings: list[str]


class PassRateView(Struct):
    """`percent` of those who sat, rounded down; null where nobody did."""

    passed: int
    failed: int
    absent: int
    percent: int | None


class AssessmentView(Struct):
    """One version; `holds`: no later one corrects it. `examiners` are masked."""

    id: UUID
    class_id: UUID
    class_number: str
    institution_id: UUID
    institution: str
    version: int
    holds: bool
    assessed_on: date
    filed_at: datetime
    reason: str
    examiners: list[str]
    rate: PassRateView
    results: list[AssessedView]


class AssessmentsView(Struct):
    """Of one class, the version that holds first."""

    assessments: list[AssessmentView]


class InstitutionRateView(Struct):
    """`classes` of an institution that have results, and how their trainees did."""

    institution_id: UUID
    institution: str
    classes: int
    rate: PassRateView


class RatesView(Struct):
    """`trained`: by who taught, `assessed`: by who assessed."""

    first: date
    last: date
    trained: list[InstitutionRateView]
    assessed: list[InstitutionRateView]


class NewAffiliation(Struct, forbid_unknown_fields=True):
    """`one` and `other` by their ids; `last` null: until further notice. `source` says how it is known."""

    one: UUID
    other: UUID
    first: Annotated[str, Meta(max_length=10)]
    source: Words
    last: Annotated[str, Meta(max_length=10)] | None = None


class AffiliationView(Struct):
    id: UUID
    one: UUID
    one_name: str
    other: UUID
    other_name: str
    first: date
    last: date | None
    source: str


class AffiliationsView(Struct):
    affiliations: list[AffiliationView]
