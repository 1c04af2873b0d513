"""Money counts fen; yuan exist only where people type and read them."""

import re
from typing import TypeAlias

from domain.errors import Invalid

#: Hundredths of a yuan. Every name that holds one ends in `_fen`.
Fen: TypeAlias = int

_YUAN = re.compile(r"(0|[1-9][0-9]{0,17})(?:\.([0-9]{1,2}))?")


def parse_yuan(text: object, *, cap_fen: Fen, field: str = "amount") -> Fen:
    """Fen of an amount typed in yuan: plain ASCII digits, at most two decimals, above zero, at most `cap_fen`.

    Nothing is guessed: no thousands separators, signs, exponents, blanks or full-width digits. Raises Invalid
    `money.not_text`, `money.format`, `money.not_positive` or `money.above_cap` (cap_fen).
    """
    if not isinstance(text, str):
        raise Invalid("money.not_text", field)
    match = _YUAN.fullmatch(text)
    if match is None:
        raise Invalid("money.format", field)
    yuan, decimals = match.groups(default="")
    fen = int(yuan) * 100 + int(decimals.ljust(2, "0"))
    if fen == 0:
        raise Invalid("money.not_positive", field)
    if fen > cap_fen:
        raise Invalid("money.above_cap", field, cap_fen=cap_fen)
    return fen


def fen_display(fen: Fen) -> str:
    """1,800.00: for finance columns that are headed （元）. The minus is U+2212."""
    yuan, rest = divmod(abs(fen), 100)
    return f"{'−' if fen < 0 else ''}{yuan:,}.{rest:02d}"


def format_yuan(fen: Fen) -> str:
    """1,800 元, or 1,800.50 元 where there are fen: for people."""
    return f"{fen_display(fen).removesuffix('.00')} 元"


_NUMERALS, _PLACES, _GROUPS = (
    "零壹贰叁肆伍陆柒捌玖",
    ("", "拾", "佰", "仟"),
    ("", "万", "亿", "万亿"),
)  # of four digits each


def formal_yuan(fen: Fen) -> str:
    """人民币捌拾肆万伍仟柒佰贰拾元整: an amount as it is written where it is signed.

    As 正确填写票据和结算凭证的基本规定 says, from nothing up to what four groups of four digits hold.
    """
    yuan, rest = divmod(fen, 100)
    whole = f"{_formal_whole(yuan)}元" if yuan else ""
    jiao, single = divmod(rest, 10)
    gap = "零" if whole and rest and (not jiao or yuan % 10 == 0) else ""
    parts = (f"{_NUMERALS[jiao]}角" if jiao else "") + (f"{_NUMERALS[single]}分" if single else "整")
    return f"人民币{whole or ('' if rest else '零元')}{gap}{parts}"


def _formal_whole(number: int) -> str:
    """Four digits at a time; what is missing between two digits is said once, as 零."""
    told, group = "", 0
    while number:
        number, four = divmod(number, 10_000)
        if four:
            gap = "零" if told and not told.startswith("零") and four % 10 == 0 else ""
            told = f"{_formal_four(four)}{_GROUPS[group]}{gap}{told}"
        elif told and not told.startswith("零"):
            told = f"零{told}"
        if number and four and four < 1_000:
            told = f"零{told}"
        group += 1
    return told


def _formal_four(four: int) -> str:
    digits = [four // 10**place % 10 for place in (3, 2, 1, 0)]
    told = ""
    for place, digit in zip((3, 2, 1, 0), digits, strict=True):
        if digit:
            told += f"{_NUMERALS[digit]}{_PLACES[place]}"
        elif told and not told.endswith("零"):
            told += "零"
    return told.rstrip("零")
