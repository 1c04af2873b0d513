"""评价结果: an assessment body tells what it found of a class, and corrects it by a further version.

Whoever is refused for what the body is learns nothing of the roster: only then are its lines compared.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, insert, select

from domain.actor import Actor, Post
from domain.assessment import Mark, Result, Taught, check_certificates, check_occasion, read_result
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.faults import Faults
from domain.identity import NationalId, PersonName
from domain.institution import InstitutionKind
from domain.period import parse_date
from domain.text import public_words
from domain.training import ClassStatus, read_class_number
from service.assessments.queries.bodies import body_on
from service.assessments.queries.results import numbers_taken, results_of
from service.assessments.schemas import (
    EXAMINERS_MAX,
    RESULTS_MAX,
    AssessmentsView,
    NewAssessed,
    NewAssessment,
    NewExaminer,
)
from service.assessments.tables import AssessmentRow, ExaminerRow, ResultRow
from service.database import Tx
from service.gateways.assessment_sheets import AssessmentSheet
from service.institutions.queries.registry import institution_for
from service.journal import By, record
from service.people.commands import NewPerson, make_people, must_be_named
from service.people.queries import Known, find_people
from service.training.tables import ClassRow, PlaceRow, TeacherRow


@dataclass(frozen=True)
class Places:
    """How the lines of what was typed are called where one is refused: `results.1`, or a line of a sheet."""

    results: Sequence[str]
    examiners: Sequence[str]

    @classmethod
    def of(cls, new: NewAssessment) -> "Places":
        results, examiners = len(new.results) + 1, len(new.examiners) + 1
        return cls([f"results.{n}" for n in range(1, results)], [f"examiners.{n}" for n in range(1, examiners)])


@dataclass(frozen=True)
class _Read:
    """Well formed; `at` is the place of each."""

    class_number: str
    assessed_on: date
    reason: str
    examiners: Sequence[tuple[str, NewPerson]]
    results: Sequence[tuple[str, NewPerson, Result]]


async def file_assessment(
    tx: Tx, me: Actor, new: NewAssessment, today: date, now: datetime, places: Places | None = None
) -> AssessmentsView:
    """The clerk of an assessment body tells the results of a class, or corrects its own.

    Forbidden `assessment.not_a_body`, `assessment.own`; NotFound `class.not_found`; Conflict `assessment.filed`,
    `assessment.corrected` (version), `assessment.other_body_filed`. Invalid with everything that is malformed, then
    with everything wrong about body and day, then with everything that does not fit the class, each with its place.
    """
    by = await _body(tx, me, now)
    read = _read(new, places or Places.of(new), today)
    held = await _lock_class(tx, read.class_number)
    people = await _people_of(tx, held.id)
    if me.person_id in (*people.teachers, *people.lines):
        raise Forbidden("assessment.own")
    version = await _next_version(tx, me, held.id, new.corrects)
    await _check_body(tx, me, held, read, today)
    rows, examiners = await _fitting(tx, held, people, read, today)
    about = {"class_id": held.id, "institution_id": me.institution_id, "version": version}
    about |= {"assessed_on": read.assessed_on, "reason": read.reason}
    await _store(tx, me, about, rows, examiners, today, by)
    return await results_of(tx, me, held.id)


async def file_sheet(
    tx: Tx, me: Actor, sheet: AssessmentSheet, about: Mapping[str, Any], today: date, now: datetime
) -> AssessmentsView:
    """The same from a sheet; places are its lines. Invalid `assessment.sheet_size` (most, examiners) as well."""
    if not 1 <= len(sheet.results) <= RESULTS_MAX or not 1 <= len(sheet.examiners) <= EXAMINERS_MAX:
        raise Invalid("assessment.sheet_size", "file", most=RESULTS_MAX, examiners=EXAMINERS_MAX)
    examiners = [NewExaminer(each.get("name", ""), each.get("id_number", "")) for each in sheet.examiners.values()]
    results = [NewAssessed(**{**_BLANK, **each}) for each in sheet.results.values()]
    places = Places(list(sheet.results), list(sheet.examiners))
    new = NewAssessment(examiners=examiners, results=results, **about)
    return await file_assessment(tx, me, new, today, now, places)


_BLANK = {"name": "", "id_number": "", "mark": ""}


async def _body(tx: Tx, me: Actor, now: datetime) -> By:
    me.must_hold(Post.CLERK)
    if me.institution_id is None:
        raise Forbidden("post_missing", posts=[Post.CLERK])
    known = await institution_for(tx, me, me.institution_id)
    if known.kind != InstitutionKind.ASSESSMENT_BODY:
        raise Forbidden("assessment.not_a_body")
    return By.actor(me, Post.CLERK, now)


def _read(new: NewAssessment, places: Places, today: date) -> _Read:
    faults = Faults()
    read = _Read(
        class_number=faults.read(read_class_number, new.class_number),
        assessed_on=faults.read(parse_date, new.assessed_on, "assessed_on"),
        reason=faults.read(public_words, new.reason, "reason") if new.corrects is not None else "",
        examiners=[
            (at, _person(each, at, today, faults)) for at, each in zip(places.examiners, new.examiners, strict=True)
        ],
        results=[
            (at, _person(each, at, today, faults), read_result(_written(each), at, faults))
            for at, each in zip(places.results, new.results, strict=True)
        ],
    )
    faults.raise_all()
    return read


def _written(new: NewAssessed) -> Mapping[str, str | None]:
    return {name: getattr(new, name) for name in ("mark", "score", "certificate_number", "certificate_issued_on")}


def _person(new: NewExaminer | NewAssessed, at: str, today: date, faults: Faults) -> NewPerson:
    name = faults.read(PersonName.parse, new.name, field=f"{at}.name")
    return NewPerson(name, faults.read(NationalId.parse, new.id_number, field=f"{at}.id_number", today=today))


async def _lock_class(tx: Tx, number: str) -> Row[*tuple[Any, ...]]:
    """Whoever tells its results at the same moment waits, and then sees them."""
    row = ClassRow
    asked = select(row.id, row.institution_id, row.status, row.occupation, row.level, row.last)
    held = (await tx.execute(asked.where(row.number == number).with_for_update(key_share=True))).one_or_none()
    if held is None:
        raise NotFound("class.not_found")
    return held


@dataclass(frozen=True)
class _People:
    """Of a class: its teachers, and the line of each trainee."""

    teachers: frozenset[UUID]
    lines: Mapping[UUID, int]


async def _people_of(tx: Tx, class_id: UUID) -> _People:
    teacher, place = TeacherRow, PlaceRow
    teachers = await tx.execute(select(teacher.person_id).where(teacher.class_id == class_id))
    lines = await tx.execute(select(place.person_id, place.line).where(place.class_id == class_id))
    return _People(frozenset(teachers.scalars()), dict(lines.all()))


async def _next_version(tx: Tx, me: Actor, class_id: UUID, corrects: int | None) -> int:
    row = AssessmentRow
    asked = select(row.version, row.institution_id).where(row.class_id == class_id)
    latest = (await tx.execute(asked.order_by(row.version.desc()).limit(1))).one_or_none()
    if latest is None:
        if corrects is not None:
            raise Conflict("assessment.corrected", version=0)
        return 1
    if latest.institution_id != me.institution_id:
        raise Conflict("assessment.other_body_filed")
    if corrects is None:
        raise Conflict("assessment.filed", version=latest.version)
    if corrects != latest.version:
        raise Conflict("assessment.corrected", version=latest.version)
    return int(latest.version) + 1


async def _check_body(tx: Tx, me: Actor, held: Row[*tuple[Any, ...]], read: _Read, today: date) -> None:
    assert me.institution_id is not None, "a clerk belongs to an institution"
    body = await body_on(tx, me.institution_id, held.institution_id, held.occupation, read.assessed_on)
    faults, taught = Faults(), Taught(ClassStatus(held.status), held.occupation, held.level, held.last)
    check_occasion(taught, body, read.assessed_on, today, faults)
    faults.raise_all()


async def _fitting(
    tx: Tx, held: Row[*tuple[Any, ...]], people: _People, read: _Read, today: date
) -> tuple[list[dict[str, Any]], list[UUID]]:
    """The rows of the results and the ids of the examiners; Invalid with everything that does not fit."""
    known = await _known(tx, read)
    faults = Faults()
    examiners = [_examiner(at, each, known, people, faults) for at, each in read.examiners]
    seen: dict[UUID, str] = {}
    persons = [_trainee(at, each, known, people, seen, faults) for at, each, _ in read.results]
    if missing := sorted(line for person_id, line in people.lines.items() if person_id not in seen):
        faults.tell("assessment.missing", "results", lines=missing)
    results = [(at, each) for at, _, each in read.results]
    warned = check_certificates(results, held.level, read.assessed_on, today, faults)
    await _must_be_new(tx, held.id, results, faults)
    faults.raise_all()
    rows = [
        {
            "person_id": person_id,
            "mark": str(each.mark),
            "score_tenths": each.score_tenths,
            "certificate_number": each.certificate.number if each.certificate else None,
            "certificate_issued_on": each.issued_on,
            "warnings": warnings,
        }
        for person_id, (_, each), warnings in zip(persons, results, warned, strict=True)
    ]
    return rows, sorted(set(examiners))


async def _known(tx: Tx, read: _Read) -> dict[str, Known]:
    """Number → person, of everybody named; who examines is made where they are unknown."""
    numbers = [each.id_number for _, each in read.examiners] + [each.id_number for _, each, _ in read.results]
    known = await find_people(tx, numbers)
    new = {each.id_number.number: each for _, each in read.examiners if each.id_number.number not in known}
    if not new:
        return known
    await make_people(tx, {uuid4(): each for each in new.values()})
    return await find_people(tx, numbers)


def _examiner(at: str, new: NewPerson, known: Mapping[str, Known], people: _People, faults: Faults) -> UUID:
    person = known[new.id_number.number]
    faults.read(must_be_named, person, new, f"{at}.name")
    if person.id in people.teachers:
        faults.tell("assessment.teacher_examines", f"{at}.id_number")
    if person.id in people.lines:
        faults.tell("assessment.trainee_examines", f"{at}.id_number")
    return person.id


def _trainee(
    at: str,
    new: NewPerson,
    known: Mapping[str, Known],
    people: _People,
    seen: dict[UUID, str],
    faults: Faults,
) -> UUID | None:
    person = known.get(new.id_number.number)
    if person is None or person.id not in people.lines:
        faults.tell("assessment.stranger", f"{at}.id_number")
        return None
    faults.read(must_be_named, person, new, f"{at}.name")
    if (first := seen.setdefault(person.id, at)) != at:
        faults.tell("assessment.repeated", f"{at}.id_number", first=first)
    return person.id


async def _must_be_new(tx: Tx, class_id: UUID, results: Sequence[tuple[str, Result]], faults: Faults) -> None:
    numbered = [(at, each.certificate.number) for at, each in results if each.certificate]
    taken = await numbers_taken(tx, [number for _, number in numbered], class_id)
    for at, number in numbered:
        if number in taken:
            faults.tell("assessment.certificate_taken", f"{at}.certificate_number")


async def _store(
    tx: Tx,
    me: Actor,
    about: dict[str, Any],
    rows: Sequence[dict[str, Any]],
    examiners: Sequence[UUID],
    today: date,
    by: By,
) -> None:
    assessment_id = uuid4()
    marks = {str(mark): sorted(str(row["person_id"]) for row in rows if row["mark"] == mark) for mark in Mark}
    noted = {name: value if isinstance(value, int) else str(value) for name, value in about.items()} | marks
    action = "file" if about["version"] == 1 else "correct"
    await record(tx, "assessment", [assessment_id], action, by, [noted], reason=about["reason"])
    filed = {"filed_by": me.user_id, "filed_person": me.person_id, "filed_on": today, "filed_at": by.at}
    await tx.execute(insert(AssessmentRow).values(id=assessment_id, **about, **filed))
    of = {"assessment_id": assessment_id}
    await tx.execute(insert(ExaminerRow), [{**of, "person_id": each} for each in examiners])
    await tx.execute(insert(ResultRow), [{**of, "class_id": about["class_id"], **row} for row in rows])
