"""Working days: the committed calendar against its source, and deadlines."""

import importlib.util
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.workday import WorkCalendar, Workday

DATA = Path(__file__).parents[2] / "data"


def _load(path: Path) -> WorkCalendar:
    with path.open(encoding="utf-8") as file:
        return WorkCalendar.from_csv(file)


CALENDAR = _load(DATA / "workdays.csv")


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_workdays", DATA / "make_workdays.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_calendar_is_what_its_script_writes() -> None:
    committed = (DATA / "workdays.csv").read_text(encoding="utf-8").splitlines()
    assert committed == ["day,kind", *(f"{day},{kind}" for day, kind in _generator().exceptions())]


def test_every_known_day_agrees_with_the_source() -> None:
    day, wrong = date(2004, 1, 1), []
    while day <= CALENDAR.known_until:
        if CALENDAR.is_workday(day) is not chinese_calendar.is_workday(day):
            wrong.append(day)
        day += timedelta(days=1)
    assert wrong == []


@pytest.mark.parametrize(
    ("day", "working_days", "on"),
    [
        (date(2025, 9, 26), 5, date(2025, 10, 10)),  # over the National Day week, with Sunday the 28th worked
        (date(2026, 3, 2), 5, date(2026, 3, 9)),
        (date(2026, 2, 13), 1, date(2026, 2, 14)),  # a Saturday that is worked
        (date(2026, 2, 14), 1, date(2026, 2, 24)),  # over the Spring Festival
        (date(2026, 2, 16), 0, date(2026, 2, 24)),
        (date(2026, 3, 2), 0, date(2026, 3, 2)),
    ],
)
def test_deadlines(day: date, working_days: int, on: date) -> None:
    assert CALENDAR.add(day, working_days) == Workday(on, provisional=False)


def test_past_the_known_years_only_weekends_and_marked_so() -> None:
    assert CALENDAR.known_until == date(2026, 12, 31)
    assert CALENDAR.add(date(2026, 12, 31), 1) == Workday(date(2027, 1, 1), provisional=True)
    assert CALENDAR.add(date(2027, 1, 1), 1) == Workday(date(2027, 1, 4), provisional=True)


starts = st.dates(date(2004, 1, 1), date(2030, 1, 1))


@settings(deadline=None)
@given(starts, st.integers(1, 60), st.integers(0, 60))
def test_more_days_never_end_earlier_and_add_up(day: date, some: int, more: int) -> None:
    first = CALENDAR.add(day, some)
    both = CALENDAR.add(day, some + more)
    assert first.on <= both.on
    assert CALENDAR.is_workday(first.on)
    assert CALENDAR.add(first.on, more) == both


@settings(deadline=None)
@given(starts, st.integers(0, 30), st.integers(1, 60))
def test_who_starts_later_never_ends_earlier(day: date, later: int, working_days: int) -> None:
    assert CALENDAR.add(day, working_days).on <= CALENDAR.add(day + timedelta(days=later), working_days).on


@settings(deadline=None)
@given(starts, st.integers(1, 60))
def test_exactly_so_many_days_are_worked_until_the_deadline(day: date, working_days: int) -> None:
    span = (CALENDAR.add(day, working_days).on - day).days
    assert sum(CALENDAR.is_workday(day + timedelta(days=n)) for n in range(1, span + 1)) == working_days


def test_deadlines_lie_ahead() -> None:
    with pytest.raises(ValueError, match="ahead"):
        CALENDAR.add(date(2026, 3, 2), -1)


@pytest.mark.parametrize("text", ["day,kind\n2026-01-01,holiday\n", "day,kind\n", "day,kind\n2026-02-30,off\n"])
def test_a_broken_calendar_is_not_used(text: str) -> None:
    with pytest.raises(ValueError, match=r"holiday|day is out of range"):
        WorkCalendar.from_csv(text.splitlines())
