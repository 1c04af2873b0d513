"""信用与惩戒 (notice 二.5): credit events, the ladder of penalties as data, and which step follows on a day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Self

from domain.errors import Conflict, Forbidden, Invalid
from domain.institution import Stop
from domain.lifecycle import Lifecycle
from domain.period import Period, add_months


class PenaltyStatus(StrEnum):
    """OVERTURNED: an appeal was granted. DROPPED: proposed, and not decided so."""

    PROPOSED = "proposed"
    DROPPED = "dropped"
    IMPOSED = "imposed"
    APPEALED = "appealed"
    UPHELD = "upheld"
    OVERTURNED = "overturned"


class PenaltyAction(StrEnum):
    IMPOSE = "impose"
    DROP = "drop"
    APPEAL = "appeal"
    UPHOLD = "uphold"
    GRANT = "grant"


_S, _A = PenaltyStatus, PenaltyAction

PENALTY_LIFECYCLE = Lifecycle(
    "penalty",
    _S.PROPOSED,
    {
        (_S.PROPOSED, _A.IMPOSE): _S.IMPOSED,
        (_S.PROPOSED, _A.DROP): _S.DROPPED,
        (_S.IMPOSED, _A.APPEAL): _S.APPEALED,
        (_S.APPEALED, _A.UPHOLD): _S.UPHELD,
        (_S.APPEALED, _A.GRANT): _S.OVERTURNED,
    },
)

#: In force, as long as their days last: what counts for the next step, and what may be published.
STANDING = frozenset({_S.IMPOSED, _S.APPEALED, _S.UPHELD})


class EventKind(StrEnum):
    """What a credit event tells of. CLASS_RESULTS says how many classes of twelve months were held, and how many of
    them failed; CORRECTION mends an earlier event; APPEAL_GRANTED gives back what a penalty was founded on."""

    PATROL_FAILED = "patrol_failed"
    CLASS_FAILED = "class_failed"
    CLASS_RESULTS = "class_results"
    FALSE_ROSTER = "false_roster"
    FEE_CHARGED = "fee_charged"
    COMPLAINT_FOUNDED = "complaint_founded"
    NOT_MENDED = "not_mended"
    COMMENDED = "commended"
    OTHER = "other"
    CORRECTION = "correction"
    APPEAL_GRANTED = "appeal_granted"


#: What costs points; a correction may do either, the others cost none.
LOWERING = frozenset(
    {
        *(EventKind.PATROL_FAILED, EventKind.CLASS_FAILED, EventKind.FALSE_ROSTER, EventKind.FEE_CHARGED),
        *(EventKind.COMPLAINT_FOUNDED, EventKind.NOT_MENDED),
    }
)
POINTS_MAX = 100


class InFlight(StrEnum):
    """What becomes of claims that the institution filed before and that are not paid yet."""

    GO_ON = "go_on"
    HOLD = "hold"


@dataclass(frozen=True)
class CreditEvent:
    """`points` are added to the credit of the year it `happened_on`. `held`, `failed`: CLASS_RESULTS only."""

    happened_on: date
    points: int
    held: int = 0
    failed: int = 0


@dataclass(frozen=True)
class EarlierPenalty:
    """One that stands, by its place on the ladder (0 the lowest) and the day from which it holds."""

    place: int
    first: date


@dataclass(frozen=True)
class LadderStep:
    """`months`: for how long it stops what it stops. `leaves`: the institution leaves the catalog."""

    code: str
    name: str
    stops: frozenset[Stop]
    months: int
    mend_working_days: int
    claims_in_flight: InFlight
    published_months: int
    leaves: bool = False

    def days_from(self, first: date) -> Period | None:
        """On which days it stops what it stops; None for a step that stops nothing."""
        return Period(first, add_months(first, self.months) - _A_DAY) if self.stops else None

    def published_until(self, first: date) -> date | None:
        """The last day on which everybody may read of it; None for a step that is not published."""
        return add_months(first, self.published_months) - _A_DAY if self.published_months else None


@dataclass(frozen=True)
class Due:
    """The step that follows, the rule that says so, and the day on which it came to hold. `figures`: what it saw."""

    place: int
    rule: str
    since: date
    figures: Mapping[str, int]


@dataclass(frozen=True)
class Ladder:
    """Steps from the mildest on, and the rules by which one follows.

    `credit_below`: the year's credit, which begins at `yearly_points`, falls below so many points → a step.
    `repeated`: so many penalties of a step or above within so many months → the next step.
    `failed_share`: more than so many percent of the classes of a year failed → a step.
    """

    steps: Sequence[LadderStep]
    yearly_points: int
    credit_below: Sequence[tuple[int, int]]
    repeated_count: int
    repeated_months: int
    failed_over_percent: int
    failed_place: int

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Self:
        """From a table such as `data/penalty-ladder.toml` holds. ValueError with what is wrong in it."""
        try:
            steps = [_step(each) for each in written["step"]]
            places = {each.code: place for place, each in enumerate(steps)}
            rules = written["rule"]
            below = [(_whole(each["points"]), places[each["step"]]) for each in rules["credit_below"]]
            ladder = cls(
                steps,
                _whole(written["yearly_points"]),
                below,
                _whole(rules["repeated"]["count"]),
                _whole(rules["repeated"]["within_months"]),
                _whole(rules["failed_share"]["over_percent"]),
                places[rules["failed_share"]["step"]],
            )
        except (KeyError, TypeError, ValueError) as problem:
            raise ValueError(f"the ladder of penalties cannot be read: {problem!r}") from None
        if not steps or len(places) < len(steps) or ladder.repeated_count < 2 or ladder.repeated_months < 1:
            raise ValueError("a ladder has steps of different names, and repeats count from two on")
        return ladder

    def place_of(self, code: str) -> int:
        """Invalid `penalty.no_step` (field `step`) for a step that the ladder does not have."""
        for place, each in enumerate(self.steps):
            if each.code == code:
                return place
        raise Invalid("penalty.no_step", "step", steps=[each.code for each in self.steps])

    def credit_in(self, events: Iterable[CreditEvent], year: int, until: date) -> int:
        """What is left of a year's points on a day: praise makes good what was lost, and never more than all."""
        added = sum(each.points for each in events if each.happened_on.year == year and each.happened_on <= until)
        return min(self.yearly_points, self.yearly_points + added)


_A_DAY = timedelta(days=1)


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is no whole number")
    return value


def _step(written: Mapping[str, Any]) -> LadderStep:
    step = LadderStep(
        str(written["code"]),
        str(written["name"]),
        frozenset(map(Stop, written["stops"])),
        _whole(written["months"]),
        _whole(written["mend_working_days"]),
        InFlight(written["claims_in_flight"]),
        _whole(written["published_months"]),
        written.get("leaves") is True,
    )
    if bool(step.stops) != bool(step.months):
        raise ValueError(f"{step.code} stops something for some months, or nothing for none")
    return step


def called_for(
    ladder: Ladder, events: Sequence[CreditEvent], earlier: Sequence[EarlierPenalty], day: date
) -> list[Due]:
    """Everything that the rules call for on a day, answered or not: more lowering events, and more or graver earlier
    penalties, never call for less."""
    return [*_by_credit(ladder, events, day), *_by_repetition(ladder, earlier, day), *_by_share(ladder, events, day)]


def step_due(
    ladder: Ladder, events: Sequence[CreditEvent], earlier: Sequence[EarlierPenalty], day: date
) -> Due | None:
    """The step that follows on a day: the gravest that is called for, and that no penalty has answered since.

    `earlier` are penalties that stand; one that was overturned on appeal neither counts nor answers.
    """
    open_ = [
        due
        for due in called_for(ladder, events, earlier, day)
        if not any(each.place >= due.place and due.since <= each.first for each in earlier)
    ]
    return max(open_, key=lambda due: due.place, default=None)


def _by_credit(ladder: Ladder, events: Sequence[CreditEvent], day: date) -> list[Due]:
    lowering = [each.happened_on for each in events if each.points < 0 and _same_year(each.happened_on, day)]
    if not lowering:
        return []
    credit, since = ladder.credit_in(events, day.year, day), max(lowering)
    return [
        Due(place, "credit_below", since, {"credit": credit, "points": points})
        for points, place in ladder.credit_below
        if credit < points
    ]


def _by_repetition(ladder: Ladder, earlier: Sequence[EarlierPenalty], day: date) -> list[Due]:
    """Two lower steps within a year are the next: of this step or above, for a graver one counts as a lower one."""
    after = add_months(day, -ladder.repeated_months)
    within = [each for each in earlier if after < each.first <= day]
    found = []
    for place in range(len(ladder.steps) - 1):
        counted = [each.first for each in within if each.place >= place]
        if len(counted) >= ladder.repeated_count:
            figures = {"count": len(counted), "months": ladder.repeated_months}
            found.append(Due(place + 1, "repeated", max(counted), figures))
    return found


def _by_share(ladder: Ladder, events: Sequence[CreditEvent], day: date) -> list[Due]:
    """By the latest results of the year, of one day the last told; none were told, none failed."""
    told = [each for each in events if each.held and _same_year(each.happened_on, day)]
    if not told:
        return []
    latest = sorted(told, key=lambda each: each.happened_on)[-1]
    if latest.failed * 100 <= latest.held * ladder.failed_over_percent:
        return []
    figures = {"held": latest.held, "failed": latest.failed, "percent": ladder.failed_over_percent}
    return [Due(ladder.failed_place, "failed_share", latest.happened_on, figures)]


def _same_year(happened_on: date, day: date) -> bool:
    return happened_on.year == day.year and happened_on <= day


def must_fit(kind: EventKind, points: int, held: int | None, failed: int | None) -> None:
    """Invalid `credit.points` for points that such an event cannot have, `credit.results` for class results that are
    not whole or belong to another kind."""
    results = kind is EventKind.CLASS_RESULTS
    wrong = (
        points >= 0 if kind in LOWERING else points != 0 if results else kind is EventKind.COMMENDED and points < 0
    )
    if wrong or abs(points) > POINTS_MAX:
        raise Invalid("credit.points", "points", most=POINTS_MAX)
    given = [each for each in (held, failed) if each is not None]
    if len(given) != (2 if results else 0) or (results and not 0 <= given[1] <= given[0]):
        raise Invalid("credit.results", "classes_failed")


def must_mend(recorder: object, person: object, points: int, mended: int, correction: int) -> None:
    """Forbidden `credit.same_person` for an event of one's own; Invalid `credit.mended` (least, most) for a
    correction by which an event of so many `points`, `mended` so far, would say more than it did, or the opposite."""
    if person == recorder:
        raise Forbidden("credit.same_person")
    least, most = min(points, 0) - points - mended, max(points, 0) - points - mended
    if not least <= correction <= most:
        raise Invalid("credit.mended", "points", least=least, most=most)


def must_be_another(person: object, *before: object) -> None:
    """Forbidden `penalty.same_person`: who proposed does not decide, and neither answers an appeal."""
    if person in before:
        raise Forbidden("penalty.same_person")


def must_be_in_time(today: date, last: date) -> None:
    """Conflict `penalty.appeal_late` (last) for an appeal after its last day."""
    if today > last:
        raise Conflict("penalty.appeal_late", last=last.isoformat())
