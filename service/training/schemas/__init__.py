"""Classes and inspections as JSON. Views hold masked values only."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from domain.eligibility.outcome import Decision, Outcome
from service.funds.schemas import ClassMoneyView
from service.wording import words

#: What one class may have at most; policy says less.
TEACHERS_MAX, SESSIONS_MAX, TRAINEES_MAX = 50, 500, 500

Name = Annotated[str, Meta(max_length=100)]
Words = Annotated[str, Meta(max_length=500)]
Hours = Annotated[int, Meta(ge=1, le=10_000)]


class NewSite(Struct, forbid_unknown_fields=True):
    """`name`: the branch, as people call it; the district is the one whose officers approve the class."""

    name: Name
    address: Annotated[str, Meta(max_length=200)]
    district: Annotated[str, Meta(max_length=20)]


class NewTeacher(Struct, forbid_unknown_fields=True):
    name: str
    id_number: str


class NewPlace(Struct, forbid_unknown_fields=True):
    """One line of the roster."""

    name: str
    id_number: str
    phone: str | None = None


class NewSession(Struct, forbid_unknown_fields=True):
    """`begins` and `ends` are written 09:30; `hours` are 学时; `teacher` counts the teachers of the class from 1."""

    day: str
    begins: str
    ends: str
    hours: Hours
    room: Name
    teacher: Annotated[int, Meta(ge=1, le=1_000)]


Teachers = Annotated[list[NewTeacher], Meta(min_length=1, max_length=TEACHERS_MAX)]
Sessions = Annotated[list[NewSession], Meta(min_length=1, max_length=SESSIONS_MAX)]
Places = Annotated[list[NewPlace], Meta(min_length=1, max_length=TRAINEES_MAX)]


class NewClass(Struct, forbid_unknown_fields=True):
    """A class as its institution files it: an occupation by its code, a level, a timetable, a roster."""

    item_code: Annotated[str, Meta(max_length=20)]
    level: Annotated[str, Meta(max_length=20)]
    planned_hours: Hours
    site: NewSite
    teachers: Teachers
    sessions: Sessions
    trainees: Places


class NewChange(Struct, forbid_unknown_fields=True):
    """What becomes of what has not begun: `sessions` take the place of all that have not begun, `teachers` join those
    that are named already, `trainees` take the place of the roster while no session has begun."""

    reason: Words
    site: NewSite | None = None
    teachers: Teachers | None = None
    sessions: Sessions | None = None
    trainees: Places | None = None


class NewClassReason(Struct, forbid_unknown_fields=True):
    reason: Words


class ClassOutcomeView(Struct):
    """`message` says what is so, and what can be done about it."""

    rule: str
    version: int
    outcome: str
    code: str
    facts: dict[str, Any]
    basis: str
    message: str


class ClassDecisionView(Struct):
    """Every rule's outcomes: one for each session and each line that a rule has something to say of."""

    eligible: bool
    rules_version: int
    outcomes: list[ClassOutcomeView]

    @classmethod
    def of(cls, decision: Decision) -> "ClassDecisionView":
        outcomes = [_outcome_view(each) for each in decision.outcomes]
        return cls(decision.eligible, decision.rules_version, outcomes)


def _outcome_view(said: Outcome) -> ClassOutcomeView:
    facts = dict(said.facts)
    told = (said.rule, said.version, str(said.outcome), said.code, facts, said.basis)
    return ClassOutcomeView(*told, words(said.code, facts))


class ClassSessionView(Struct):
    """`begun`: it stays as it is."""

    day: date
    begins: str
    ends: str
    hours: int
    room: str
    teacher: int
    begun: bool


class TeacherView(Struct):
    """`name` is masked."""

    n: int
    name: str


class PlaceView(Struct):
    """`name` and `id_number` are masked."""

    line: int
    name: str
    id_number: str


class ClassLine(Struct, kw_only=True):
    """A class in a list. `number` is empty until it is approved."""

    id: UUID
    number: str
    status: str
    status_name: str
    institution_id: UUID
    institution: str
    district: str
    occupation: str
    item_name: str
    level: str
    level_name: str
    planned_hours: int
    first: date
    last: date
    trainees: int
    filed_on: date


class ClassesView(Struct):
    """`next` is the cursor of the page that follows; null on the last."""

    classes: list[ClassLine]
    next: str | None


class ClassStepView(Struct):
    """A step of the class, with the reason that was given; `parts` are what a change touched."""

    action: str
    at: datetime
    reason: str
    parts: list[str]


class ClassView(ClassLine, kw_only=True):
    """A whole class as those see it who may. `money` null: nothing was set aside for it so far."""

    site: str
    address: str
    teachers: list[TeacherView]
    sessions: list[ClassSessionView]
    roster: list[PlaceView]
    steps: list[ClassStepView]
    decision: ClassDecisionView
    money: ClassMoneyView | None


class OverlapView(Struct):
    """Two live classes that have the same person at one time, as `trainee` in one of them or as `teacher` in both;
    `who` is masked."""

    whose: str
    who: str
    day: date
    begins: str
    ends: str
    class_ids: list[UUID]


class OverlapsView(Struct):
    overlaps: list[OverlapView]


class NewInspection(Struct, forbid_unknown_fields=True):
    institution_id: UUID


class NewResult(Struct, forbid_unknown_fields=True):
    """`note` says what was found."""

    result: Literal["passed", "failed"]
    inspected_on: Annotated[str, Meta(max_length=10)]
    note: Words


class InspectionView(Struct):
    """`result` null: it is not over. `officers`: how many have joined."""

    id: UUID
    institution_id: UUID
    officers: int
    result: str | None
    inspected_on: date | None
    note: str


class InspectionsView(Struct):
    inspections: list[InspectionView]
