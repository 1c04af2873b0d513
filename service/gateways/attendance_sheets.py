"""An attendance sheet (签到表) of one class as CSV or XLSX: one heading, one line for a person at a session."""

from service.gateways.headed_sheets import Column, Form, HeadedLine
from service.gateways.spreadsheets import Limits

#: A class of 500 that comes to 40 sessions.
LINES_MAX = 20_000
LIMITS = Limits(file_bytes=8 * 1024 * 1024, rows=LINES_MAX + 100)

#: Other columns, such as names, are nobody's.
FORM = Form(
    (
        Column("id_number", ("身份证号", "身份证号码", "证件号码", "公民身份号码"), digits="id"),
        Column("day", ("日期", "上课日期", "考勤日期"), day=True),
        Column("came", ("签到", "签到时间", "到课时间")),
        Column("left", ("签退", "签退时间", "离开时间")),
    ),
    known_by=("id_number",),
)


def read_sheet(data: bytes, filename: str) -> list[HeadedLine]:
    """What was marked of whom. Invalid as `Form.read`."""
    return FORM.read(data, filename, LIMITS, LINES_MAX)
