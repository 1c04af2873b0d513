"""培训机构 and 评价机构: how one stands on a day follows from dated facts; nothing is a flag that could go stale."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from domain.errors import Forbidden, Invalid
from domain.faults import Faults
from domain.level import level_of, schemes_for
from domain.period import Period


class InstitutionKind(StrEnum):
    """Classes of institutions (notice 二（五）); a grade is given within a class."""

    VOCATIONAL_COLLEGE = "vocational_college"
    TECHNICAL_COLLEGE = "technical_college"
    ENTERPRISE_CENTRE = "enterprise_centre"
    PUBLIC_BASE = "public_base"
    PRIVATE_SCHOOL = "private_school"
    ONLINE_PLATFORM = "online_platform"
    PROJECT_CONTRACTOR = "project_contractor"
    ASSESSMENT_BODY = "assessment_body"
    ENTERPRISE = "enterprise"  # 用人单位: trains its own staff, and stands in no catalog


#: Which of them employ: they may claim for the staff that they hired and trained.
EMPLOYERS = frozenset({InstitutionKind.ENTERPRISE, InstitutionKind.ENTERPRISE_CENTRE})


class Grade(StrEnum):
    A = "A"
    B = "B"
    C = "C"


class ContactRole(StrEnum):
    """Whom one asks for what; one person a role at a time."""

    HEAD = "head"
    TRAINING = "training"
    FINANCE = "finance"


class Stop(StrEnum):
    """What a sanction may stop."""

    FILE_CLASSES = "file_classes"
    FILE_CLAIMS = "file_claims"
    RECEIVE_PAYMENTS = "receive_payments"
    BE_LISTED = "be_listed"


class Standing(StrEnum):
    """`suspended`: listed, but some action is stopped. `never`: not listed so far."""

    NEVER = "never"
    LISTED = "listed"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    EXITED = "exited"


#: In the catalog, whatever may be stopped.
LISTED = frozenset({Standing.LISTED, Standing.SUSPENDED})


@dataclass(frozen=True)
class Sanction:
    """`stops` from the first to the last of `days`; lifted, it no longer holds from `lifted_on` on."""

    days: Period
    stops: frozenset[Stop]
    lifted_on: date | None = None

    def holds_on(self, day: date) -> bool:
        return day in self.days and (self.lifted_on is None or day < self.lifted_on)

    @property
    def last(self) -> date | None:
        """The last day on which it holds, or None: it has no end yet."""
        lifted = [self.lifted_on - timedelta(days=1)] if self.lifted_on else []
        return min([*lifted, *([self.days.last] if self.days.last else [])], default=None)


@dataclass(frozen=True)
class History:
    """The dated facts of one institution: days in the catalog, days of exit, sanctions."""

    listings: Sequence[Period] = ()
    exits: Sequence[date] = ()
    sanctions: Sequence[Sanction] = ()


@dataclass(frozen=True)
class StandingOn:
    """`stops`: everything stopped on that day, whatever the standing."""

    standing: Standing
    stops: frozenset[Stop]

    def may(self, action: Stop) -> bool:
        """Whether the institution may do what `action` would stop: it is in the catalog, and nothing stops it."""
        listed = self.standing in LISTED and Stop.BE_LISTED not in self.stops
        return listed and action not in self.stops


def stopped_on(history: History, action: Stop, day: date) -> Period | None:
    """The days of the sanction that stops `action` on a day, as far as it was not lifted; of several the one that
    lasts longest. None where nothing stops it."""
    over = [each for each in history.sanctions if action in each.stops and each.holds_on(day)]
    if not over:
        return None
    longest = max(over, key=lambda each: each.last or date.max)
    return Period(longest.days.first, longest.last)


def standing_on(history: History, day: date) -> StandingOn:
    """How an institution stands on a day. An exit ends the listing it falls into; a later listing brings it back."""
    stops = frozenset(stop for each in history.sanctions if each.holds_on(day) for stop in each.stops)
    begun = [each for each in history.listings if each.first <= day]
    if not begun:
        return StandingOn(Standing.NEVER, stops)
    latest = max(begun, key=lambda each: each.first)
    if any(latest.first <= exit_on <= day for exit_on in history.exits):
        return StandingOn(Standing.EXITED, stops)
    if day not in latest:
        return StandingOn(Standing.EXPIRED, stops)
    return StandingOn(Standing.SUSPENDED if stops else Standing.LISTED, stops)


def left_on(history: History, day: date) -> date | None:
    """The day on which it was told to leave, where nothing listed it since: also one that was never listed, as
    enterprises are not."""
    exits = [each for each in history.exits if each <= day]
    if not exits or any(max(exits) < each.first <= day for each in history.listings):
        return None
    return max(exits)


def check_scope(occupation: str, levels: Sequence[object], at: str, faults: Faults) -> list[str]:
    """The codes of the levels, the lowest first: `levels` are codes of one occupation's own scheme, none twice.

    Adds `level.unknown`, `lookup.other_levels` (level), `institution.levels` with their fields to `faults`.
    """
    schemes = schemes_for(occupation)
    found = [faults.read(level_of, level, field=f"{at}.levels.{number}") for number, level in enumerate(levels)]
    known = [level for level in found if level is not None]
    for level in known:
        if level.scheme not in schemes:
            faults.tell("lookup.other_levels", f"{at}.levels", level=level.short)
    if not found or len({level.code for level in known}) < len(known):
        faults.tell("institution.levels", f"{at}.levels")
    return [level.code for level in sorted(known, key=lambda level: level.rank)]


def must_be_free(days: Period, taken: Collection[Period], code: str, field: str) -> None:
    """Invalid `code` (first), field `field`, where `days` share a day with one of `taken`."""
    for other in taken:
        if days.overlaps(other):
            raise Invalid(code, field, first=other.first.isoformat())


def must_be_another(proposer_id: UUID, person_id: UUID) -> None:
    """Forbidden `institution.same_person`: whoever proposed an account does not answer for it."""
    if person_id == proposer_id:
        raise Forbidden("institution.same_person")
