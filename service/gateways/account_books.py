"""Books for accounting: CSV written piece by piece, and XLSX in which amounts are numbers that add up."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from tempfile import TemporaryDirectory
from typing import IO, Self, TypeAlias

from xlsxwriter import Workbook

from domain.money import Fen
from service.gateways.sheet_files import with_mark

_BOM = "\ufeff"


@dataclass(frozen=True)
class Amount:
    """A cell in yuan with two decimals, kept in fen."""

    fen: Fen

    def __str__(self) -> str:
        """1800.00: for programs, without separators."""
        yuan, fen = divmod(abs(self.fen), 100)
        return f"{'-' if self.fen < 0 else ''}{yuan}.{fen:02d}"


Cell: TypeAlias = str | int | Amount
Cells: TypeAlias = Iterable[Sequence[Cell]]


def csv_piece(rows: Cells, *, first: bool = False) -> bytes:
    """A piece of a CSV in UTF-8; the first begins with the mark by which spreadsheets know it. Text is inert; an
    amount is a number and stays as it is."""
    piece = StringIO(newline="")
    csv.writer(piece).writerows([with_mark(each) if isinstance(each, str) else each for each in row] for row in rows)
    return ((_BOM if first else "") + piece.getvalue()).encode()


_PLAIN = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


class _Book:
    """A workbook, whose sheets each begin with their heading; what is text stays text."""

    def __init__(self, file: IO[bytes], widths: Sequence[int], kept_in: str | None = None) -> None:
        self._book, self._widths = Workbook(file, {**_PLAIN, "tmpdir": kept_in}), widths
        self._bold = self._book.add_format({"bold": True})
        self._yuan = self._book.add_format({"num_format": "#,##0.00"})

    def begin(self, name: str) -> None:
        self._sheet, self._line = self._book.add_worksheet(name), 0
        self._sheet.freeze_panes(1, 0)
        for column, width in enumerate(self._widths):
            self._sheet.set_column(column, column, width)

    def add(self, rows: Cells) -> None:
        for row in rows:
            for column, cell in enumerate(row):
                self._put(column, cell)
            self._line += 1

    def _put(self, column: int, cell: Cell) -> None:
        if isinstance(cell, Amount):
            self._sheet.write_number(self._line, column, cell.fen / 100, self._yuan)
        elif isinstance(cell, int):
            self._sheet.write_number(self._line, column, cell)
        elif cell:
            self._sheet.write_string(self._line, column, cell, None if self._line else self._bold)

    def close(self) -> None:
        self._book.close()


class AccountSheet:
    """A workbook of one sheet, written to `file` as its rows come and finished once: memory does not grow with them.
    It holds no personal data, so rows may lie in a temporary file meanwhile, which goes whatever happens."""

    def __init__(self, file: IO[bytes], name: str, widths: Sequence[int]) -> None:
        self._meanwhile = TemporaryDirectory(prefix="zhida-")
        self._book = _Book(file, widths, self._meanwhile.name)
        self._book.begin(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._meanwhile.cleanup()

    def add(self, rows: Cells) -> None:
        """The next rows, the heading first."""
        self._book.add(rows)

    def finish(self) -> None:
        """Write the file; nothing can be added any more."""
        self._book.close()


def account_book(sheets: Mapping[str, Cells], widths: Sequence[int] = ()) -> bytes:
    """A workbook with a sheet for each name, in memory; as `AccountSheet`."""
    stream = BytesIO()
    book = _Book(stream, widths)
    for name, rows in sheets.items():
        book.begin(name)
        book.add(rows)
    book.close()
    return stream.getvalue()
