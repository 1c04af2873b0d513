"""What signals score, and what they ask besides their mark."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.policy import check_value
from domain.signal import (
    HOLDS,
    MEASURES,
    WEIGHT,
    Case,
    Signal,
    certificates_expected,
    finding_of,
    patrol_points,
    policy_key,
    score,
    surely_passed,
)

PEOPLE = {"people_least": 5}


def case(people: int) -> Case:
    return Case({"people": people}, [{"person": str(n)} for n in range(people)])


@pytest.mark.parametrize(("people", "scored"), [(4, 0), (5, 50), (6, 60), (9, 90), (10, 100), (50, 100)])
def test_a_score_says_how_far_above_its_mark(people: int, scored: int) -> None:
    assert score(Signal.SHARED_PHONE, {"people": people}, PEOPLE) == scored


def test_cases_of_an_institution_are_one_finding_of_the_strongest() -> None:
    found = finding_of(Signal.SHARED_PHONE, [case(4), case(5), case(8)], PEOPLE)
    assert found is not None
    assert (found.score, found.figures, len(found.rows)) == (80, {"people": 8, "cases": 2}, 13)
    assert finding_of(Signal.SHARED_PHONE, [case(4)], PEOPLE) is None


@pytest.mark.parametrize(
    ("taught", "usual", "largest", "expected"),
    [
        (90, 30, 40, 90),  # three classes that ended together
        (0, 30, 40, 30),
        (0, 300, 40, 40),  # a mill that runs every day
        (0, 30, 0, 60),  # nobody filed a class here
    ],
)
def test_a_day_may_bring_what_classes_earned_or_what_is_usual(
    taught: int, usual: int, largest: int, expected: int
) -> None:
    assert certificates_expected(taught, usual, largest) == expected


def burst(certificates: int) -> int:
    figures = {"certificates": certificates, "taught": 50, "usual": 25, "largest_class": 30}
    return score(Signal.CERTIFICATE_BURST, figures, {"certificates_least": 40, "above_percent": 20, "class_days": 60})


def test_a_busy_day_that_classes_explain_is_no_burst() -> None:
    assert [bool(burst(certificates)) for certificates in (39, 50, 60, 61)] == [False, False, False, True]


def passing(assessed: int, passed: int) -> int:
    thresholds = {"assessed_least": 100, "surely_permille": 975}
    return score(Signal.NEARLY_ALL_PASSED, {"assessed": assessed, "passed": passed}, thresholds)


def test_a_good_school_is_not_one_where_nobody_fails() -> None:
    assert not passing(200, 194)  # 97 of a hundred
    assert not passing(90, 90)  # too few to say anything
    assert passing(200, 200)
    assert passing(1_000, 990)


@pytest.mark.parametrize(
    ("missing", "marked", "speaks"), [(4, 5, False), (5, 25, True), (5, 26, False), (9, 40, True)]
)
def test_a_patrol_that_saw_a_fifth_fewer_speaks(missing: int, marked: int, speaks: bool) -> None:
    figures, thresholds = {"missing": missing, "marked": marked}, {"missing_least": 5, "percent_least": 20}
    assert bool(score(Signal.FEWER_SEEN, figures, thresholds)) is speaks


@given(st.integers(1, 2_000), st.data())
def test_luck_is_set_aside(assessed: int, data: st.DataObject) -> None:
    passed = data.draw(st.integers(0, assessed))
    assert -1e-9 <= surely_passed(assessed, passed) <= passed / assessed + 1e-9
    assert surely_passed(2 * assessed, 2 * passed) >= surely_passed(assessed, passed) - 1e-9


def test_of_nobody_nothing_is_said() -> None:
    assert surely_passed(0, 0) == 0


def test_points_are_each_weight_by_its_score() -> None:
    assert patrol_points([]) == 0
    assert patrol_points([(50, 20), (100, 15), (51, 1)]) == 10 + 15 + 1


def thresholds_of(signal: Signal, **changed: Any) -> dict[str, Any]:
    least = {name: bounds[0] for name, bounds in MEASURES[signal].thresholds.items()}
    return {**least, WEIGHT: 0, HOLDS: True, **changed}


@pytest.mark.parametrize("signal", Signal)
def test_every_signal_has_a_parameter_with_all_its_thresholds(signal: Signal) -> None:
    measure = MEASURES[signal]
    assert measure.mark in measure.thresholds
    check_value(policy_key(signal), thresholds_of(signal))
    name, (least, most) = next(iter(measure.thresholds.items()))
    wrong = [{name: least - 1}, {name: most + 1}, {name: True}, {name: "5"}, {HOLDS: 1}, {"other": 1}, {WEIGHT: 101}]
    for changed in wrong:
        with pytest.raises(Invalid, match=r"policy\.not_thresholds"):
            check_value(policy_key(signal), thresholds_of(signal, **changed))
    for value in (None, [], {}, "x"):
        with pytest.raises(Invalid, match=r"policy\.not_thresholds"):
            check_value(policy_key(signal), value)
