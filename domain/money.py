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
