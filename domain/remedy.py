"""What somebody may do against a refusal, and until when."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from domain.period import add_months


class RemedyKind(StrEnum):
    """复核 inside the bureau, 行政复议, 行政诉讼."""

    REVIEW = "review"
    RECONSIDERATION = "reconsideration"
    LAWSUIT = "lawsuit"


@dataclass(frozen=True)
class Remedy:
    """`last`: the last day on which it is open; None: nothing sets one."""

    kind: RemedyKind
    last: date | None


def remedies(
    refused_on: date, review_days: int | None, reconsideration_days: int, lawsuit_months: int
) -> tuple[Remedy, ...]:
    """Counted from the day of the refusal, on which the claimant is told (行政复议法, 行政诉讼法)."""
    return (
        Remedy(RemedyKind.REVIEW, None if review_days is None else refused_on + timedelta(days=review_days)),
        Remedy(RemedyKind.RECONSIDERATION, refused_on + timedelta(days=reconsideration_days)),
        Remedy(RemedyKind.LAWSUIT, add_months(refused_on, lawsuit_months)),
    )
