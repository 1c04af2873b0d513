"""动态评估 (notice 三.7): a review of standards collects figures, hears opinions, answers each, and is published."""

import re
from decimal import Decimal
from enum import StrEnum

from domain.errors import Conflict, Invalid
from domain.lifecycle import Lifecycle
from domain.text import half_width

_DECIMAL = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?")


class ReviewStatus(StrEnum):
    """CONCLUDED: closed, and the set of standards that it led to is named."""

    OPEN = "open"
    CLOSED = "closed"
    CONCLUDED = "concluded"
    DROPPED = "dropped"


class ReviewAction(StrEnum):
    CLOSE = "close"
    CONCLUDE = "conclude"
    DROP = "drop"


REVIEW_LIFECYCLE = Lifecycle(
    "standard_review",
    ReviewStatus.OPEN,
    {
        (ReviewStatus.OPEN, ReviewAction.CLOSE): ReviewStatus.CLOSED,
        (ReviewStatus.OPEN, ReviewAction.DROP): ReviewStatus.DROPPED,
        (ReviewStatus.CLOSED, ReviewAction.CONCLUDE): ReviewStatus.CONCLUDED,
    },
)

#: What everybody may read.
PUBLISHED = frozenset({ReviewStatus.CLOSED, ReviewStatus.CONCLUDED})


class Measure(StrEnum):
    """培训成本 in fen a person; 求人倍率 (vacancies for each who seeks), 合格率, 就业率 in per mille."""

    TRAINING_COST = "training_cost"
    VACANCY_RATIO = "vacancy_ratio"
    PASS_RATE = "pass_rate"  # noqa: S105 (no password)
    EMPLOYMENT_RATE = "employment_rate"

    @property
    def unit(self) -> str:
        return "fen" if self is Measure.TRAINING_COST else "per_mille"

    def read(self, text: str, field: str) -> int:
        """The value of what people write: yuan, times, or percent. Invalid `review.number`."""
        written = half_width(text).strip().removesuffix("%")
        if not _DECIMAL.fullmatch(written) or (value := Decimal(written) * self._steps) != int(value):
            raise Invalid("review.number", field)
        return int(value)

    def written(self, value: int) -> str:
        """`value` as people write it, with its unit."""
        unit = {Measure.TRAINING_COST: "元", Measure.VACANCY_RATIO: "倍"}.get(self, "%")
        return f"{Decimal(value) / self._steps:f} {unit}"

    @property
    def _steps(self) -> int:
        """How many of the values that are stored make one of what people write."""
        return {Measure.TRAINING_COST: 100, Measure.VACANCY_RATIO: 1_000}.get(self, 10)


#: The least and the most that a sample can say. More is a slip of the pen, or another unit.
BOUNDS: dict[Measure, tuple[int, int]] = {
    Measure.TRAINING_COST: (1, 100_000_000),
    Measure.VACANCY_RATIO: (0, 100_000),
    Measure.PASS_RATE: (0, 1_000),
    Measure.EMPLOYMENT_RATE: (0, 1_000),
}


def must_be_plausible(measure: Measure, value: int, field: str) -> None:
    """Invalid `review.value` (least, most) for what the measure cannot be."""
    least, most = BOUNDS[measure]
    if not least <= value <= most:
        raise Invalid("review.value", field, least=least, most=most)


class Voice(StrEnum):
    """Who is heard (notice 二.2, 三.7): an expert or an office by name, one of the public never."""

    EXPERT = "expert"
    DEPARTMENT = "department"
    ENTERPRISE = "enterprise"
    INSTITUTION = "institution"
    TRAINEE = "trainee"
    PUBLIC = "public"


#: Those who are heard without a name: it is not stored, so it cannot be published.
NAMELESS = frozenset({Voice.TRAINEE, Voice.PUBLIC})


def must_be_named_rightly(voice: Voice, speaker: str, field: str) -> None:
    """Invalid `review.nameless` for one of the public with a name, `review.speaker` for anybody else without."""
    if voice in NAMELESS and speaker:
        raise Invalid("review.nameless", field)
    if voice not in NAMELESS and not speaker:
        raise Invalid("review.speaker", field)


def must_be_answered(unanswered: int) -> None:
    """Conflict `review.unanswered` (count): a review ends when everybody who was heard has an answer."""
    if unanswered:
        raise Conflict("review.unanswered", count=unanswered)
