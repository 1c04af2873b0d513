"""What mends a bounced payment, and from when on a silence of the bank is too long."""

from datetime import date

import pytest

from domain.batch import AttemptStatus
from domain.reconciliation import DECIDED_NOT_PAID, Remedy, remedy_for
from domain.workday import WorkCalendar


@pytest.mark.parametrize(
    ("failure", "remedy"),
    [
        ("failed:permanent", Remedy.NEW_ACCOUNT),
        ("returned", Remedy.NEW_ACCOUNT),
        ("failed:temporary", Remedy.TRY_AGAIN),
        (DECIDED_NOT_PAID, Remedy.TRY_AGAIN),
        ("", Remedy.NEW_ACCOUNT),
        ("failed:unknown", Remedy.NEW_ACCOUNT),
        ("failed:nonsense", Remedy.NEW_ACCOUNT),
    ],
)
def test_only_a_passing_failure_is_tried_again(failure: str, remedy: Remedy) -> None:
    assert remedy_for(failure) is remedy


def test_a_decision_is_no_code_of_the_bank() -> None:
    assert DECIDED_NOT_PAID not in {f"failed:{each}" for each in AttemptStatus}


CALENDAR = WorkCalendar(
    frozenset({date(2026, 10, 1), date(2026, 10, 2)}), frozenset({date(2026, 9, 27)}), date(2026, 12, 31)
)


@pytest.mark.parametrize(
    ("today", "days", "since"),
    [
        # Monday; the three working days after Tuesday end on Friday
        (date(2026, 9, 14), 3, date(2026, 9, 8)),
        # a Saturday: the day before was the third after Tuesday
        (date(2026, 9, 12), 3, date(2026, 9, 8)),
        (date(2026, 9, 12), 0, date(2026, 9, 11)),
        # over a holiday and a Sunday that is worked
        (date(2026, 10, 5), 2, date(2026, 9, 28)),
    ],
)
def test_late_since(today: date, days: int, since: date) -> None:
    assert CALENDAR.over_since(today, days) == since
    assert CALENDAR.add(since, days).on < today <= CALENDAR.add(date.fromordinal(since.toordinal() + 1), days).on
