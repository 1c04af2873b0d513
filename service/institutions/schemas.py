"""Institutions and their selection, as JSON. Days are written 2026-03-02; levels are codes."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct, field

from domain.institution import ContactRole, Grade, InstitutionKind

Words = Annotated[str, Meta(max_length=500)]
Day = Annotated[str, Meta(max_length=10)]
Code = Annotated[str, Meta(max_length=40)]


class ScopeView(Struct):
    """A canonical occupation and the codes of the levels, the lowest first."""

    occupation: str
    levels: list[str]


class InstitutionView(Struct):
    """What everybody may know. `on` is the day that standing, grade and scopes are told for; `grade` null: none."""

    id: UUID
    name: str
    credit_code: str
    kind: str
    kind_name: str
    grade: str | None
    district: str
    on: date
    standing: str
    standing_name: str
    scopes: list[ScopeView]
    sample: bool


class InstitutionsView(Struct):
    """`next` is the `after` of the next page; null on the last."""

    on: date
    institutions: list[InstitutionView]
    next: str | None


class TermView(Struct):
    """From `first` to `last`, both included; `last` null: without an end."""

    first: date
    last: date | None


class BranchView(Struct):
    id: UUID
    name: str
    district: str
    address: str
    days: TermView


class ContactView(Struct):
    """Masked for whoever only audits."""

    id: UUID
    role: str
    name: str
    phone: str
    days: TermView


class GradeView(Struct):
    id: UUID
    grade: str
    source: str
    days: TermView


class DatedScopeView(Struct):
    id: UUID
    occupation: str
    levels: list[str]
    source: str
    days: TermView


class AccountView(Struct):
    """`number` masked for whoever only audits; `answer` null: it waits for another person. `mine`: I proposed it."""

    id: UUID
    holder: str
    number: str
    bank_code: str
    first: date
    reason: str
    mine: bool
    answer: Literal["confirmed", "declined"] | None
    answer_reason: str


class ListingView(Struct):
    source: str
    days: TermView


class SanctionView(Struct):
    stops: list[str]
    reason: str
    days: TermView
    lifted_on: date | None


class EvaluationView(Struct):
    year: int
    passed: bool
    source: str


class DocumentView(Struct):
    """`sha256` of the plain bytes."""

    id: UUID
    name: str
    media_type: str
    size: int
    sha256: str
    handed_in_at: datetime


class RecordView(Struct):
    """Everything, for officers and for the institution's own clerks; `exits` are the days on which it left."""

    institution: InstitutionView
    stops: list[str]
    listings: list[ListingView]
    exits: list[date]
    sanctions: list[SanctionView]
    evaluations: list[EvaluationView]
    grades: list[GradeView]
    scopes: list[DatedScopeView]
    branches: list[BranchView]
    contacts: list[ContactView]
    accounts: list[AccountView]
    documents: list[DocumentView]


class AddedView(Struct):
    """The id of what was added or answered; its content is in the record."""

    id: UUID


class NewInstitution(Struct, forbid_unknown_fields=True):
    """In the registry, not yet in the catalog: it may then apply to a selection."""

    credit_code: Code
    name: Words
    kind: InstitutionKind
    district: Code


class NewBranch(Struct, forbid_unknown_fields=True):
    name: Words
    district: Code
    address: Words
    first: Day = field(name="from")
    last: Day | None = field(name="to", default=None)


class NewContact(Struct, forbid_unknown_fields=True):
    role: ContactRole
    name: Words
    phone: Code
    first: Day = field(name="from")
    last: Day | None = field(name="to", default=None)


class NewGrade(Struct, forbid_unknown_fields=True):
    """`source` names the document that gives it."""

    grade: Grade
    source: Words
    first: Day = field(name="from")
    last: Day | None = field(name="to", default=None)


class NewScope(Struct, forbid_unknown_fields=True):
    """A code of an older classification means the occupation that it is now."""

    occupation: Code
    levels: Annotated[list[Code], Meta(max_length=20)]


class NewScopes(Struct, forbid_unknown_fields=True):
    scopes: Annotated[list[NewScope], Meta(max_length=200)]
    source: Words
    first: Day = field(name="from")
    last: Day | None = field(name="to", default=None)


class NewEnd(Struct, forbid_unknown_fields=True):
    """A dated fact, by its id in the record; `to` is its last day, today or later."""

    part: Literal["branches", "contacts", "grades", "scopes"]
    id: UUID
    last: Day = field(name="to")


class NewInstitutionAccount(Struct, forbid_unknown_fields=True):
    """In the institution's own name; it holds from a day on once another person has confirmed it."""

    number: Annotated[str, Meta(max_length=60)]
    holder: Words
    bank_code: Code
    reason: Words
    first: Day = field(name="from")


class NewGrounds(Struct, forbid_unknown_fields=True):
    reason: Words


class Span(Struct, forbid_unknown_fields=True):
    first: Day = field(name="from")
    last: Day = field(name="to")


class NewCriterion(Struct, forbid_unknown_fields=True):
    """`weight` in per cent; all weights make 100. Each assessor gives 0 to 100 points."""

    name: Words
    weight: int


class NewRound(Struct, forbid_unknown_fields=True):
    """`kinds` are the classes that may apply; who is admitted stands in the catalog on the days of `admits`."""

    year: Annotated[int, Meta(ge=2000, le=2100)]
    title: Words
    kinds: Annotated[list[InstitutionKind], Meta(max_length=8)]
    criteria: Annotated[list[NewCriterion], Meta(max_length=50)]
    pass_mark: int
    assessors: int
    applications: Span
    admits: Span


class CriterionView(Struct):
    name: str
    weight: int


class ResultView(Struct):
    """As it is publicised; `score` in hundredths of a point."""

    institution_id: UUID
    name: str
    credit_code: str
    status: str
    status_name: str
    score: int


class RoundView(Struct):
    """`publicity` null: not yet. `results` are those nominated and admitted, once they are publicised."""

    id: UUID
    year: int
    title: str
    status: str
    status_name: str
    kinds: list[str]
    criteria: list[CriterionView]
    pass_mark: int
    assessors: int
    applications: TermView
    admits: TermView
    publicity_working_days: int
    publicity: TermView | None
    results: list[ResultView]


class RoundsView(Struct):
    rounds: list[RoundView]


class NewApplication(Struct, forbid_unknown_fields=True):
    """`documents` are ids of what the institution has handed in."""

    scopes: Annotated[list[NewScope], Meta(max_length=200)]
    documents: Annotated[list[UUID], Meta(max_length=50)]


class NewSheet(Struct, forbid_unknown_fields=True):
    """Criterion → 0 to 100 points, each criterion once."""

    points: dict[str, int]
    remark: Words = ""


class SheetView(Struct):
    """What one person gave; `mine`: I did."""

    mine: bool
    points: dict[str, int]
    remark: str
    given_at: datetime


class ApplicationView(Struct):
    """`renewal`: it stood in the catalog in the year that was evaluated. `sheets`: those I may see (an assessor's
    own, all for officers and auditors). `score` in hundredths, null until it is publicised. `reason`: why it was not
    admitted, else empty."""

    id: UUID
    round_id: UUID
    institution_id: UUID
    institution_name: str
    status: str
    status_name: str
    renewal: bool
    scopes: list[ScopeView]
    documents: list[DocumentView]
    sheets_given: int
    sheets: list[SheetView]
    score: int | None
    reason: str


class ApplicationsView(Struct):
    applications: list[ApplicationView]
