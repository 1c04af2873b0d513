"""What people see of results: the institution that taught, the body that assessed, officers of the district."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, false, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from domain.actor import Actor, Post
from domain.assessment import Mark, percent_passed
from domain.errors import NotFound
from domain.identity import NationalId, mask_name
from service.assessments.schemas import AssessedView, AssessmentsView, AssessmentView, PassRateView
from service.assessments.tables import AssessmentRow, ExaminerRow, ResultRow
from service.crypto import keyring
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.people.tables import PersonRow
from service.training.queries.views import STAFF
from service.training.tables import ClassRow, PlaceRow
from service.wording import words

#: Who sees the results of their district, or of the whole city.
READERS = (*STAFF, Post.EVALUATOR)


def visible_to(me: Actor) -> ColumnElement[bool]:
    """Results of classes of one's institution, those it found, and those of one's district (promise 15)."""
    allowed: list[ColumnElement[bool]] = [false()]
    if me.holds(Post.CLERK) and me.institution_id is not None:
        allowed += [ClassRow.institution_id == me.institution_id, AssessmentRow.institution_id == me.institution_id]
    if me.holds(*READERS):
        allowed.append(ClassRow.district == me.district if me.district else ClassRow.id.is_not(None))
    return or_(*allowed)


async def results_of(tx: Tx, me: Actor, class_id: UUID) -> AssessmentsView:
    """Every version of a class's results, the one that holds first; NotFound `assessment.not_found` where there is
    none, or none for `me` to see."""
    row, institution = AssessmentRow, InstitutionRow
    asked = (
        select(*row.__table__.c, ClassRow.number, institution.name)
        .join(ClassRow, ClassRow.id == row.class_id)
        .join(institution, institution.id == row.institution_id)
        .where(row.class_id == class_id, visible_to(me))
        .order_by(row.version.desc())
    )
    found = (await tx.execute(asked)).all()
    if not found:
        raise NotFound("assessment.not_found")
    return AssessmentsView([await _view(tx, each, holds=n == 0) for n, each in enumerate(found)])


@dataclass(frozen=True)
class Assessed:
    """A class whose results my institution told, by the version that holds."""

    class_id: UUID
    class_number: str
    assessed_on: date
    version: int


async def assessed_by(tx: Tx, me: Actor, limit: int) -> list[Assessed]:
    """The latest first."""
    row = AssessmentRow
    holds = (
        select(row.class_id, ClassRow.number, row.assessed_on, row.version)
        .join(ClassRow, ClassRow.id == row.class_id)
        .where(row.institution_id == me.institution_id, visible_to(me))
        .ext(distinct_on(row.class_id))
        .order_by(row.class_id, row.version.desc())
        .subquery()
    )
    latest = select(holds).order_by(holds.c.assessed_on.desc(), holds.c.class_id).limit(limit)
    return [Assessed(*each) for each in await tx.execute(latest)]


async def _view(tx: Tx, of: Row[*tuple[Any, ...]], *, holds: bool) -> AssessmentView:
    results = await _results(tx, of.id)
    return AssessmentView(
        id=of.id,
        class_id=of.class_id,
        class_number=of.number,
        institution_id=of.institution_id,
        institution=of.name,
        version=of.version,
        holds=holds,
        assessed_on=of.assessed_on,
        filed_at=of.filed_at,
        reason=of.reason,
        examiners=await _examiners(tx, of.id),
        rate=rate_of([each.mark for each in results]),
        results=results,
    )


async def _results(tx: Tx, assessment_id: UUID) -> list[AssessedView]:
    row, place, person, keys = ResultRow, PlaceRow, PersonRow, keyring()
    asked = (
        select(place.line, person.id, person.name_sealed, person.id_number_sealed, *row.__table__.c)
        .join(place, (place.class_id == row.class_id) & (place.person_id == row.person_id))
        .join(person, person.id == row.person_id)
        .where(row.assessment_id == assessment_id)
        .order_by(place.line)
    )
    return [
        AssessedView(
            line=each.line,
            name=mask_name(keys.open(each.name_sealed, each.id)),
            id_number=NationalId(keys.open(each.id_number_sealed, each.id)).masked(),
            mark=each.mark,
            mark_name=words(f"mark.{each.mark}"),
            score=None if each.score_tenths is None else f"{each.score_tenths / 10:.1f}",
            certificate_number=each.certificate_number,
            certificate_issued_on=each.certificate_issued_on,
            warnings=[words(code) for code in each.warnings],
        )
        for each in await tx.execute(asked)
    ]


async def _examiners(tx: Tx, assessment_id: UUID) -> list[str]:
    row, person, keys = ExaminerRow, PersonRow, keyring()
    asked = (
        select(person.id, person.name_sealed)
        .join(row, row.person_id == person.id)
        .where(row.assessment_id == assessment_id)
    )
    return sorted(mask_name(keys.open(name, id_)) for id_, name in await tx.execute(asked.order_by(person.id)))


def rate_of(marks: Collection[str]) -> PassRateView:
    passed, failed, absent = (sum(each == mark for each in marks) for mark in Mark)
    return PassRateView(passed, failed, absent, percent_passed(passed, passed + failed))


@dataclass(frozen=True)
class Found:
    """A result in which a certificate's number stands."""

    person_id: UUID
    class_number: str | None
    body: str
    assessed_on: date


async def found_with(tx: Tx, certificate_number: str) -> Found | None:
    """The result that holds and names this certificate."""
    row, of = ResultRow, AssessmentRow
    asked = (
        select(row.person_id, ClassRow.number, InstitutionRow.name, of.assessed_on)
        .join(of, of.id == row.assessment_id)
        .join(ClassRow, ClassRow.id == row.class_id)
        .join(InstitutionRow, InstitutionRow.id == of.institution_id)
        .where(row.certificate_number == certificate_number, row.live)
    )
    found = (await tx.execute(asked)).one_or_none()
    return Found(*found) if found else None


async def numbers_taken(tx: Tx, numbers: Collection[str], class_id: UUID) -> frozenset[str]:
    """Those of `numbers` that stand in results that hold of another class."""
    row = ResultRow
    asked = select(row.certificate_number).where(
        row.certificate_number.in_(numbers), row.live, row.class_id != class_id
    )
    return frozenset(number for number in (await tx.execute(asked)).scalars() if number is not None)


async def marks_of(tx: Tx, class_ids: Collection[UUID]) -> Mapping[UUID, Mapping[UUID, Mark]]:
    """Class → trainee → the mark that holds, for classes that have results."""
    row = ResultRow
    found: dict[UUID, dict[UUID, Mark]] = {}
    asked = select(row.class_id, row.person_id, row.mark).where(row.class_id.in_(class_ids), row.live)
    for class_id, person_id, mark in await tx.execute(asked):
        found.setdefault(class_id, {})[person_id] = Mark(mark)
    return found


async def my_results(tx: Tx, me: Actor) -> list[tuple[str, str, str, date | None]]:
    """What assessment bodies told of me: body, mark, certificate number and its day, as it stands now."""
    row, assessment = ResultRow, AssessmentRow
    asked = (
        select(InstitutionRow.name, row.mark, row.certificate_number, row.certificate_issued_on)
        .join(assessment, assessment.id == row.assessment_id)
        .join(InstitutionRow, InstitutionRow.id == assessment.institution_id)
        .where(row.person_id == me.person_id, row.live)
        .order_by(assessment.id)
    )
    rows = await tx.execute(asked)
    return [(body, words(f"mark.{mark}"), number or "", issued_on) for body, mark, number, issued_on in rows]
