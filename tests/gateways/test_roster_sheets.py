"""Rosters as offices save them, and as attackers do; and the sheet back, in which nothing is ever calculated."""

import csv
import time
from io import BytesIO, StringIO
from typing import Any

import msgspec
import pytest
from openpyxl import load_workbook

from domain.errors import Invalid
from service.gateways.headed_sheets import one_form
from service.gateways.roster_sheets import (
    COLUMNS,
    FORM,
    REASONS,
    RosterPart,
    heading_with_reasons,
    lines_with_reasons,
    read_roster,
)
from service.gateways.sheet_files import FILES, with_mark, without_mark
from service.gateways.spreadsheets import look_at
from tests.gateways.test_spreadsheets import HOSTILE, PLAIN, text_cell, with_sheet, workbook

HEADINGS: list[object] = ["姓名", "身份证号", "职业编码", "等级", "证书编号", "证书日期", "收款卡号", "开户行联行号"]
LINE: list[object] = [
    *("张三", "11010519491231002X", "6-18-02-04", "四级", "S000037000000264000001"),
    *("2026-03-02", "6299990000000000018", "102451000018"),
]
MAX = 50_000


def as_csv(*rows: list[object]) -> bytes:
    text = StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def typed(part: RosterPart) -> list[dict[str, str]]:
    return [part.typed(line) for line in part.lines]


# ---- what is read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_with_a_rare_surname_in_any_usual_encoding(encoding: str) -> None:
    data = as_csv(HEADINGS, ["𠮷田·买买提", *LINE[1:]]).decode().encode(encoding)
    part = read_roster(data, "a.csv", MAX)
    assert typed(part)[0]["trainee.name"] == "𠮷田·买买提"
    assert [line.number for line in part.lines] == [2]


def test_titles_other_headings_blank_lines_and_columns_of_ones_own() -> None:
    headings = [
        "序号",
        "学员 姓名",
        "身份证号码",
        "职业代码",
        "技能等级",
        "证书号",
        "发证日期",
        "银行卡号",
        "联行号",
        "备注",
    ]
    rows = [["某校代领名册"], [], headings, ["1", *LINE, "x"], ["", " "], ["2", *LINE[:1], "x", *LINE[2:]]]
    part = read_roster(as_csv(*rows), "a.csv", MAX)
    assert [line.number for line in part.lines] == [4, 6]
    assert typed(part)[1]["trainee.id_number"] == "x"
    assert "备注" in part.heading


def test_a_workbook_with_rows_out_of_order_and_a_lying_dimension_loses_nothing() -> None:
    rows: dict[int, list[object]] = {1: HEADINGS} | {n: [f"甲{n}", *LINE[1:]] for n in (2, 3, 7, 10)}
    xml = "".join(
        f'<row r="{n}">{"".join(text_cell(f"{chr(65 + place)}{n}", str(cell)) for place, cell in enumerate(rows[n]))}'
        "</row>"
        for n in (3, 1, 10, 2, 7)
    )
    part = read_roster(with_sheet(f'<dimension ref="A1:B2"/><sheetData>{xml}</sheetData>'), "a.xlsx", MAX)
    assert [(line.number, line.cells[0]) for line in part.lines] == [(n, f"甲{n}") for n in (2, 3, 7, 10)]


def test_numbers_formulas_and_errors_spoil_their_own_line_only() -> None:
    numbered = [*LINE]
    numbered[1], numbered[3], numbered[4], numbered[6] = 110105194912310021, 4, 37, 6299990000000000018
    part = read_roster(
        workbook(("名册", [HEADINGS, LINE, numbered, [*LINE[:5], "=TODAY()", *LINE[6:]]])), "a.xlsx", MAX
    )
    assert [line.spoilt for line in part.lines] == [
        {},
        {
            "trainee.id_number": "id.not_text",
            "certificate_number": "certificate.not_text",
            "account.number": "account.not_text",
        },
        {"certificate_issued_on": "cell.formula"},
    ]
    assert typed(part)[1]["level"] == "4"  # a short number has lost nothing


def test_formulas_in_columns_of_ones_own_are_nobodys_business() -> None:
    part = read_roster(workbook(("名册", [[*HEADINGS, "合计"], [*LINE, "=1+1"]])), "a.xlsx", MAX)
    assert part.lines[0].spoilt == {}


def test_the_second_line_of_a_person_names_the_first() -> None:
    part = read_roster(
        as_csv(HEADINGS, LINE, ["李四", "x", *LINE[2:]], ["张三", " 11010519491231002x", *LINE[2:]]), "a.csv", MAX
    )
    assert [line.repeats for line in part.lines] == [0, 0, 2]


def test_what_no_database_holds_is_no_text_of_a_name() -> None:
    odd = with_sheet(
        "<sheetData>"
        + "".join(
            f'<row r="{n}">{"".join(text_cell(f"{chr(65 + i)}{n}", str(cell)) for i, cell in enumerate(row))}</row>'
            for n, row in ((1, HEADINGS), (2, ["张_x0000_三", *LINE[1:]]))
        )
        + "</sheetData>"
    )
    part = read_roster(odd, "a.xlsx", MAX)
    assert "\0" not in part.lines[0].cells[0]
    assert msgspec.json.decode(msgspec.json.encode(part), type=RosterPart) == part


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-03-02", "2026-03-02"),
        ("2026/3/2", "2026-03-02"),
        ("2026.03.02", "2026-03-02"),
        (" ２０２６年３月２日 ", "2026-03-02"),
        ("2026-02-30", "2026-02-30"),
        *(
            (text, text)
            for text in ("3/2/2026", "26-3-2", "0026-3-2", "46083", "2026年3月", "昨天", "2026-03-02 08:00")
        ),
    ],
)
def test_days_written_year_first_come_to_one_form_and_nothing_else_is_guessed(text: str, day: str) -> None:
    assert one_form(text) == day


# ---- what is rejected as a whole

REJECTED: dict[str, tuple[bytes, str, str]] = {
    "no headings": (as_csv(LINE), "roster.no_headings", "file"),
    "nothing at all": (b"", "roster.no_headings", "file"),
    "headings too far down": (as_csv(*([["x"]] * 10), HEADINGS, LINE), "roster.no_headings", "file"),
    "a column missing": (as_csv(HEADINGS[:-2], LINE[:-2]), "roster.columns_missing", "line 1"),
    "neither code nor name": (as_csv([*HEADINGS[:2], *HEADINGS[3:]], LINE), "roster.columns_missing", "line 1"),
    "a column twice": (as_csv([*HEADINGS, "卡号"], LINE), "roster.column_twice", "line 1"),
    "no line": (as_csv(HEADINGS, ["", " "]), "roster.empty", "file"),
    "an unclosed quote": (as_csv(HEADINGS, LINE) + b'"x,', "csv.malformed", "line 3"),
}


@pytest.mark.parametrize("name", REJECTED)
def test_what_is_no_roster_is_rejected_by_name(name: str) -> None:
    data, code, field = REJECTED[name]
    with pytest.raises(Invalid) as refused:
        read_roster(data, "a.csv", MAX)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_missing_columns_are_all_named() -> None:
    with pytest.raises(Invalid) as refused:
        read_roster(as_csv(["姓名", "身份证号"], LINE), "a.csv", MAX)
    assert refused.value.facts["columns"] == [
        *("等级", "证书编号", "证书日期", "收款卡号", "开户行联行号", "职业编码"),
    ]


def test_two_sheets_with_lines_are_not_one_roster() -> None:
    with pytest.raises(Invalid) as refused:
        read_roster(workbook(("甲", [HEADINGS, LINE]), ("乙", [HEADINGS, LINE])), "a.xlsx", MAX)
    assert refused.value.code == "file.too_many_sheets"


def test_one_line_too_many() -> None:
    assert len(read_roster(as_csv(HEADINGS, LINE, LINE), "a.csv", 2).lines) == 2
    with pytest.raises(Invalid) as refused:
        read_roster(as_csv(HEADINGS, LINE, LINE, LINE), "a.csv", 2)
    assert (refused.value.code, refused.value.facts) == ("roster.too_many_lines", {"most": 2})


#: Seen only when the cells are read; the rest is seen before anything is unpacked.
INSIDE = (
    "billion laughs",
    "an external entity",
    "a cell far away",
    "all cells merged",
    "a formula",
    "an error value",
)


@pytest.mark.parametrize("name", [name for name in HOSTILE if name not in INSIDE])
def test_a_hostile_archive_is_seen_at_the_door(name: str) -> None:
    data, code, _ = HOSTILE[name]
    with pytest.raises(Invalid) as refused:
        look_at(data, "a.xlsx")
    assert refused.value.code == code


@pytest.mark.parametrize("name", INSIDE[:3])
def test_what_is_hostile_inside_is_rejected_when_it_is_read(name: str) -> None:
    data, code, _ = HOSTILE[name]
    look_at(data, "a.xlsx")
    with pytest.raises(Invalid) as refused:
        read_roster(data, "a.xlsx", MAX)
    assert refused.value.code == code


def test_the_door_is_quick_and_opens_for_what_is_honest() -> None:
    began = time.monotonic()
    look_at(PLAIN, "a.xlsx")
    look_at(as_csv(HEADINGS), "a.csv")
    assert time.monotonic() - began < 5


# ---- the sheet back

DANGEROUS = [
    *(
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "\u3000=1",
        "＝1+1",
        "＋1",
        "－1",
        "＠x",
        "\u00a0@",
    ),
    "=cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("text", [*DANGEROUS, "张三", "11010519491231002X", "'张三", "", "a=1"])
def test_the_mark_comes_off_as_it_went_on(text: str) -> None:
    assert without_mark(with_mark(text)) == text
    assert with_mark(text)[:1] not in tuple("=+-@\t\r\n＝＋－＠ \u3000\u00a0")


def rows_of(data: bytes, kind: str) -> list[list[Any]]:
    if kind == "csv":
        return list(csv.reader(StringIO(data.decode("utf-8-sig"), newline="")))
    sheet = load_workbook(BytesIO(data)).worksheets[0]
    assert {cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None} == {"s"}
    assert {cell.number_format for row in sheet.iter_rows() for cell in row} == {"@"}
    return [[cell.value or "" for cell in row] for row in sheet.iter_rows()]


@pytest.mark.parametrize("kind", FILES)
def test_no_cell_of_a_sheet_back_is_calculated_and_the_sheet_is_a_roster_again(kind: str) -> None:
    lines = [[text, *LINE[1:]] for text in DANGEROUS]
    part = read_roster(as_csv([*HEADINGS, "备注"], *([*line, "<b>&\x07"] for line in lines)), "a.csv", MAX)
    file = FILES[kind]()
    file.add([heading_with_reasons(part)])
    file.add(lines_with_reasons(part, dict.fromkeys(range(2, 20), "姓名：请再看一遍。"), every=False))
    data = file.content()
    rows = rows_of(data, kind)
    assert rows[0] == [*HEADINGS, "备注", REASONS]
    assert all(row[-1] == "姓名：请再看一遍。" for row in rows[1:])
    if kind == "csv":
        assert all(row[0].startswith("'") for row in rows[1:])
    again = read_roster(data, f"a.{kind}", MAX)
    assert [line.cells[0] for line in again.lines] == [line.cells[0] for line in part.lines]
    assert heading_with_reasons(again) == heading_with_reasons(part)


def test_only_lines_to_mend_or_every_line() -> None:
    part = read_roster(as_csv(HEADINGS, LINE, LINE), "a.csv", MAX)
    assert [row[-1] for row in lines_with_reasons(part, {3: "x"}, every=False)] == ["x"]
    assert [row[-1] for row in lines_with_reasons(part, {3: "x"}, every=True)] == ["", "x"]


@pytest.mark.parametrize("kind", FILES)
def test_the_template_is_a_roster_once_it_has_a_line(kind: str) -> None:
    file = FILES[kind]()
    file.add([*FORM.template(), ["x"] * len(COLUMNS)])
    part = read_roster(file.content(), f"a.{kind}", MAX)
    assert set(part.columns) == {column.field for column in COLUMNS}
