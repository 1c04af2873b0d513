"""Attendance sheets as people write them, and as nobody should."""

from io import BytesIO

import pytest
from openpyxl import Workbook

from domain.errors import Invalid
from service.gateways import attendance_sheets
from service.gateways.attendance_sheets import FORM, read_sheet

LINE = "37010219900101123X,2026/3/2,08:30,11:30"
HEADING = "身份证号,日期,签到,签退"


def rows(text: str, encoding: str = "utf-8") -> list[tuple[int, dict[str, str]]]:
    return [(each.number, dict(each.cells)) for each in read_sheet(text.encode(encoding), "a.csv")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_sheet_may_have_a_title_other_columns_and_any_encoding(encoding: str) -> None:
    text = "焊工四级班签到表\n\n签退时间,姓名,证件号码,签到时间,上课日期\n"
    text += "11:30,王𬭎,37010219900101123X,08:30,2026年3月2日\n"
    said = {"id_number": "37010219900101123X", "day": "2026-03-02", "came": "08:30", "left": "11:30"}
    assert rows(text, encoding) == [(4, said)]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "sheet.no_headings"),
        (LINE, "sheet.no_headings"),
        ("身份证号,日期,签到\n" + LINE, "sheet.no_headings"),
        ("身份证号,日期,签到,签退,签退时间\n" + LINE, "roster.column_twice"),
        (HEADING + "\n\n", "roster.empty"),
        (HEADING + '\n"' + LINE, "csv.malformed"),
        ("\x00" + HEADING, "file.not_text"),
    ],
)
def test_what_is_no_sheet_is_refused(text: str, code: str) -> None:
    with pytest.raises(Invalid, match=code.replace(".", r"\.")):
        rows(text)


def test_a_sheet_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attendance_sheets, "LINES_MAX", 2)
    with pytest.raises(Invalid, match=r"roster\.too_many_lines"):
        rows("\n".join([HEADING, *[LINE] * 3]))


def workbook(*lines: list[object]) -> bytes:
    book, file = Workbook(), BytesIO()
    for line in lines:
        book.active.append(line)  # type: ignore[union-attr]
    book.save(file)
    return file.getvalue()


def test_cells_that_lost_their_digits_or_calculate_are_spoilt_each_by_itself() -> None:
    data = workbook(
        HEADING.split(","),
        [370102199001011234, "2026-03-02", "08:30", "11:30"],
        ["37010219900101123X", "2026-03-02", "=NOW()", "11:30"],
        ["37010219900101123X", "2026-03-02", "08:30"],
    )
    number, formula, short = read_sheet(data, "a.xlsx")
    assert number.spoilt == {"id_number": "id.not_text"}
    assert formula.spoilt == {"came": "cell.formula"}
    assert (short.spoilt, short.cells["left"]) == ({}, "")


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (HEADING.encode(), "a.xlsx", "file.not_a_workbook"),
        (b"PK\x03\x04", "a.csv", "file.not_text"),
        (b"", "a.xlsm", "file.has_macros"),
        (b"x" * (8 * 1024 * 1024 + 1), "a.csv", "file.too_large"),
    ],
)
def test_files_that_are_not_what_they_are_called_are_refused(data: bytes, name: str, code: str) -> None:
    with pytest.raises(Invalid, match=code.replace(".", r"\.")):
        read_sheet(data, name)


def test_the_template_can_be_filled_in() -> None:
    filled = [*FORM.template(), LINE.split(",")]
    assert [cells["came"] for _, cells in rows("\n".join(",".join(each) for each in filled))] == ["08:30"]
