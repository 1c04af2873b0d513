"""Statements follow each other and add up; every line is somebody's or a person's; a day comes to its figures."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.batch import AttemptStatus
from domain.clawback import ClawbackAction, clawback_number, repaying, serial_in
from domain.close import Figures, NotYet, figures_of, next_day
from domain.close import obstacle as not_yet
from domain.errors import Conflict, Invalid
from domain.reconciliation import VerdictKind
from domain.statement import (
    CHARGE,
    Block,
    Booked,
    Oddity,
    Owned,
    Owner,
    Payment,
    Side,
    Span,
    Total,
    check_sums,
    obstacle,
    own,
)

D, C = Side.DEBIT, Side.CREDIT
DAY = date(2026, 11, 2)
LAST = Span(7, DAY, DAY, 100, 80)


def after(**other: Any) -> Span:
    day = DAY + timedelta(1)
    follows: dict[str, Any] = {"sequence": 8, "from_on": day, "to_on": day, "opening_fen": 80, "closing_fen": 80}
    return Span(**{**follows, **other})


@pytest.mark.parametrize(
    ("new", "found"),
    [
        (after(), None),
        (after(from_on=DAY + timedelta(3), to_on=DAY + timedelta(3)), None),  # nothing was booked in between
        (after(sequence=9), Block.GAP),
        (after(sequence=7), Block.REPEATED_NUMBER),
        (after(sequence=1), Block.REPEATED_NUMBER),  # the year is the same
        (after(sequence=1, from_on=date(2027, 1, 1), to_on=date(2027, 1, 1)), None),
        (after(sequence=2, from_on=date(2027, 1, 1), to_on=date(2027, 1, 1)), Block.REPEATED_NUMBER),
        (after(from_on=DAY), Block.OVERLAP),
        (after(opening_fen=79), Block.OPENING_DIFFERS),
    ],
)
def test_only_what_follows_the_last_statement_is_taken(new: Span, found: Block | None) -> None:
    assert obstacle(LAST, new) is found


def test_an_accounts_first_statement_follows_nothing() -> None:
    assert obstacle(None, LAST) is None


def test_a_statement_adds_up_to_the_fen() -> None:
    check_sums(LAST, 30, 50)
    with pytest.raises(Invalid, match=r"statement\.sum_differs") as caught:
        check_sums(LAST, 30, 51)
    assert caught.value.facts == {"stated": 80, "actual": 79}
    with pytest.raises(Invalid, match=r"statement\.days"):
        check_sums(after(to_on=DAY), 0, 0)


def paying(status: AttemptStatus = AttemptStatus.DONE, **other: object) -> Payment:
    return Payment(status, 500, **other)  # type: ignore[arg-type]


FILE = Total(Owner.BATCH, (900, 700))


@pytest.mark.parametrize(
    ("line", "named", "owner", "oddity"),
    [
        (Booked(D, 500, "P"), paying(), Owner.PAYMENT, None),
        (Booked(D, 500, "P"), paying(AttemptStatus.SENT), Owner.PAYMENT, None),
        (Booked(D, 500, "P"), paying(AttemptStatus.UNKNOWN), Owner.PAYMENT, None),
        (Booked(D, 500, "P"), paying(AttemptStatus.RETURNED), Owner.PAYMENT, None),  # debited before it came back
        (Booked(D, 500, "P"), paying(AttemptStatus.FAILED), None, Oddity.CONTRADICTS),
        (Booked(D, 500, "P"), paying(AttemptStatus.PREPARED), None, Oddity.NOT_SENT),
        (Booked(D, 500, "P"), paying(counted=frozenset({D})), None, Oddity.COUNTED_TWICE),
        (Booked(D, 500, "P"), paying(same_account=False), None, Oddity.OTHER_ACCOUNT),
        (Booked(D, 501, "P"), paying(), None, Oddity.AMOUNT_DIFFERS),
        (Booked(C, 500, "P"), paying(), Owner.RETURN, None),
        (Booked(C, 500, "P"), paying(AttemptStatus.RETURNED), Owner.RETURN, None),  # the return file said it first
        (Booked(C, 500, "P"), paying(AttemptStatus.FAILED), None, Oddity.CONTRADICTS),
        (Booked(C, 500, "P"), paying(counted=frozenset({C})), None, Oddity.COUNTED_TWICE),
        (Booked(C, 500, "P"), paying(repaid=True), None, Oddity.REPAID_ALREADY),
        (Booked(D, 900, "F"), FILE, Owner.BATCH, None),
        (Booked(D, 700, "F"), FILE, Owner.BATCH, None),  # without what it could not pay
        (Booked(D, 800, "F"), FILE, None, Oddity.AMOUNT_DIFFERS),
        (Booked(C, 900, "F"), FILE, None, Oddity.CONTRADICTS),
        (Booked(C, 900, "V"), Total(Owner.TREASURY, (900,)), Owner.TREASURY, None),
        (Booked(D, 900, "V"), Total(Owner.TREASURY, (900,)), None, Oddity.CONTRADICTS),
        (Booked(C, 900, "V"), Total(Owner.TREASURY, (900,), counted=True), None, Oddity.COUNTED_TWICE),
        (Booked(C, 5, "", clawback=True), None, Owner.REPAYMENT, None),
        (Booked(D, 5, "", clawback=True), None, None, Oddity.UNKNOWN_REFERENCE),
        (Booked(C, 5, "X"), None, None, Oddity.UNKNOWN_REFERENCE),
        (Booked(D, 5, CHARGE), None, Owner.CHARGE, None),
        (Booked(C, 5, CHARGE), None, None, Oddity.UNKNOWN_REFERENCE),
    ],
)
def test_every_line_is_owned_or_a_persons(
    line: Booked, named: Payment | Total | None, owner: Owner | None, oddity: Oddity | None
) -> None:
    found = own(line, named)
    assert (found.owner, found.oddity) == (owner, oddity)


def test_what_differs_is_told_with_both_figures() -> None:
    assert own(Booked(D, 501, "P"), paying()) == Owned(oddity=Oddity.AMOUNT_DIFFERS, expected_fen=500)
    assert own(Booked(D, 800, "F"), FILE).expected_fen == 900


@given(st.sampled_from(AttemptStatus), st.sampled_from(Side), st.booleans(), st.sampled_from([499, 500]))
def test_a_line_never_raises_and_moves_only_what_it_owns(
    status: AttemptStatus, side: Side, repaid: bool, fen: int
) -> None:
    found = own(Booked(side, fen, "P"), paying(status, repaid=repaid))
    assert (found.owner is None) != (found.oddity is None)
    assert found.verdict is None or found.verdict.kind is not VerdictKind.EXCEPTION


def test_a_clawbacks_number_is_found_in_what_people_write() -> None:
    number = clawback_number(12)
    assert number == "ZC0000001262"
    assert serial_in(f"退款 {number} 张三", "") == 12
    assert serial_in(number, f"{number}，谢谢") == 12
    assert serial_in("ZC0000001263") is None  # a slip of the pen
    assert serial_in(f"1{number}") is serial_in(f"{number}0") is None
    assert serial_in(number, clawback_number(13)) is None  # of which of the two?


@given(st.integers(1, 10**8 - 1), st.integers(2, 9), st.integers(0, 9))
def test_one_wrong_digit_makes_no_other_number(serial: int, place: int, digit: int) -> None:
    number = clawback_number(serial)
    wrong = f"{number[:place]}{digit}{number[place + 1 :]}"
    assert serial_in(wrong) == (serial if wrong == number else None)


def test_a_clawback_is_repaid_in_parts_and_never_over() -> None:
    assert repaying(100, 0, 40) is ClawbackAction.REPAY_PART
    assert repaying(100, 40, 60) is ClawbackAction.REPAY
    with pytest.raises(Conflict, match=r"clawback\.overpaid") as caught:
        repaying(100, 40, 61)
    assert caught.value.facts == {"left_fen": 60}


@given(
    st.integers(0, 10**12),
    st.lists(st.tuples(st.sampled_from([*Owner, None]), st.sampled_from(Side), st.integers(1, 10**9))),
)
def test_a_days_figures_come_to_what_its_lines_do(opening: int, lines: list[tuple[Owner | None, Side, int]]) -> None:
    came = {Owner.TREASURY, Owner.RETURN, Owner.REPAYMENT}
    real = [(o, (C if o in came else D) if o else side, fen) for o, side, fen in lines]
    closing = opening + sum(fen if side is C else -fen for _, side, fen in real)
    assert figures_of(opening, real).closing_fen == closing


def test_days_are_closed_in_order_once_they_are_over_and_known() -> None:
    assert next_day(DAY, None) == DAY
    assert next_day(DAY, DAY) == DAY + timedelta(1)
    assert not_yet(DAY, DAY, DAY, 0) is NotYet.DAY_NOT_OVER
    later = DAY + timedelta(1)
    assert not_yet(DAY, later, DAY - timedelta(1), 0) is NotYet.NO_STATEMENT
    assert not_yet(DAY, later, DAY, 1) is NotYet.LINES_OPEN
    assert not_yet(DAY, later, DAY, 0) is None
    assert Figures(5).closing_fen == 5
