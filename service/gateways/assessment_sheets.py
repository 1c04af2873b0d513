"""Results of a class as CSV or XLSX: one line a trainee, and one for each who examined (结果 says 考评员)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.catalog.reading import tight
from domain.errors import Invalid
from domain.faults import Faults
from service.gateways.roster_sheets import one_form
from service.gateways.sheet_files import without_mark
from service.gateways.spreadsheets import Limits, SheetRow, read_rows

#: A class has at most 500 trainees.
LIMITS = Limits(file_bytes=2 * 1024 * 1024, rows=1_000, columns=50, cpu_seconds=15, wall_seconds=30)

#: A sheet may carry a title and remarks above its headings.
_HEADINGS_WITHIN = 10
_LABELS = {
    "name": ("姓名", "学员姓名"),
    "id_number": ("身份证号", "身份证号码", "证件号码"),
    "mark": ("结果", "评价结果", "考核结果"),
    "score": ("成绩", "分数"),
    "certificate_number": ("证书编号", "证书号"),
    "certificate_issued_on": ("证书日期", "发证日期"),
}
_NEEDED = frozenset(("name", "id_number", "mark"))
#: What a workbook that stored a number has lost: digits.
_DIGITS = {"id_number": "id.not_text", "certificate_number": "certificate.not_text"}
_MARKS = {"合格": "passed", "不合格": "failed", "缺考": "absent"}
_EXAMINER = "考评员"


@dataclass
class AssessmentSheet:
    """What was typed of each, under its place (`line 3`)."""

    results: dict[str, Mapping[str, str]] = field(default_factory=dict)
    examiners: dict[str, Mapping[str, str]] = field(default_factory=dict)


def read_assessment(data: bytes, filename: str) -> AssessmentSheet:
    """Invalid as `spreadsheets.read_rows`, or `assessment.no_headings`, and with every cell that holds no text.
    Callers in a loop use a thread."""
    rows = read_rows(data, filename, LIMITS, keep_strange=True)
    above = enumerate(rows[:_HEADINGS_WITHIN])
    place = next((place for place, row in above if _columns(row).keys() >= _NEEDED), None)
    if place is None:
        raise Invalid("assessment.no_headings", "file")
    columns, sheet, faults = _columns(rows[place]), AssessmentSheet(), Faults()
    for row in rows[place + 1 :]:
        typed = _typed(row, columns, faults)
        if not typed:
            continue
        of = sheet.examiners if typed.get("mark") == _EXAMINER else sheet.results
        of[f"line {row.number}"] = typed
    faults.raise_all()
    return sheet


def template() -> list[list[str]]:
    """The sheet that a clerk fills in: its heading."""
    return [[labels[0] for labels in _LABELS.values()]]


def _columns(heading: SheetRow) -> dict[str, int]:
    by_label = {label: name for name, labels in _LABELS.items() for label in labels}
    found = {by_label.get(tight(cell)): place for place, cell in reversed(list(enumerate(heading.cells)))}
    return {name: place for name, place in found.items() if name is not None}


def _typed(row: SheetRow, columns: Mapping[str, int], faults: Faults) -> dict[str, str]:
    """Field → what was typed there, days and marks in one form."""
    typed = {}
    for name, place in columns.items():
        at = f"line {row.number}.{name}"
        text = without_mark(row.cells[place]).strip() if place < len(row.cells) else ""
        if place in row.strange:
            faults.tell(row.strange[place], at)
        elif text and place in row.numbers and name in _DIGITS:
            faults.tell(_DIGITS[name], at)
        elif text:
            typed[name] = text
    if "certificate_issued_on" in typed:
        typed["certificate_issued_on"] = one_form(typed["certificate_issued_on"])
    if "mark" in typed:
        typed["mark"] = _MARKS.get(typed["mark"], typed["mark"])
    return typed
