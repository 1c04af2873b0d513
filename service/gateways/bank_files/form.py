"""What every form of bank file shares: the shapes, the checks on what is written, and the protocol of one form.

A form is a module of this package with the names of `Form`. It says how a header, a line and an end look, and reads
what the bank sends back; what may be in a cell, the order of lines, counts and sums are checked here for all of them.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from typing import Protocol

from domain.agent_bank import BankFormat
from domain.batch import PaymentLine
from domain.errors import Invalid

#: Far above any batch; a longer return is a mistake.
LINES_MAX = 200_000
CELL_LENGTH_MAX = 200
#: What a BIGINT holds.
FEN_MAX = 2**63 - 1

_PIECE = 1_000
_YUAN = re.compile(r"(?:0|[1-9][0-9]{0,16})\.[0-9]{2}")
# Controls, zero-width and direction marks, surrogates, line and paragraph separators: never part of a name.
_NO_TEXT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


@dataclass(frozen=True)
class BankFileHeader:
    """What a payment file says about itself. `debit_account` labels the account that pays, `bank` is who keeps it;
    `sum_fen` in fen."""

    file_id: str
    released_on: date
    debit_account: str
    line_count: int
    sum_fen: int
    bank: str = "代发银行"


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """What the bank says of one payment.

    `line_no` counts the return's own lines from 1. `code` is `done`, `failed:permanent`, `failed:temporary`,
    `failed:unknown`, `returned`, `unknown`, `pending`, or whatever else the bank wrote. `amount_fen` is 0 where the
    bank names none. `reason` is the bank's own words.
    """

    line_no: int
    reference: str
    amount_fen: int
    code: str
    reason: str = field(repr=False)


@dataclass(frozen=True)
class ReturnFile:
    """A return file that adds up: `line_count` and `sum_fen` are true, and were compared with what it states.

    `account` is None where the form names none. `whole`: a code that holds for every payment of the file at once, of
    a bank that names none of them (""; it names them). `paid_count` and `paid_sum_fen`: what the bank says that the
    payment file held, None where it does not say.
    """

    form: BankFormat
    file_id: str
    account: str | None
    line_count: int
    sum_fen: int
    lines: list[ReturnLine] = field(repr=False)
    whole: str = ""
    paid_count: int | None = None
    paid_sum_fen: int | None = None


class Form(Protocol):
    """One form of payment file and of its return. Bytes only: no clock, no database, no network."""

    FORMAT: BankFormat
    #: How a file's name ends, and its kind.
    EXTENSION: str
    MEDIA_TYPE: str
    #: The kinds in which its returns are handed in.
    RETURN_MEDIA_TYPES: tuple[str, ...]

    def head(self, header: BankFileHeader) -> bytes: ...
    def line(self, number: int, line: PaymentLine) -> bytes: ...
    def tail(self, header: BankFileHeader) -> bytes: ...

    def carries(self, cell: str, text: str) -> bool:
        """Whether `text` can stand in this cell (`debit_account`, `payee`, …) and be read back as it is."""

    def recognises(self, data: bytes) -> bool:
        """Whether `data` begins as a return of this form does."""

    def read_return(self, data: bytes) -> ReturnFile:
        """A return that is whole and adds up, or nothing of it. Invalid `return.…`, with `file`, `header`, `line N`
        or `trailer`."""


class Writer:
    """Writes one payment file piece by piece, so that it never lies in memory as lines.

    Every refusal is Invalid. Field `line N` (the N-th payment): `bank_file.text` (cell) for a cell that is empty, too
    long or holds control characters, `bank_file.not_carried` (cell) for one that this form cannot hold,
    `bank_file.amount`, `bank_file.reference_repeats`, `bank_file.out_of_order`. Field `header`: `bank_file.text`,
    `bank_file.not_carried`, `bank_file.count_differs` and `bank_file.sum_differs` (stated, actual) when the lines are
    not what was signed.
    """

    def __init__(self, form: Form, header: BankFileHeader) -> None:
        self._form, self._header = form, header
        self._count, self._sum_fen, self._last = 0, 0, ""
        for cell in ("file_id", "debit_account", "bank"):
            _must_be_carried(form, cell, getattr(header, cell), "header")

    def head(self) -> bytes:
        return self._form.head(self._header)

    def add(self, lines: Iterable[PaymentLine]) -> bytes:
        """The next lines, in order of reference over all calls."""
        pieces = []
        for line in lines:
            self._count += 1
            self._check(line)
            pieces.append(self._form.line(self._count, line))
        return b"".join(pieces)

    def tail(self) -> bytes:
        must_agree(
            "bank_file", "header", (self._header.line_count, self._header.sum_fen), (self._count, self._sum_fen)
        )
        return self._form.tail(self._header)

    def _check(self, line: PaymentLine) -> None:
        field = f"line {self._count}"
        for cell, text in (
            ("reference", line.reference),
            ("payee", line.payee),
            ("account", line.account),
            ("bank_code", line.bank_code),
        ):
            _must_be_carried(self._form, cell, text, field)
        if not 0 < line.amount_fen <= FEN_MAX:
            raise Invalid("bank_file.amount", field, reference=line.reference)
        if line.reference <= self._last:
            repeats = line.reference == self._last
            code = "bank_file.reference_repeats" if repeats else "bank_file.out_of_order"
            raise Invalid(code, field, reference=line.reference)
        self._sum_fen += line.amount_fen
        self._last = line.reference


def write(form: Form, header: BankFileHeader, lines: Iterable[PaymentLine]) -> Iterator[bytes]:
    """A payment file in pieces; refusals as `Writer` says, some of them only at the end."""
    writer, rest = Writer(form, header), iter(lines)
    yield writer.head()
    while part := list(islice(rest, _PIECE)):
        yield writer.add(part)
    yield writer.tail()


def holds(form: Form, cell: str, text: str) -> bool:
    """Whether a file of this form can have `text` in this cell; asked before anybody signs what cannot be written."""
    return bool(text.strip()) and is_text(text) and form.carries(cell, text)


def is_text(text: str) -> bool:
    """No control characters, and not too long."""
    if len(text) > CELL_LENGTH_MAX:
        return False
    # Printable covers nearly every cell, at once; private characters (rare surnames) are text but not printable.
    return text.isprintable() or not any(unicodedata.category(each) in _NO_TEXT for each in text)


def are_texts(cells: list[str]) -> bool:
    """`is_text` of every cell."""
    together = "".join(cells)
    return (len(together) <= CELL_LENGTH_MAX and together.isprintable()) or all(map(is_text, cells))


def must_agree(kind: str, field: str, stated: tuple[int, int], actual: tuple[int, int]) -> None:
    """Invalid `{kind}.count_differs` or `{kind}.sum_differs` unless (count, sum in fen) are the same."""
    for what, said, found in zip(("count", "sum"), stated, actual, strict=True):
        if said != found:
            raise Invalid(f"{kind}.{what}_differs", field, stated=said, actual=found)


def yuan(fen: int) -> str:
    """Yuan with exactly two decimals."""
    return f"{fen // 100}.{fen % 100:02d}"


def fen(text: str, field: str) -> int:
    """Fen of yuan as `yuan` writes them; Invalid `return.amount`."""
    found = int(text.replace(".", "")) if _YUAN.fullmatch(text) else FEN_MAX + 1
    if found > FEN_MAX:
        raise Invalid("return.amount", field)
    return found


def _must_be_carried(form: Form, cell: str, text: str, field: str) -> None:
    if not text.strip() or not is_text(text):
        raise Invalid("bank_file.text", field, cell=cell)
    if not form.carries(cell, text):
        raise Invalid("bank_file.not_carried", field, cell=cell)
