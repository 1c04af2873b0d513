"""Which month and year a board looks at, and how months are called."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.fund_month import month_after, parse_month
from domain.period import Period, add_months


@dataclass(frozen=True)
class Looked:
    """A month by its first day, up to `today` when it still runs."""

    month: date
    today: date

    @classmethod
    def at(cls, asked: str | None, filed: Sequence[date], today: date) -> "Looked":
        """The month that was asked for; else the latest whole month in which anything was filed, or the running one.

        Invalid `month.format` where it is no month.
        """
        if asked:
            return cls(parse_month(asked), today)
        running = today.replace(day=1)
        whole = [each for each in filed if each < running]
        return cls(whole[-1] if whole else running, today)

    @property
    def runs(self) -> bool:
        return self.month == self.today.replace(day=1)

    @property
    def name(self) -> str:
        """10 月; 11 月（到 26日） while it runs."""
        return f"{self.month.month} 月" + (f"（到 {self.today.day}日）" if self.runs else "")

    @property
    def days(self) -> Period:
        return Period(self.month, self.today if self.runs else last_of(self.month))

    @property
    def before(self) -> Period:
        """The whole month before."""
        first = add_months(self.month, -1)
        return Period(first, last_of(first))

    @property
    def year(self) -> Period:
        """From January to the end of the month, or to today."""
        return Period(self.month.replace(month=1), self.days.last)

    @property
    def year_before(self) -> Period:
        """The same days of the year before."""
        first, last = add_months(self.year.first, -12), self.year.last
        assert last is not None
        return Period(first, add_months(last, -12) if self.runs else last_of(add_months(self.month, -12)))

    @property
    def two_years(self) -> Period:
        """From January of the year before, which the trend shows."""
        return Period(self.year_before.first, self.days.last)


def last_of(month: date) -> date:
    return month_after(month) - timedelta(days=1)


def months_of(span: Period) -> list[date]:
    """The first day of each month that the span touches."""
    assert span.last is not None
    first, last = span.first.replace(day=1), span.last
    return [add_months(first, n) for n in range((last.year - first.year) * 12 + last.month - first.month + 1)]


def name_of_month(key: str) -> str:
    """2026年1月, of 2026-01."""
    return f"{key[:4]}年{int(key[5:])}月"
