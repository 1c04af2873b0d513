"""Blank sheets to fill in: as the API gives them, under addresses that a browser may ask."""

from collections.abc import Mapping

from litestar import Response

from domain.errors import NotFound
from service.gateways import assessment_sheets, attendance_sheets, class_roster_sheets, roster_sheets
from service.gateways.headed_sheets import Form
from service.gateways.sheet_files import TYPES, as_sheet
from service.web import private_file

#: By the name in the address: the sheet's form, and how its file is called.
_FORMS: Mapping[str, tuple[Form, str]] = {
    "roster": (roster_sheets.FORM, "代领名册模板"),
    "class-roster": (class_roster_sheets.FORM, "开班名册模板"),
    "attendance": (attendance_sheets.FORM, "签到表模板"),
    "results": (assessment_sheets.FORM, "评价结果模板"),
}


def blank(file: str) -> Response[bytes]:
    """`roster.xlsx`, `attendance.csv` and so on. NotFound `page.not_found` for any other."""
    name, _, kind = file.partition(".")
    if name not in _FORMS or kind not in TYPES:
        raise NotFound("page.not_found")
    form, called = _FORMS[name]
    return private_file(as_sheet(form.template(), kind), TYPES[kind], f"{called}.{kind}")
