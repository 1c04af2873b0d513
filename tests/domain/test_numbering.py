"""Numbers as they are printed, and as somebody types what they heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.numbering import CLAWBACKS, COMPLAINTS, OBJECTIONS
from domain.text import must_hold_no_personal_number


@pytest.mark.parametrize(
    "heard", ["TS0000001262", " ts 0000 0012 62", "ＴＳ００００００１２６２", "TS-00000012-62", "\tTs0000001262\n"]
)
def test_what_was_heard_is_found_however_it_is_typed(heard: str) -> None:
    assert COMPLAINTS.typed(heard) == 12


@pytest.mark.parametrize(
    "said",
    ["", "TS", "0000001262", "TS0000001263", "ZC0000001262", "TS00000012620", "TS0000001262，TS0000001359", "12"],
)
def test_what_is_no_number_of_this_kind_is_none(said: str) -> None:
    assert COMPLAINTS.typed(said) is None


@given(st.integers(1, 10**8 - 1))
def test_kinds_are_not_taken_for_each_other_nor_for_a_person(serial: int) -> None:
    for kind in (CLAWBACKS, COMPLAINTS, OBJECTIONS):
        assert kind.typed(kind.number(serial)) == serial
        assert [each for each in (CLAWBACKS, COMPLAINTS, OBJECTIONS) if each.typed(kind.number(serial))] == [kind]
        must_hold_no_personal_number(kind.number(serial), "note")
