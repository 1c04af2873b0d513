"""A register's file: a CSV of any length, read as a stream, or a workbook; one heading, one line a person."""

import codecs
import csv
import hashlib
from collections.abc import Iterator, Sequence
from io import TextIOWrapper
from itertools import chain
from pathlib import PurePath
from typing import BinaryIO

from domain.errors import Invalid
from service.gateways.headed_sheets import Column, Form, HeadedLine
from service.gateways.spreadsheets import Limits, SheetRow, read_rows

#: A workbook is held whole; whoever has more lines than that saves it as CSV.
LIMITS = Limits(cpu_seconds=90, wall_seconds=180)
#: A CSV is not: this is some ten million lines.
CSV_BYTES_MAX = 1024 * 1024 * 1024
_LINE_LENGTH_MAX = 64 * 1024
_COLUMNS_MAX = 100
_READ_AT_ONCE = 1024 * 1024

FORM = Form(
    (
        Column("id_number", ("身份证号", "身份证号码", "公民身份号码", "证件号码"), digits="id"),
        Column(
            "first",
            (
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
            day=True,
        ),
        Column("last", ("结束日期", "截止日期", "失效日期", "停保日期", "离职日期"), day=True),
        Column("graduates", ("毕业年份", "毕业年度")),
        Column("occupation", ("职业编码", "职业代码")),
        Column("level", ("等级", "技能等级", "职业技能等级")),
    ),
    known_by=("id_number",),
)


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


def read_register(file: BinaryIO, filename: str, needed: Sequence[str]) -> Iterator[HeadedLine]:
    """The lines below the headings, as they are reached.

    Invalid `file.unknown_kind`, `file.not_text`, `csv.malformed`, `sheet.too_large`, or as `spreadsheets.read_rows`
    and `Form.lines_of`.
    """
    return FORM.lines_of(_rows(file, filename), ("id_number", *needed))


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
