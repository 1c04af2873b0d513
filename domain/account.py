"""A bank account of a person or an organisation, as far as its digits can be judged."""

from dataclasses import dataclass
from typing import Self

from stdnum import luhn
from stdnum.iso7064 import mod_11_10

from domain.errors import Invalid
from domain.faults import Faults
from domain.identity import PersonName
from domain.remark import Remark
from domain.text import half_width, must_consist_of, plain_words, trimmed

_DIGITS = "0123456789"
_CARD_LENGTHS = range(16, 20)
_CORPORATE_LENGTHS = range(8, 33)
_BANK_CODE_LENGTH = 12


@dataclass(frozen=True, repr=False)
class BankAccount:
    """A personal card (16 to 19 digits) at the bank with CNAPS code `bank_code` (12 digits)."""

    number: str
    holder: PersonName
    bank_code: str

    @classmethod
    def parse(cls, number: object, holder: object, bank_code: object, field_prefix: str = "account") -> Self:
        """Blanks and hyphens between groups of digits are dropped. Fields are named `<field_prefix>.number`,
        `.holder` and `.bank_code`.

        Raises Invalid `account.…` and `bank_code.…` with `not_text`, `empty`, `characters` (place) or `length`
        (length), and what PersonName raises for the holder.
        """
        card = _digits(number, f"{field_prefix}.number", "account")
        if len(card) not in _CARD_LENGTHS:
            raise Invalid("account.length", f"{field_prefix}.number", length=len(card))
        bank = _bank_code(bank_code, f"{field_prefix}.bank_code")
        return cls(card, PersonName.parse(holder, field=f"{field_prefix}.holder"), bank)

    @property
    def warnings(self) -> tuple[Remark, ...]:
        """`account.luhn`, `bank_code.check_digit`: likely mistyped, but banks have issued such numbers."""
        found = []
        if not luhn.is_valid(self.number):
            found.append(Remark("account.luhn"))
        if not mod_11_10.is_valid(self.bank_code):
            found.append(Remark("bank_code.check_digit"))
        return tuple(found)

    @property
    def tail(self) -> str:
        return card_tail(self.number)

    def __repr__(self) -> str:
        return f"BankAccount({self.tail}, {self.holder!r})"


@dataclass(frozen=True, repr=False)
class CorporateAccount:
    """An organisation's account: up to 32 digits, which have no check digit in common."""

    number: str
    holder: str
    bank_code: str

    @classmethod
    def parse(cls, number: object, holder: object, bank_code: object, faults: Faults) -> Self:
        """What is wrong is added to `faults`, in fields `number`, `holder` and `bank_code`: `account.…` and
        `bank_code.…` as for a card, `account.corporate_length` (length), and what `plain_words` finds."""
        return cls(
            faults.read(_corporate_number, number),
            faults.read(plain_words, holder, "holder"),
            faults.read(_bank_code, bank_code, "bank_code"),
        )

    @property
    def tail(self) -> str:
        return self.number[-4:]

    def __repr__(self) -> str:
        return f"CorporateAccount({card_tail(self.number)})"


def card_tail(number: str) -> str:
    """尾号 8812"""
    return f"尾号 {number[-4:]}"


def _digits(value: object, field: str, noun: str) -> str:
    typed = half_width(trimmed(value, field, noun)).translate({0x20: None, 0xA0: None, 0x2D: None})
    must_consist_of(typed, _DIGITS, field, noun)
    return typed


def _corporate_number(value: object) -> str:
    number = _digits(value, "number", "account")
    if len(number) not in _CORPORATE_LENGTHS:
        raise Invalid("account.corporate_length", "number", length=len(number))
    return number


def _bank_code(value: object, field: str) -> str:
    bank = _digits(value, field, "bank_code")
    if len(bank) != _BANK_CODE_LENGTH:
        raise Invalid("bank_code.length", field, length=len(bank))
    return bank


def needs_check(amount_fen: int, from_fen: int | None) -> bool:
    """Whether another person confirms another account for a payment of so much; `from_fen` None: nobody has to
    (parameter `new_account_check_fen`)."""
    return from_fen is not None and amount_fen >= from_fen
