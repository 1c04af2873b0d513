"""The neutral statement: CSV that any bank can be asked to write, and a person can read.

UTF-8 without a byte order mark. Amounts are yuan with exactly two decimals and no sign. Rows:

    H,ZHIDA-STATEMENT-1,<account>,<number>,<from, YYYY-MM-DD>,<to>,<opening balance>,<closing balance>,<count>
    L,<line number from 1>,<day>,<D|C>,<amount>,<bank's key>,<reference>,<counterparty>,<text>
    T,<account>,<number>,<count>

D leaves the account, C comes in. `reference` is our payment's, our file's id, the treasury's voucher, a clawback's
number, `CHARGE` for what the bank charges, or empty.
"""

import csv
import io
import re
from collections.abc import Iterator

from domain.errors import Invalid
from domain.statement import Side, Span
from domain.text import is_no_text
from service.gateways.statement_files import (
    LINES_MAX,
    TEXT_LENGTH_MAX,
    StatementFile,
    StatementLine,
    read_day,
    read_fen,
    read_sequence,
    whole,
)

VERSION = "ZHIDA-STATEMENT-1"

_YUAN = re.compile(r"(0|[1-9][0-9]{0,16})\.([0-9]{2})", re.ASCII)
_COUNT = re.compile("0|[1-9][0-9]{0,8}", re.ASCII)
_SIDES = {"D": Side.DEBIT, "C": Side.CREDIT}
_HEADER_CELLS = _LINE_CELLS = 9


def read(data: bytes) -> StatementFile:
    """The statement, or nothing of it.

    Invalid with the fields `file`, `header`, `line N` (of the file's own lines) or `trailer`: `statement.encoding`,
    `statement.form`, `statement.amount`, `statement.truncated`, `statement.after_trailer`, `statement.count_differs`
    (stated, actual), `statement.too_long` (limit), and as `whole`.
    """
    rows = _rows(data)
    header = next(rows, [])
    if len(header) != _HEADER_CELLS or header[:2] != ["H", VERSION] or not header[2].strip():
        raise Invalid("statement.form", "header")
    _, _, account, number, from_on, to_on, opening, closing, count = header
    span = Span(
        read_sequence(number, "header"),
        read_day(from_on, "header"),
        read_day(to_on, "header"),
        read_fen(opening, _YUAN, "header", least=0),
        read_fen(closing, _YUAN, "header", least=0),
    )
    lines: list[StatementLine] = []
    for cells in rows:
        if cells[:1] == ["T"]:
            _end(rows, cells, [account, number, count])
            break
        if len(lines) == LINES_MAX:
            raise Invalid("statement.too_long", f"line {len(lines) + 1}", limit=LINES_MAX)
        lines.append(_line(cells, len(lines) + 1))
    else:
        raise Invalid("statement.truncated", "trailer")
    if not _COUNT.fullmatch(count) or int(count) != len(lines):
        raise Invalid("statement.count_differs", "header", stated=count[:20], actual=len(lines))
    return whole(account, span, lines)


def _rows(data: bytes) -> Iterator[list[str]]:
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", newline=""), strict=True)
    at = 0
    try:
        for cells in reader:
            if any(len(cell) > TEXT_LENGTH_MAX or not _is_text(cell) for cell in cells):
                raise Invalid("statement.form", _field(at))
            yield cells
            at += 1
    except UnicodeDecodeError:
        raise Invalid("statement.encoding", "file") from None
    except csv.Error:
        raise Invalid("statement.form", _field(at)) from None


def _field(at: int) -> str:
    return f"line {at}" if at else "header"


def _is_text(cell: str) -> bool:
    return cell.isprintable() or not any(is_no_text(each) for each in cell)


def _line(cells: list[str], number: int) -> StatementLine:
    at = f"line {number}"
    if len(cells) != _LINE_CELLS or cells[:2] != ["L", str(number)] or cells[3] not in _SIDES or not cells[5].strip():
        raise Invalid("statement.form", at)
    _, _, day, side, amount, *words = cells
    return StatementLine(number, read_day(day, at), _SIDES[side], read_fen(amount, _YUAN, at, least=1), *words)


def _end(rows: Iterator[list[str]], cells: list[str], stated: list[str]) -> None:
    if cells[1:] != stated:
        raise Invalid("statement.form", "trailer")
    if next(rows, None) is not None:
        raise Invalid("statement.after_trailer", "trailer")
