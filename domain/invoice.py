"""The invoice over a fee that somebody paid for their training."""

import string
from dataclasses import dataclass, field
from typing import Self

from domain.errors import Invalid
from domain.identity import PersonName
from domain.money import Fen
from domain.text import half_width, must_consist_of, trimmed

_CHARACTERS = string.ascii_uppercase + string.digits
#: 8 digits of the old paper invoices, 20 of the electronic ones (数电票), with a code of 10 or 12 before the old.
_LENGTH_MIN, _LENGTH_MAX = 8, 32
#: What no fee for a course lies outside of: an amount beyond was mistyped.
FEE_FEN_MIN, FEE_FEN_MAX = 100, 100_000_000


@dataclass(frozen=True)
class Invoice:
    """`number` upper case and half-width; `fee_fen` is what was paid; `payer` as printed, compared and not kept."""

    number: str
    fee_fen: Fen
    payer: PersonName = field(repr=False)

    @classmethod
    def parse(cls, number: object, fee_fen: int, payer: object) -> Self:
        """Invalid `invoice.not_text`, `invoice.empty`, `invoice.characters` (place), `invoice.length` (length),
        `invoice.amount` (least_fen, most_fen), or what `PersonName.parse` says; each names its field."""
        typed = half_width(trimmed(number, "invoice.number", "invoice")).upper()
        must_consist_of(typed, _CHARACTERS, "invoice.number", "invoice")
        if not _LENGTH_MIN <= len(typed) <= _LENGTH_MAX:
            raise Invalid("invoice.length", field="invoice.number", length=len(typed))
        if not FEE_FEN_MIN <= fee_fen <= FEE_FEN_MAX:
            raise Invalid("invoice.amount", field="invoice.amount_fen", least_fen=FEE_FEN_MIN, most_fen=FEE_FEN_MAX)
        return cls(typed, fee_fen, PersonName.parse(payer, field="invoice.payer"))
