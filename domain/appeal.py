"""复核: who was refused asks once that somebody else looks again; granted, the same claim is in review anew."""

from datetime import date
from enum import StrEnum

from domain.eligibility.outcome import Decision, Result
from domain.errors import Conflict


class Answer(StrEnum):
    """MOOT: it would be granted, but what was granted meanwhile stands in the way."""

    GRANTED = "granted"
    DENIED = "denied"
    MOOT = "moot"


#: Rules that look at other claims: what they say today counts, whatever was said when the claim was refused.
_OF_OTHERS = frozenset(
    {
        "certificate_not_used",
        "only_once",
        "no_higher_level_before",
        "within_limits",
        "invoice_not_used",
        "project_has_room",
        "beside_training_claim",
    }
)


def in_the_way(decision: Decision) -> list[str]:
    """The rules by which other claims keep this one out, or by which the one it hangs on is there no more."""
    return [each.rule for each in decision.outcomes if each.rule in _OF_OTHERS and each.outcome is Result.FAILED]


def check_in_time(last: date, today: date) -> None:
    """Conflict `appeal.too_late` (last) after the last day for it."""
    if today > last:
        raise Conflict("appeal.too_late", last=last.isoformat())
