"""The rules of a class over a table of cases; the timetable against brute force."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.training import (
    RULES,
    Busy,
    Facts,
    InspectionFacts,
    Parameters,
    RepeatedLine,
    Session,
    StandardFacts,
    StandingFacts,
    TraineeFacts,
    Whose,
    clock_time,
    decide,
    key_of,
    minutes_of,
    overlapping,
)
from domain.training.rules import SAID_MAX

FILED, FIRST = date(2026, 3, 2), date(2026, 3, 16)
MORNING, NOON, EVENING = 8 * 60, 12 * 60, 18 * 60
PARAMETERS = Parameters(
    class_filing_working_days=5,
    class_size_least=2,
    class_size_most=4,
    class_hour_minutes=45,
    class_day_hours_most=8,
    class_earliest_hour=6,
    class_latest_hour=22,
    class_reference_hours={"4": 8},
    age_from_years=16,
)


def session(**changed: Any) -> Session:
    given = {"day": FIRST, "begins": MORNING, "ends": NOON, "hours": 4, "room": "301", "teacher": 1}
    return Session(**{**given, **changed})


def trainee(line: int, months: int = 30 * 12) -> TraineeFacts:
    return TraineeFacts(line, months, 50 * 12 + 4, 55 * 12 + 4)


def elsewhere(whose: Whose, place: int = 1) -> Busy:
    return Busy(whose, place, "王*", FIRST, MORNING, NOON)


GRANTED = Facts(
    filed_on=FILED,
    earliest_on=date(2026, 3, 9),
    occupation="6-18-02-04",
    level="4",
    item_code="6-18-02-04",
    item_id="an item",
    standard=StandardFacts("a standard", None),
    standings=(StandingFacts(FILED, "listed", True), StandingFacts(FIRST, "listed", True)),
    scope=("4", "5"),
    held_before=True,
    inspection=None,
    planned_hours=8,
    sessions=(session(), session(day=FIRST + timedelta(days=1))),
    trainees=(trainee(1), trainee(2)),
    parameters=PARAMETERS,
)
ONCE_MORE = session(begins=NOON - 1, ends=EVENING)

#: What is changed → every code that fails.
CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, []),
    ({"earliest_on": FIRST}, []),
    ({"earliest_on": FIRST + timedelta(days=1)}, ["class.too_late"]),
    ({"item_id": None}, ["class.not_in_catalog"]),
    ({"level": "senior", "scope": ("senior",)}, ["class.level_not_of_occupation"]),
    ({"item_code": "2-02-38-01", "level": "senior", "scope": ("senior",)}, []),
    ({"item_code": "2-02-38-01"}, ["class.level_not_of_occupation"]),
    ({"standard": None}, ["class.no_standard"]),
    ({"standings": (StandingFacts(FILED, "suspended", False),)}, ["class.institution_may_not"]),
    ({"standings": (StandingFacts(FIRST, "exited", False),)}, ["class.institution_may_not"]),
    (
        {"standings": (StandingFacts(FILED, "suspended", False), StandingFacts(FIRST, "exited", False))},
        ["class.institution_may_not"] * 2,
    ),
    ({"scope": ("5",)}, ["class.level_out_of_scope"]),
    ({"scope": ()}, ["class.out_of_scope"]),
    ({"held_before": False}, ["training.first_inspection"]),
    ({"held_before": False, "inspection": InspectionFacts(False, FILED)}, ["training.inspection_failed"]),
    ({"held_before": False, "inspection": InspectionFacts(True, FILED)}, []),
    ({"held_before": True, "inspection": InspectionFacts(False, FILED)}, []),
    ({"trainees": (trainee(1),)}, ["class.size"]),
    ({"trainees": tuple(map(trainee, range(1, 5)))}, []),
    ({"trainees": tuple(map(trainee, range(1, 6)))}, ["class.size"]),
    ({"standard": StandardFacts("a standard", 9)}, ["class.hours_few"]),
    ({"standard": StandardFacts("a standard", 8)}, []),
    ({"planned_hours": 7}, ["class.hours_few", "class.hours_differ"]),
    ({"planned_hours": 9}, ["class.hours_differ"]),
    ({"level": "5", "planned_hours": 4, "sessions": (session(),)}, []),
    ({"sessions": (session(), session(day=FILED - timedelta(days=1)))}, ["class.too_late"]),
    ({"sessions": (session(ends=MORNING), session(day=FIRST + timedelta(days=1)))}, ["class.session_reversed"]),
    ({"sessions": (session(begins=EVENING), session(begins=NOON))}, ["class.session_reversed"] * 2),
    ({"sessions": (session(begins=5 * 60), session(begins=NOON, ends=16 * 60))}, ["class.session_at_night"]),
    ({"sessions": (session(), session(begins=EVENING, ends=22 * 60 + 1))}, ["class.session_at_night"]),
    ({"sessions": (session(), session(begins=NOON, ends=NOON + 179))}, ["class.session_short"]),
    ({"sessions": (session(), session(begins=NOON, ends=NOON + 180))}, []),
    ({"planned_hours": 9, "sessions": (session(), session(begins=NOON, ends=EVENING, hours=5))}, ["class.day_full"]),
    ({"sessions": (session(), ONCE_MORE)}, ["class.sessions_overlap"]),
    ({"repeated": (RepeatedLine(2, 1),)}, ["class.trainee_twice"]),
    ({"trainees": (trainee(1, 16 * 12 - 1), trainee(2, 16 * 12))}, ["class.trainee_young"]),
    ({"trainees": (trainee(1, 55 * 12 + 4), trainee(2, 55 * 12 + 3))}, ["class.trainee_retired"]),
    ({"teachers_on_roster": (1,)}, ["class.teacher_on_roster"]),
    ({"busy": (elsewhere(Whose.TRAINEE), elsewhere(Whose.TRAINEE, 2))}, ["class.trainee_busy"] * 2),
    ({"busy": (elsewhere(Whose.TEACHER),)}, ["class.teacher_busy"]),
    ({"busy": (elsewhere(Whose.ROOM),)}, ["class.room_busy"]),
]


@pytest.mark.parametrize(("changed", "failed"), CASES)
def test_what_fails(changed: dict[str, Any], failed: list[str]) -> None:
    decision = decide(replace(GRANTED, **changed))
    assert decision.failed == failed
    assert decision.eligible == (not failed)


def test_every_rule_can_fail_and_says_something_when_it_does_not() -> None:
    failing = {
        said.rule
        for changed, _ in CASES
        for said in decide(replace(GRANTED, **changed)).outcomes
        if said.outcome == "failed"
    }
    names = [rule.check.__name__ for rule in RULES]
    assert failing == set(names)
    assert [said.rule for said in decide(GRANTED).outcomes] == names


def test_all_reasons_come_at_once() -> None:
    faults = {
        "earliest_on": FIRST + timedelta(days=1),
        "item_id": None,
        "standard": None,
        "scope": (),
        "held_before": False,
        "planned_hours": 5,
        "trainees": (trainee(1, 12),),
        "busy": tuple(map(elsewhere, Whose)),
    }
    assert len(set(decide(replace(GRANTED, **faults)).failed)) == 12  # type: ignore[arg-type]


def test_somebody_between_two_ages_of_retirement_is_looked_at() -> None:
    decision = decide(replace(GRANTED, trainees=(trainee(1, 52 * 12), trainee(2))))
    assert decision.eligible
    assert [each.code for each in decision.outcomes if each.outcome == "warned"] == ["class.trainee_may_be_retired"]


def test_one_rule_does_not_say_everything_it_could() -> None:
    many = tuple(RepeatedLine(line, 1) for line in range(2, 400))
    assert decide(replace(GRANTED, repeated=many)).failed == ["class.trainee_twice"] * SAID_MAX


def test_it_is_told_when_somebody_is_elsewhere_but_not_where() -> None:
    told = [elsewhere(Whose.TRAINEE, 7), elsewhere(Whose.ROOM)]
    said = [each.facts for each in decide(replace(GRANTED, busy=tuple(told))).outcomes if each.outcome == "failed"]
    where = {"who": "王*", "day": "2026-03-16", "times": "08:00–12:00"}
    assert said == [{"line": 7, **where}, {"session": 1, **where}]


def test_a_decision_is_made_again_from_stored_facts() -> None:
    stored = msgspec.json.decode(msgspec.json.encode(GRANTED), type=Facts)
    assert stored == GRANTED
    assert decide(stored) == decide(GRANTED)


# ---- the timetable

_times = st.integers(0, 24)
_sessions = st.lists(
    st.builds(
        lambda day, begins, ends: session(day=FIRST + timedelta(days=day), begins=begins, ends=ends),
        st.integers(0, 2),
        _times,
        _times,
    ),
    max_size=12,
)


def _meet(one: Session, other: Session) -> bool:
    """Minute by minute."""
    return one.day == other.day and bool(set(range(one.begins, one.ends)) & set(range(other.begins, other.ends)))


@given(_sessions)
def test_sessions_overlap_as_counted_minute_by_minute(sessions: list[Session]) -> None:
    pairs = {(a + 1, b + 1) for a, b in combinations(range(len(sessions)), 2) if _meet(sessions[a], sessions[b])}
    found = overlapping(sessions)
    assert all(tuple(sorted(pair)) in pairs for pair in found)
    assert bool(found) == bool(pairs)
    # each session that begins while some other is on is named once
    named = [place for place, _ in found]
    order = sorted(range(len(sessions)), key=lambda place: (sessions[place].day, sessions[place].begins, place))
    late = {
        order[b] + 1 for a, b in combinations(range(len(order)), 2) if _meet(sessions[order[a]], sessions[order[b]])
    }
    assert sorted(named) == sorted(late)


@given(st.integers(0, 24 * 60 - 1))
def test_times_are_written_in_one_way(minutes: int) -> None:
    assert minutes_of(clock_time(minutes), "begins") == minutes


@pytest.mark.parametrize(
    "text", ["", "9:30", "24:00", "09:60", "09：30", "09:30 ", "0930", "09:30:00", "٠٩:٣٠", 930, None]
)
def test_other_times_are_refused(text: object) -> None:
    with pytest.raises(Invalid, match=r"time\.format"):
        minutes_of(text, "begins")


def test_rooms_are_the_same_however_they_are_written() -> None:
    assert {key_of(text) for text in ("3号楼 301室", "３号楼３０１室", "3号楼-301室", " 3号楼（301）室 ")} == {
        "3号楼301室"
    }
    assert key_of("A座") == key_of("ａ座")
    assert key_of("——") == ""


def test_signs_between_digits_keep_rooms_apart() -> None:
    assert key_of("1-101") != key_of("11-01")
    assert {key_of(text) for text in ("1-101 室", "１－１０１室", "1 — 101室", "（1.101）室", "-1--101-室")} == {
        "1-101室"
    }
    assert {key_of(text) for text in ("30 1", "301", "#301#")} == {"301"}
