"""What names a person is found in any words; what only looks like it is not."""

import random
from uuid import UUID

import pytest

from domain.personal_number import CANDIDATE, RUN_OF_DIGITS, holds_personal_number

HELD = [
    "11010519491231002X",
    "身份证11010519491231002x号",
    "110105 19491231 002X",
    "１１０１０５１９４９１２３１００２Ｘ",
    "13800138000",
    "tel 138-0013-8000.",
    "+8613800138000",
    '{"phone": "13800138000"}',
    "6217000010000000011",
    "6217 0000 1000 0000 011",
    "4111-1111-1111-1111",
]
#: A check digit that is none, a day that is none, a number within another, and numbers of other things.
NOT_HELD = [
    "110105194912310021",
    "110105194913310024",
    "6217000010000000018",
    "138001380001",
    "12800138000",
    "S000037000001264000123",
    "u11010519491231002X",
    "V13800138000",
    "26372000000012345678",
    "0737011234512345",
    "102451000018",
    "91350100M000100Y43",
    "2026-11-26T01:25:09.123456+08:00",
    "120000",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "370102********123X",
]


@pytest.mark.parametrize("words", HELD)
def test_what_names_a_person_is_found(words: str) -> None:
    assert holds_personal_number(words)


@pytest.mark.parametrize("words", NOT_HELD)
def test_what_names_nobody_is_none(words: str) -> None:
    assert not holds_personal_number(words)


def test_no_uuid_is_a_number_however_many_digits_it_has() -> None:
    """Groups of digits alone, which one UUID in ten thousand has."""
    made = random.Random(14)
    for _ in range(20_000):
        uuid = str(UUID("".join(made.choice("0123456789") for _ in range(32))))
        assert not holds_personal_number(f"{uuid} {uuid},{uuid}"), uuid


def test_both_patterns_are_the_same_in_postgresql() -> None:
    """Only what both read alike: no group that captures, no class by letter."""
    for pattern in (CANDIDATE, RUN_OF_DIGITS):
        assert "\\" not in pattern
        assert pattern.count("(") == pattern.count("(?")
