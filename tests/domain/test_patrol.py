"""A draw is what its seed and weights give, and gives each institution its share."""

import hashlib
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Conflict, Invalid
from domain.training import PatrolKind, draw, must_be_ahead, must_be_enough, must_have_begun

SEEDS = st.binary(min_size=32, max_size=32)
WEIGHTS = st.lists(st.integers(1, 100), max_size=60)


@given(SEEDS, WEIGHTS, st.integers(1, 70))
def test_the_same_seed_draws_the_same_and_nobody_twice(seed: bytes, weights: list[int], count: int) -> None:
    places = draw(seed, weights, count)
    assert places == draw(seed, weights, count)
    assert len(places) == len(set(places)) == min(count, len(weights))
    assert set(places) <= set(range(len(weights)))
    assert draw(seed, weights, max(count - 1, 0)) == places[: max(count - 1, 0)][: len(places)]


def test_a_draw_can_be_made_again_by_hand() -> None:
    """As `DrawView` tells the public: the point of each round on the line of those that are left."""
    seed, weights = bytes(range(32)), [3, 1, 2, 5]
    left, by_hand = [0, 1, 2, 3], []
    for turn in range(3):
        line = [place for place in left for _ in range(weights[place])]
        digest = hashlib.sha256(seed + bytes([0, 0, 0, turn])).hexdigest()
        by_hand.append(line[int(digest, 16) % len(line)])
        left.remove(by_hand[-1])
    assert draw(seed, weights, 3) == by_hand


def _first_drawn(weights: list[int], draws: int, count: int = 1) -> Counter[int]:
    seeds = (hashlib.sha256(str(n).encode()).digest() for n in range(draws))
    return Counter(place for seed in seeds for place in draw(seed, weights, count))


def test_twice_the_weight_is_twice_the_chance() -> None:
    """Of 12,000 draws one in eleven, two in eleven: within five standard deviations."""
    times = _first_drawn([1] * 9 + [2], 12_000)
    expected = 12_000 / 11
    assert all(abs(times[place] - expected) < 5 * 32 for place in range(9))
    assert abs(times[9] - 2 * expected) < 5 * 43


def test_everybody_can_be_drawn_and_no_place_is_preferred() -> None:
    times = _first_drawn([1] * 20, 4_000, count=5)
    assert all(abs(times[place] - 1_000) < 5 * 28 for place in range(20))


def test_days_hours_and_officers() -> None:
    today, now = date(2026, 3, 2), datetime(2026, 3, 2, 8, tzinfo=UTC)
    for days, ahead in ((-1, False), (0, True), (7, True), (8, False)):
        day = today + timedelta(days=days)
        if ahead:
            must_be_ahead(day, today)
        else:
            with pytest.raises(Invalid, match=r"patrol\.day"):
                must_be_ahead(day, today)
    must_have_begun(now, now)
    with pytest.raises(Conflict, match=r"patrol\.not_yet"):
        must_have_begun(now + timedelta(seconds=1), now)
    for kind, least in ((PatrolKind.ON_SITE, 2), (PatrolKind.LIVE_ONLINE, 1)):
        must_be_enough(kind, least)
        with pytest.raises(Conflict, match=r"patrol\.alone"):
            must_be_enough(kind, least - 1)
