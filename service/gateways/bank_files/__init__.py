"""Files that go to banks and come back. One module a form; all forms share the shapes here."""

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class BankFileHeader:
    """What a payment file says about itself. `debit_account` labels the account that pays; `sum_fen` in fen."""

    file_id: str
    released_on: date
    debit_account: str
    line_count: int
    sum_fen: int


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """What the bank says of one payment.

    `line_no` counts the return's own lines from 1. `code` is `done`, `failed:permanent`, `failed:temporary`,
    `failed:unknown`, `returned`, `unknown`, or whatever else the bank wrote. `reason` is the bank's own words.
    """

    line_no: int
    reference: str
    amount_fen: int
    code: str
    reason: str = field(repr=False)


@dataclass(frozen=True)
class ReturnFile:
    """A return file that adds up: `line_count` and `sum_fen` are both stated and true."""

    file_id: str
    account: str
    line_count: int
    sum_fen: int
    lines: list[ReturnLine] = field(repr=False)
