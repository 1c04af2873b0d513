"""The roster of a class (开班名册) as CSV or XLSX: one heading, one line a trainee."""

from service.gateways.headed_sheets import Column, Form, HeadedLine
from service.gateways.spreadsheets import Limits

LINES_MAX = 500
LIMITS = Limits(file_bytes=2 * 1024 * 1024, rows=LINES_MAX + 100, columns=50, cpu_seconds=15, wall_seconds=30)

FORM = Form(
    (
        Column("name", ("姓名", "学员姓名")),
        Column("id_number", ("身份证号", "身份证号码", "证件号码", "公民身份号码"), digits="id"),
        Column("phone", ("手机号", "手机", "手机号码", "联系电话"), needed=False),
    ),
    known_by=("name", "id_number"),
)


def read_class_roster(data: bytes, filename: str) -> list[HeadedLine]:
    """Who is to be taught. Invalid as `Form.read`."""
    return FORM.read(data, filename, LIMITS, LINES_MAX)
