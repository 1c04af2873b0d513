"""Uploads of CSV and XLSX: what is honest is read whole, what is hostile is refused by name, and nothing hangs."""

import struct
import time
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import Workbook

from domain.catalog import find_mistakes
from domain.errors import Invalid
from service.gateways.catalog_sheets import read_catalog_sheets
from service.gateways.spreadsheets import Limits, SheetRow, read_rows, read_sheets

HEADINGS = ["序号", "姓名", "证件号码"]


def workbook(*sheets: tuple[str, list[list[object]]]) -> bytes:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def repacked(data: bytes, changes: dict[str, bytes]) -> bytes:
    """The same archive with some parts replaced or added."""
    stream = BytesIO()
    with ZipFile(BytesIO(data)) as old, ZipFile(stream, "w", ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *changes]):
            new.writestr(name, changes.get(name) if name in changes else old.read(name))
    return stream.getvalue()


PLAIN = workbook(("名单", [HEADINGS, [1, "张三", "11010519491231002X"]]))
SHEET = "xl/worksheets/sheet1.xml"


def sheet_xml(body: str, before: str = "") -> bytes:
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?>{before}<worksheet xmlns="{space}">{body}</worksheet>'.encode()


def with_sheet(body: str, before: str = "") -> bytes:
    return repacked(PLAIN, {SHEET: sheet_xml(body, before)})


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t>{text}</t></is></c>'


# --- honest files


def test_a_workbook_gives_texts_and_says_which_cells_were_numbers() -> None:
    rows = read_rows(PLAIN, "名单.xlsx")
    assert rows == [SheetRow(1, HEADINGS), SheetRow(2, ["1", "张三", "11010519491231002X"], frozenset({0}))]


def test_a_long_number_is_shown_as_stored_and_never_repaired() -> None:
    data = with_sheet('<sheetData><row r="1"><c r="A1"><v>4.40305E+17</v></c></row></sheetData>')
    assert read_rows(data, "a.xlsx") == [SheetRow(1, ["4.40305e+17"], frozenset({0}))]


def test_a_lying_dimension_and_rows_out_of_order_lose_nothing() -> None:
    rows = "".join(f'<row r="{n}">{text_cell(f"A{n}", f"第{n}行")}</row>' for n in (3, 1, 2, 10, 7))
    data = with_sheet(f'<dimension ref="A1:A2"/><sheetData>{rows}</sheetData>')
    assert [(row.number, row.cells) for row in read_rows(data, "a.xlsx")] == [
        (n, [f"第{n}行"]) for n in (1, 2, 3, 7, 10)
    ]


def test_every_sheet_is_read_and_one_is_asked_for() -> None:
    data = workbook(("甲", [["a"]]), ("空", []), ("乙", [["b"]]))
    assert [(sheet.name, len(sheet.rows)) for sheet in read_sheets(data, "a.xlsx")] == [
        ("甲", 1),
        ("空", 0),
        ("乙", 1),
    ]
    with pytest.raises(Invalid) as refused:
        read_rows(data, "a.xlsx")
    assert (refused.value.code, refused.value.field) == ("file.too_many_sheets", "乙")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_in_any_usual_encoding(encoding: str) -> None:
    data = '序号,姓名\r\n1,"张\n三"\r\n\r\n2,𠮷田·买买提\r\n'.encode(encoding)
    assert read_rows(data, "名单.CSV") == [
        SheetRow(1, ["序号", "姓名"]),
        SheetRow(2, ["1", "张\n三"]),
        SheetRow(5, ["2", "𠮷田·买买提"]),
    ]


def test_tabs_may_stand_for_commas() -> None:
    assert read_rows("序号\t姓名\n1\t张,三\n".encode(), "a.csv")[1].cells == ["1", "张,三"]


# --- hostile or damaged files


def encrypted_flag(data: bytes) -> bytes:
    """Every entry says it is encrypted."""
    spoilt = bytearray(data)
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = spoilt.find(signature)
        while at >= 0:
            spoilt[at + place : at + place + 2] = struct.pack("<H", 1)
            at = spoilt.find(signature, at + 4)
    return bytes(spoilt)


BILLION = (
    "<!DOCTYPE x [<!ENTITY a '0'>"
    + "".join(f"<!ENTITY {chr(98 + n)} '{f'&{chr(97 + n)};' * 10}'>" for n in range(9))
    + "]>"
)
XXE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
MERGED = '<sheetData/><mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>'

HOSTILE = {
    "a CSV named .xlsx": ("序号,姓名\n".encode(), "file.not_a_workbook", "file"),
    "nothing": (b"", "file.not_a_workbook", "file"),
    "cut short": (PLAIN[:-200], "file.not_a_workbook", "file"),
    "an empty zip": (b"PK\x05\x06" + bytes(18), "file.not_a_workbook", "file"),
    "a part twice": (repacked(PLAIN, {SHEET.upper(): b"x"}), "file.not_a_workbook", "file"),
    "macros": (repacked(PLAIN, {"xl/vbaProject.bin": b"x"}), "file.has_macros", "file"),
    "macro sheets": (repacked(PLAIN, {"xl/macrosheets/sheet1.xml": b"x"}), "file.has_macros", "file"),
    "encrypted, or before 2007": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512),
                                  "file.encrypted_or_old_workbook", "file"),
    "an encrypted zip": (encrypted_flag(PLAIN), "file.encrypted_or_old_workbook", "file"),
    "a zip bomb": (repacked(PLAIN, {"xl/media/a.bin": bytes(50_000_000)}), "file.zip_bomb", "file"),
    "too many parts": (repacked(PLAIN, {f"xl/p{n}": b"" for n in range(2_001)}), "file.zip_bomb", "file"),
    "billion laughs": (with_sheet("<sheetData>&j;</sheetData>", BILLION), "file.not_a_workbook", "file"),
    "an external entity": (with_sheet(f'<sheetData><row r="1">{text_cell("A1", "&e;")}</row></sheetData>', XXE),
                           "file.not_a_workbook", "file"),
    "a cell far away": (with_sheet(f'<sheetData><row r="1048576">{text_cell("XFD1048576", "x")}</row></sheetData>'),
                        "sheet.too_large", "名单!XFD1048576"),
    "all cells merged": (with_sheet(MERGED), "file.too_costly", "file"),
    "a formula": (workbook(("名单", [HEADINGS, [1, "=1+1", "x"]])), "cell.formula", "名单!B2"),
    "an error value": (with_sheet('<sheetData><row r="2"><c r="B2" t="e"><v>#REF!</v></c></row></sheetData>'),
                       "cell.error", "名单!B2"),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_workbook_is_refused_by_name(name: str) -> None:
    data, code, field = HOSTILE[name]
    began = time.monotonic()
    with pytest.raises(Invalid) as refused:
        read_rows(data, "名单.xlsx", Limits(memory_bytes=400 * 1024 * 1024, cpu_seconds=5, wall_seconds=30))
    assert (refused.value.code, refused.value.field) == (code, field)
    assert time.monotonic() - began < 35


@pytest.mark.parametrize(
    ("data", "filename", "code", "field"),
    [
        (b'a,b\n1,"x\n2,y\n', "a.csv", "csv.malformed", "line 2"),
        (b'a,b\n1,"x"y\n', "a.csv", "csv.malformed", "line 2"),
        (b"a\x00b", "a.csv", "file.not_text", "file"),
        (PLAIN, "a.csv", "file.not_text", "file"),
        (b"," * 101, "a.csv", "sheet.too_large", "line 1"),
        (b"a\n" * 60_001, "a.csv", "sheet.too_large", "line 60001"),
        (b"x", "a.xls", "file.unknown_kind", "file"),
        (b"x", "a", "file.unknown_kind", "file"),
        (PLAIN, "a.xlsm", "file.has_macros", "file"),
        (b"x" * (20 * 1024 * 1024 + 1), "a.xlsx", "file.too_large", "file"),
    ],
)
def test_other_refusals(data: bytes, filename: str, code: str, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_rows(data, filename)
    assert (refused.value.code, refused.value.field) == (code, field)


def test_a_workbook_that_takes_too_long_is_stopped() -> None:
    big = workbook(("名单", [[n, "张三", "x"] for n in range(20_000)]))
    began = time.monotonic()
    with pytest.raises(Invalid) as refused:
        read_rows(big, "a.xlsx", Limits(wall_seconds=0))
    assert refused.value.code == "file.too_costly"
    assert time.monotonic() - began < 5


# --- the catalog as a spreadsheet

ROWS: list[list[object]] = [["1", "6-18-02-04", "焊工", "加工维修"], ["3", "6-29-01-04", "钢筋工", "建筑施"]]
PROJECTS: list[list[object]] = [["1", "", "老年失能照护", "社会服务"]]
CELLS: list[object] = ["序号", "编码", "职业名称（包括所含工种）", "行业分类"]
EXPECTED = [("serial_gap", "甲类目录", 2), ("industry_truncated", "甲类目录", 3)]


def test_one_sheet_a_list() -> None:
    heading: list[object] = ["某市培训项目目录"]
    data = workbook(("甲类目录", [heading, CELLS, *ROWS]), ("项目制", [CELLS, *PROJECTS]))
    published = read_catalog_sheets(data, "目录.xlsx")
    assert published.rows_per_list() == {"甲类目录": 2, "项目制": 1}
    found = find_mistakes(published)
    assert [(each.kind.value, each.list_name, each.serial) for each in found] == EXPECTED
    assert [each.line for each in found] == [4, 4]
    assert published.rows[2].code_text is None


def test_a_column_for_the_list_and_a_heading_repeated() -> None:
    lines = ["目录,序号,编码,名称,标识,行业分类"]
    lines += [f"甲类目录,{','.join(map(str, row[:3]))},S,{row[3]}" for row in ROWS]
    lines += [lines[0], "项目制,1,,老年失能照护,,社会服务"]
    published = read_catalog_sheets("\n".join(lines).encode("gb18030"), "目录.csv")
    assert published.rows_per_list() == {"甲类目录": 2, "项目制": 1}
    assert [row.name_text for row in published.rows] == ["焊工 S", "钢筋工 S", "老年失能照护"]
    found = [(each.kind.value, each.list_name, each.serial) for each in find_mistakes(published)]
    assert found == [*EXPECTED, ("heading_repeated", "甲类目录", None)]


def test_numbers_stored_as_numbers_are_serials_all_the_same() -> None:
    data = workbook(("甲类目录", [CELLS, [1, "6-18-02-04", "焊工", "加工维修"]]))
    published = read_catalog_sheets(data, "目录.xlsx")
    assert [row.serial_text for row in published.rows] == ["1"]
    assert find_mistakes(published) == []


def test_a_row_with_an_empty_cell_is_kept_and_named() -> None:
    data = workbook(("甲类目录", [CELLS, *ROWS[:1], ["2", "", "钢筋工", "建筑施工"], ["3", "6-29-01-05", "架子工"]]))
    published = read_catalog_sheets(data, "目录.xlsx")
    found = [(each.kind.value, each.serial, each.line) for each in find_mistakes(published)]
    assert found == [("row_cut", 2, 3), ("row_cut", 3, 4)]
    assert len(published.rows) == 3


def test_without_headings_it_is_no_catalog() -> None:
    with pytest.raises(Invalid) as refused:
        read_catalog_sheets(PLAIN, "名单.xlsx")
    assert (refused.value.code, refused.value.field) == ("sheet.no_headings", "名单")
