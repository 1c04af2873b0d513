"""A register's file: a CSV of any length, read as a stream, or a workbook; one heading, one line a person."""

import codecs
import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import PurePath
from typing import BinaryIO

from domain.catalog.reading import tight
from domain.errors import Invalid
from service.gateways.roster_sheets import one_form
from service.gateways.sheet_files import without_mark
from service.gateways.spreadsheets import Limits, SheetRow, read_rows

#: A workbook is held whole; whoever has more lines than that saves it as CSV.
LIMITS = Limits(cpu_seconds=90, wall_seconds=180)
#: A CSV is not: this is some ten million lines.
CSV_BYTES_MAX = 1024 * 1024 * 1024
_LINE_LENGTH_MAX = 64 * 1024
_COLUMNS_MAX = 100
_HEADINGS_WITHIN = 10
_READ_AT_ONCE = 1024 * 1024

#: What a cell tells → the headings by which it is known; the first is what is asked for.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "id_number": ("身份证号", "身份证号码", "公民身份号码", "证件号码"),
    "first": (
        "开始日期",
        "有效日期",
        "生效日期",
        "参加工作日期",
        "入学日期",
        "退休日期",
        "死亡日期",
        "参保日期",
        "发放日期",
    ),
    "last": ("结束日期", "截止日期", "失效日期", "停保日期", "离职日期"),
    "graduates": ("毕业年份", "毕业年度"),
    "occupation": ("职业编码", "职业代码"),
    "level": ("等级", "技能等级", "职业技能等级"),
}
_BY_HEADING = {heading: cell for cell, headings in HEADINGS.items() for heading in headings}
_DAYS = ("first", "last")


@dataclass(frozen=True)
class RegisterLine:
    """`cells` are what was typed, by what they tell; `spoilt` are cells that hold nothing to be read, with a code."""

    number: int
    cells: Mapping[str, str] = field(repr=False)
    spoilt: Mapping[str, str]


def sha256_of(file: BinaryIO) -> str:
    """Of the whole file, which is then at its beginning. Invalid `file.too_large`."""
    hashed, size = hashlib.sha256(), 0
    while part := file.read(_READ_AT_ONCE):
        size += len(part)
        if size > CSV_BYTES_MAX:
            raise Invalid("file.too_large", "file", bytes_max=CSV_BYTES_MAX)
        hashed.update(part)
    file.seek(0)
    return hashed.hexdigest()


def read_register(file: BinaryIO, filename: str, needed: Sequence[str]) -> Iterator[RegisterLine]:
    """The lines below the headings, as they are reached.

    Invalid `file.unknown_kind`, `file.not_text`, `csv.malformed`, `sheet.too_large`, `sheet.no_headings` (needed),
    `roster.column_twice` (column), or as `spreadsheets.read_rows`.
    """
    rows = _rows(file, filename)
    above = list(islice(rows, _HEADINGS_WITHIN))
    place = next((place for place, row in enumerate(above) if _is_heading(row)), None)
    columns = {} if place is None else _columns(above[place])
    if missing := [HEADINGS[cell][0] for cell in ("id_number", *needed) if cell not in columns]:
        raise Invalid("sheet.no_headings", "file", needed=missing)
    assert place is not None, "then every heading is missing"
    for row in chain(above[place + 1 :], rows):
        if any(map(str.strip, row.cells)):
            yield _line(row, columns)


def _rows(file: BinaryIO, filename: str) -> Iterator[SheetRow]:
    kind = PurePath(filename).suffix.lower()
    if kind == ".xlsx":
        return iter(read_rows(file.read(), filename, LIMITS, keep_strange=True))
    if kind not in {".csv", ".tsv"}:
        raise Invalid("file.unknown_kind", "file", suffix=kind)
    return _csv_rows(TextIOWrapper(file, _encoding_of(file), newline=""))


def _encoding_of(file: BinaryIO) -> str:
    """As `text_encoding.decode_text` finds it, without holding the file."""
    beginning = file.read(4)
    file.seek(0)
    if beginning.startswith((b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0")):
        raise Invalid("file.not_text", "file")
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        if _decodes(file, encoding):
            return encoding
    raise Invalid("file.not_text", "file")


def _decodes(file: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while part := file.read(_READ_AT_ONCE):
            if "\0" in decoder.decode(part):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    finally:
        file.seek(0)
    return True


def _csv_rows(text: TextIOWrapper) -> Iterator[SheetRow]:
    lines = _short_lines(text)
    first = next(lines, "")
    delimiter = "\t" if "\t" in first and "," not in first else ","
    reader = csv.reader(chain([first], lines), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if len(cells) > _COLUMNS_MAX:
                raise Invalid("sheet.too_large", f"line {line}", columns_max=_COLUMNS_MAX)
            yield SheetRow(line, cells)
            line = reader.line_num + 1
    except csv.Error:  # a quote never closed, or a cell without an end
        raise Invalid("csv.malformed", f"line {line}") from None
    except UnicodeDecodeError:
        raise Invalid("file.not_text", "file") from None


def _short_lines(text: TextIOWrapper) -> Iterator[str]:
    """Lines of a length that people write; one without an end would be held whole."""
    number = 0
    while line := text.readline(_LINE_LENGTH_MAX):
        number += 1
        if len(line) == _LINE_LENGTH_MAX:
            raise Invalid("csv.malformed", f"line {number}")
        yield line


def _is_heading(row: SheetRow) -> bool:
    return any(_BY_HEADING.get(tight(cell)) == "id_number" for cell in row.cells)


def _columns(heading: SheetRow) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, cell in enumerate(heading.cells):
        told = _BY_HEADING.get(tight(cell))
        if told is None:
            continue
        if told in found:
            raise Invalid("roster.column_twice", f"line {heading.number}", column=HEADINGS[told][0])
        found[told] = place
    return found


def _line(row: SheetRow, columns: Mapping[str, int]) -> RegisterLine:
    cells, spoilt = {}, {}
    for told, place in columns.items():
        written = without_mark(row.cells[place]).strip() if place < len(row.cells) else ""
        cells[told] = one_form(written) if told in _DAYS else written
        if place in row.strange:
            spoilt[told] = row.strange[place]
        elif told == "id_number" and place in row.numbers:
            spoilt[told] = "id.not_text"  # it has lost digits
    return RegisterLine(row.number, cells, spoilt)
