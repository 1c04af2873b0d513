"""A notice as it was published (tables of tabs inside prose) → the catalog that stands in it.

Linear in the text's length. Nothing is refused for being wrong: what can be a row is kept as one, and what is wrong
with it is for `domain.catalog.find_mistakes` to say.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from domain.catalog.lists import resembles
from domain.catalog.published import INDUSTRIES, NamedList, PublishedCatalog, PublishedList, PublishedRow
from domain.catalog.reading import read_serial, tight
from domain.errors import Invalid
from service.gateways.notice_prose import prose_of
from service.gateways.notice_rows import (
    CODED,
    LINE_MAX,
    UNCODED,
    Columns,
    RowCollector,
    RowReader,
    columns_of,
    ending,
    is_catalog_heading,
    is_table_heading,
)
from service.gateways.text_encoding import decode_text

#: （一）… (二)… 三、… 4.… 表5…
_NUMBERED = re.compile(
    r"(?:[（(][一二三四五六七八九十0-9]{1,3}[)）]|[一二三四五六七八九十]{1,3}、|[0-9]{1,2}[、.．]"
    r"|附?表[一二三四五六七八九十0-9]{1,3}[:：.、]?)(.+)"
)
_CONTINUED = re.compile(r"[（(]续[)）]$")
_TITLE_MAX = 40
#: A city's lists have some hundred rows each; what has more than this is no catalog.
ROWS_MAX = 50_000
LISTS_MAX = 200
_REMARK = ("备注", "注：", "注:", "说明")
_SENTENCE = re.compile(r"[。；，！？,;]")
#: A list's title stands at most this many lines above its table.
_TITLE_ABOVE = 3
_NO_TITLE = ("", -_TITLE_ABOVE - 1)
_WHOLE_ROW = re.compile(r"[\s\ufeff]*[0-9０-９]{1,5}\s*\t[^\t]+\t")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line that is not blank; `adjacent` to the one before when no blank line stands between."""

    number: int
    text: str
    adjacent: bool

    @property
    def serial(self) -> int | None:
        first, tab, _ = self.text.partition("\t")
        return read_serial(first) if tab else None

    @property
    def is_heading(self) -> bool:
        return is_table_heading(self.text)


@dataclass
class _Table:
    """A stretch of lines under one title. `headings` are the lines of its table headings."""

    name: str  # '' where it has no title
    line: int
    columns: Columns | None = None  # until a heading or a row tells
    headings: list[int] = field(default_factory=list)
    lines: list[_Line] = field(default_factory=list)
    last_serial: int = 0


def read_notice(data: bytes, industries: tuple[str, ...] = INDUSTRIES) -> PublishedCatalog:
    """The catalog in a published text. `industries` are used when the text names none.

    Invalid `file.too_large`, `file.not_text` or `catalog.too_large` (field `file`).
    """
    lines = decode_text(data).split("\n")
    named, told = prose_of(list(_before_tables(lines)))
    tables = _Tables(named)
    tables.divide(list(_not_blank(lines)))
    return _collected(tables.found, named, told or industries)


def _before_tables(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if "\t" in line and (is_table_heading(line) or _WHOLE_ROW.match(line)):
            return
        yield line


def _not_blank(lines: Sequence[str]) -> Iterator[_Line]:
    adjacent = False
    for number, text in enumerate(lines, 1):
        if tight(text):
            yield _Line(number, text, adjacent)
        adjacent = bool(tight(text))


class _Tables:
    """Divides a text into tables, each under the title that stands above it."""

    def __init__(self, named: tuple[NamedList, ...]) -> None:
        self.found: list[_Table] = []
        self._named = named
        self._table: _Table | None = None
        self._title = _NO_TITLE  # name, and its place among the lines
        self._lines: list[_Line] = []
        self._foreign = False  # inside a table of something else, say of institutions

    def divide(self, lines: list[_Line]) -> None:
        self._lines = lines
        for place, line in enumerate(lines):
            if line.is_heading:
                self._take_heading(place, line)
            elif (name := self._title_in(line.text)) is None:
                self._take_line(place, line)
            elif self._table is not None and self._is_title(name, line.text):
                self._open(name, line.number)  # between tables a title opens a list, be it empty
            else:
                self._title = (name, place)  # only if a table follows: it may be a chapter of the prose

    def _title_in(self, line: str) -> str | None:
        """What may be a list's title: its name as printed, without number and （续）."""
        if "\t" in line or len(line) > LINE_MAX:
            return None
        text = tight(line)
        numbered = _NUMBERED.fullmatch(text)
        name = numbered[1] if numbered else text
        if len(name) > _TITLE_MAX or text.startswith(_REMARK) or _SENTENCE.search(name):
            return None
        # above the first table a title without a number must be one that the text names: the annex has a heading too
        after_another = self._table is not None and name.endswith("目录")
        if not (numbered or after_another or self._is_title(name, line)):
            return None
        return _CONTINUED.sub("", ending(line.strip(), len(name)))

    def _is_title(self, name: str, line: str) -> bool:
        """A title without a number must be like a list that the text names, if it names any."""
        if not any(word in name for word in ("目录", "项目", "清单")):
            return False
        return _NUMBERED.match(tight(line)) is not None or self._is_named(tight(name))

    def _is_named(self, name: str) -> bool:
        return resembles(name, self._named) if self._named else name.endswith("目录")

    def _take_heading(self, place: int, line: _Line) -> None:
        self._foreign = not is_catalog_heading(line.text)
        if self._foreign:
            self._table = None
            return
        columns = columns_of(line.text.split("\t"))
        table = self._table
        if table is None or self._title_above(place) or (table.headings and self._is_another(place, table, columns)):
            table = self._open_here(place)
        table.columns = table.columns or columns
        table.headings.append(line.number)

    def _is_another(self, place: int, table: _Table, columns: Columns) -> bool:
        """A heading opens another table, whose title is missing, if its columns or its serials begin anew."""
        assert table.columns is not None
        if (columns.code is None) != (table.columns.code is None):
            return True
        return self._begins_anew(place + 1, table, at_most=2)

    def _begins_anew(self, place: int, table: _Table, at_most: int) -> bool:
        """Serials fall back to the beginning, and go on from there: a single wrong serial opens nothing."""
        coming = [line.serial for line in self._lines[place : place + 4] if not line.is_heading]
        serials = [serial for serial in coming if serial is not None][:2]
        if len(serials) < 2 or serials[0] > at_most or table.last_serial < serials[0] + 2:
            return False
        return serials[1] == serials[0] + 1

    def _take_line(self, place: int, line: _Line) -> None:
        is_row = _WHOLE_ROW.match(line.text) is not None
        if self._table is None:
            opens = is_row and (not self._foreign or self._title_above(place) != "")
        else:
            opens = is_row and self._begins_anew(place, self._table, at_most=1)
        if opens:
            self._open_here(place)
        if self._table is None:
            return
        if line.serial is not None:
            self._table.last_serial = line.serial
            self._title = _NO_TITLE
        self._table.lines.append(line)

    def _title_above(self, place: int) -> str:
        """The title a few lines above, unless rows stand between; '' if there is none."""
        name, at = self._title
        return name if place - at <= _TITLE_ABOVE else ""

    def _open_here(self, place: int) -> _Table:
        name = self._title_above(place)
        return self._open(name, self._lines[self._title[1] if name else place].number)

    def _open(self, name: str, number: int) -> _Table:
        self._table = _Table(name, number)
        self._title = _NO_TITLE
        self.found.append(self._table)
        return self._table


def _collected(
    tables: Sequence[_Table], named: tuple[NamedList, ...], industries: tuple[str, ...]
) -> PublishedCatalog:
    lists: dict[str, PublishedList] = {}  # by name without blanks, as are the lines of repeated headings
    repeated: dict[str, list[int]] = {}
    rows: list[PublishedRow] = []
    for table in tables:
        name = table.name or _made_up_name(lists)
        key = tight(name)
        if key in lists:  # its title stands there once more, and the list goes on: these headings are all repeated
            repeated[key] += [table.line, *table.headings]
        else:
            lists[key] = PublishedList(name, table.line, untitled=not table.name)
            repeated[key] = table.headings[1:]
        rows.extend(_rows_of(table, lists[key].name, industries))
        if len(lists) > LISTS_MAX:
            raise _too_large()
    found = tuple(replace(each, repeated_headings=tuple(repeated[key])) for key, each in lists.items())
    return PublishedCatalog(found, tuple(rows), named, industries)


def _too_large() -> Invalid:
    return Invalid("catalog.too_large", "file", lists_max=LISTS_MAX, rows_max=ROWS_MAX)


def _made_up_name(lists: dict[str, PublishedList]) -> str:
    count = sum(each.untitled for each in lists.values())
    return f"（未标目录名 {count + 1}）" if count else "（未标目录名）"


def _rows_of(table: _Table, name: str, industries: tuple[str, ...]) -> list[PublishedRow]:
    columns = table.columns or _columns_told_by(table.lines)
    rows = RowCollector(RowReader(name, columns, industries))
    if sum("\t" in line.text for line in table.lines) > ROWS_MAX:
        raise _too_large()
    for line in table.lines:
        if len(line.text) <= LINE_MAX or "\t" in line.text:
            rows.take(line.number, line.text, adjacent=line.adjacent)
    rows.close()
    return rows.rows


def _columns_told_by(lines: Sequence[_Line]) -> Columns:
    """Without a heading the rows tell: most of them have four cells, or three."""
    four = sum(line.text.count("\t") >= 3 for line in lines)
    three = sum(line.text.count("\t") == 2 for line in lines)
    return CODED if four >= three else UNCODED
