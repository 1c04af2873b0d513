"""CSV and XLSX, as people upload them → rows of text.

A workbook is parsed by a child process with limits (`workbook_child.py`): memory, processor time, wall time. Callers
in an event loop use a thread. Refusals are `Invalid`; `field` is `file`, a line, a sheet or a cell (`名单!B7`).
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path, PurePath
from typing import NamedTuple

from domain.errors import Invalid
from service.gateways.text_encoding import decode_text


class SheetRow(NamedTuple):
    """`number` counts from 1: the row of a sheet, or the line of a file on which the record begins.

    `numbers` are the places of cells that a workbook stored as numbers: an id number among them is to be refused.
    """

    number: int
    cells: list[str]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Sheet:
    """Rows that are not blank, in the order of the file. A CSV is one sheet with the name ''."""

    name: str
    rows: list[SheetRow]


@dataclass(frozen=True)
class Limits:
    """What one upload may cost. Sizes in bytes, times in seconds."""

    file_bytes: int = 20 * 1024 * 1024
    unpacked_bytes: int = 200 * 1024 * 1024
    ratio_max: int = 100
    ratio_free_bytes: int = 4 * 1024 * 1024  # small files may be packed tighter
    entries: int = 2_000
    sheets: int = 50
    rows: int = 60_000
    columns: int = 100
    memory_bytes: int = 1024 * 1024 * 1024
    cpu_seconds: int = 30
    wall_seconds: int = 60


_CHILD = str(Path(__file__).with_name("workbook_child.py"))
_LIMITS = Limits()


def read_sheets(data: bytes, filename: str, limits: Limits = _LIMITS) -> list[Sheet]:
    """Every sheet of an upload; what it is, its name says, and its bytes must agree.

    Invalid: `file.unknown_kind` `file.too_large` `file.not_text` `file.not_a_workbook` `file.has_macros`
    `file.encrypted_or_old_workbook` `file.zip_bomb` `file.too_costly` `file.too_many_sheets` `sheet.too_large`
    `cell.formula` `cell.error` `csv.malformed`.
    """
    if len(data) > limits.file_bytes:
        raise Invalid("file.too_large", "file", bytes_max=limits.file_bytes)
    kind = PurePath(filename).suffix.lower()
    if kind in {".csv", ".tsv"}:
        return [Sheet("", list(_csv_rows(decode_text(data), limits)))]
    if kind == ".xlsm":
        raise Invalid("file.has_macros", "file")
    if kind != ".xlsx":
        raise Invalid("file.unknown_kind", "file", suffix=kind)
    return _workbook(data, limits)


def read_rows(data: bytes, filename: str, limits: Limits = _LIMITS) -> list[SheetRow]:
    """The rows of an upload that must be one sheet (others may be there but empty); refusals as `read_sheets`."""
    filled = [sheet for sheet in read_sheets(data, filename, limits) if sheet.rows]
    if len(filled) > 1:
        raise Invalid("file.too_many_sheets", filled[1].name, sheets=len(filled))
    return filled[0].rows if filled else []


def _csv_rows(text: str, limits: Limits) -> Iterator[SheetRow]:
    first = text.partition("\n")[0]
    delimiter = "\t" if "\t" in first and "," not in first else ","
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if len(cells) > limits.columns or line > limits.rows:
                raise Invalid("sheet.too_large", f"line {line}", rows_max=limits.rows, columns_max=limits.columns)
            if any(cells):
                yield SheetRow(line, cells)
            line = reader.line_num + 1
    except csv.Error:  # a quote never closed, or text after one that was
        raise Invalid("csv.malformed", f"line {line}") from None


def _workbook(data: bytes, limits: Limits) -> list[Sheet]:
    command = [sys.executable, "-I", _CHILD, json.dumps(asdict(limits))]
    try:
        child = subprocess.run(  # noqa: S603  our own script, run by our own interpreter; the file comes on stdin
            command, input=data, capture_output=True, timeout=limits.wall_seconds, env={}, check=False
        )
    except subprocess.TimeoutExpired:
        raise Invalid("file.too_costly", "file") from None
    if child.returncode or not child.stdout:  # killed by a limit
        raise Invalid("file.too_costly", "file")
    answer = json.loads(child.stdout)
    if "refused" in answer:
        raise Invalid(answer["refused"], answer["field"])
    return [
        Sheet(each["name"], [SheetRow(number, cells, frozenset(places)) for number, cells, places in each["rows"]])
        for each in answer["sheets"]
    ]
