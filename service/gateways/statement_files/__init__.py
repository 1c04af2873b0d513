"""Statements of the accounts that pay, as banks give them. One module a form; all forms share the shapes here.

A statement is read whole or not at all: what is cut off, does not add up, or says a thing twice is refused with the
line that says so, and nothing of it is kept.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from domain.errors import Invalid
from domain.money import Fen
from domain.statement import Side, Span, check_sums

LINES_MAX = 200_000
TEXT_LENGTH_MAX = 200
#: What a BIGINT holds.
FEN_MAX = 2**63 - 1

_SEQUENCE = re.compile("[1-9][0-9]{0,8}", re.ASCII)
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One booking. `line_no` counts the statement's own lines from 1; `bank_key` is the bank's own name for it, which
    an account has once; `reference` is what we, or who paid in, gave the bank to carry; `text` other words."""

    line_no: int
    booked_on: date
    side: Side
    amount_fen: Fen
    bank_key: str
    reference: str
    counterparty: str = field(repr=False, default="")
    text: str = field(repr=False, default="")


@dataclass(frozen=True)
class StatementFile:
    """A statement that adds up."""

    account: str
    span: Span
    lines: Sequence[StatementLine] = field(repr=False)

    @property
    def credits_fen(self) -> Fen:
        return sum(line.amount_fen for line in self.lines if line.side is Side.CREDIT)

    @property
    def debits_fen(self) -> Fen:
        return sum(line.amount_fen for line in self.lines if line.side is Side.DEBIT)


def whole(account: str, span: Span, lines: Sequence[StatementLine]) -> StatementFile:
    """The statement, once it is found to add up. Invalid `statement.day_outside`, `statement.key_repeats` (field
    `line N`), and as `check_sums`."""
    file, seen = StatementFile(account, span, lines), set[str]()
    for line in lines:
        if not span.from_on <= line.booked_on <= span.to_on:
            raise Invalid("statement.day_outside", f"line {line.line_no}")
        if line.bank_key in seen:
            raise Invalid("statement.key_repeats", f"line {line.line_no}")
        seen.add(line.bank_key)
    check_sums(span, file.credits_fen, file.debits_fen)
    return file


def read_sequence(text: str, at: str) -> int:
    """Invalid `statement.form`."""
    if not _SEQUENCE.fullmatch(text):
        raise Invalid("statement.form", at)
    return int(text)


def read_day(text: str, at: str) -> date:
    """Of YYYY-MM-DD. Invalid `statement.form`."""
    try:
        return date.fromisoformat(text if _DAY.fullmatch(text) else "")
    except ValueError:
        raise Invalid("statement.form", at) from None


def read_fen(text: str, pattern: re.Pattern[str], at: str, *, least: Fen) -> Fen:
    """Fen of an amount in yuan that `pattern` takes apart (whole, decimals). Invalid `statement.amount`."""
    found = pattern.fullmatch(text)
    fen = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else -1
    if not least <= fen <= FEN_MAX:
        raise Invalid("statement.amount", at)
    return fen
