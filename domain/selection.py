"""遴选 (notice 二.4): announced criteria, applications, scores of several persons, publicity, admission."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from domain.errors import Conflict, Forbidden
from domain.faults import Faults
from domain.institution import History, Stop
from domain.lifecycle import Lifecycle
from domain.period import Period
from domain.text import plain_words
from domain.workday import WorkCalendar

#: Each criterion is given 0 to so many points; weights are per cent, so a sheet's sum counts hundredths of a point.
POINTS_MAX = 100
WEIGHTS_SUM = 100
ASSESSORS_LEAST, ASSESSORS_MOST = 2, 9
CRITERIA_MAX = 20
_A_DAY = timedelta(days=1)


class RoundStatus(StrEnum):
    ANNOUNCED = "announced"
    IN_PUBLICITY = "in_publicity"
    CLOSED = "closed"
    DROPPED = "dropped"


class RoundAction(StrEnum):
    PUBLICISE = "publicise"
    CLOSE = "close"
    DROP = "drop"


ROUND_LIFECYCLE = Lifecycle(
    "selection_round",
    RoundStatus.ANNOUNCED,
    {
        (RoundStatus.ANNOUNCED, RoundAction.PUBLICISE): RoundStatus.IN_PUBLICITY,
        (RoundStatus.ANNOUNCED, RoundAction.DROP): RoundStatus.DROPPED,
        (RoundStatus.IN_PUBLICITY, RoundAction.CLOSE): RoundStatus.CLOSED,
    },
)


class ApplicationStatus(StrEnum):
    """NOMINATED: the scores suffice, and the public may still object."""

    FILED = "filed"
    NOMINATED = "nominated"
    ADMITTED = "admitted"
    NOT_ADMITTED = "not_admitted"
    WITHDRAWN = "withdrawn"


class ApplicationAction(StrEnum):
    NOMINATE = "nominate"
    ADMIT = "admit"
    TURN_DOWN = "turn_down"
    WITHDRAW = "withdraw"


APPLICATION_LIFECYCLE = Lifecycle(
    "selection_application",
    ApplicationStatus.FILED,
    {
        (ApplicationStatus.FILED, ApplicationAction.NOMINATE): ApplicationStatus.NOMINATED,
        (ApplicationStatus.FILED, ApplicationAction.TURN_DOWN): ApplicationStatus.NOT_ADMITTED,
        (ApplicationStatus.FILED, ApplicationAction.WITHDRAW): ApplicationStatus.WITHDRAWN,
        (ApplicationStatus.NOMINATED, ApplicationAction.ADMIT): ApplicationStatus.ADMITTED,
        (ApplicationStatus.NOMINATED, ApplicationAction.TURN_DOWN): ApplicationStatus.NOT_ADMITTED,
        (ApplicationStatus.NOMINATED, ApplicationAction.WITHDRAW): ApplicationStatus.WITHDRAWN,
    },
)


@dataclass(frozen=True)
class Criterion:
    """What is looked at, and how many per cent it weighs."""

    name: str
    weight: int

    @classmethod
    def read(cls, name: object, weight: int, at: str, faults: Faults) -> Self:
        if not 1 <= weight <= WEIGHTS_SUM:
            faults.tell("selection.weight", f"{at}.weight", most=WEIGHTS_SUM)
        return cls(faults.read(plain_words, name, f"{at}.name", most=60), weight)


def check_criteria(criteria: Sequence[Criterion], faults: Faults) -> None:
    """`selection.criteria_count` (most), `selection.criterion_twice` (criterion), `selection.weights` (sum)."""
    if not 1 <= len(criteria) <= CRITERIA_MAX:
        faults.tell("selection.criteria_count", "criteria", most=CRITERIA_MAX)
    names = [each.name for each in criteria]
    for number, name in enumerate(names):
        if name is not None and name in names[:number]:
            faults.tell("selection.criterion_twice", f"criteria.{number}.name", criterion=name)
    weights = sum(each.weight for each in criteria)
    if weights != WEIGHTS_SUM:
        faults.tell("selection.weights", "criteria", sum=weights)


Points = Mapping[str, int]


def check_points(criteria: Collection[Criterion], points: Points, faults: Faults) -> None:
    """Every criterion is given 0 to 100 points, and nothing else is: `selection.not_scored`, `selection.points`,
    `selection.unknown_criterion`, each with its field."""
    names = [each.name for each in criteria]
    for name in names:
        if name not in points:
            faults.tell("selection.not_scored", "points", criterion=name)
        elif not 0 <= points[name] <= POINTS_MAX:
            faults.tell("selection.points", f"points.{name}", most=POINTS_MAX)
    for name in points:
        if name not in names:
            faults.tell("selection.unknown_criterion", "points")


def score_of(criteria: Collection[Criterion], sheets: Collection[Points]) -> int:
    """The mean of the sheets in hundredths of a point, 0 to 10,000; what is less than a hundredth is left out, which
    never carries anybody over a pass mark."""
    return sum(each.weight * points[each.name] for points in sheets for each in criteria) // len(sheets)


def passes(score: int, pass_mark: int) -> bool:
    """Whether so many hundredths reach a pass mark, which is in whole points."""
    return score >= pass_mark * 100


def must_be_scored(sheets: Mapping[UUID, int], least: int) -> None:
    """Conflict `selection.too_few_scores` (count, least): so many applications were scored by fewer persons."""
    lacking = sum(count < least for count in sheets.values())
    if lacking:
        raise Conflict("selection.too_few_scores", count=lacking, least=least)


def must_not_score_own(person_id: UUID, applicant_person_id: UUID) -> None:
    """Forbidden `selection.own_application`: nobody scores what they handed in."""
    if person_id == applicant_person_id:
        raise Forbidden("selection.own_application")


class Evaluation(StrEnum):
    """What the third party found of an institution's year (notice 二.5); NOT_NEEDED: it was not in the catalog."""

    PASSED = "passed"
    FAILED = "failed"
    MISSING = "missing"
    NOT_NEEDED = "not_needed"

    @classmethod
    def of(cls, history: History, year: int, passed: bool | None) -> Self:
        """`passed` None: nobody has evaluated that year."""
        days = Period(date(year, 1, 1), date(year, 12, 31))
        if passed is not None:
            return cls.PASSED if passed else cls.FAILED
        return cls.MISSING if any(listing.overlaps(days) for listing in history.listings) else cls.NOT_NEEDED


def evaluated_year(round_year: int) -> int:
    """The year whose evaluation decides about a round's year: the one before."""
    return round_year - 1


@dataclass(frozen=True)
class Round:
    """What was announced, as far as applications are judged by it. `kinds`: the classes of institutions."""

    year: int
    kinds: frozenset[str]
    applications: Period
    admits: Period
    criteria: Sequence[Criterion]
    pass_mark: int
    assessors: int


def check_days(today: date, year: int, applications: Period, admits: Period, faults: Faults) -> None:
    """What is announced lies ahead, is decided before it begins to hold, and begins in the round's year, whose
    evaluation decides: `selection.in_past` (today), `selection.admits_too_early`, `selection.other_year` (year)."""
    if applications.first < today:
        faults.tell("selection.in_past", "applications.from", today=today.isoformat())
    if applications.last is None or admits.first <= applications.last:
        faults.tell("selection.admits_too_early", "admits.from")
    if admits.first.year != year:
        faults.tell("selection.other_year", "admits.from", year=year)


def publicity_from(day: date, working_days: int, calendar: WorkCalendar) -> Period:
    """The days on which the public may object: `day`, and so many working days after it."""
    return Period(day, calendar.add(day, working_days).on)


def check_room_for_publicity(
    applications: Period, admits: Period, working_days: int, calendar: WorkCalendar, faults: Faults
) -> None:
    """A round whose publicity, even if it begins on the day after applications closed, outlasts the first day of
    admission could only turn down: `selection.admits_in_publicity` (earliest). `check_days` tells the rest."""
    if applications.last is None or admits.first <= applications.last:
        return
    soonest = publicity_from(applications.last + _A_DAY, working_days, calendar)
    if not _is_over(soonest, admits.first):
        earliest = soonest.last and soonest.last + _A_DAY
        faults.tell("selection.admits_in_publicity", "admits.from", earliest=str(earliest))


def must_leave_days_to_admit(publicity: Period, admits: Period) -> None:
    """Conflict `selection.publicity_late` (last, first): when it is over, nobody could be admitted any more."""
    if not _is_over(publicity, admits.first):
        raise Conflict("selection.publicity_late", last=str(publicity.last), first=admits.first.isoformat())


def check_applicant(
    announced: Round, kind: str, history: History, evaluation: Evaluation, today: date, faults: Faults
) -> None:
    """Everything that keeps an institution out of a round, at once."""
    if today not in announced.applications:
        first, last = announced.applications.first, announced.applications.last
        faults.tell("selection.not_open", "round_id", first=str(first), last=str(last))
    if kind not in announced.kinds:
        faults.tell("selection.other_kind", "round_id", institution_kind=kind)
    check_admission(announced, history, evaluation, faults)


def check_admission(announced: Round, history: History, evaluation: Evaluation, faults: Faults) -> None:
    """What keeps an institution from being admitted for a round's days: `selection.evaluation_failed` and `_missing`
    (year), `selection.barred` while it must not be listed, `selection.left_then`, `selection.listed_then` (first)."""
    year, first = evaluated_year(announced.year), announced.admits.first
    if evaluation == Evaluation.FAILED:
        faults.tell("selection.evaluation_failed", "round_id", year=year)
    if evaluation == Evaluation.MISSING:
        faults.tell("selection.evaluation_missing", "round_id", year=year)
    if any(Stop.BE_LISTED in each.stops and each.holds_on(first) for each in history.sanctions):
        faults.tell("selection.barred", "round_id", first=first.isoformat())
    if any(left_on in announced.admits for left_on in history.exits):
        faults.tell("selection.left_then", "round_id")
    for listing in history.listings:
        if listing.overlaps(announced.admits) and not may_be_followed(listing, history.exits, first):
            faults.tell("selection.listed_then", "round_id", first=listing.first.isoformat())


def may_be_followed(listing: Period, exits: Collection[date], first: date) -> bool:
    """Whether an admission from `first` on may end a listing that lasts longer: one without an end, and one that an
    exit has ended. Any other listing was itself for some days, which are kept."""
    left = any(listing.first <= left_on <= first for left_on in exits)
    return listing.first < first and (listing.last is None or left)


def must_be_over(publicity: Period, today: date) -> None:
    """Conflict `selection.in_publicity` (last): until those days have passed the public may object."""
    if not _is_over(publicity, today):
        raise Conflict("selection.in_publicity", last=str(publicity.last))


def must_not_have_begun(admits: Period, today: date) -> None:
    """Conflict `selection.begun` (first): an admission after its first day would rewrite the days that passed."""
    if admits.first < today:
        raise Conflict("selection.begun", first=admits.first.isoformat())


def must_be_closed_to_applications(applications: Period, today: date) -> None:
    """Conflict `selection.still_open` (last): what may still be withdrawn and handed in anew is not scored."""
    if not _is_over(applications, today):
        raise Conflict("selection.still_open", last=str(applications.last))


def _is_over(days: Period, today: date) -> bool:
    return days.last is not None and days.last < today
