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
import unicodedata
from collections.abc import Iterable, Iterator

from domain.batch import PaymentLine
from domain.errors import Invalid
from service.gateways.bank_files import BankFileHeader, ReturnFile, ReturnLine

PAY, RETURN = "ZHIDA-PAY-1", "ZHIDA-RETURN-1"

#: Far above any batch; a longer return is a mistake.
LINES_MAX = 200_000
CELL_LENGTH_MAX = 200

#: What a BIGINT holds.
_FEN_MAX = 2**63 - 1

_YUAN = re.compile(r"(0|[1-9][0-9]{0,16})\.([0-9]{2})")
_COUNT = re.compile(r"0|[1-9][0-9]{0,8}")
# Controls, zero-width and direction marks, surrogates, line and paragraph separators: never part of a name.
_NO_TEXT = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_Row = tuple[int, list[str]]


def write(header: BankFileHeader, lines: Iterable[PaymentLine]) -> bytes:
    """The payment file's bytes: the same header and lines, in whatever order, always give the same bytes.

    Raises Invalid with field `line N` (the N-th payment): `bank_file.text` (cell) for a cell that is empty, too long
    or holds control characters, `bank_file.amount`, `bank_file.reference_repeats`; with field `header`:
    `bank_file.text`, `bank_file.count_differs` and `bank_file.sum_differs` (stated, actual) when the lines are not
    what was signed.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    total = _yuan(header.sum_fen)
    for cell in ("file_id", "debit_account"):
        _must_be_text(cell, getattr(header, cell), "header")
    writer.writerow(
        ("H", PAY, header.file_id, header.released_on.isoformat(), header.debit_account, header.line_count, total)
    )
    count, sum_fen, before = 0, 0, ""
    for count, line in enumerate(sorted(lines, key=lambda each: each.reference), start=1):
        _check(line, before, f"line {count}")
        writer.writerow(
            ("D", count, line.reference, line.payee, line.account, line.bank_code, _yuan(line.amount_fen))
        )
        sum_fen += line.amount_fen
        before = line.reference
    _must_agree("bank_file", "header", (header.line_count, header.sum_fen), (count, sum_fen))
    writer.writerow(("T", header.file_id, count, total))
    return out.getvalue().encode()


def read_return(data: bytes, *, account: str | None = None) -> ReturnFile:
    """A return file that is whole and adds up, or nothing of it.

    With `account`, a return for another debit account is refused. Raises Invalid with the fields `file`, `header`,
    `line N` (N: the row in the file, from 1) or `trailer` and the codes `return.encoding`, `return.form` (not CSV,
    another bank's header, a row of another shape, control characters), `return.account`, `return.amount`,
    `return.truncated` (no trailer), `return.after_trailer`, `return.file_differs` (trailer of another file),
    `return.count_differs` and `return.sum_differs` (stated, actual), `return.too_long` (limit).
    """
    rows = _rows(data)
    file_id, named, *stated_first = _header(next(rows, None))
    if account is not None and named != account:
        raise Invalid("return.account", "header")
    lines, last = _lines(rows)
    if last[0] != file_id:
        raise Invalid("return.file_differs", "trailer")
    actual = len(lines), sum(line.amount_fen for line in lines)
    for field, (count, total) in (("header", stated_first), ("trailer", last[1:])):
        _must_agree("return", field, (_count(count, field), _fen(total, field)), actual)
    return ReturnFile(file_id, named, *actual, lines)


def _check(line: PaymentLine, before: str, field: str) -> None:
    for cell in ("reference", "payee", "account", "bank_code"):
        _must_be_text(cell, getattr(line, cell), field)
    if not 0 < line.amount_fen <= _FEN_MAX:
        raise Invalid("bank_file.amount", field, reference=line.reference)
    if line.reference == before:
        raise Invalid("bank_file.reference_repeats", field, reference=line.reference)


def _must_be_text(cell: str, text: str, field: str) -> None:
    if not text.strip() or not _is_text(text):
        raise Invalid("bank_file.text", field, cell=cell)


def _is_text(text: str) -> bool:
    if len(text) > CELL_LENGTH_MAX:
        return False
    # Printable covers nearly every cell, at once; private characters (rare surnames) are text but not printable.
    return text.isprintable() or not any(unicodedata.category(each) in _NO_TEXT for each in text)


def _must_agree(kind: str, field: str, stated: tuple[int, int], actual: tuple[int, int]) -> None:
    for what, said, found in zip(("count", "sum"), stated, actual, strict=True):
        if said != found:
            raise Invalid(f"{kind}.{what}_differs", field, stated=said, actual=found)


def _rows(data: bytes) -> Iterator[_Row]:
    """Each row with its number in the file, from 1."""
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline="")
    reader = csv.reader(text, strict=True)
    try:
        for at, cells in enumerate(reader, start=1):
            if not all(_is_text(cell) for cell in cells):
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
    amount_fen = _fen(amount, field)
    if amount_fen == 0:
        raise Invalid("return.amount", field)
    return ReturnLine(expected, reference, amount_fen, code, reason)


def _count(text: str, field: str) -> int:
    if not _COUNT.fullmatch(text):
        raise Invalid("return.form", field)
    return int(text)


def _fen(text: str, field: str) -> int:
    match = _YUAN.fullmatch(text)
    fen = int("".join(match.groups())) if match else _FEN_MAX + 1
    if fen > _FEN_MAX:
        raise Invalid("return.amount", field)
    return fen


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
