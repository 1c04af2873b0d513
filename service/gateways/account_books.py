"""Books for accounting: CSV written piece by piece, and XLSX in which amounts are numbers that add up."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO, StringIO
from typing import TypeAlias

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
        return f"{Decimal(self.fen).scaleb(-2):.2f}"


Cell: TypeAlias = str | int | Amount
Cells: TypeAlias = Iterable[Sequence[Cell]]


def csv_piece(rows: Cells, *, first: bool = False) -> bytes:
    """A piece of a CSV in UTF-8; the first begins with the mark by which spreadsheets know it. Text is inert; an
    amount is a number and stays as it is."""
    piece = StringIO(newline="")
    csv.writer(piece).writerows(
        [with_mark(each) if isinstance(each, str) else str(each) for each in row] for row in rows
    )
    return ((_BOM if first else "") + piece.getvalue()).encode()


def account_book(sheets: Mapping[str, Cells], widths: Sequence[int] = ()) -> bytes:
    """A workbook with a sheet for each name, whose first row is its heading; what is text stays text. It holds no
    personal data, so XlsxWriter may keep rows in a temporary file while it writes."""
    stream = BytesIO()
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(stream, {"constant_memory": True, **plain}) as book:
        bold, yuan = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            for column, width in enumerate(widths):
                sheet.set_column(column, column, width)
            for line, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, Amount):
                        sheet.write_number(line, column, cell.fen / 100, yuan)
                    elif isinstance(cell, int):
                        sheet.write_number(line, column, cell)
                    elif cell:
                        sheet.write_string(line, column, cell, bold if line == 0 else None)
    return stream.getvalue()
