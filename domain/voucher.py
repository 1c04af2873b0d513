"""Vouchers (记账凭证): what a batch paid as debits and credits, and what the bank returned, reversed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from typing import Any

from domain.money import Fen


class PayeeKind(StrEnum):
    """Whom a payment goes to; the economic classification depends on it."""

    PERSON = "person"
    ENTERPRISE = "enterprise"
    INSTITUTION = "institution"


class EntryKind(StrEnum):
    PAYMENT = "payment"
    RETURN = "return"  # 退票: the money came back, and the payment is reversed


class Side(StrEnum):
    DEBIT = "debit"
    CREDIT = "credit"


@dataclass(frozen=True)
class EconomicCode:
    """支出经济分类 of the government's budget and of the department's; `sample`: to be settled by the city."""

    government: str
    government_name: str
    department: str
    department_name: str
    sample: bool


@dataclass(frozen=True)
class Entry:
    """Something that happened to one payment, by its reference. It names nobody."""

    on: date
    kind: EntryKind
    reference: str
    payee: PayeeKind
    amount_fen: Fen


@dataclass(frozen=True)
class VoucherLine:
    """One side of an entry. `code` is None on the side of the bank account."""

    entry: Entry
    side: Side
    code: EconomicCode | None


def lines_of(entries: Iterable[Entry], codes: Mapping[PayeeKind, EconomicCode]) -> Iterator[VoucherLine]:
    """Two lines an entry, of its amount: a payment debits the expenditure and credits the account, a return the other
    way round. So debits and credits are equal after every entry, and the expenditure comes to what stayed paid."""
    for entry in entries:
        paid = entry.kind is EntryKind.PAYMENT
        yield VoucherLine(entry, Side.DEBIT, codes[entry.payee] if paid else None)
        yield VoucherLine(entry, Side.CREDIT, None if paid else codes[entry.payee])


def codes_of(rows: Iterable[Mapping[str, Any]], fund: str) -> dict[PayeeKind, EconomicCode]:
    """The codes of a fund by the kind of payee, from rows of `data/economic_codes.toml`: those that name the fund
    come before those that name none. ValueError where a kind has no code."""
    found: dict[PayeeKind, EconomicCode] = {}
    for row in sorted(rows, key=lambda each: "fund" in each):
        if row.get("fund", fund) == fund:
            told = {each.name: row[each.name] for each in fields(EconomicCode)}
            found[PayeeKind(row["payee"])] = EconomicCode(**told)
    if missing := set(PayeeKind) - found.keys():
        raise ValueError(f"no economic code for {sorted(missing)}")
    return found
