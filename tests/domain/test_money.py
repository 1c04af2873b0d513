"""Fen: what is an amount, and how it reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.money import fen_display, format_yuan, parse_yuan

CAP_FEN = 1_000_000_00


@pytest.mark.parametrize(
    ("typed", "fen"),
    [("1800", 180000), ("1800.5", 180050), ("1800.50", 180050), ("0.01", 1), ("0.10", 10), ("1000000", CAP_FEN)],
)
def test_amounts(typed: str, fen: int) -> None:
    assert parse_yuan(typed, cap_fen=CAP_FEN) == fen


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("NaN", "money.format"),
        ("nan", "money.format"),
        ("Infinity", "money.format"),
        ("-Infinity", "money.format"),
        ("1e3", "money.format"),
        ("100.005", "money.format"),
        ("100.", "money.format"),
        (".5", "money.format"),
        ("-1", "money.format"),
        ("-0.00", "money.format"),
        ("+1", "money.format"),
        ("−1", "money.format"),
        ("1,000", "money.format"),
        ("1_000", "money.format"),
        ("1 000", "money.format"),
        ("007", "money.format"),
        ("0x10", "money.format"),
        ("１００", "money.format"),
        ("١٠٠", "money.format"),
        ("100元", "money.format"),
        ("¥100", "money.format"),
        ("100\n", "money.format"),
        (" 100", "money.format"),
        ("100\x00", "money.format"),
        ("", "money.format"),
        ("9" * 100_000, "money.format"),
        ("0", "money.not_positive"),
        ("0.00", "money.not_positive"),
        ("9223372036854775808", "money.format"),
        ("92233720368547758.08", "money.above_cap"),  # 2^63 fen
        ("1000000.01", "money.above_cap"),
        (True, "money.not_text"),
        (100, "money.not_text"),
        (100.5, "money.not_text"),
        (float("nan"), "money.not_text"),
        (2**63, "money.not_text"),
        (None, "money.not_text"),
    ],
)
def test_what_is_no_amount(typed: object, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        parse_yuan(typed, cap_fen=CAP_FEN, field="sum")
    assert (refused.value.code, refused.value.field) == (code, "sum")


@pytest.mark.parametrize(
    ("fen", "for_people", "in_columns"),
    [
        (180000, "1,800 元", "1,800.00"),
        (180050, "1,800.50 元", "1,800.50"),
        (84572000, "845,720 元", "845,720.00"),
        (1, "0.01 元", "0.01"),
        (0, "0 元", "0.00"),
        (10000000, "100,000 元", "100,000.00"),
        (-5, "−0.05 元", "−0.05"),
        (-180000, "−1,800 元", "−1,800.00"),
    ],
)
def test_how_amounts_read(fen: int, for_people: str, in_columns: str) -> None:
    assert (format_yuan(fen), fen_display(fen)) == (for_people, in_columns)


@given(st.integers(1, CAP_FEN))
def test_what_is_printed_is_what_is_counted(fen: int) -> None:
    assert parse_yuan(fen_display(fen).replace(",", ""), cap_fen=CAP_FEN) == fen
