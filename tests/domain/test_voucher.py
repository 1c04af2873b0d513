"""Vouchers: every entry is a debit and a credit of one amount, and what came back leaves no expenditure."""

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.voucher import EconomicCode, Entry, EntryKind, PayeeKind, Side, codes_of, lines_of

DATA = Path(__file__).parents[2] / "data"
CODES = {kind: EconomicCode(kind.value, "", "", "", sample=True) for kind in PayeeKind}
ENTRIES = st.lists(
    st.builds(
        Entry,
        st.just(date(2026, 3, 2)),
        st.sampled_from(EntryKind),
        st.text("A1", min_size=1, max_size=8),
        st.sampled_from(PayeeKind),
        st.integers(1, 10**12),
    )
)


@given(ENTRIES)
def test_debits_and_credits_are_equal_and_the_expenditure_is_what_stayed_paid(entries: list[Entry]) -> None:
    lines = list(lines_of(entries, CODES))
    debit, credit = (sum(each.entry.amount_fen for each in lines if each.side is side) for side in Side)
    assert debit == credit == sum(each.amount_fen for each in entries)
    signed = {Side.DEBIT: 1, Side.CREDIT: -1}
    spent = sum(signed[each.side] * each.entry.amount_fen for each in lines if each.code)
    stayed = {EntryKind.PAYMENT: 1, EntryKind.RETURN: -1}
    assert spent == sum(stayed[each.kind] * each.amount_fen for each in entries)
    assert all((one.code is None) != (other.code is None) for one, other in zip(lines[::2], lines[1::2], strict=True))


def test_the_published_file_has_a_code_for_every_fund_and_payee() -> None:
    rows = tomllib.loads((DATA / "economic_codes.toml").read_text("utf-8"))["code"]
    for fund in ("employment_subsidy", "unemployment_insurance", "special_account", "one of tomorrow"):
        codes = codes_of(rows, fund)
        assert set(codes) == set(PayeeKind)
        for code in codes.values():
            assert (len(code.government), len(code.department)) == (5, 5)
            assert (code.government[0], code.department[0]) == ("5", "3")
    # what names the fund comes before what does not, in whatever order they stand
    for order in (rows, rows[::-1]):
        assert codes_of(order, "unemployment_insurance")[PayeeKind.PERSON].government == "50901"
        assert codes_of(order, "employment_subsidy")[PayeeKind.PERSON].government == "50999"


def test_a_payee_without_a_code_is_not_accounted_for_by_guess() -> None:
    with pytest.raises(ValueError, match="institution"):
        codes_of([], "employment_subsidy")
