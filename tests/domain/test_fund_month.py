"""A month of a fund: whatever moved, the closing is the opening and what moved, and the next month begins there."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.fund import WAYS, Movement, Pot
from domain.fund_month import Moved, Statement, balance, month_after, parse_month

_M = Movement
MOVES = st.dictionaries(st.sampled_from(Movement), st.builds(Moved, st.integers(0, 10**13), st.integers(0, 10**6)))


@pytest.mark.parametrize(
    ("during", "closing"),
    [
        ({}, {"free": 70, "reserved": 20, "paid": 10}),
        ({_M.APPROPRIATE: 5}, {"free": 75, "reserved": 20, "paid": 10}),
        ({_M.LOWER: 5, _M.TRANSFER_OUT: 15}, {"free": 50, "reserved": 20, "paid": 10}),
        ({_M.RESERVE: 30, _M.SEND: 25, _M.PAY: 20}, {"free": 40, "reserved": 25, "in_flight": 5, "paid": 30}),
        ({_M.BOUNCE: 10, _M.RELEASE: 10}, {"free": 80, "reserved": 20}),
        ({_M.SET_ASIDE: 40, _M.DRAW: 10}, {"free": 40, "set_aside": 30, "reserved": 20, "paid": 10}),
    ],
)
def test_what_a_month_comes_to(during: dict[Movement, int], closing: dict[str, int]) -> None:
    before = {_M.APPROPRIATE: 100, _M.RESERVE: 30, _M.SEND: 10, _M.PAY: 10}
    month = Statement(*({kind: Moved(fen, 1) for kind, fen in each.items()} for each in (before, during)))
    assert month.opening == {"free": 70, "set_aside": 0, "reserved": 20, "in_flight": 0, "paid": 10}
    assert {pot: fen for pot, fen in month.closing.items() if fen} == closing


@given(MOVES, MOVES)
def test_balances_add_up_whatever_moved(before: dict[Movement, Moved], during: dict[Movement, Moved]) -> None:
    month = Statement(before, during)
    came = month.appropriated_fen + month.transferred_fen
    assert balance(month.opening) + came - month.paid_fen == balance(month.closing)
    # the next month begins where this one ended
    both = {kind: Moved(sum(each[kind].amount_fen for each in (before, during) if kind in each)) for kind in Movement}
    assert Statement(both, {}).opening == month.closing


def test_what_is_given_back_and_transferred_is_told_apart() -> None:
    moved = {_M.APPROPRIATE: Moved(100), _M.LOWER: Moved(30), _M.TRANSFER_IN: Moved(7), _M.TRANSFER_OUT: Moved(9)}
    month = Statement({}, moved)
    assert (month.appropriated_fen, month.transferred_fen) == (70, -2)
    paid = Statement({}, {_M.PAY: Moved(50), _M.BOUNCE: Moved(20), _M.RECOVER: Moved(5)})
    assert paid.paid_fen == 25
    assert {kind for kind, way in WAYS.items() if Pot.TREASURY in way} > {_M.TRANSFER_IN, _M.TRANSFER_OUT}


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-00", "2026-1", "26-01", "2026-01-01", "２０２６-01"])
def test_a_month_is_written_in_one_way(text: str) -> None:
    with pytest.raises(Invalid, match=r"month\.format"):
        parse_month(text)


def test_months_follow_each_other() -> None:
    assert month_after(parse_month("2026-11")) == date(2026, 12, 1)
    assert month_after(parse_month("2026-12")) == date(2027, 1, 1)
