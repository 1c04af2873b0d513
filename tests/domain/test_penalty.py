"""The ladder of penalties: each rule by example, and against a clerk who keeps it with pen and paper."""

import tomllib
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Conflict, Forbidden, Invalid
from domain.institution import Stop
from domain.penalty import (
    PENALTY_LIFECYCLE,
    CreditEvent,
    EarlierPenalty,
    EventKind,
    InFlight,
    Ladder,
    PenaltyAction,
    PenaltyStatus,
    called_for,
    must_be_another,
    must_be_in_time,
    must_fit,
    step_due,
)
from domain.period import Period, add_months

WRITTEN = tomllib.loads(Path("data/penalty-ladder.toml").read_text("utf-8"))["ladder"][0]
LADDER = Ladder.read(WRITTEN)
TALK, RECTIFY, CIRCULATE, DISMISS = range(4)
DAY = date(2026, 11, 26)


def lost(points: int, on: date = DAY) -> CreditEvent:
    return CreditEvent(on, -points)


def due(events: Sequence[CreditEvent], earlier: Sequence[EarlierPenalty] = (), day: date = DAY) -> Any:
    found = step_due(LADDER, events, earlier, day)
    return found and (found.place, found.rule)


# ---- rule by rule


def test_the_ladder_as_published_here() -> None:
    talk, rectify, circulate, dismiss = LADDER.steps
    assert [each.name for each in LADDER.steps] == ["约谈", "整改", "通报", "解除"]
    assert talk.days_from(DAY) is None
    assert rectify.days_from(DAY) == Period(DAY, date(2027, 5, 25))
    assert circulate.days_from(DAY) == Period(DAY, date(2027, 11, 25))
    assert dismiss.days_from(DAY) == Period(DAY, date(2028, 11, 25))
    assert (rectify.stops, circulate.stops) == ({Stop.FILE_CLASSES}, {Stop.FILE_CLASSES, Stop.FILE_CLAIMS})
    assert (dismiss.leaves, dismiss.claims_in_flight, dismiss.stops) == (True, InFlight.HOLD, set(Stop))
    assert (talk.published_until(DAY), rectify.published_until(DAY)) == (None, date(2027, 5, 25))


def test_credit_below_the_mark_is_a_talk_until_it_is_answered() -> None:
    assert due([lost(10)]) is None
    assert due([lost(11)]) == (TALK, "credit_below")
    assert due([lost(11)], [EarlierPenalty(TALK, DAY)]) is None
    assert due([lost(11, DAY - timedelta(days=9))], [EarlierPenalty(TALK, DAY - timedelta(days=10))]) is not None
    assert due([lost(6), lost(6, date(2025, 12, 31))]) is None, "another year's credit"
    assert due([lost(11, DAY + timedelta(days=1))]) is None, "not yet"
    assert due([lost(11), CreditEvent(DAY, 5)]) is None, "given back"


def test_two_lower_steps_within_a_year_are_the_next() -> None:
    def talks(*days: date) -> list[EarlierPenalty]:
        return [EarlierPenalty(TALK, day) for day in days]

    assert due([], talks(DAY)) is None
    assert due([], talks(date(2025, 11, 26), DAY)) is None, "a year ago to the day"
    assert due([], talks(date(2025, 11, 27), DAY)) == (RECTIFY, "repeated")
    rectified = [*talks(date(2026, 3, 1), date(2026, 5, 1)), EarlierPenalty(RECTIFY, date(2026, 5, 2))]
    assert due([], rectified) is None
    again = [*rectified, EarlierPenalty(TALK, date(2026, 9, 1))]
    assert due([], again) == (RECTIFY, "repeated")
    assert due([], [*again, EarlierPenalty(RECTIFY, date(2026, 9, 2))]) == (CIRCULATE, "repeated")
    twice = [EarlierPenalty(CIRCULATE, date(2026, 9, 1)), EarlierPenalty(CIRCULATE, date(2026, 10, 1))]
    assert due([], twice) == (DISMISS, "repeated")
    assert due([], [EarlierPenalty(DISMISS, date(2026, 9, 1)), EarlierPenalty(DISMISS, DAY)]) is None


def test_more_than_a_fifth_of_the_classes_failed() -> None:
    def results(held: int, failed: int, on: date = DAY) -> CreditEvent:
        return CreditEvent(on, 0, held, failed)

    assert due([results(10, 2)]) is None
    assert due([results(9, 2)]) == (CIRCULATE, "failed_share")
    assert due([results(9, 2), results(10, 2)]) is None, "told again the same day"
    assert due([results(10, 2, date(2026, 1, 1)), results(9, 2)]) == (CIRCULATE, "failed_share")
    assert due([results(9, 2, date(2025, 12, 31))]) is None
    assert due([results(9, 2), lost(60)]) == (CIRCULATE, "failed_share"), "the gravest"
    assert due([results(9, 2)], [EarlierPenalty(RECTIFY, DAY)]) == (CIRCULATE, "failed_share")
    assert due([results(9, 2)], [EarlierPenalty(CIRCULATE, DAY)]) is None


def test_steps_by_name() -> None:
    assert LADDER.place_of("circulate") == CIRCULATE
    with pytest.raises(Invalid, match=r"penalty\.no_step"):
        LADDER.place_of("scold")


def _without(path: str) -> dict[str, Any]:
    written = deepcopy(WRITTEN)
    *way, last = path.split(".")
    inner = written
    for each in way:
        inner = inner[each]
    del inner[last]
    return written


@pytest.mark.parametrize(
    "written",
    [
        *(_without(path) for path in ("yearly_points", "step", "rule.repeated", "rule.failed_share.step")),
        {**WRITTEN, "step": []},
        {**WRITTEN, "yearly_points": True},
        {**WRITTEN, "step": [*WRITTEN["step"], WRITTEN["step"][0]]},
        {**WRITTEN, "step": [{**WRITTEN["step"][0], "stops": ["breathe"]}]},
        {**WRITTEN, "step": [{**WRITTEN["step"][0], "months": 3}, *WRITTEN["step"][1:]]},
        {**WRITTEN, "rule": {**WRITTEN["rule"], "repeated": {"count": 1, "within_months": 12}}},
        {**WRITTEN, "rule": {**WRITTEN["rule"], "credit_below": [{"points": 90, "step": "scold"}]}},
    ],
)
def test_a_ladder_that_is_not_whole_is_not_read(written: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="ladder"):
        Ladder.read(written)


# ---- against pen and paper

DAYS = st.integers(0, 800).map(lambda n: date(2025, 1, 1) + timedelta(days=n))
EVENTS = st.lists(
    st.builds(CreditEvent, DAYS, st.integers(-30, 10))
    | st.tuples(DAYS, st.integers(1, 12), st.integers(0, 12)).map(
        lambda told: CreditEvent(told[0], 0, told[1], min(told[1], told[2]))
    ),
    max_size=8,
)
EARLIER = st.lists(st.builds(EarlierPenalty, st.integers(0, 3), DAYS), max_size=6)


def by_hand(events: Sequence[CreditEvent], earlier: Sequence[EarlierPenalty], day: date) -> set[tuple[int, date]]:
    """(step, since) for everything that is called for and not answered: the year told day by day."""
    found: set[tuple[int, date]] = set()
    credit, since, results = 100, None, None
    today = date(day.year, 1, 1)
    while today <= day:
        for each in events:
            if each.happened_on == today:
                credit += each.points
                since = today if each.points < 0 else since
                results = (each, today) if each.held else results
        today += timedelta(days=1)
    if credit < 90 and since:
        found.add((TALK, since))
    if results and results[0].failed / results[0].held > 0.2:
        found.add((CIRCULATE, results[1]))
    for step in (RECTIFY, CIRCULATE, DISMISS):
        lower = [each.first for each in earlier if each.place >= step - 1 and each.first <= day]
        late = [first for first in lower if add_months(day, -12) < first]
        if len(late) >= 2:
            found.add((step, max(late)))
    return {
        (step, since)
        for step, since in found
        if not [each for each in earlier if each.place >= step and each.first >= since]
    }


@given(EVENTS, EARLIER, DAYS)
def test_it_is_what_pen_and_paper_give(events: list[CreditEvent], earlier: list[EarlierPenalty], day: date) -> None:
    expected = by_hand(events, earlier, day)
    found = step_due(LADDER, events, earlier, day)
    if not expected:
        assert found is None
        return
    assert found is not None
    assert (found.place, found.since) in expected
    assert found.place == max(step for step, _ in expected)


def gravest(events: Sequence[CreditEvent], earlier: Sequence[EarlierPenalty], day: date) -> int:
    return max((each.place for each in called_for(LADDER, events, earlier, day)), default=-1)


@given(EVENTS, EARLIER, DAYS, DAYS, st.integers(1, 100))
def test_another_failing_never_makes_it_milder(
    events: list[CreditEvent], earlier: list[EarlierPenalty], day: date, on: date, points: int
) -> None:
    more = [*events, lost(points, on)]
    assert gravest(more, earlier, day) >= gravest(events, earlier, day)
    before, after = step_due(LADDER, events, earlier, day), step_due(LADDER, more, earlier, day)
    assert before is None or (after is not None and after.place >= before.place)


@given(EVENTS, EARLIER, DAYS, st.builds(EarlierPenalty, st.integers(0, 3), DAYS), st.integers(1, 3))
def test_another_or_a_graver_penalty_never_calls_for_less(
    events: list[CreditEvent], earlier: list[EarlierPenalty], day: date, more: EarlierPenalty, graver: int
) -> None:
    added = [*earlier, more]
    assert gravest(events, added, day) >= gravest(events, earlier, day)
    raised = [*earlier, replace(more, place=min(3, more.place + graver))]
    assert gravest(events, raised, day) >= gravest(events, added, day)


@given(EVENTS, EARLIER, DAYS, st.integers(0, 200))
def test_what_is_answered_today_is_due_no_more(
    others: list[CreditEvent], earlier: list[EarlierPenalty], day: date, points: int
) -> None:
    events = [*others, lost(points, day)]  # so that something is due more often than not
    found = step_due(LADDER, events, earlier, day)
    if found is None:
        return
    next_ = step_due(LADDER, events, [*earlier, EarlierPenalty(found.place, day)], day)
    assert next_ is None or next_.place > found.place


# ---- persons, days, kinds


@pytest.mark.parametrize("status", PenaltyStatus)
@pytest.mark.parametrize("action", PenaltyAction)
def test_every_status_and_action(status: PenaltyStatus, action: PenaltyAction) -> None:
    legal = {
        ("proposed", "impose"): "imposed",
        ("proposed", "drop"): "dropped",
        ("imposed", "appeal"): "appealed",
        ("appealed", "uphold"): "upheld",
        ("appealed", "grant"): "overturned",
    }
    if (expected := legal.get((str(status), str(action)))) is not None:
        assert PENALTY_LIFECYCLE.after(status, action) == expected
    else:
        with pytest.raises(Conflict, match="wrong_status"):
            PENALTY_LIFECYCLE.after(status, action)


def test_persons_and_days() -> None:
    must_be_another(3, 1, 2)
    with pytest.raises(Forbidden, match=r"penalty\.same_person"):
        must_be_another(2, 1, 2)
    must_be_in_time(DAY, DAY)
    with pytest.raises(Conflict, match=r"penalty\.appeal_late"):
        must_be_in_time(DAY + timedelta(days=1), DAY)


@pytest.mark.parametrize(
    ("kind", "points", "held", "failed", "code"),
    [
        (EventKind.PATROL_FAILED, -5, None, None, None),
        (EventKind.PATROL_FAILED, 0, None, None, "credit.points"),
        (EventKind.COMMENDED, 3, None, None, None),
        (EventKind.COMMENDED, -3, None, None, "credit.points"),
        (EventKind.OTHER, -100, None, None, None),
        (EventKind.OTHER, -101, None, None, "credit.points"),
        (EventKind.OTHER, 0, 5, 1, "credit.results"),
        (EventKind.CLASS_RESULTS, 0, 5, 5, None),
        (EventKind.CLASS_RESULTS, -1, 5, 5, "credit.points"),
        (EventKind.CLASS_RESULTS, 0, 5, 6, "credit.results"),
        (EventKind.CLASS_RESULTS, 0, 5, None, "credit.results"),
        (EventKind.CLASS_RESULTS, 0, None, None, "credit.results"),
    ],
)
def test_what_an_event_may_say(
    kind: EventKind, points: int, held: int | None, failed: int | None, code: str | None
) -> None:
    if code is None:
        must_fit(kind, points, held, failed)
        return
    with pytest.raises(Invalid) as refused:
        must_fit(kind, points, held, failed)
    assert refused.value.code == code
