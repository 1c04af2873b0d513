"""What a bank takes when, how many persons check a batch, and content hashed line by line."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.agent_bank import UNSAID, BankTerms
from domain.batch import CHECKS, BatchStatus, Hasher, PaymentLine, Step, content_of, steps_of
from domain.batch_checks import Beside, Checks, checks_of
from domain.errors import Invalid
from domain.policy import check_value
from service.policies.queries import work_calendar

TERMS = {**UNSAID.written(), "cut_off": "16:30", "opens": "09:00", "every_day": False}

JINAN = ZoneInfo("Asia/Shanghai")
TODAY, _S = date(2026, 6, 1), BatchStatus


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ("2026-09-30 08:59", "2026-09-30 09:00"),  # a Wednesday, before it opens
        ("2026-09-30 16:30", "2026-09-30 16:30"),
        ("2026-09-30 16:31", "2026-10-08 09:00"),  # seven days of holiday follow
        ("2026-10-10 10:00", "2026-10-10 10:00"),  # a Saturday that is worked
        ("2026-11-28 10:00", "2026-11-30 09:00"),
        ("2026-11-29 23:00", "2026-11-30 09:00"),
    ],
)
def test_a_bank_takes_files_until_its_cut_off_on_its_working_days(asked: str, taken: str) -> None:
    terms = BankTerms.read(TERMS)
    calendar = work_calendar()
    at, expected = (datetime.fromisoformat(each).replace(tzinfo=JINAN) for each in (asked, taken))
    assert terms.takes_from(at, calendar) == expected
    assert (
        BankTerms.read({**TERMS, "opens": "00:00", "every_day": True, "cut_off": "23:59"}).takes_from(at, calendar)
        == at
    )


def test_more_persons_check_what_is_larger() -> None:
    steps = {"two_from_fen": 100, "three_from_fen": 200}
    check_value("batch_check_steps", steps)
    found = [checks_of(steps, fen, [], TODAY) for fen in (1, 99, 100, 199, 200)]
    assert [(each.needed, each.from_fen) for each in found] == [(1, None), (1, None), (2, 100), (2, 100), (3, 200)]
    assert checks_of(None, 10**12, [], TODAY).needed == 1
    for wrong in (
        None,
        [1, 2],
        {},
        {**steps, "four_from_fen": 300},
        {**steps, "two_from_fen": 200},
        {**steps, "two_from_fen": True},
    ):
        with pytest.raises(Invalid, match=r"policy\.not_check_steps"):
            check_value("batch_check_steps", wrong)


_COUNTS_TODAY = {
    # status: signed before today, signed today, and one opening split over both
    _S.OPENED: (False, False, False),
    _S.FROZEN: (True, True, True),
    _S.SUBMITTED: (True, True, True),
    _S.CHECKED: (True, True, True),
    _S.RELEASED: (False, True, True),
    _S.SENT: (False, True, True),
    _S.SETTLED: (False, True, True),
    _S.NOT_RECEIVED: (False, False, False),
    _S.DISSOLVED: (False, False, False),
}


@pytest.mark.parametrize("status", BatchStatus)
def test_what_goes_out_together_counts_together(status: BatchStatus) -> None:
    days = ((TODAY - timedelta(days=1), False), (TODAY, False), (TODAY - timedelta(days=9), True))
    counts = tuple(Beside("N", status, 5, day, same_opening).counts(TODAY) for day, same_opening in days)
    assert counts == _COUNTS_TODAY[status]


def test_three_parts_need_what_the_whole_would() -> None:
    steps = {"two_from_fen": 20, "three_from_fen": 90}
    parts = [Beside(name, _S.FROZEN, 30, None, same_opening=False) for name in ("B", "A")]
    gone = Beside("C", _S.DISSOLVED, 1_000, TODAY, same_opening=True)
    found = checks_of(steps, 30, [*parts, gone], TODAY)
    assert found == Checks(3, 90, ("A", "B"), 90) == replace(checks_of(steps, 90, [], TODAY), beside=("A", "B"))


def test_every_check_is_another_signature() -> None:
    assert steps_of(3) == (Step.ASSEMBLE, *CHECKS, Step.RELEASE)
    assert set(steps_of(3)) == set(Step)


def test_lines_hashed_one_by_one_are_those_hashed_together() -> None:
    lines = [PaymentLine(f"R{place}", "某人", str(place), "1", place) for place in (1, 2, 3)]
    hasher = Hasher()
    for line in lines:
        hasher.add(line)
    assert hasher.content() == content_of(reversed(lines))
    with pytest.raises(ValueError, match="R1 comes before R3"):
        hasher.add(lines[0])
