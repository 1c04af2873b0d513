"""Days, months and spans of days."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.period import Period, add_months, day_before, months_within, parse_date, whole_months

days = st.dates(date(1900, 1, 1), date(2100, 12, 31))


@pytest.mark.parametrize("text", ["2026-03-02", "1900-01-01", "2100-12-31", "2024-02-29"])
def test_days(text: str) -> None:
    assert parse_date(text, "issued_on").isoformat() == text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2025-02-29", "date.no_such_day"),
        ("1900-02-29", "date.no_such_day"),  # Excel believes in it
        ("2025-13-01", "date.no_such_day"),
        ("2025-00-10", "date.no_such_day"),
        ("9999-12-31", "date.out_of_range"),
        ("1899-12-31", "date.out_of_range"),
        ("2101-01-01", "date.out_of_range"),
        ("0000-00-00", "date.out_of_range"),
        ("2025-2-9", "date.format"),
        ("2025/02/09", "date.format"),
        ("20250209", "date.format"),
        ("2025-W06-7", "date.format"),
        ("2025年2月9日", "date.format"),
        ("2025-02-09T00:00:00", "date.format"),
        ("2025-02-09 ", "date.format"),
        ("2025-02-09\n", "date.format"),
        ("２０２５-02-09", "date.format"),
        ("٢٠٢٥-02-09", "date.format"),
        ("", "date.format"),
        (45697, "date.not_text"),
        (None, "date.not_text"),
        (datetime(2025, 2, 9), "date.not_text"),  # noqa: DTZ001 (a spreadsheet's datetimes have no zone)
    ],
)
def test_what_is_no_day(text: object, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_date(text, "issued_on")
    assert (refused.value.code, refused.value.field) == (code, "issued_on")


@pytest.mark.parametrize(
    ("day", "months", "after"),
    [
        (date(2024, 2, 29), 12, date(2025, 2, 28)),
        (date(2024, 2, 29), 48, date(2028, 2, 29)),
        (date(2025, 1, 31), 1, date(2025, 2, 28)),
        (date(2025, 12, 31), 2, date(2026, 2, 28)),
        (date(2025, 3, 31), -1, date(2025, 2, 28)),
        (date(2025, 6, 15), 0, date(2025, 6, 15)),
    ],
)
def test_add_months(day: date, months: int, after: date) -> None:
    assert add_months(day, months) == after


@given(days, st.integers(0, 600))
def test_months_later_is_that_month_and_never_a_later_day(day: date, months: int) -> None:
    after = add_months(day, months)
    assert after.year * 12 + after.month == day.year * 12 + day.month + months
    assert after.day == day.day or (after.day < day.day and (after + timedelta(days=1)).day == 1)


@pytest.mark.parametrize(
    ("since", "day", "months"),
    [
        (date(2010, 3, 2), date(2026, 3, 1), 191),
        (date(2010, 3, 2), date(2026, 3, 2), 192),
        (date(2008, 2, 29), date(2026, 2, 28), 216),
        (date(2026, 1, 31), date(2026, 2, 28), 1),
        (date(2026, 1, 31), date(2026, 2, 27), 0),
        (date(2026, 3, 2), date(2026, 3, 1), -1),
    ],
)
def test_whole_months(since: date, day: date, months: int) -> None:
    assert whole_months(since, day) == months


@given(days, days)
def test_whole_months_are_the_most_that_fit(since: date, day: date) -> None:
    months = whole_months(since, day)
    assert add_months(since, months) <= day < add_months(since, months + 1)


@given(days, days, st.integers(0, 600))
def test_who_got_a_certificate_later_may_claim_as_long(one: date, other: date, months: int) -> None:
    first, second = sorted((one, other))
    assert add_months(first, months) <= add_months(second, months)


MAY = Period(date(2026, 5, 1), date(2026, 5, 31))


@pytest.mark.parametrize(
    ("other", "overlaps"),
    [
        (Period(date(2026, 5, 31), date(2026, 6, 1)), True),  # one day is enough
        (Period(date(2026, 6, 1), date(2026, 6, 30)), False),  # neighbours do not
        (Period(date(2026, 4, 1), date(2026, 4, 30)), False),
        (Period(date(2026, 5, 10), date(2026, 5, 10)), True),
        (Period(date(2026, 1, 1)), True),
        (Period(date(2026, 6, 1)), False),
    ],
)
def test_overlaps(other: Period, overlaps: bool) -> None:
    assert MAY.overlaps(other) is overlaps
    assert other.overlaps(MAY) is overlaps


def test_both_ends_belong_to_a_period() -> None:
    assert MAY.first in MAY
    assert date(2026, 5, 31) in MAY
    assert date(2026, 4, 30) not in MAY
    assert date(2026, 6, 1) not in MAY
    assert date(2100, 1, 1) in Period(date(2026, 5, 1))


def test_an_end_before_the_start_is_refused() -> None:
    with pytest.raises(Invalid, match=r"period\.reversed"):
        Period(date(2026, 5, 2), date(2026, 5, 1))


spans = st.builds(lambda first, length: Period(first, first + timedelta(days=length)), days, st.integers(0, 400))


@given(spans, spans)
def test_overlap_means_a_shared_day(one: Period, other: Period) -> None:
    assert one.last is not None
    shared = any(one.first + timedelta(days=n) in other for n in range((one.last - one.first).days + 1))
    assert one.overlaps(other) is shared


@given(days, st.integers(0, 800))
def test_whole_months_and_the_days_around_them_are_the_span(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    begin, end = months_within(first, last)
    assert first <= begin <= end <= last + timedelta(days=1)
    whole = {first + timedelta(days=n) for n in range(length + 1)}
    months = {day for day in whole if begin <= day < end}
    assert (begin.day, end.day) == (1, 1) or not months
    assert not any(month_of(day) <= whole for day in whole - months)


def month_of(day: date) -> set[date]:
    first = day.replace(day=1)
    return {first + timedelta(days=n) for n in range((add_months(first, 1) - first).days)}


def test_a_span_within_a_month_has_no_whole_months() -> None:
    assert months_within(date(2026, 3, 2), date(2026, 3, 31)) == (date(2026, 3, 2), date(2026, 3, 2))
    assert months_within(date(2026, 3, 1), date(2026, 3, 31)) == (date(2026, 3, 1), date(2026, 4, 1))
    assert months_within(date(2026, 2, 15), date(2026, 5, 1)) == (date(2026, 3, 1), date(2026, 5, 1))


def test_what_lasts_until_a_day_ends_the_day_before() -> None:
    assert day_before(date(2024, 3, 1)) == date(2024, 2, 29)
    assert day_before(None) is None
