"""Tables of figures: read on a page, and streamed as a file with the same numbers as programs want them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

from litestar.response import Stream

from domain.money import fen_display
from domain.share import percent_of
from service.gateways.account_books import Amount, csv_piece
from service.gateways.sheet_files import CSV_TYPE
from service.web import private_file

_LINES_A_PIECE = 500


@dataclass(frozen=True)
class Share:
    """A share of one: 43.7% to read, 0.4370 in a file; None: there is nothing to take a share of."""

    of: Fraction | None

    def __str__(self) -> str:
        return percent_of(self.of)


Cell: TypeAlias = str | int | Amount | Share


@dataclass(frozen=True)
class Line:
    """A line by its name; `href` leads further into it."""

    name: str
    cells: tuple[Cell, ...]
    href: str = ""

    def shown(self) -> list[str]:
        return [_shown(each) for each in self.cells]


@dataclass(frozen=True)
class Table:
    """`heading` has the name's column first; money is in yuan, which the heading says. `note`: what is to be known of
    these figures beside their definition."""

    heading: Sequence[str]
    lines: Sequence[Line] = field(default_factory=list)
    total: Line | None = None
    note: str = ""

    @property
    def every_line(self) -> list[Line]:
        return [*self.lines, *([self.total] if self.total else [])]


def _shown(cell: Cell) -> str:
    match cell:
        case Amount():
            return fen_display(cell.fen)
        case int():
            return f"{cell:,}"
        case _:
            return str(cell)


def _written(cell: Cell) -> str | int | Amount:
    if not isinstance(cell, Share):
        return cell
    return "" if cell.of is None else f"{float(cell.of):.4f}"


async def _pieces(table: Table) -> AsyncIterator[bytes]:
    yield csv_piece([table.heading], first=True)
    lines = table.every_line
    for at in range(0, len(lines), _LINES_A_PIECE):
        yield csv_piece([[each.name, *map(_written, each.cells)] for each in lines[at : at + _LINES_A_PIECE]])


def streamed(table: Table, name: str, *, private: bool = True) -> Stream:
    """The table as CSV. `private`: for whoever asked, kept by nobody on the way."""
    headers = private_file(b"", CSV_TYPE, name).headers
    if not private:
        headers["Cache-Control"] = "no-cache"
    return Stream(_pieces(table), media_type=CSV_TYPE, headers=headers)
