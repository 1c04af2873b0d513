"""Selection: announced criteria, scores, the renewal rule, and which days may follow which."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Conflict, Invalid
from domain.faults import Faults
from domain.institution import (
    Grade,
    History,
    InstitutionKind,
    Sanction,
    Standing,
    Stop,
    check_scope,
    must_be_free,
    standing_on,
)
from domain.period import Period, read_period
from domain.selection import (
    Criterion,
    Evaluation,
    Round,
    check_admission,
    check_applicant,
    check_criteria,
    check_days,
    check_points,
    check_room_for_publicity,
    may_be_followed,
    must_be_closed_to_applications,
    must_be_over,
    must_be_scored,
    must_leave_days_to_admit,
    passes,
    publicity_from,
    score_of,
)
from domain.workday import WorkCalendar

YEAR = Period(date(2027, 1, 1), date(2027, 12, 31))
BEFORE = Period(date(2026, 1, 1), date(2026, 12, 31))
OPEN = Period(date(2026, 11, 2), date(2026, 11, 20))
CRITERIA = [Criterion("师资", 60), Criterion("场地", 40)]
ROUND = Round(2027, frozenset({InstitutionKind.PRIVATE_SCHOOL}), OPEN, YEAR, CRITERIA, 60, 2)
A_DAY = timedelta(days=1)
WEEKENDS = WorkCalendar(frozenset(), frozenset(), date(2027, 12, 31))


def told(faults: Faults) -> list[tuple[str, str]]:
    return [(each.field, each.code) for each in faults.found]


# ---- what is announced


def test_every_mistake_of_an_announcement_is_told_with_its_place() -> None:
    faults = Faults()
    read = [Criterion.read("师资\x07", 0, "criteria.0", faults), Criterion.read("", 30, "criteria.1", faults)]
    check_criteria([*read, Criterion("场地", 30), Criterion("场地", 30)], faults)
    assert told(faults) == [
        ("criteria.0.weight", "selection.weight"),
        ("criteria.0.name", "words.characters"),
        ("criteria.1.name", "words.empty"),
        ("criteria.3.name", "selection.criterion_twice"),
        ("criteria", "selection.weights"),
    ]
    with pytest.raises(Invalid) as refused:
        faults.raise_all()
    assert [each.code for each in (refused.value, *refused.value.others)] == [code for _, code in told(faults)]


@pytest.mark.parametrize("number", [0, 21])
def test_there_are_some_criteria_and_not_too_many(number: int) -> None:
    faults = Faults()
    check_criteria([Criterion(f"第{each}项", 5) for each in range(number)], faults)
    assert ("criteria", "selection.criteria_count") in told(faults)


@pytest.mark.parametrize(
    ("today", "year", "admits", "expected"),
    [
        (OPEN.first, 2027, YEAR, []),
        (OPEN.first + A_DAY, 2027, YEAR, ["selection.in_past"]),
        (OPEN.first, 2026, Period(OPEN.first + A_DAY, YEAR.last), ["selection.admits_too_early"]),
        (OPEN.first, 2026, Period(date(2026, 11, 20), YEAR.last), ["selection.admits_too_early"]),
        (OPEN.first, 2026, Period(date(2026, 11, 21), YEAR.last), []),
        (OPEN.first, 2027, Period(date(2026, 12, 31), YEAR.last), ["selection.other_year"]),
        (OPEN.first, 2027, Period(date(2027, 12, 31), date(2028, 12, 31)), []),
        (OPEN.first, 2027, Period(date(2028, 1, 1), date(2028, 12, 31)), ["selection.other_year"]),
    ],
)
def test_what_is_announced_lies_ahead_and_in_its_year(
    today: date, year: int, admits: Period, expected: list[str]
) -> None:
    faults = Faults()
    check_days(today, year, OPEN, admits, faults)
    assert [each.code for each in faults.found] == expected


@pytest.mark.parametrize(
    ("working_days", "first", "expected"),
    [
        # applications close on Friday the 20th, so the public may object from Saturday on
        (5, date(2026, 11, 27), ["2026-11-28"]),
        (5, date(2026, 11, 28), []),
        (6, date(2026, 11, 28), ["2026-12-01"]),
        (6, date(2026, 12, 1), []),
        (1, date(2026, 11, 23), ["2026-11-24"]),
        (5, date(2026, 11, 20), []),  # told as too early already
    ],
)
def test_publicity_is_over_when_admission_begins(working_days: int, first: date, expected: list[str]) -> None:
    assert OPEN.last == date(2026, 11, 20)
    faults = Faults()
    check_room_for_publicity(OPEN, Period(first, YEAR.last), working_days, WEEKENDS, faults)
    assert [(each.field, each.code) for each in faults.found] == [
        ("admits.from", "selection.admits_in_publicity") for _ in expected
    ]
    assert [each.facts["earliest"] for each in faults.found] == expected


def test_publicity_that_outlasts_the_first_day_does_not_begin() -> None:
    publicity = publicity_from(date(2026, 12, 22), 5, WEEKENDS)
    assert publicity == Period(date(2026, 12, 22), date(2026, 12, 29))
    must_leave_days_to_admit(publicity, Period(date(2026, 12, 30)))
    with pytest.raises(Conflict, match=r"selection\.publicity_late"):
        must_leave_days_to_admit(publicity, Period(date(2026, 12, 29)))


def test_days_are_read_with_every_mistake() -> None:
    faults = Faults()
    assert read_period("2026-02-30", "never", faults, "admits.") is None
    assert read_period("2026-03-02", "2026-03-01", faults) is None
    assert told(faults) == [
        ("admits.from", "date.no_such_day"),
        ("admits.to", "date.format"),
        ("to", "period.reversed"),
    ]
    assert read_period("2026-03-02", None, Faults()) == Period(date(2026, 3, 2))
    assert read_period("2026-03-02", "2026-03-02", Faults()) == Period(date(2026, 3, 2), date(2026, 3, 2))


# ---- scores


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ({"师资": 0, "场地": 100}, []),
        ({"师资": -1, "场地": 101}, [("points.师资", "selection.points"), ("points.场地", "selection.points")]),
        ({"师资": 1}, [("points", "selection.not_scored")]),
        ({"师资": 1, "场地": 1, "别的": 1}, [("points", "selection.unknown_criterion")]),
    ],
)
def test_a_sheet_scores_every_criterion_and_nothing_else(
    points: dict[str, int], expected: list[tuple[str, str]]
) -> None:
    faults = Faults()
    check_points(CRITERIA, points, faults)
    assert told(faults) == expected


def test_a_score_is_the_weighted_mean() -> None:
    assert score_of(CRITERIA, [{"师资": 100, "场地": 100}] * 2) == 10_000
    assert score_of(CRITERIA, [{"师资": 50, "场地": 0}, {"师资": 0, "场地": 50}]) == 2_500


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=2, max_size=9),
    st.integers(1, 99),
    st.integers(0, 100),
)
def test_nobody_is_rounded_over_the_pass_mark(given_: list[tuple[int, int]], weight: int, mark: int) -> None:
    criteria = [Criterion("师资", weight), Criterion("场地", 100 - weight)]
    score = score_of(criteria, [{"师资": one, "场地": other} for one, other in given_])
    exact = Fraction(sum(weight * one + (100 - weight) * other for one, other in given_), 100 * len(given_))
    assert 0 <= exact * 100 - score < 1
    assert passes(score, mark) == (exact >= mark)


def test_too_few_persons_are_counted() -> None:
    must_be_scored({}, 2)
    with pytest.raises(Conflict) as refused:
        must_be_scored(dict.fromkeys(range(3), 1) | {9: 2}, 2)  # type: ignore[arg-type]  # any key does
    assert refused.value.facts == {"count": 3, "least": 2}


# ---- who may apply


@pytest.mark.parametrize(
    ("listings", "passed", "expected"),
    [
        ([], None, Evaluation.NOT_NEEDED),
        ([BEFORE], None, Evaluation.MISSING),
        ([Period(date(2020, 1, 1))], None, Evaluation.MISSING),
        ([Period(date(2025, 1, 1), date(2025, 12, 31))], None, Evaluation.NOT_NEEDED),
        ([YEAR], None, Evaluation.NOT_NEEDED),
        ([BEFORE], True, Evaluation.PASSED),
        ([BEFORE], False, Evaluation.FAILED),
        ([], False, Evaluation.FAILED),
    ],
)
def test_a_renewal_is_whoever_was_in_the_catalog_in_that_year(
    listings: list[Period], passed: bool | None, expected: Evaluation
) -> None:
    assert Evaluation.of(History(listings), 2026, passed) == expected


@pytest.mark.parametrize(
    ("evaluation", "expected"),
    [
        (Evaluation.NOT_NEEDED, []),
        (Evaluation.PASSED, []),
        (Evaluation.FAILED, ["selection.evaluation_failed"]),
        (Evaluation.MISSING, ["selection.evaluation_missing"]),
    ],
)
def test_a_renewal_needs_the_years_evaluation(evaluation: Evaluation, expected: list[str]) -> None:
    faults = Faults()
    check_admission(ROUND, History([BEFORE]), evaluation, faults)
    assert [each.code for each in faults.found] == expected


def test_everything_that_keeps_an_institution_out_is_told_at_once() -> None:
    barred = Sanction(Period(date(2026, 6, 1), date(2028, 5, 31)), frozenset({Stop.BE_LISTED}))
    history = History([YEAR], [date(2027, 3, 1)], [barred])
    faults = Faults()
    check_applicant(ROUND, InstitutionKind.PUBLIC_BASE, history, Evaluation.FAILED, date(2026, 11, 21), faults)
    assert [each.code for each in faults.found] == [
        "selection.not_open",
        "selection.other_kind",
        "selection.evaluation_failed",
        "selection.barred",
        "selection.left_then",
        "selection.listed_then",
    ]
    for last in (OPEN.first, OPEN.last):
        assert last is not None
        faults = Faults()
        check_applicant(ROUND, InstitutionKind.PRIVATE_SCHOOL, History(), Evaluation.NOT_NEEDED, last, faults)
        assert not faults.found


def test_a_sanction_bars_only_while_it_holds_and_only_from_the_catalog() -> None:
    days = Period(date(2026, 6, 1), date(2028, 5, 31))
    for sanction in (
        Sanction(days, frozenset({Stop.FILE_CLASSES})),
        Sanction(days, frozenset({Stop.BE_LISTED}), date(2026, 12, 1)),
        Sanction(Period(date(2026, 6, 1), date(2026, 12, 31)), frozenset({Stop.BE_LISTED})),
    ):
        faults = Faults()
        check_admission(ROUND, History(sanctions=[sanction]), Evaluation.NOT_NEEDED, faults)
        assert not faults.found


@pytest.mark.parametrize(
    ("listing", "exits", "expected"),
    [
        (Period(date(2020, 1, 1)), [], True),
        (Period(YEAR.first), [], False),
        (Period(date(2026, 1, 1), date(2027, 6, 30)), [], False),
        (Period(date(2026, 1, 1), date(2027, 6, 30)), [date(2026, 5, 1)], True),
        (Period(date(2026, 1, 1), date(2027, 6, 30)), [date(2025, 5, 1)], False),
    ],
)
def test_which_listing_may_be_followed(listing: Period, exits: list[date], expected: bool) -> None:
    assert may_be_followed(listing, exits, YEAR.first) == expected


@given(st.integers(1, 700), st.lists(st.integers(-400, 399), max_size=3), st.booleans())
def test_an_admission_leaves_the_days_before_it_as_they_were(began: int, left: list[int], endless: bool) -> None:
    """What `may_be_followed` allows to be cut changes the standing on no day before."""
    first = YEAR.first
    last = None if endless else first + A_DAY * 30
    listing = Period(first - A_DAY * began, last)
    exits = [first + A_DAY * day for day in left if day < 0]
    if not may_be_followed(listing, exits, first):
        return
    cut = Period(listing.first, first - A_DAY)
    for day in range(1, 800):
        on = first - A_DAY * day
        before = standing_on(History([listing], exits), on)
        assert standing_on(History([cut, YEAR], exits), on) == before
    assert standing_on(History([cut, YEAR], exits), first).standing == Standing.LISTED


@pytest.mark.parametrize(("today", "over"), [(OPEN.last, False), (date(2026, 11, 21), True)])
def test_days_are_over_when_the_last_has_passed(today: date, over: bool) -> None:
    for check in (must_be_over, must_be_closed_to_applications):
        if over:
            check(OPEN, today)
            continue
        with pytest.raises(Conflict) as refused:
            check(OPEN, today)
        assert refused.value.facts == {"last": "2026-11-20"}


# ---- scopes and grades


@pytest.mark.parametrize(
    ("occupation", "levels", "expected"),
    [
        ("6-18-02-04", ["3", "5", "4"], []),
        ("6-18-02-04", [], [("s.levels", "institution.levels")]),
        ("6-18-02-04", ["5", "5"], [("s.levels", "institution.levels")]),
        ("6-18-02-04", ["9", 4], [("s.levels.0", "level.unknown"), ("s.levels.1", "level.unknown")]),
        ("6-18-02-04", ["junior"], [("s.levels", "lookup.other_levels")]),
        ("2-02-38-01", ["junior", "senior"], []),
        ("2-02-38-01", ["4"], [("s.levels", "lookup.other_levels")]),
    ],
)
def test_levels_are_those_of_the_occupation(
    occupation: str, levels: list[object], expected: list[tuple[str, str]]
) -> None:
    faults = Faults()
    found = check_scope(occupation, levels, "s", faults)
    assert told(faults) == expected
    if occupation == "6-18-02-04" and not expected:
        assert found == ["5", "4", "3"]


def test_neighbouring_days_are_free_and_a_shared_one_is_not() -> None:
    must_be_free(YEAR, [BEFORE], "institution.grade_then", "from")
    with pytest.raises(Invalid) as refused:
        must_be_free(Period(BEFORE.last or BEFORE.first), [BEFORE], "institution.grade_then", "from")
    assert (refused.value.code, refused.value.facts) == ("institution.grade_then", {"first": "2026-01-01"})
    assert set(Grade) == {"A", "B", "C"}
