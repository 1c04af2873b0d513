"""Rules about the class that a claim names: it was held, taught just this, and the claimant was there.

A claim that names none passes all but the first; so does one whose class is unknown, of which there is nothing more
to say.
"""

from domain.claim import Channel, ClaimKind
from domain.eligibility.facts import Facts
from domain.eligibility.outcome import Result, Said, failed, passed
from domain.level import LEVELS
from domain.training import HELD


def class_named(facts: Facts) -> Said:
    """Notice 二（四）: an institution claims for classes that it filed, where policy asks for it."""
    if facts.of_class is not None:
        return passed("claim_class.named", number=facts.class_number)
    if facts.class_number is not None:
        return failed("claim_class.unknown", number=facts.class_number)
    if facts.channel is Channel.INSTITUTION and facts.parameters.institution_claim_needs_class:
        return failed("claim_class.missing")
    return _NONE


def class_held(facts: Facts) -> Said:
    """It was approved, and filed before it began."""
    held = facts.of_class
    if held is None:
        return _NONE
    if held.status not in HELD:
        return failed("claim_class.not_held", status=f"class_status.{held.status}")
    if held.filed_on >= held.first:
        days = {"filed_on": held.filed_on.isoformat(), "first": held.first.isoformat()}
        return failed("claim_class.filed_late", **days)
    return passed("claim_class.held", first=held.first.isoformat())


def on_roster(facts: Facts) -> Said:
    if facts.of_class is None:
        return _NONE
    return passed("claim_class.on_roster") if facts.of_class.on_roster else failed("claim_class.not_on_roster")


def class_teaches(facts: Facts) -> Said:
    """The occupation and the level that are claimed, no other."""
    held = facts.of_class
    if held is None:
        return _NONE
    level, claimed = LEVELS[held.level].short, LEVELS[facts.level].short
    if (held.occupation, held.level) != (facts.subsidy_key, facts.level):
        told = {"occupation": held.occupation, "level": level, "claimed": facts.subsidy_key, "claimed_level": claimed}
        return failed("claim_class.teaches_other", **told)
    return passed("claim_class.teaches", occupation=held.occupation, level=level)


def class_started(facts: Facts) -> Said:
    """Training started on the first day of the class; edition and standard are those of that day."""
    held = facts.of_class
    if held is None:
        return _NONE
    if held.typed_start is not None:
        return failed("claim_class.other_day", typed=held.typed_start.isoformat(), first=held.first.isoformat())
    return passed("claim_class.started", first=held.first.isoformat())


def attended(facts: Facts) -> Said:
    """Enough of the planned hours, where attendance was recorded (政策参数 attendance_share_least)."""
    least = facts.parameters.attendance_share_least
    if facts.of_class is None or facts.of_class.attended_percent is None or least == 0:
        return passed("attendance.not_asked")
    told = {"percent": facts.of_class.attended_percent, "least": least}
    return failed("attendance.too_little", **told) if told["percent"] < least else passed("attendance.enough", **told)


_NONE = passed("claim_class.none")
_OF_CLASS = (class_held, on_roster, class_teaches, class_started)


def taught_in(facts: Facts) -> str | None:
    """The id of the class whose claim it is: one that it names, and that nothing is wrong with. An allowance is none:
    what was set aside for a class is not for the cost of living."""
    if facts.kind is not ClaimKind.TRAINING:
        return None
    fits = all(rule(facts).outcome is not Result.FAILED for rule in _OF_CLASS)
    return facts.of_class.id if facts.of_class and fits else None
