"""Which approvals another person must look at again."""

from uuid import UUID, uuid4

import pytest

from domain.errors import Conflict
from domain.second_review import Approved, Sampling, Why, grounds, is_drawn, must_be_open

CLAIM = UUID("00000000-0000-0000-0000-000000000001")
SEED = bytes(32)


@pytest.mark.parametrize(
    ("approved", "sampling", "why"),
    [
        (Approved(CLAIM, 100), Sampling(), []),
        (Approved(CLAIM, 300_000), Sampling(), []),
        (Approved(CLAIM, 299_999), Sampling(0, 300_000), []),
        (Approved(CLAIM, 300_000), Sampling(0, 300_000), [Why.AMOUNT]),
        (Approved(CLAIM, 100, manual=True), Sampling(), [Why.MANUAL]),
        (Approved(CLAIM, 100, overturned=True), Sampling(), [Why.AGAIN]),
        (Approved(CLAIM, 100), Sampling(100), [Why.SAMPLE]),
        (Approved(CLAIM, 9, manual=True, overturned=True), Sampling(100, 9), [*Why]),
    ],
)
def test_why_another_person_looks_again(approved: Approved, sampling: Sampling, why: list[Why]) -> None:
    assert grounds(approved, sampling, SEED) == why


def test_a_draw_can_be_made_again_by_hand() -> None:
    """`printf '%094d01' 0 | xxd -r -p | sha256sum` says 86f77354…, and 0x86f77354 leaves 60 of 100."""
    assert [is_drawn(SEED, CLAIM, percent) for percent in (60, 61)] == [False, True]


def test_about_so_many_are_drawn_as_policy_says() -> None:
    drawn = sum(is_drawn(SEED, UUID(int=each), 5) for each in range(20_000))
    assert 900 < drawn < 1_100


def test_another_seed_draws_others() -> None:
    claims = [uuid4() for _ in range(200)]
    one, other = ({each for each in claims if is_drawn(seed, each, 20)} for seed in (SEED, b"x" * 32))
    assert one != other


def test_a_second_review_ends_once() -> None:
    must_be_open(None)
    with pytest.raises(Conflict) as refused:
        must_be_open("confirmed")
    assert refused.value.code == "second_review.over"
