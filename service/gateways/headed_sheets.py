"""Sheets that people fill in under headings: which column tells what, and what was typed in it line by line."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice

from domain.catalog.reading import tight
from domain.errors import Invalid
from domain.period import FIRST_YEAR
from domain.text import half_width
from service.gateways.sheet_files import without_mark
from service.gateways.spreadsheets import Limits, SheetRow, read_rows

#: A sheet may carry a title and remarks above its headings.
HEADINGS_WITHIN = 10


@dataclass(frozen=True)
class Column:
    """`field` is what its cells tell; the first of `headings` is the template's, the others are known as well.

    A `digits` cell that a workbook stored as a number has lost digits, and is refused under the noun's code.
    """

    field: str
    headings: tuple[str, ...]
    digits: str = ""
    day: bool = False
    needed: bool = True

    @property
    def heading(self) -> str:
        return self.headings[0]


@dataclass(frozen=True)
class HeadedLine:
    """What was typed, by field, without the blanks around it and with days in one form. `spoilt` are fields whose
    cell holds nothing to be read, each with a code."""

    number: int
    cells: Mapping[str, str] = field(repr=False)
    spoilt: Mapping[str, str]

    @property
    def place(self) -> str:
        """How it is called where it is refused."""
        return f"line {self.number}"

    def faults(self) -> list[Invalid]:
        """Its spoilt cells, for whoever takes a sheet whole or not at all."""
        return [Invalid(code, f"{self.place}.{told}") for told, code in self.spoilt.items()]


class Form:
    """The columns of one kind of sheet, as in its template. The row that has all of `known_by` is its heading."""

    def __init__(self, columns: Sequence[Column], known_by: Collection[str]) -> None:
        self.columns = columns
        self.by_field: Mapping[str, Column] = {column.field: column for column in columns}
        self._known_by = frozenset(known_by)
        self._by_heading = {tight(word).lower(): column.field for column in columns for word in column.headings}

    def template(self) -> list[list[str]]:
        """The sheet to fill in: its heading."""
        return [[column.heading for column in self.columns]]

    def read(self, data: bytes, filename: str, limits: Limits, lines_max: int) -> list[HeadedLine]:
        """The lines of an upload, at least one. Invalid as `spreadsheets.read_rows` and `lines_of`, or
        `roster.empty`, `roster.too_many_lines` (most). Callers in a loop use a thread."""
        lines = list(self.lines_of(iter(read_rows(data, filename, limits, keep_strange=True))))
        must_be_some(lines, lines_max)
        return lines

    def lines_of(self, rows: Iterator[SheetRow], needed: Collection[str] | None = None) -> Iterator[HeadedLine]:
        """The lines under the heading, as they are reached; blank ones are none. `needed` are the fields without
        which it is no such sheet, if not those of the form.

        Invalid `sheet.no_headings` (needed), `roster.column_twice` (column).
        """
        needed = [each.field for each in self.columns if each.needed] if needed is None else needed
        above = list(islice(rows, HEADINGS_WITHIN))
        place = self.heading_among(above)
        columns = {} if place is None else self.places(above[place])
        if missing := [self.by_field[each].heading for each in needed if each not in columns]:
            raise Invalid("sheet.no_headings", "file", needed=missing)
        assert place is not None, "then every heading is missing"
        for row in filled(chain(above[place + 1 :], rows)):
            yield HeadedLine(row.number, self._typed(row, columns), self.spoilt(row, columns))

    def heading_among(self, rows: Sequence[SheetRow]) -> int | None:
        """The place of the heading among the first rows."""
        above = enumerate(rows[:HEADINGS_WITHIN])
        return next((place for place, row in above if self._known_by.issubset(self._fields(row))), None)

    def places(self, heading: SheetRow) -> dict[str, int]:
        """Field → place of its column. Invalid `roster.column_twice` (column)."""
        found: dict[str, int] = {}
        for place, told in enumerate(self._fields(heading)):
            if told in found:
                raise Invalid("roster.column_twice", f"line {heading.number}", column=self.by_field[told].heading)
            if told is not None:
                found[told] = place
        return found

    def spoilt(self, row: SheetRow, columns: Mapping[str, int]) -> dict[str, str]:
        """Fields whose cell is a formula or an error, or a number that has lost digits → the code."""
        found = {}
        for told, place in columns.items():
            digits = self.by_field[told].digits
            if place in row.strange:
                found[told] = row.strange[place]
            elif place in row.numbers and digits:
                found[told] = f"{digits}.not_text"
        return found

    def _fields(self, row: SheetRow) -> list[str | None]:
        return [self._by_heading.get(tight(cell).lower()) for cell in row.cells]

    def _typed(self, row: SheetRow, columns: Mapping[str, int]) -> dict[str, str]:
        typed = {}
        for told, place in columns.items():
            text = without_mark(row.cells[place]).strip() if place < len(row.cells) else ""
            typed[told] = one_form(text) if self.by_field[told].day else text
        return typed


def filled(rows: Iterable[SheetRow]) -> Iterator[SheetRow]:
    """The rows in which anything is typed."""
    return (row for row in rows if any(map(str.strip, row.cells)))


def must_be_some(lines: Sequence[object], most: int) -> None:
    """Invalid `roster.empty`, `roster.too_many_lines` (most)."""
    if not lines:
        raise Invalid("roster.empty", "file")
    if len(lines) > most:
        raise Invalid("roster.too_many_lines", "file", most=most)


_DAY = re.compile(r"([0-9]{4})(?:[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日)")


@lru_cache(maxsize=4_096)  # a sheet names the same few days in all of its lines
def one_form(text: str) -> str:
    """A day as sheets write it, year first (2026/3/2, 2026.3.2, 2026年3月2日), as 2026-03-02; any other text as it
    is, to be refused where it is read."""
    typed = half_width(text).strip()
    found = _DAY.fullmatch(typed)
    if found is None or int(found[1]) < FIRST_YEAR:
        return typed
    return f"{found[1]}-{int(found[2] or found[4]):02d}-{int(found[3] or found[5]):02d}"
