"""Writes workdays.csv beside this file: every day that is not what its weekday says, for all years known.

`off` is a weekday without work, `work` a Saturday or Sunday that is worked (调休). The source is the package
chinesecalendar, which follows the State Council's yearly notice; run again after it learns a new year:

    python data/make_workdays.py
"""

import csv
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import chinese_calendar
from chinese_calendar.constants import holidays

SATURDAY = 5


def exceptions() -> Iterator[tuple[str, str]]:
    """(day, kind) in order."""
    day, last = date(min(holidays).year, 1, 1), date(max(holidays).year, 12, 31)
    while day <= last:
        worked = chinese_calendar.is_workday(day)
        if worked != (day.weekday() < SATURDAY):
            yield day.isoformat(), "work" if worked else "off"
        day += timedelta(days=1)


def main() -> None:
    with Path(__file__).with_name("workdays.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("day", "kind"))
        writer.writerows(exceptions())


if __name__ == "__main__":
    main()
