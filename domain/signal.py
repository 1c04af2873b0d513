"""Risk signals: what each one compares, how far above its mark it stands, and what it adds to patrols.

A signal refuses nothing: it makes people look. Its thresholds are policy data (`signal_…`), its figures come from one
question to the database, and both are kept with what it found.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

from domain.errors import Invalid

#: Where a signal speaks, and where it cannot speak louder.
SCORE_AT_THE_MARK, SCORE_MAX = 50, 100
#: One in twenty who are as good as the bound would have come out so well by luck (one-sided).
_LUCK_Z = 1.645


class Signal(StrEnum):
    CERTIFICATE_BURST = "certificate_burst"
    OUT_OF_SCOPE = "out_of_scope"
    SHARED_PHONE = "shared_phone"
    SHARED_ACCOUNT = "shared_account"
    TWO_CLASSES = "two_classes"
    NEARLY_ALL_PASSED = "nearly_all_passed"
    TRAINER_ASSESSOR = "trainer_assessor"
    REGULAR_ATTENDANCE = "regular_attendance"
    HOURS_CUT = "hours_cut"
    FEWER_SEEN = "fewer_seen"


@dataclass(frozen=True)
class Measure:
    """What a signal counts (`figure`), the threshold it counts it against (`mark`), and every threshold it has with
    the least and the most that a policy may set it to."""

    figure: str
    mark: str
    thresholds: Mapping[str, tuple[int, int]]


MEASURES: Mapping[Signal, Measure] = {
    Signal.CERTIFICATE_BURST: Measure(
        "certificates",
        "certificates_least",
        {"certificates_least": (5, 10_000), "above_percent": (0, 1_000), "class_days": (1, 365)},
    ),
    Signal.OUT_OF_SCOPE: Measure("claims", "claims_least", {"claims_least": (1, 10_000)}),
    Signal.SHARED_PHONE: Measure("people", "people_least", {"people_least": (4, 1_000)}),
    Signal.SHARED_ACCOUNT: Measure("people", "people_least", {"people_least": (2, 1_000)}),
    Signal.TWO_CLASSES: Measure("people", "people_least", {"people_least": (1, 1_000)}),
    Signal.NEARLY_ALL_PASSED: Measure(
        "assessed", "assessed_least", {"assessed_least": (20, 10_000), "surely_permille": (500, 999)}
    ),
    Signal.TRAINER_ASSESSOR: Measure("classes", "classes_least", {"classes_least": (1, 1_000)}),
    Signal.REGULAR_ATTENDANCE: Measure(
        "percent",
        "percent_least",
        {"percent_least": (20, 100), "sessions_least": (2, 500), "people_least": (2, 500)},
    ),
    Signal.HOURS_CUT: Measure("percent", "percent_least", {"percent_least": (5, 100), "sessions_least": (1, 500)}),
    Signal.FEWER_SEEN: Measure("missing", "missing_least", {"missing_least": (1, 500), "percent_least": (1, 100)}),
}
#: Thresholds that each signal has besides: whether it holds claims, and how much patrol weight a full score brings.
WEIGHT, HOLDS = "weight", "holds_claims"
_WEIGHT_MOST = 100


def policy_key(signal: Signal) -> str:
    """The parameter that holds the thresholds of a signal."""
    return f"signal_{signal}"


@dataclass(frozen=True)
class Thresholds:
    """The form of a signal's parameter."""

    signal: Signal

    def check(self, value: object) -> None:
        """Invalid `policy.not_thresholds`, field `value`, unless each threshold is there, within its bounds."""
        bounds = {**MEASURES[self.signal].thresholds, WEIGHT: (0, _WEIGHT_MOST)}
        fits = isinstance(value, dict) and value.keys() == {*bounds, HOLDS} and isinstance(value[HOLDS], bool)
        if not fits or not all(_is_within(value[name], *bounds[name]) for name in bounds):  # type: ignore[index]
            told = [f"{name} {least}–{most}" for name, (least, most) in bounds.items()]
            raise Invalid("policy.not_thresholds", field="value", thresholds=told, switch=HOLDS)


def _is_within(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


@dataclass(frozen=True)
class Case:
    """What a question found at an institution: its figures, and whom and what it is about (ids, `{noun: id}`)."""

    figures: Mapping[str, int]
    rows: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Finding:
    """A signal that speaks of an institution: the score and figures of its strongest case, the rows of all."""

    score: int
    figures: Mapping[str, int]
    rows: Sequence[Mapping[str, str]]


def finding_of(signal: Signal, cases: Sequence[Case], thresholds: Mapping[str, int]) -> Finding | None:
    """The cases of one institution together; None where none of them speaks."""
    scored = [(score(signal, each.figures, thresholds), each) for each in cases]
    speaking = sorted((pair for pair in scored if pair[0]), key=lambda pair: -pair[0])
    if not speaking:
        return None
    best, strongest = speaking[0]
    figures = {**strongest.figures, "cases": len(speaking)}
    return Finding(best, figures, [row for _, case in speaking for row in case.rows])


def score(signal: Signal, figures: Mapping[str, int], thresholds: Mapping[str, int]) -> int:
    """How far a case is above its mark: 50 where it begins to speak, 100 from twice the mark on; 0 below it."""
    measure = MEASURES[signal]
    found, mark = figures[measure.figure], thresholds[measure.mark]
    if found < mark or not _stands_out(signal, figures, thresholds):
        return 0
    return min(SCORE_MAX, SCORE_AT_THE_MARK * found // mark)


def _stands_out(signal: Signal, figures: Mapping[str, int], thresholds: Mapping[str, int]) -> bool:
    """What a signal asks besides its mark."""
    if signal == Signal.CERTIFICATE_BURST:
        expected = certificates_expected(figures["taught"], figures["usual"], figures["largest_class"])
        return figures["certificates"] * 100 > expected * (100 + thresholds["above_percent"])
    if signal == Signal.NEARLY_ALL_PASSED:
        return surely_passed(figures["assessed"], figures["passed"]) * 1_000 >= thresholds["surely_permille"]
    if signal == Signal.FEWER_SEEN:
        return figures["missing"] * 100 >= figures["marked"] * thresholds["percent_least"]
    return True


def certificates_expected(taught: int, usual: int, largest_class: int) -> int:
    """How many certificates a day may bring: what the classes that ended of late could have earned; or as many as on
    its other days, but no more than its largest class, or a mill that runs every day would be its own excuse. Who
    held no class here is allowed twice its usual day."""
    return max(taught, min(usual, largest_class) if largest_class else 2 * usual)


def surely_passed(assessed: int, passed: int) -> float:
    """The share of passes that an institution is at least worth, luck set aside: the lower bound of Wilson's
    interval. 30 of 30 say less than 300 of 300."""
    if not assessed:
        return 0.0
    share, z2 = passed / assessed, _LUCK_Z**2
    centre = share + z2 / (2 * assessed)
    spread = _LUCK_Z * sqrt(share * (1 - share) / assessed + z2 / (4 * assessed**2))
    return (centre - spread) / (1 + z2 / assessed)


def patrol_points(found: Collection[tuple[int, int]]) -> int:
    """What an institution's signals add to its weight in the draw of patrols: of each `(score, weight)` the share of
    its weight that its score is, rounded up."""
    return sum(-(-score_ * weight // SCORE_MAX) for score_, weight in found)
