"""How an institution stands on a day, against a day-by-day recomputation from its facts."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.institution import History, Sanction, Standing, Stop, left_on, standing_on, stopped_on
from domain.period import Period

FIRST = date(2024, 1, 1)
DAYS = st.integers(0, 120).map(lambda n: FIRST + timedelta(days=n))


@st.composite
def periods(draw: st.DrawFn, *, open_end: bool = True) -> Period:
    first = draw(DAYS)
    lasts = st.integers(0, 60).map(lambda n: first + timedelta(days=n))
    return Period(first, draw(st.none() | lasts if open_end else lasts))


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Listings never overlap, as in the database; exits and sanctions fall anywhere."""
    listings: list[Period] = []
    for each in draw(st.lists(periods(), max_size=4)):
        if not any(each.overlaps(other) for other in listings):
            listings.append(each)
    stops = st.frozensets(st.sampled_from(Stop), min_size=1)
    sanction = st.builds(Sanction, periods(), stops, st.none() | DAYS)
    return History(listings, draw(st.lists(DAYS, max_size=3)), draw(st.lists(sanction, max_size=3)))


def lived_through(history: History, until: date) -> tuple[Standing, frozenset[Stop]]:
    """Every day from the first to `until`, one after another, as a clerk with a calendar would keep it."""
    standing, day, listing = Standing.NEVER, FIRST, None
    while day <= until:
        begun = next((each for each in history.listings if each.first == day), None)
        if begun:
            standing, listing = Standing.LISTED, begun
        if standing is Standing.LISTED and listing and listing.last and day > listing.last:
            standing = Standing.EXPIRED
        if listing and day in history.exits:
            standing = Standing.EXITED
        day += timedelta(days=1)
    stops = set()
    for each in history.sanctions:
        held = until >= each.days.first and (each.days.last is None or until <= each.days.last)
        if held and not (each.lifted_on and until >= each.lifted_on):
            stops |= each.stops
    if standing is Standing.LISTED and stops:
        standing = Standing.SUSPENDED
    return standing, frozenset(stops)


@given(histories(), DAYS)
def test_standing_is_what_living_through_the_days_gives(history: History, day: date) -> None:
    found = standing_on(history, day)
    assert (found.standing, found.stops) == lived_through(history, day)


@pytest.mark.parametrize(
    ("stops", "may"),
    [
        (set(), set(Stop)),
        ({Stop.FILE_CLASSES}, set(Stop) - {Stop.FILE_CLASSES}),
        ({Stop.BE_LISTED}, set()),
    ],
)
def test_a_sanction_stops_exactly_what_it_names_on_exactly_its_days(stops: set[Stop], may: set[Stop]) -> None:
    days = Period(date(2024, 3, 1), date(2024, 3, 31))
    sanctions = [Sanction(days, frozenset(stops))] if stops else []
    history = History([Period(FIRST)], (), sanctions)
    on = {day: {each for each in Stop if standing_on(history, day).may(each)} for day in (days.first, days.last)}
    assert all(allowed == may for allowed in on.values())
    for day in (date(2024, 2, 29), date(2024, 4, 1)):
        assert {each for each in Stop if standing_on(history, day).may(each)} == set(Stop)


def test_an_exit_ends_the_listing_it_falls_into_and_a_later_one_brings_back() -> None:
    history = History([Period(FIRST, date(2024, 12, 31)), Period(date(2025, 3, 1))], [date(2024, 6, 1)])
    seen = [standing_on(history, day).standing for day in (date(2024, 5, 31), date(2024, 6, 1), date(2025, 1, 1))]
    assert seen == [Standing.LISTED, Standing.EXITED, Standing.EXITED]
    assert standing_on(history, date(2025, 3, 1)).may(Stop.FILE_CLASSES)


@given(histories(), st.sampled_from(Stop), DAYS)
def test_the_days_told_are_days_on_which_it_is_stopped(history: History, action: Stop, day: date) -> None:
    told = stopped_on(history, action, day)
    assert (told is not None) == (action in standing_on(history, day).stops)
    if told is None:
        return
    last = told.last or day + timedelta(days=400)
    assert told.first <= day <= last
    assert all(
        action in standing_on(history, told.first + timedelta(days=n)).stops for n in range((last - told.first).days)
    )
    assert action in standing_on(history, last).stops


def test_whoever_was_told_to_leave_has_left_until_it_is_listed_again() -> None:
    first, exit_on = date(2026, 1, 1), date(2026, 5, 1)
    never = History([], [exit_on], [])
    assert (left_on(never, date(2026, 4, 30)), left_on(never, exit_on)) == (None, exit_on)
    again = History([Period(first), Period(date(2026, 6, 1))], [exit_on], [])
    assert (left_on(again, date(2026, 5, 31)), left_on(again, date(2026, 6, 1))) == (exit_on, None)
