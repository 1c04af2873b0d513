"""Rows of a printed table, also those that were cut, lost their tabs, or lost a cell."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from domain.catalog.published import Kind, PublishedRow
from domain.catalog.reading import BLANK, half_width, read_industry, read_serial, tight

#: One line longer than this is no row.
LINE_MAX = 400
#: A row is not cut into more pieces than its cells and a few.
_PIECES_MAX = 5
#: What may be the scrap of a cut row: short, and no sentence.
_FRAGMENT_MAX = 40
_SENTENCE = re.compile(r"[。；，：！？,;:]")
_ROW_WITHOUT_TABS = re.compile(r"([0-9]{0,5}?)([0-9](?:-[0-9]{2}){3})(.*)", re.DOTALL)
_DIGITS = tuple("0123456789")
_CODE_LIKE = re.compile(r"[0-9]-[0-9]{1,2}-|[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each cell stands in a whole row; `code` is None in a list without codes."""

    width: int
    serial: int
    code: int | None
    name: int
    industry: int


CODED = Columns(4, 0, 1, 2, 3)
UNCODED = Columns(3, 0, None, 1, 2)


def columns_of(heading: Sequence[str]) -> Columns:
    """The columns a table's heading names; the usual ones where it was damaged."""
    labels = [tight(cell) for cell in heading]
    usual = CODED if any("编码" in label or "代码" in label for label in labels) else UNCODED

    def place(*words: str) -> int | None:
        return next((index for index, label in enumerate(labels) if any(word in label for word in words)), None)

    serial, code = place("序号"), place("编码", "代码")
    name, industry = place("名称", "项目"), place("行业")
    if serial is None or name is None or industry is None:
        return usual
    found = Columns(len(labels), serial, code, name, industry)
    places = [each for each in (serial, code, name, industry) if each is not None]
    return found if len(set(places)) == len(places) else usual


def is_table_heading(line: str) -> bool:
    """序号 first, or two of the column names: also when tabs or a cell were lost."""
    if len(line) > LINE_MAX or read_serial(line.partition("\t")[0]) is not None:
        return False
    text = tight(line)
    labels = sum(word in text for word in ("编码", "名称", "行业分类", "代码"))
    if "\t" not in line and _SENTENCE.search(text):
        return False
    return (text.startswith("序号") and len(text) > 2) or (labels >= 2 and "\t" in line)


def is_catalog_heading(line: str) -> bool:
    """Whether the table below is a catalog's, not say a list of institutions."""
    return any(word in tight(line) for word in ("编码", "代码", "行业", "职业", "工种", "项目名称"))


def ending(text: str, visible: int) -> str:
    """The end of a text as printed, from its last `visible` characters on, blanks not counted."""
    for index in range(len(text) - 1, -1, -1):
        visible -= bool(tight(text[index]))
        if not visible:
            return text[index:]
    return text


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads the rows of one list: how wide they are, and which industries may end them."""

    list_name: str
    columns: Columns
    industries: tuple[str, ...]

    def is_whole(self, cells: Sequence[str]) -> bool:
        """As many cells as the table has columns, none empty, beginning with a serial."""
        cells = self._without_tail(cells)
        if len(cells) != self.columns.width or not all(tight(cells[place]) for place in self._places()):
            return False
        return read_serial(cells[self.columns.serial]) is not None

    def _without_tail(self, cells: Sequence[str]) -> Sequence[str]:
        """Tabs after the last cell stay in it, to be found as blanks."""
        width = self.columns.width
        if len(cells) > width and not tight("".join(cells[width:])):
            return [*cells[: width - 1], "\t".join(cells[width - 1 :])]
        return cells

    def _places(self) -> list[int]:
        columns = self.columns
        return [each for each in (columns.serial, columns.code, columns.name, columns.industry) if each is not None]

    def begins_row(self, line: str) -> bool:
        """A serial and a tab; or, where the tabs were lost, a serial and a code, or a serial and an industry."""
        first, tab, _ = line.partition("\t")
        if tab:
            return read_serial(first) is not None
        text = half_width(tight(line))
        if self.columns.code is not None:
            return _ROW_WITHOUT_TABS.match(text) is not None
        return text[:1] in _DIGITS and text.endswith(self.industries)

    def joined(self, pieces: Sequence[str]) -> list[str] | None:
        """The cells of a whole row that was cut into `pieces`, at a tab or inside a cell; None if it is none."""
        if not 2 <= len(pieces) <= _PIECES_MAX:
            return None
        ways = [pieces[0].split("\t")]
        for piece in pieces[1:]:
            cells = piece.split("\t")
            ways = [
                longer
                for way in ways
                for longer in ([*way[:-1], way[-1] + cells[0], *cells[1:]], way + cells)
                if len(longer) <= self.columns.width
            ]
        return next((way for way in ways if self.is_whole(way) and self._is_likely(way)), None)

    def _is_likely(self, cells: Sequence[str]) -> bool:
        code = self.columns.code
        if code is not None and not _CODE_LIKE.search(half_width(tight(cells[code]))):
            return False
        return not re.search(r"[0-9]", half_width(cells[self.columns.industry] + cells[self.columns.name]))

    def whole_row(self, line: int, cells: Sequence[str], pieces: tuple[str, ...] = ()) -> PublishedRow:
        """A row whose cells are all there; `pieces` as printed, if it was cut."""
        cells, columns = self._without_tail(cells), self.columns
        return PublishedRow(
            list_name=self.list_name,
            line=line,
            serial_text=cells[columns.serial],
            code_text=None if columns.code is None else cells[columns.code],
            name_text=cells[columns.name],
            industry_text=cells[columns.industry],
            cut=pieces,
        )

    def damaged_row(self, line: int, pieces: Sequence[str]) -> PublishedRow:
        """What can be told by shape of a row that is not whole: the serial, the code, an industry at the end."""
        whole = self.joined(pieces)
        if whole is not None:
            return self.whole_row(line, whole, tuple(pieces))
        cells = "\t".join(pieces).split("\t")
        place = self.columns.code
        if len(cells) == self.columns.width and (
            place is None or _CODE_LIKE.search(half_width(cells[place]) or "0-0-")
        ):
            return self.whole_row(line, cells, tuple(pieces))
        serial, code, rest = self._told_apart([cell for cell in cells if tight(cell)])
        name, industry = self._name_and_industry(rest)
        code_text = None if self.columns.code is None else code
        return PublishedRow(self.list_name, line, serial, code_text, name, industry, tuple(pieces))

    def _told_apart(self, cells: list[str]) -> tuple[str, str, list[str]]:
        """Serial, code ('' where there is none) and the cells left over."""
        serial = code = ""
        if cells and read_serial(cells[0]) is not None:
            serial, *cells = cells
        rest: list[str] = []
        for cell in cells:
            text = half_width(tight(cell))
            found = _ROW_WITHOUT_TABS.match(text) if self.columns.code is not None and not code else None
            if found is None:
                rest.append(cell)
                continue
            serial, code = serial or found[1], found[2]
            if found[3]:
                rest.append(ending(cell, len(found[3])))
        if self.columns.code is None and not serial and rest:
            digits = re.match(r"\s*([0-9]+)\s*", rest[0])
            if digits:
                serial, rest[0] = digits[1], rest[0][digits.end() :]
        return serial, code, rest

    def _name_and_industry(self, rest: list[str]) -> tuple[str, str]:
        *front, last = rest or [""]
        name = "".join(front)
        if front or tight(last) in self.industries:
            return name, last
        for industry in self.industries:
            if tight(last).endswith(industry):
                end = ending(last, len(industry))
                return BLANK.sub(" ", last.removesuffix(end)).strip(), end
        return last, ""


@dataclass
class RowCollector:
    """Takes the lines of a table in order; `rows` holds every row, whole or not, once `close` was called."""

    reader: RowReader
    rows: list[PublishedRow] = field(default_factory=list)
    last_serial: int = 0
    _last_line: str = ""
    _open: list[str] = field(default_factory=list)  # the pieces of a row that is not whole yet
    _open_line: int = 0

    def take(self, number: int, line: str, *, adjacent: bool) -> None:
        """`adjacent`: no blank line stands above it. A line that can be no part of a row is left out."""
        cells = line.split("\t")
        if self.reader.is_whole(cells) and not self._ends_cut_serial(line):
            self.close()
            self._keep(self.reader.whole_row(number, cells), line)
        elif "\t" in line or self.reader.begins_row(line) or (adjacent and read_serial(line) is not None):
            self._take_piece(number, line)
        elif len(line) > _FRAGMENT_MAX or _SENTENCE.search(line):
            return
        elif self._open:
            self._take_piece(number, line)
        elif self.rows and (adjacent or self._completes_last(line)):
            self._add_to_last(line)

    def close(self) -> None:
        """No more pieces will come for the row that is open."""
        if self._open:
            self._keep(self.reader.damaged_row(self._open_line, self._open), "\n".join(self._open))
            self._open = []

    def _keep(self, row: PublishedRow, line: str) -> None:
        self.rows.append(row)
        self._last_line = line
        self.last_serial = read_serial(row.serial_text) or self.last_serial + 1

    def _ends_cut_serial(self, line: str) -> bool:
        """12 cut into 1 and 2: only together they follow 11."""
        whole = self.reader.joined([*self._open, line]) if len(self._open) == 1 else None
        if whole is None:
            return False
        return read_serial(whole[self.reader.columns.serial]) == self.last_serial + 1

    def _take_piece(self, number: int, line: str) -> None:
        joined = self.reader.joined([*self._open, line]) if self._open else None
        if joined is not None:
            pieces = (*self._open, line)
            self._open = []
            self._keep(self.reader.whole_row(self._open_line, joined, pieces), "\n".join(pieces))
            return
        if self.reader.begins_row(line) or len(self._open) >= _PIECES_MAX:
            self.close()
        if not self._open:
            self._open_line = number
        self._open.append(line)

    def _completes_last(self, line: str) -> bool:
        industry, known = tight(self.rows[-1].industry_text), self.reader.industries
        return industry not in known and industry + tight(line) in known

    def _add_to_last(self, line: str) -> None:
        """The end of an industry on a line of its own belongs to it; any other scrap is only shown with the row."""
        row, industries = self.rows[-1], self.reader.industries
        longer = row.industry_text + line
        fault = read_industry(longer, industries)[1]
        if tight(row.industry_text) in industries or fault in (Kind.INDUSTRY_UNKNOWN, Kind.INDUSTRY_TRUNCATED):
            longer = row.industry_text
        pieces = (*(row.cut or (self._last_line,)), line)
        self.rows[-1] = replace(row, industry_text=longer, cut=pieces)
