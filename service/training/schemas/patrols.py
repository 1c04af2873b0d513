"""Patrols as JSON: draws that anybody can make again, what was found, and how much was looked at."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from domain.training import PatrolKind, PatrolResult
from service.training.schemas import Words

Day = Annotated[str, Meta(max_length=10)]


class NewDraw(Struct, forbid_unknown_fields=True):
    """`count` sessions of a `day`, all to be seen in one way; `district` is said by officers of the
    city, who without it draw from the whole of it."""

    day: Day
    count: Annotated[int, Meta(ge=1, le=100)]
    kind: PatrolKind
    district: Annotated[str, Meta(max_length=20)] | None = None


class NewPatrolResult(Struct, forbid_unknown_fields=True):
    """`headcount`: how many trainees were there."""

    result: PatrolResult
    headcount: Annotated[int, Meta(ge=0, le=10_000)]
    findings: Words


class PatrolView(Struct):
    """A session that was drawn. `expected`: trainees on the roster; `moved`: the class has no session then any more;
    `late`: the result came, or is missing, after `due_on`. `evidence` are SHA-256."""

    id: UUID
    draw_id: UUID
    class_id: UUID
    class_number: str
    institution_id: UUID
    institution: str
    district: str
    day: date
    begins: str
    ends: str
    kind: PatrolKind
    due_on: date
    expected: int
    moved: bool
    officers: int
    evidence: list[str]
    result: PatrolResult | None
    headcount: int | None
    findings: str
    recorded_on: date | None
    late: bool


class ThereView(Struct):
    """One of those who went there, to whom they go with; `name` is masked."""

    name: str
    mine: bool
    joined_at: datetime


class PatrolsView(Struct):
    patrols: list[PatrolView]


class CandidateView(Struct):
    """`turn`: in which round it was drawn, from 0; null where it was not."""

    class_id: UUID
    begins: datetime
    weight: int
    turn: int | None


class DrawView(Struct):
    """Candidates in the order in which the draw counts them. Round i hits the point SHA-256(seed, i in four bytes)
    modulo the weights that are left, along the line of candidates that are left."""

    id: UUID
    day: date
    district: str | None
    wanted: int
    seed: str
    drawn_at: datetime
    candidates: list[CandidateView]


class EvidenceView(Struct):
    sha256: str


class CoverageLine(Struct):
    """`classes` that held a session in the period, `patrolled` ones of which a patrol of the period has a result, and
    how many patrols `failed`. `percent` is rounded down."""

    district: str
    institution_id: UUID | None
    institution: str
    classes: int
    patrolled: int
    percent: int
    failed: int


class CoverageView(Struct):
    """The same for all, for each district, and for each institution in a district."""

    first: date
    last: date
    all: CoverageLine
    districts: list[CoverageLine]
    institutions: list[CoverageLine]


class Weight(Struct):
    """What a weighing says of an institution: how much more often it is drawn, and why, in short words."""

    institution_id: UUID
    weight: Annotated[int, Meta(ge=1, le=100)]
    reasons: list[str]
