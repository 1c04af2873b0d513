"""The neutral bank file: CSV that any bank can be asked to read, and a person too.

UTF-8 without a byte order mark, rows end in CRLF, cells are quoted only where CSV needs it. Amounts are yuan with
exactly two decimals; this is the edge where fen become yuan. Rows of a payment file:

    H,ZHIDA-PAY-1,<file id>,<released on, YYYY-MM-DD>,<debit account>,<count>,<sum>
    D,<line number from 1>,<reference>,<payee>,<account>,<bank code>,<amount>       in order of reference
    T,<file id>,<count>,<sum>

and of a return file, which may say less or more than was sent:

    H,ZHIDA-RETURN-1,<file id>,<debit account>,<count>,<sum>
    R,<line number from 1>,<reference>,<amount>,<code>,<reason>
    T,<file id>,<count>,<sum>
"""

import csv
import io
import re
from collections.abc import Iterator

from domain.agent_bank import BankFormat
from domain.batch import PaymentLine
from domain.errors import Invalid
from service.gateways.bank_files.form import (
    LINES_MAX,
    BankFileHeader,
    ReturnFile,
    ReturnLine,
    are_texts,
    fen,
    must_agree,
    yuan,
)

FORMAT = BankFormat.NEUTRAL
EXTENSION, MEDIA_TYPE = "csv", "text/csv"
RETURN_MEDIA_TYPES: tuple[str, ...] = ("text/csv",)

PAY, RETURN = "ZHIDA-PAY-1", "ZHIDA-RETURN-1"

_COUNT = re.compile(r"0|[1-9][0-9]{0,8}")

_Row = tuple[int, list[str]]


class _Echo:
    """A file that only says what was written to it: `writerow` answers with it."""

    def write(self, text: str) -> str:
        return text


_row = csv.writer(_Echo(), lineterminator="\r\n").writerow


def head(header: BankFileHeader) -> bytes:
    day, total = header.released_on.isoformat(), yuan(header.sum_fen)
    return _bytes("H", PAY, header.file_id, day, header.debit_account, header.line_count, total)


def line(number: int, line: PaymentLine) -> bytes:
    return _bytes("D", number, line.reference, line.payee, line.account, line.bank_code, yuan(line.amount_fen))


def tail(header: BankFileHeader) -> bytes:
    return _bytes("T", header.file_id, header.line_count, yuan(header.sum_fen))


def carries(cell: str, text: str) -> bool:
    """UTF-8 in quotes holds every text."""
    return True


def recognises(data: bytes) -> bool:
    return data.startswith(f"H,{RETURN},".encode())


def _bytes(*cells: object) -> bytes:
    written: str = _row(cells)  # what `_Echo.write` answers
    return written.encode()


def read_return(data: bytes) -> ReturnFile:
    """A return file that is whole and adds up, or nothing of it.

    Raises Invalid with the fields `file`, `header`, `line N` (N: the row in the file, from 1) or `trailer` and the
    codes `return.encoding`, `return.form` (not CSV, another bank's header, a row of another shape, control
    characters), `return.amount`, `return.truncated` (no trailer), `return.after_trailer`, `return.file_differs`
    (trailer of another file), `return.count_differs` and `return.sum_differs` (stated, actual), `return.too_long`
    (limit).
    """
    rows = _rows(data)
    file_id, named, *stated_first = _header(next(rows, None))
    lines, last = _lines(rows)
    if last[0] != file_id:
        raise Invalid("return.file_differs", "trailer")
    actual = len(lines), sum(line.amount_fen for line in lines)
    for field, (count, total) in (("header", stated_first), ("trailer", last[1:])):
        must_agree("return", field, (_count(count, field), fen(total, field)), actual)
    return ReturnFile(FORMAT, file_id, named, *actual, lines)


def _rows(data: bytes) -> Iterator[_Row]:
    """Each row with its number in the file, from 1."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    reader = csv.reader(text, strict=True)
    try:
        for at, cells in enumerate(reader, start=1):
            if not are_texts(cells):
                raise Invalid("return.form", f"line {at}")
            yield at, cells
    except UnicodeDecodeError:
        raise Invalid("return.encoding", "file") from None
    except csv.Error:
        raise Invalid("return.form", f"line {reader.line_num}") from None


def _header(row: _Row | None) -> list[str]:
    """File id, account, count and sum as they stand there."""
    if row is None or len(row[1]) != 6 or row[1][:2] != ["H", RETURN] or not all(row[1]):
        raise Invalid("return.form", "header")
    return row[1][2:]


def _lines(rows: Iterator[_Row]) -> tuple[list[ReturnLine], list[str]]:
    """The lines, and the trailer's file id, count and sum as they stand there."""
    lines: list[ReturnLine] = []
    for at, cells in rows:
        if cells[:1] == ["T"]:
            after = next(rows, None)
            if after is not None:
                raise Invalid("return.after_trailer", f"line {after[0]}")
            if len(cells) != 4:
                raise Invalid("return.form", "trailer")
            return lines, cells[1:]
        if len(lines) == LINES_MAX:
            raise Invalid("return.too_long", f"line {at}", limit=LINES_MAX)
        lines.append(_line(at, cells, len(lines) + 1))
    raise Invalid("return.truncated", "trailer")


def _line(at: int, cells: list[str], expected: int) -> ReturnLine:
    field = f"line {at}"
    if len(cells) != 6 or cells[:2] != ["R", str(expected)]:
        raise Invalid("return.form", field)
    _, _, reference, amount, code, reason = cells
    amount_fen = fen(amount, field)
    if amount_fen == 0:
        raise Invalid("return.amount", field)
    return ReturnLine(expected, reference, amount_fen, code, reason)


def _count(text: str, field: str) -> int:
    if not _COUNT.fullmatch(text):
        raise Invalid("return.form", field)
    return int(text)
