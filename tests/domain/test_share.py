"""The headline share."""

from fractions import Fraction

import pytest

from domain.claim import Channel, ClaimStatus
from domain.share import is_counted, list_filed_under, percent_of, share_of


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
