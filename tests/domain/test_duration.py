"""How long things took: the middle, the slow tenth, and what was late."""

from datetime import date, timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.duration import Spread, spread_of
from service.policies.queries import work_calendar


def test_the_middle_and_the_slow_tenth() -> None:
    assert spread_of({1: 5, 3: 4, 30: 1}, limit=10) == Spread(10, 1, 3, 1)
    assert spread_of({2: 1}) == Spread(1, 2, 2, None)
    assert spread_of({}, limit=10) is None
    late = spread_of({0: 1, 11: 1, 12: 1}, limit=11)
    assert late is not None
    assert late.late_share == Fraction(1, 3)


@given(st.dictionaries(st.integers(0, 400), st.integers(1, 50), min_size=1))
def test_that_many_were_done_within_and_fewer_a_day_before(counts: dict[int, int]) -> None:
    spread = spread_of(counts)
    assert spread is not None
    for days, part in ((spread.half, Fraction(1, 2)), (spread.nine_tenths, Fraction(9, 10))):
        assert sum(count for each, count in counts.items() if each <= days) >= part * spread.count
        assert sum(count for each, count in counts.items() if each < days) < part * spread.count


@given(st.dates(date(2025, 1, 1), date(2026, 12, 1)), st.integers(1, 40))
def test_days_that_passed_are_those_that_deadlines_count(since: date, days: int) -> None:
    """Until its n-th working day n have passed, and the day before one less."""
    calendar = work_calendar()
    until = calendar.add(since, days).on
    assert calendar.passed(since, until) == days
    assert calendar.passed(since, until - timedelta(days=1)) == days - 1
    assert calendar.passed(until, since) == 0
