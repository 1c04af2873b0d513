"""Fen: what is an amount, and how it reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.money import fen_display, formal_yuan, format_yuan, parse_yuan

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


@pytest.mark.parametrize(
    ("fen", "written"),
    [
        (0, "零元整"),
        (1, "壹分"),
        (105, "壹元零伍分"),
        (140_950, "壹仟肆佰零玖元伍角整"),
        (600_714, "陆仟零柒元壹角肆分"),
        (168_032, "壹仟陆佰捌拾元零叁角贰分"),
        (10_700_053, "壹拾万零柒仟元零伍角叁分"),
        (84_572_000, "捌拾肆万伍仟柒佰贰拾元整"),
        (10_001_000_000, "壹亿零壹万元整"),
        (100_000_010_000, "壹拾亿零壹佰元整"),
    ],
)
def test_an_amount_as_it_is_written_where_it_is_signed(fen: int, written: str) -> None:
    assert formal_yuan(fen) == f"人民币{written}"


_DIGITS = {character: digit for digit, character in enumerate("零壹贰叁肆伍陆柒捌玖")}
_UNITS = {"拾": 10, "佰": 100, "仟": 1_000}


@given(st.integers(1, 10**13))
def test_it_reads_back_as_the_same_amount(fen: int) -> None:
    whole, _, rest = formal_yuan(fen).removeprefix("人民币").rpartition("元")
    total = section = digit = 0
    for character in whole:
        if character in _DIGITS:
            digit = _DIGITS[character]
        elif character in _UNITS:
            section, digit = section + digit * _UNITS[character], 0
        else:
            total, section, digit = total + (section + digit) * {"万": 10**4, "亿": 10**8}[character], 0, 0
    read = (total + section + digit) * 100
    for unit, each in (("角", 10), ("分", 1)):
        before = rest.partition(unit)[0] if unit in rest else ""
        read += _DIGITS[before[-1]] * each if before else 0
    assert read == fen
