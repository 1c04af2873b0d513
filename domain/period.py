"""Days and spans of days. Both ends of a span belong to it, as people mean it."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import cast

from domain.errors import Invalid
from domain.faults import Faults

FIRST_YEAR, LAST_YEAR = 1900, 2100
_ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


def parse_date(text: object, field: str) -> date:
    """A day written 2026-03-02 and in no other way.

    Raises Invalid `date.not_text`, `date.format`, `date.no_such_day` or `date.out_of_range` (first, last year).
    """
    if not isinstance(text, str):
        raise Invalid("date.not_text", field)
    return _parsed(text, field)


@lru_cache(maxsize=4_096)  # a roster names the same few days in all of its lines
def _parsed(text: str, field: str) -> date:
    match = _ISO.fullmatch(text)
    if match is None:
        raise Invalid("date.format", field)
    year, month, day = (int(each) for each in match.groups())
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise Invalid("date.out_of_range", field, first=FIRST_YEAR, last=LAST_YEAR)
    try:
        return date(year, month, day)
    except ValueError:
        raise Invalid("date.no_such_day", field) from None


def add_months(day: date, months: int) -> date:
    """The same day `months` later, or that month's last day where it is shorter (29 February + 12 → 28)."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def day_before(day: date | None) -> date | None:
    """The last day of what lasts until `day`; None: without an end."""
    return None if day is None else day - timedelta(days=1)


def whole_months(since: date, day: date) -> int:
    """How many months have passed: the most that `add_months` can add to `since` without passing `day`."""
    months = (day.year - since.year) * 12 + day.month - since.month
    return months - (add_months(since, months) > day)


def months_within(first: date, last: date) -> tuple[date, date]:
    """The whole months from `first` to `last`, both included: where the first of them begins, and the month after the
    last one. `first` twice when there is none."""
    begin = first if first.day == 1 else add_months(first.replace(day=1), 1)
    end = (last + timedelta(days=1)).replace(day=1)
    return (begin, end) if begin < end else (first, first)


@dataclass(frozen=True)
class Period:
    """Days from `first` to `last`, both included; `last` None: without an end.

    Raises Invalid `period.reversed` (field `last`) when it would end before it begins.
    """

    first: date
    last: date | None = None

    def __post_init__(self) -> None:
        if self.last is not None and self.last < self.first:
            raise Invalid("period.reversed", "last", first=self.first, last=self.last)

    def __contains__(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)

    def overlaps(self, other: "Period") -> bool:
        """Whether they share a day: neighbours (one ends the day before the other begins) do not."""
        return not (self._ends_before(other) or other._ends_before(self))

    def _ends_before(self, other: "Period") -> bool:
        return self.last is not None and self.last < other.first


def read_period(first: object, last: object, faults: Faults, at: str = "") -> Period:
    """The days from `<at>from` to `<at>to`, without an end where `last` is None. What is wrong goes to `faults`, and
    the answer is then a None that only looks like a Period."""
    since = faults.read(parse_date, first, f"{at}from")
    until = None if last is None else faults.read(parse_date, last, f"{at}to")
    if since is not None and until is not None and until < since:
        faults.tell("period.reversed", f"{at}to", first=since.isoformat(), last=until.isoformat())
    complete = since is not None and (last is None or (until is not None and since <= until))
    return Period(since, until) if complete else cast(Period, None)
