"""What is owed after payment, and what a check by hand settles: the rules alone."""

from datetime import date
from uuid import uuid4

import pytest

from domain.account import needs_check
from domain.claim import ClaimStatus
from domain.clawback import Paid, check_answer, check_term_over, check_two_persons, owed_back, spread
from domain.errors import Conflict, Forbidden
from domain.manual_check import check_may_be_made, check_person, must_be_genuine, needs_second
from domain.verification import Outcome

FILED, TODAY = date(2026, 3, 1), date(2026, 3, 11)


@pytest.mark.parametrize(
    ("paid", "asked_back", "wanted", "more"),
    [(100, 0, None, 100), (100, 30, None, 70), (100, 30, 50, 50), (100, 80, 50, 20), (100, 100, None, 0)],
)
def test_no_more_is_owed_back_than_was_paid(paid: int, asked_back: int, wanted: int | None, more: int) -> None:
    assert owed_back(paid, asked_back, wanted) == more


def test_an_amount_is_answered_by_rule_and_as_it_was_shown() -> None:
    assert [check_answer(Paid(100), right, right) for right in (130, 100, 60)] == [30, 0, -40]
    for right, shown, code in ((None, 100, "amount_appeal.no_standard"), (130, 120, "amount_appeal.changed")):
        with pytest.raises(Conflict) as refused:
            check_answer(Paid(100), right, shown)
        assert refused.value.code == code


@pytest.mark.parametrize(
    ("paid", "right", "owed"),
    [
        (Paid(100, supplements_fen=30), 130, 0),
        (Paid(100, supplements_fen=30), 150, 20),
        (Paid(100, supplements_fen=30), 90, -40),
        (Paid(100, lowered_fen=40), 100, 40),
        (Paid(100, supplements_fen=30, lowered_fen=40), 90, 0),
        (Paid(100, supplements_fen=30, underway=True), 150, 20),
        (Paid(100, owed_back=True), 60, -40),
        (Paid(100, owed_back=True), 100, 0),
        (Paid(100, owed_back=True), 130, "supplement.owed_back"),
        (Paid(100, supplements_fen=30, underway=True), 120, "supplement.underway"),
    ],
)
def test_the_difference_is_to_what_counts_as_paid(paid: Paid, right: int, owed: int | str) -> None:
    if isinstance(owed, int):
        assert paid.difference(right) == owed
        return
    with pytest.raises(Conflict) as refused:
        paid.difference(right)
    assert refused.value.code == owed


@pytest.mark.parametrize(
    ("less", "left", "asked"),
    [
        (40, [("claim", 100), ("more", 30)], [("claim", 40)]),
        (110, [("claim", 100), ("more", 30)], [("claim", 100), ("more", 10)]),
        (140, [("claim", 100), ("more", 30)], [("claim", 100), ("more", 30)]),
        (20, [("claim", 0), ("more", 30)], [("more", 20)]),
        (20, [], []),
    ],
)
def test_too_much_is_asked_back_of_one_payment_after_the_other(
    less: int, left: list[tuple[str, int]], asked: list[tuple[str, int]]
) -> None:
    assert spread(less, left) == asked


def test_nothing_is_enforced_in_its_term() -> None:
    check_term_over(FILED, TODAY)
    with pytest.raises(Conflict, match=r"clawback\.not_over"):
        check_term_over(TODAY, TODAY)


def test_from_an_amount_on_a_new_account_is_checked_and_where_none_is_set_never() -> None:
    assert [needs_check(fen, 100) for fen in (99, 100, 101)] == [False, True, True]
    assert not needs_check(10**9, None)


def test_who_proposes_to_waive_does_not_decide() -> None:
    one, other = uuid4(), uuid4()
    check_two_persons(one, other)
    with pytest.raises(Forbidden, match=r"clawback\.same_person"):
        check_two_persons(one, one)


def test_above_an_amount_two_persons_check_and_where_none_is_set_always() -> None:
    assert [needs_second(fen, 100) for fen in (99, 100, 101)] == [False, True, True]
    assert needs_second(1, None)


@pytest.mark.parametrize(
    ("status", "after_days", "code"),
    [
        (ClaimStatus.IN_REVIEW, None, None),
        (ClaimStatus.FILED, 10, None),
        (ClaimStatus.FILED, 11, "manual_check.too_early"),
        (ClaimStatus.FILED, None, "wrong_status"),
        (ClaimStatus.APPROVED, 1, "wrong_status"),
    ],
)
def test_when_a_certificate_may_be_checked_by_hand(
    status: ClaimStatus, after_days: int | None, code: str | None
) -> None:
    if code is None:
        check_may_be_made(status, FILED, after_days, TODAY)
        return
    with pytest.raises(Conflict) as refused:
        check_may_be_made(status, FILED, after_days, TODAY)
    assert refused.value.code == code


def test_nobody_checks_their_own_claim_or_twice() -> None:
    claimant, first, second = uuid4(), uuid4(), uuid4()
    check_person(second, {claimant}, first)
    for person, code in ((claimant, "claim.own"), (first, "manual_check.same_person")):
        with pytest.raises(Forbidden) as refused:
            check_person(person, {claimant}, first)
        assert refused.value.code == code


def test_only_what_somebody_found_is_approved() -> None:
    must_be_genuine(Outcome.FOUND, by_hand=False)
    for said in (None, *Outcome):
        must_be_genuine(said, by_hand=True)
        if said is not Outcome.FOUND:
            with pytest.raises(Conflict, match=r"manual_check\.needed"):
                must_be_genuine(said, by_hand=False)
