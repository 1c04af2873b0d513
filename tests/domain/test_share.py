"""The headline share."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.claim import Channel, ClaimStatus
from domain.share import (
    Filed,
    in_hundredths,
    is_counted,
    list_filed_under,
    percent_of,
    points_of,
    share_of,
    why_it_moved,
)


@pytest.mark.parametrize(
    ("by_channel", "share", "reads"),
    [
        ({Channel.INDIVIDUAL: 3, Channel.INSTITUTION: 5, Channel.ENTERPRISE: 2}, Fraction(3, 10), "30.0%"),
        ({Channel.INDIVIDUAL: 437, Channel.INSTITUTION: 563}, Fraction(437, 1000), "43.7%"),
        ({Channel.INDIVIDUAL: 1, Channel.INSTITUTION: 15}, Fraction(1, 16), "6.3%"),  # 6.25: half goes up
        ({Channel.INDIVIDUAL: 2, Channel.INSTITUTION: 1}, Fraction(2, 3), "66.7%"),
        ({Channel.INDIVIDUAL: 4}, Fraction(1), "100.0%"),
        ({Channel.INSTITUTION: 4}, Fraction(0), "0.0%"),
        ({Channel.INDIVIDUAL: 0, Channel.INSTITUTION: 0}, None, "—"),
        ({}, None, "—"),
    ],
)
def test_share(by_channel: dict[Channel, int], share: Fraction | None, reads: str) -> None:
    assert share_of(by_channel) == share
    assert percent_of(share) == reads


def test_only_withdrawn_claims_are_not_counted() -> None:
    assert [status for status in ClaimStatus if not is_counted(status)] == [ClaimStatus.WITHDRAWN]


@pytest.mark.parametrize(
    ("kinds", "chosen"),
    [
        (["general", "manufacturing", "shortage"], "shortage"),
        (["general", "manufacturing"], "manufacturing"),
        (["general"], "general"),
        (["special", "general"], "general"),
        (["project"], "project"),
    ],
)
def test_the_list_when_nobody_chooses(kinds: list[str], chosen: str) -> None:
    assert list_filed_under(kinds) == chosen
    assert list_filed_under(reversed(kinds)) == chosen


def test_an_item_stands_in_some_list() -> None:
    with pytest.raises(ValueError, match="empty"):
        list_filed_under([])


# ---- why it moved

_FILED = st.builds(lambda own, more: Filed(own, own + more), st.integers(0, 10**12), st.integers(0, 10**12))
_PARTS = st.dictionaries(st.sampled_from("ABCDEFGH"), _FILED)


@given(before=_PARTS, now=_PARTS)
def test_the_parts_of_a_change_add_up_to_it_exactly(before: dict[str, Filed], now: dict[str, Filed]) -> None:
    then, since = (sum(each.values(), Filed()).share for each in (before, now))
    parts = why_it_moved(before, now)
    if then is None or since is None:
        assert parts == {}
    else:
        assert sum(parts.values()) == since - then
        assert parts.keys() == before.keys() | now.keys()
        assert sum(in_hundredths(parts).values()) == ((since - then) * 10_000 + Fraction(1, 2)) // 1


@given(st.dictionaries(st.integers(), st.fractions(-1, 1, max_denominator=10_000)))
def test_no_part_is_printed_a_hundredth_off(parts: dict[int, Fraction]) -> None:
    printed = in_hundredths(parts)
    assert all(abs(printed[key] - part * 10_000) <= 1 for key, part in parts.items())


def test_a_part_adds_by_its_own_share_and_by_its_size() -> None:
    """B files as before; A doubles what it files, at a share above the whole's: that is A's doing alone."""
    parts = why_it_moved({"A": Filed(60, 100), "B": Filed(20, 100)}, {"A": Filed(120, 200), "B": Filed(20, 100)})
    # 140 of 300 instead of 80 of 200: 46.67 - 40
    assert parts == {"A": Fraction(40, 300) - Fraction(20, 200), "B": Fraction(-20, 300) + Fraction(20, 200)}
    assert in_hundredths(parts) == {"A": 334, "B": 333}


@pytest.mark.parametrize(
    ("change", "reads"),
    [
        (Fraction(4, 1000), "+0.4"),
        (Fraction(-4, 1000), "−0.4"),
        (Fraction(-5, 10_000), "−0.1"),  # half goes away from zero
        (Fraction(4, 10_000), "0.0"),
        (Fraction(-4, 10_000), "0.0"),
        (Fraction(1), "+100.0"),
        (None, "—"),
    ],
)
def test_a_change_is_read_in_points(change: Fraction | None, reads: str) -> None:
    assert points_of(change) == reads
