"""Results of a class as CSV or XLSX: one line a trainee, and one for each who examined (结果 says 考评员)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from domain.faults import Faults
from service.gateways.headed_sheets import Column, Form, HeadedLine
from service.gateways.spreadsheets import Limits, read_rows

#: A class has at most 500 trainees.
LIMITS = Limits(file_bytes=2 * 1024 * 1024, rows=1_000, columns=50, cpu_seconds=15, wall_seconds=30)

FORM = Form(
    (
        Column("name", ("姓名", "学员姓名")),
        Column("id_number", ("身份证号", "身份证号码", "证件号码"), digits="id"),
        Column("mark", ("结果", "评价结果", "考核结果")),
        Column("score", ("成绩", "分数"), needed=False),
        Column("certificate_number", ("证书编号", "证书号"), digits="certificate", needed=False),
        Column("certificate_issued_on", ("证书日期", "发证日期"), day=True, needed=False),
    ),
    known_by=("name", "id_number", "mark"),
)
_MARKS = {"合格": "passed", "不合格": "failed", "缺考": "absent"}
_EXAMINER = "考评员"


@dataclass
class AssessmentSheet:
    """What was typed of each, under its place (`line 3`)."""

    results: dict[str, Mapping[str, str]] = field(default_factory=dict)
    examiners: dict[str, Mapping[str, str]] = field(default_factory=dict)


def read_assessment(data: bytes, filename: str) -> AssessmentSheet:
    """Invalid as `spreadsheets.read_rows` and `Form.lines_of`, and with every cell that holds no text. Callers in a
    loop use a thread."""
    sheet, faults = AssessmentSheet(), Faults()
    for line in FORM.lines_of(iter(read_rows(data, filename, LIMITS, keep_strange=True))):
        faults.found.extend(line.faults())
        typed = _typed(line)
        of = sheet.examiners if typed.get("mark") == _EXAMINER else sheet.results
        if typed:
            of[line.place] = typed
    faults.raise_all()
    return sheet


def _typed(line: HeadedLine) -> dict[str, str]:
    """What was typed where anything was, marks by their code."""
    typed = {told: text for told, text in line.cells.items() if text}
    if "mark" in typed:
        typed["mark"] = _MARKS.get(typed["mark"], typed["mark"])
    return typed
