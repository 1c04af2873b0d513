"""投诉和意见 of trainees and of anybody: answered in time, counted for the public without telling who."""

from enum import StrEnum

from domain.errors import Forbidden

#: A count below it is not told: who complained must not be guessed.
HIDDEN_BELOW = 5
WORDS_MAX = 2_000


class ComplaintKind(StrEnum):
    COMPLAINT = "complaint"
    OPINION = "opinion"


def told(count: int) -> int | None:
    """A count as the public sees it; None for one that is too small to be told."""
    return count if count >= HIDDEN_BELOW else None


def must_not_answer_oneself(person: object, complainant: object) -> None:
    """Forbidden `complaint.own`: nobody answers their own complaint."""
    if person == complainant:
        raise Forbidden("complaint.own")
