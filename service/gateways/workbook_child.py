"""Reads one workbook in a process of its own, with little memory and little time: a hostile file harms only this.

Run by path, isolated (`python -I`), never imported by the service. The workbook comes on stdin; one JSON object goes
to stdout: `{"sheets": [{"name", "rows": [[number, cells, places of cells stored as numbers, strange]]}]}`, where
`strange` are [place, code] of cells that hold a formula or an error, or `{"refused": code, "field": place}`. Limits
come as one JSON argument, see `service/gateways/spreadsheets.py`; after a second one, `look`, only the archive is
looked at and nothing unpacked.
"""

import json
import resource
import sys
from datetime import date, datetime, time
from io import BytesIO
from typing import Any
from zipfile import BadZipFile, ZipFile

#: What a cell is that holds no value of its own, by openpyxl's letter.
STRANGE = {"f": "cell.formula", "e": "cell.error"}

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # an encrypted workbook, or one of before 2007


class RefusedError(Exception):
    def __init__(self, code: str, field: str = "file") -> None:
        super().__init__(code)
        self.code, self.field = code, field


def limit(limits: dict[str, int]) -> None:
    for kind, most in (
        (resource.RLIMIT_AS, limits["memory_bytes"]),
        (resource.RLIMIT_CPU, limits["cpu_seconds"]),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def check_archive(data: bytes, limits: dict[str, int]) -> None:
    """Refuses what is no plain workbook, before anything is unpacked."""
    if data.startswith(_OLE):
        raise RefusedError("file.encrypted_or_old_workbook")
    try:
        with ZipFile(BytesIO(data)) as archive:
            entries = archive.infolist()
    except (BadZipFile, ValueError, NotImplementedError):
        raise RefusedError("file.not_a_workbook") from None
    names = [entry.filename.lower() for entry in entries]
    if any(name.endswith(("vbaproject.bin", ".xlm")) or "/macrosheets/" in name for name in names):
        raise RefusedError("file.has_macros")
    if "[content_types].xml" not in names or len(set(names)) != len(names):
        raise RefusedError("file.not_a_workbook")
    if any(entry.flag_bits & 1 for entry in entries):
        raise RefusedError("file.encrypted_or_old_workbook")
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    too_tight = unpacked > limits["ratio_free_bytes"] and unpacked > packed * limits["ratio_max"]
    if unpacked > limits["unpacked_bytes"] or too_tight or len(entries) > limits["entries"]:
        raise RefusedError("file.zip_bomb")


def read(data: bytes, limits: dict[str, int]) -> list[dict[str, Any]]:
    from openpyxl import load_workbook  # noqa: PLC0415  (only after the limits are set)
    from openpyxl.xml import DEFUSEDXML  # noqa: PLC0415  (likewise)

    if not DEFUSEDXML:
        raise RuntimeError("defusedxml is missing")
    # full mode: read_only believes a lying <dimension> and loses rows that are out of order
    book = load_workbook(BytesIO(data), data_only=False, keep_links=False, keep_vba=False)
    if len(book.worksheets) > limits["sheets"]:
        raise RefusedError("file.too_many_sheets")
    return [{"name": sheet.title, "rows": rows_of(sheet, limits)} for sheet in book.worksheets]


def rows_of(sheet: Any, limits: dict[str, int]) -> list[list[Any]]:
    from openpyxl.utils import get_column_letter  # noqa: PLC0415  (likewise)

    # in full mode these come from the cells that are there, not from what <dimension> says
    if sheet.max_row > limits["rows"] or sheet.max_column > limits["columns"]:
        raise RefusedError("sheet.too_large", f"{sheet.title}!{get_column_letter(sheet.max_column)}{sheet.max_row}")
    rows = []
    for number, cells in enumerate(sheet.iter_rows(), 1):
        texts = [text_of(cell) for cell in cells]
        numbers = [place for place, cell in enumerate(cells) if cell.data_type == "n" and cell.value is not None]
        strange = [[place, STRANGE[cell.data_type]] for place, cell in enumerate(cells) if cell.data_type in STRANGE]
        if any(texts):
            rows.append([number, texts, numbers, strange])
    return rows


def text_of(cell: Any) -> str:
    """A cell as text: numbers as Python writes them (a long one shows its exponent, and is never repaired)."""
    value = cell.value
    if cell.data_type == "f":
        return str(getattr(value, "text", value))  # an array formula is an object that has its text
    if value is None:
        return ""
    if isinstance(value, datetime) and value.time() == time.min:
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def main() -> None:
    limits = json.loads(sys.argv[1])
    limit(limits)
    answer: dict[str, Any]
    try:
        data = sys.stdin.buffer.read()
        check_archive(data, limits)
        answer = {"sheets": [] if sys.argv[2:] == ["look"] else read(data, limits)}
    except RefusedError as refused:
        answer = {"refused": refused.code, "field": refused.field}
    except (MemoryError, RecursionError):
        answer = {"refused": "file.too_costly", "field": "file"}
    except Exception:  # a hostile file makes the library fail in any way there is; it is no workbook then
        answer = {"refused": "file.not_a_workbook", "field": "file"}
    # ASCII, so that a lone surrogate in a cell cannot break the output
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
