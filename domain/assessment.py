"""评价: what an assessment body found of each trainee of a class, and who may say it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from domain.certificate import Certificate, cross_check
from domain.errors import Invalid
from domain.faults import Faults
from domain.institution import LISTED, Standing
from domain.level import LEVELS
from domain.period import parse_date
from domain.training import ClassStatus

#: Scores are kept in tenths of a point.
SCORE_TENTHS_MAX = 1_000
#: Classes whose results may be told.
ENDED = frozenset({ClassStatus.FINISHED, ClassStatus.CLOSED})


class Mark(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    ABSENT = "absent"


@dataclass(frozen=True)
class Taught:
    """The class whose trainees are assessed."""

    status: ClassStatus
    occupation: str
    level: str
    last: date


@dataclass(frozen=True)
class Body:
    """The assessment body on the day of the assessment. `levels`: of the occupation, that it was filed for.
    `trains`: it taught the class itself, as the same organisation; `affiliated`: declared as tied to who did."""

    standing: Standing
    levels: frozenset[str]
    trains: bool
    affiliated: bool


@dataclass(frozen=True)
class Result:
    """What was found of one trainee; a certificate and its day where they passed."""

    mark: Mark
    score_tenths: int | None
    certificate: Certificate | None
    issued_on: date | None


def check_occasion(taught: Taught, body: Body, assessed_on: date, today: date, faults: Faults) -> None:
    """Who assesses, and when. Tells `assessment.not_ended` (status), `assessment.before_end` (last),
    `assessment.in_future`, `assessment.body_trains`, `assessment.body_affiliated`, `assessment.body_not_filed` (day,
    standing), `assessment.out_of_scope` (occupation, level, filed)."""
    if taught.status not in ENDED:
        faults.tell("assessment.not_ended", "class_number", status=f"class_status.{taught.status}")
    if assessed_on < taught.last:
        faults.tell("assessment.before_end", "assessed_on", last=taught.last.isoformat())
    if assessed_on > today:
        faults.tell("assessment.in_future", "assessed_on")
    if body.trains:
        faults.tell("assessment.body_trains", "class_number")
    if body.affiliated:
        faults.tell("assessment.body_affiliated", "class_number")
    if body.standing not in LISTED:
        told = {"day": assessed_on.isoformat(), "standing": f"standing.{body.standing}"}
        faults.tell("assessment.body_not_filed", "assessed_on", **told)
    if taught.level not in body.levels:
        filed = sorted((LEVELS[each].short for each in body.levels), reverse=True)
        level = LEVELS[taught.level].short
        faults.tell("assessment.out_of_scope", "class_number", occupation=taught.occupation, level=level, filed=filed)


def read_result(written: Mapping[str, str | None], at: str, faults: Faults) -> Result:
    """`mark`, `score`, `certificate_number` and `certificate_issued_on` as they were typed. Tells what is malformed,
    missing or too much: `assessment.mark`, `assessment.score`, `assessment.score_of_absent`, `value.missing`,
    `assessment.certificate_without_pass`."""
    mark = faults.read(_mark, written.get("mark"), f"{at}.mark")
    score, number, day = (written.get(name) for name in ("score", "certificate_number", "certificate_issued_on"))
    if mark is Mark.ABSENT and score:
        faults.tell("assessment.score_of_absent", f"{at}.score")
    if mark in (Mark.FAILED, Mark.ABSENT) and (number or day):
        faults.tell("assessment.certificate_without_pass", f"{at}.certificate_number")
    needed = [("certificate_number", number), ("certificate_issued_on", day)] if mark is Mark.PASSED else []
    needed += [("score", score)] if mark in (Mark.PASSED, Mark.FAILED) else []
    for name, value in needed:
        if not value:
            faults.tell("value.missing", f"{at}.{name}")
    return Result(
        mark,
        faults.read(_tenths, score, f"{at}.score") if score else None,
        faults.read(Certificate.parse, number, f"{at}.certificate_number") if number else None,
        faults.read(parse_date, day, f"{at}.certificate_issued_on") if day else None,
    )


def _mark(text: str | None, field: str) -> Mark:
    try:
        return Mark(text or "")
    except ValueError:
        raise Invalid("assessment.mark", field) from None


def _tenths(text: str, field: str) -> int:
    """Points between 0 and 100, with one decimal at most. Invalid `assessment.score`."""
    try:
        scaled = Decimal(text.strip()).scaleb(1)
        if 0 <= scaled <= SCORE_TENTHS_MAX and scaled == scaled.to_integral_value():
            return int(scaled)
    except InvalidOperation:
        pass  # no number at all: told as any other that is none
    raise Invalid("assessment.score", field)


def check_certificates(
    results: Sequence[tuple[str, Result]], level: str, assessed_on: date, today: date, faults: Faults
) -> list[list[str]]:
    """What is printed in the numbers against level, year and day, and against one another: one body has one code.
    Tells what refuses; the answer is what only warns, in order, by its codes.

    Tells `certificate.level_differs`, `certificate.future`, `assessment.issued_before` (assessed_on),
    `assessment.other_body` (first), `assessment.certificate_twice` (first).
    """
    bodies: dict[str, str] = {}
    numbers: dict[str, str] = {}
    return [_warned(each, at, level, (assessed_on, today), bodies, numbers, faults) for at, each in results]


def _warned(
    result: Result,
    at: str,
    level: str,
    days: tuple[date, date],
    bodies: dict[str, str],
    numbers: dict[str, str],
    faults: Faults,
) -> list[str]:
    certificate, issued_on = result.certificate, result.issued_on
    if certificate is None or issued_on is None:
        return []
    field = f"{at}.certificate_number"
    if issued_on < days[0]:
        faults.tell("assessment.issued_before", f"{at}.certificate_issued_on", assessed_on=days[0].isoformat())
    if (first := numbers.setdefault(certificate.number, at)) != at:
        faults.tell("assessment.certificate_twice", field, first=first)
    if certificate.body is not None:
        first = next(iter(bodies.values()), at)
        if certificate.body not in bodies and bodies:
            faults.tell("assessment.other_body", field, first=first)
        bodies.setdefault(certificate.body, at)
    remarks = [*certificate.warnings, *cross_check(certificate, level, issued_on, days[1])]
    for remark in remarks:
        if remark.refuses:
            faults.tell(remark.code, field, **remark.facts)
    return [remark.code for remark in remarks if not remark.refuses]


def organisation_of(credit_code: str) -> str:
    """主体标识码 of a unified social credit code (GB 32100, places 9–17): one organisation keeps it when it is
    registered anew, as another kind or elsewhere."""
    return credit_code[8:17]


def percent_passed(passed: int, sat: int) -> int | None:
    """Of those who sat, whole and rounded down; None where nobody did."""
    return passed * 100 // sat if sat else None
