"""Working days with 调休: the calendar is a value, loaded from `data/workdays.csv`."""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

_SATURDAY = 5
_A_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Workday:
    """A computed deadline; `provisional` when the State Council has not yet arranged that year's holidays."""

    on: date
    provisional: bool


@dataclass(frozen=True)
class WorkCalendar:
    """Weekends are off, except `extra_workdays`; other days are worked, except `days_off`.

    After `known_until` only weekends are known.
    """

    days_off: frozenset[date]
    extra_workdays: frozenset[date]
    known_until: date

    @classmethod
    def from_csv(cls, lines: Iterable[str]) -> Self:
        """From rows `day,kind` with kind `off` or `work`; known to the end of the last year that has a row.

        Raises ValueError, with the row, on any other kind or a file without rows.
        """
        by_kind: dict[str, set[date]] = {"off": set(), "work": set()}
        for row in csv.DictReader(lines):
            if row["kind"] not in by_kind:
                raise ValueError(f"kind must be off or work: {row}")
            by_kind[row["kind"]].add(date.fromisoformat(row["day"]))
        days = by_kind["off"] | by_kind["work"]
        if not days:
            raise ValueError("a calendar without a single holiday is no calendar")
        return cls(frozenset(by_kind["off"]), frozenset(by_kind["work"]), date(max(days).year, 12, 31))

    def is_workday(self, day: date) -> bool:
        if day.weekday() >= _SATURDAY:
            return day in self.extra_workdays
        return day not in self.days_off

    def left(self, today: date, last: date) -> int:
        """How many working days follow `today`, up to `last`."""
        return sum(self.is_workday(today + _A_DAY * each) for each in range(1, (last - today).days + 1))

    def over_since(self, today: date, working_days: int) -> date:
        """The latest day whose `working_days`-th working day lies before `today`: what was due since is late."""
        day = today
        while self.add(day, working_days).on >= today:
            day -= _A_DAY
        return day

    def passed(self, since: date, until: date) -> int:
        """How many working days lie after `since`, up to `until`; 0 when it was the same day, or earlier."""
        days = (since + _A_DAY * n for n in range(1, (until - since).days + 1))
        return sum(map(self.is_workday, days))

    def add(self, day: date, working_days: int) -> Workday:
        """The `working_days`-th working day after `day` (which itself never counts); 0 or more.

        With 0: `day` itself if it is worked, else the next working day.
        """
        if working_days < 0:
            raise ValueError("deadlines lie ahead")
        on, left = (day, working_days) if working_days else (day - _A_DAY, 1)
        while left:
            on += _A_DAY
            left -= self.is_workday(on)
        return Workday(on, provisional=on > self.known_until)
