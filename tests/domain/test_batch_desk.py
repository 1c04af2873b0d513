"""What a bank takes when, how many persons check a batch, and content hashed line by line."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from domain.agent_bank import UNSAID, BankTerms
from domain.batch import CHECKS, Hasher, PaymentLine, Step, checks_needed, content_of, steps_of
from domain.errors import Invalid
from domain.policy import check_value
from service.policies.queries import work_calendar

TERMS = {**UNSAID.written(), "cut_off": "16:30", "opens": "09:00", "every_day": False}

JINAN = ZoneInfo("Asia/Shanghai")


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
    assert [checks_needed(steps, fen) for fen in (1, 99, 100, 199, 200)] == [1, 1, 2, 2, 3]
    assert checks_needed(None, 10**12) == 1
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
