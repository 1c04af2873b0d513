"""CSV and XLSX, as people upload them → rows of text.

A workbook is parsed by a child process with limits (`workbook_child.py`): memory, processor time, wall time. Callers
in an event loop use a thread. Refusals are `Invalid`; `field` is `file`, a line, a sheet or a cell (`名单!B7`).
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from io import StringIO
from pathlib import Path, PurePath
from types import MappingProxyType
from typing import Any, NamedTuple

from domain.errors import Invalid
from service.gateways.text_encoding import decode_text


class SheetRow(NamedTuple):
    """`number` counts from 1: the row of a sheet, or the line of a file on which the record begins.

    `numbers` are the places of cells that a workbook stored as numbers: an id number among them is to be refused.
    `strange` are places of cells that hold a formula or an error, each with the code of its refusal.
    """

    number: int
    cells: list[str]
    numbers: frozenset[int] = frozenset()
    strange: Mapping[int, str] = MappingProxyType({})


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


def read_sheets(data: bytes, filename: str, limits: Limits = _LIMITS, *, keep_strange: bool = False) -> list[Sheet]:
    """Every sheet of an upload; what it is, its name says, and its bytes must agree.

    With `keep_strange` a formula or an error is left for the caller to refuse with its row.
    Invalid: `file.unknown_kind` `file.too_large` `file.not_text` `file.not_a_workbook` `file.has_macros`
    `file.encrypted_or_old_workbook` `file.zip_bomb` `file.too_costly` `file.too_many_sheets` `sheet.too_large`
    `cell.formula` `cell.error` `csv.malformed`.
    """
    if _is_text(data, filename, limits):
        return [Sheet("", list(_csv_rows(decode_text(data), limits)))]
    sheets = _workbook(data, limits)
    if not keep_strange:
        _refuse_strange(sheets)
    return sheets


def look_at(data: bytes, filename: str, limits: Limits = _LIMITS) -> None:
    """Refuse at the door what can be seen at once: another kind, too large, no text, an archive that is no plain
    workbook. What stands in the cells is not looked at. Invalid as `read_sheets`."""
    if _is_text(data, filename, limits):
        decode_text(data)
    else:
        _ask_child(data, limits, "look")


def read_rows(data: bytes, filename: str, limits: Limits = _LIMITS, *, keep_strange: bool = False) -> list[SheetRow]:
    """The rows of an upload that must be one sheet (others may be there but empty); refusals as `read_sheets`."""
    filled = [sheet for sheet in read_sheets(data, filename, limits, keep_strange=keep_strange) if sheet.rows]
    if len(filled) > 1:
        raise Invalid("file.too_many_sheets", filled[1].name, sheets=len(filled))
    return filled[0].rows if filled else []


def _is_text(data: bytes, filename: str, limits: Limits) -> bool:
    if len(data) > limits.file_bytes:
        raise Invalid("file.too_large", "file", bytes_max=limits.file_bytes)
    kind = PurePath(filename).suffix.lower()
    if kind == ".xlsm":
        raise Invalid("file.has_macros", "file")
    if kind not in {".csv", ".tsv", ".xlsx"}:
        raise Invalid("file.unknown_kind", "file", suffix=kind)
    return kind != ".xlsx"


def _refuse_strange(sheets: list[Sheet]) -> None:
    for sheet in sheets:
        for row in sheet.rows:
            for place, code in row.strange.items():
                raise Invalid(code, f"{sheet.name}!{_letters(place)}{row.number}")


def _letters(place: int) -> str:
    """The name of a column: A to Z, then AA."""
    more, last = divmod(place, 26)
    return (_letters(more - 1) if more else "") + chr(ord("A") + last)


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
    return [
        Sheet(
            each["name"],
            [
                SheetRow(number, cells, frozenset(numbers), dict(strange))
                for number, cells, numbers, strange in each["rows"]
            ],
        )
        for each in _ask_child(data, limits)["sheets"]
    ]


def _ask_child(data: bytes, limits: Limits, *how: str) -> dict[str, Any]:
    """What the child answered; Invalid with its refusal, or `file.too_costly` when a limit ended it."""
    command = [sys.executable, "-I", _CHILD, json.dumps(asdict(limits)), *how]
    try:
        child = subprocess.run(  # noqa: S603  our own script, run by our own interpreter; the file comes on stdin
            command, input=data, capture_output=True, timeout=limits.wall_seconds, env={}, check=False
        )
    except subprocess.TimeoutExpired:
        raise Invalid("file.too_costly", "file") from None
    if child.returncode or not child.stdout:  # killed by a limit
        raise Invalid("file.too_costly", "file")
    answer: dict[str, Any] = json.loads(child.stdout)
    if "refused" in answer:
        raise Invalid(answer["refused"], answer["field"])
    return answer
