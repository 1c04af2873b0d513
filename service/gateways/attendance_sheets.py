"""An attendance sheet (签到表) of one class as CSV or XLSX: one heading, one line for a person at a session."""

from collections.abc import Mapping
from dataclasses import dataclass

from domain.catalog.reading import tight
from domain.errors import Invalid
from service.gateways.roster_sheets import one_form
from service.gateways.sheet_files import without_mark
from service.gateways.spreadsheets import Limits, SheetRow, read_rows

#: A class of 500 that comes to 40 sessions.
LINES_MAX = 20_000
LIMITS = Limits(file_bytes=8 * 1024 * 1024, rows=LINES_MAX + 100)

#: A sheet may carry a title and remarks above its headings.
_HEADINGS_WITHIN = 10
#: Field → its headings, the first as in the template.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "id_number": ("身份证号", "身份证号码", "证件号码", "公民身份号码"),
    "day": ("日期", "上课日期", "考勤日期"),
    "came": ("签到", "签到时间", "到课时间"),
    "left": ("签退", "签退时间", "离开时间"),
}
_BY_HEADING = {tight(word).lower(): field for field, words in COLUMNS.items() for word in words}


@dataclass(frozen=True)
class SheetLine:
    """A line as it was typed. `spoilt` are fields whose cell holds nothing to be read, each with a code."""

    number: int
    cells: Mapping[str, str]
    spoilt: Mapping[str, str]


def template() -> list[list[str]]:
    """The sheet that a clerk fills in: its heading. Other columns, such as names, are nobody's."""
    return [[words[0] for words in COLUMNS.values()]]


def read_sheet(data: bytes, filename: str) -> list[SheetLine]:
    """Invalid as `spreadsheets.read_rows`, or `attendance.columns_missing` (columns), `roster.column_twice` (column),
    `roster.empty`, `roster.too_many_lines` (most). Callers in a loop use a thread."""
    rows = read_rows(data, filename, LIMITS, keep_strange=True)
    place = next((place for place, row in enumerate(rows[:_HEADINGS_WITHIN]) if "id_number" in _fields(row)), None)
    columns = _columns(rows[place]) if place is not None else {}
    if missing := [words[0] for field, words in COLUMNS.items() if field not in columns]:
        raise Invalid("attendance.columns_missing", "file", columns=missing)
    assert place is not None, "there are columns"
    lines = [_line(row, columns) for row in rows[place + 1 :] if any(map(str.strip, row.cells))]
    if not lines:
        raise Invalid("roster.empty", "file")
    if len(lines) > LINES_MAX:
        raise Invalid("roster.too_many_lines", "file", most=LINES_MAX)
    return lines


def _fields(row: SheetRow) -> list[str | None]:
    return [_BY_HEADING.get(tight(cell).lower()) for cell in row.cells]


def _columns(heading: SheetRow) -> dict[str, int]:
    found: dict[str, int] = {}
    for place, field in enumerate(_fields(heading)):
        if field in found:
            raise Invalid("roster.column_twice", f"line {heading.number}", column=COLUMNS[field][0])
        if field is not None:
            found[field] = place
    return found


def _line(row: SheetRow, columns: Mapping[str, int]) -> SheetLine:
    cells, spoilt = {}, {}
    for field, place in columns.items():
        typed = without_mark(row.cells[place]) if place < len(row.cells) else ""
        cells[field] = one_form(typed) if field == "day" else typed
        if place in row.strange:
            spoilt[field] = row.strange[place]
        elif field == "id_number" and place in row.numbers:
            spoilt[field] = "id.not_text"
    return SheetLine(row.number, cells, spoilt)
