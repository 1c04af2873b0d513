"""What a published table does not show, and that nobody gets it by subtraction."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.suppression import SHOWN_MIN, hidden

_SIZES = st.dictionaries(st.integers(0, 20), st.integers(0, 30))


@pytest.mark.parametrize(
    ("sizes", "few"),
    [
        ({}, ""),
        ({"A": 5, "B": 6}, ""),
        ({"A": 0, "B": 6}, ""),  # nothing is nobody
        ({"A": 4, "B": 6, "C": 30}, "AB"),  # else 4 is what is missing from the total
        ({"A": 1, "B": 1, "C": 30, "D": 9}, "ABD"),  # else each is one of two
        ({"A": 2, "B": 3, "C": 30}, "AB"),
        ({"A": 3, "B": 0}, "A"),  # there is nothing to hide it behind
    ],
)
def test_lines_that_are_hidden(sizes: dict[str, int], few: str) -> None:
    assert hidden(sizes) == set(few)


@given(_SIZES)
def test_what_is_missing_from_the_total_is_of_several_lines_and_persons(sizes: dict[int, int]) -> None:
    few = hidden(sizes)
    assert {key for key, size in sizes.items() if 0 < size < SHOWN_MIN} <= few
    shown = [size for key, size in sizes.items() if size and key not in few]
    if few and shown:
        assert len(few) >= 2
        assert sum(sizes.values()) - sum(shown) >= SHOWN_MIN


@given(_SIZES)
def test_no_more_is_hidden_than_must_be(sizes: dict[int, int]) -> None:
    few = hidden(sizes)
    large = [key for key in few if sizes[key] >= SHOWN_MIN]
    assert len(large) <= 1
    assert not large or all(sizes[key] >= sizes[large[0]] for key in sizes if sizes[key] and key not in few)
