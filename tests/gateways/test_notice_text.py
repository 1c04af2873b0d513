"""The importer of published notices: every mistake of the real one is named, and each kind of mistake alone."""

import time
from collections import Counter
from pathlib import Path

import pytest

from domain.catalog import Finding, Kind, PublishedCatalog, find_mistakes, items_of
from domain.errors import Invalid
from service.gateways.notice_text import LISTS_MAX, ROWS_MAX, read_notice

DATA = Path(__file__).parents[2] / "data"
NOTICE = (DATA / "sources" / "jinan-notice-2023-28.txt").read_bytes()
LINES = NOTICE.decode().split("\n")
PUBLISHED = read_notice(NOTICE)
FINDINGS = find_mistakes(PUBLISHED)

SHORTAGE, GENERAL, MAKING, PROJECTS = (
    "急需紧缺培训项目目录",
    "一般性培训项目目录",
    "制造业培训项目目录",
    "项目制培训项目",
)

Place = tuple[str, str, int | None]


def place_of(finding: Finding) -> Place:
    return finding.kind.value, finding.list_name, finding.serial


# --- the real notice


def test_every_row_of_the_notice_is_kept() -> None:
    assert len(PUBLISHED.rows) == 778
    assert PUBLISHED.rows_per_list() == {SHORTAGE: 89, GENERAL: 449, MAKING: 228, PROJECTS: 12}
    printed = [line.split("\t") for line in LINES if "\t" in line and not line.startswith("序号")]
    kept = [
        [row.serial_text, *([] if row.code_text is None else [row.code_text]), row.name_text, row.industry_text]
        for row in PUBLISHED.rows
    ]
    assert kept == printed
    assert not any(row.cut for row in PUBLISHED.rows)


def test_the_prose_tells_lists_and_industries() -> None:
    assert [named.name for named in PUBLISHED.named] == [
        "急需紧缺职业技能培训项目目录",
        "一般性职业培训项目目录",
        "制造业职业技能培训项目目录",
        "专项职业能力培训项目目录",
        "项目制培训项目目录",
    ]
    assert {named.line for named in PUBLISHED.named} == {25}
    assert len(PUBLISHED.industries) == 10
    assert "电力水利" in PUBLISHED.industries


def test_every_mistake_of_the_notice_is_named_and_nothing_else() -> None:
    """The list was drawn up by reading the annex by hand and by a script that shares nothing with the importer."""
    named = [(*place_of(each), each.line, each.code) for each in FINDINGS if each.kind != "heading_repeated"]
    assert named == [
        ("list_missing", "专项职业能力培训项目目录", None, 25, None),
        ("list_name_differs", SHORTAGE, None, 72, None),
        ("list_name_differs", GENERAL, None, 173, None),
        ("serial_gap", GENERAL, 9, 184, None),
        ("industry_misspelt", GENERAL, 158, 342, "4-09-01-01"),
        ("industry_misspelt", GENERAL, 319, 513, "4-11-03-01"),
        ("stray_blank", GENERAL, 324, 518, "6-31-01-06"),
        ("industry_misspelt", GENERAL, 327, 521, "6-28-03-02"),
        ("industry_misspelt", GENERAL, 397, 595, "4-09-02-01"),
        ("list_name_differs", MAKING, None, 654, None),
        ("code_two_names", MAKING, 93, 755, "6-17-05-04"),
        ("name_two_codes", MAKING, 93, 755, "6-17-05-04"),
        ("industry_differs", MAKING, 141, 805, "6-21-04-01"),
        ("industry_differs", MAKING, 164, 830, "6-24-04-00"),
        ("industry_differs", MAKING, 177, 843, "6-25-03-00"),
        ("industry_differs", MAKING, 193, 861, "6-28-01-13"),
        ("industry_truncated", MAKING, 209, 877, "6-30-05-02"),
        ("industry_truncated", MAKING, 210, 878, "6-30-05-03"),
        ("industry_differs", MAKING, 213, 881, "6-31-01-03"),
        ("tag_differs", MAKING, 221, 891, "6-31-01-11"),
        ("list_name_differs", PROJECTS, None, 902, None),
    ]
    suggestions = {(each.kind.value, each.serial): each.suggestion for each in FINDINGS}
    assert suggestions["industry_misspelt", 158] == "电力水利"
    assert suggestions["industry_truncated", 209] == "建筑施工"
    assert suggestions["stray_blank", 324] == "汽轮机和水轮机检修工"


def test_headings_repeated_by_page_breaks_are_notes() -> None:
    headings = [number for number, line in enumerate(LINES, 1) if line.startswith("序号\t")]
    first_of_lists = {74, 175, 656, 904}
    notes = [each for each in FINDINGS if each.kind == "heading_repeated"]
    assert [each.line for each in notes] == [line for line in headings if line not in first_of_lists]
    assert Counter(each.list_name for each in notes) == {SHORTAGE: 3, GENERAL: 14, MAKING: 7}
    assert {each.severity for each in notes} == {"note"}


def test_items_carry_tags_and_stay_as_printed() -> None:
    items = {(item.list_name, item.serial): item for item in items_of(PUBLISHED)}
    assert len(items) == 778
    spoilt = items[GENERAL, 324]
    assert (spoilt.code, spoilt.name, spoilt.tag) == ("6-31-01-06", "汽轮机和 水轮机检修工", "")
    assert (items[GENERAL, 450].name, items[GENERAL, 450].tag) == ("增材制造设备操作员", "L/S")
    assert items[GENERAL, 158].industry == "电气水利"
    assert items[PROJECTS, 5].code is None
    tagged = Counter(line.split("\t")[2].partition(" ")[2] for line in LINES if line.count("\t") == 3)
    assert Counter(item.tag for item in items.values() if item.tag) == {tag: tagged[tag] for tag in ("L", "S", "L/S")}


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbf" + NOTICE, id="bom"),
        pytest.param(NOTICE.replace(b"\n", b"\r\n"), id="crlf"),
        pytest.param(NOTICE.decode().encode("gb18030"), id="gb18030"),
        pytest.param(NOTICE.decode().encode("utf-16"), id="utf-16"),
        pytest.param(NOTICE.replace("\n序号".encode(), "\n\f序号".encode()), id="form feeds"),
    ],
)
def test_encodings_and_line_ends_change_nothing(data: bytes) -> None:
    assert read_notice(data) == PUBLISHED


# --- a small notice without a mistake, and each mistake alone

SMALL = """关于某市目录的通知

一、目录范围。包括急需紧缺培训项目目录、一般性培训项目目录、项目制培训项目目录等，涉及加工维

修类、建筑施工类、社会服务类等 3 个行业类别职业。

附件

某市培训 项目指导目录（试行）

（一）急需紧缺培训项目目录

序号\t编码\t职业名称（包括所含工种）\t行业分类
1\t6-18-02-04\t焊工\t加工维修
2\t6-29-01-04\t钢筋工\t建筑施工
3\t4-09-07-01\t污水处理工 L\t社会服务
4\t6-31-01-03\t电工\t加工维修

备注：L（绿色职业，下同）、S（数字职业，下同）

(二) 一般性培训项目目录

序号\t编码\t职业名称（包括所含工种）\t行业分类
1\t6-18-02-04\t焊工\t加工维修
2\t4-09-07-01\t污水处理工 L\t社会服务
3\t4-08-08-23\t建筑信息模型技术员 L/S\t建筑施工

(三) 项目制培训项目目录

序号\t项目名称\t行业分类
1\t老年失能照护\t社会服务
2\t建筑水电施工技能\t建筑施工
3\t民宿管理与服务\t社会服务
"""
FIRST, SECOND, THIRD = "急需紧缺培训项目目录", "一般性培训项目目录", "项目制培训项目目录"
SEWAGE = "2\t4-09-07-01\t污水处理工 L\t社会服务"
WELDER, BIM = "1\t6-18-02-04\t焊工\t加工维修\n", "3\t4-08-08-23\t建筑信息模型技术员 L/S\t建筑施工"


def test_a_text_without_mistakes_has_no_findings() -> None:
    published = read_notice(SMALL.encode())
    assert published.rows_per_list() == {FIRST: 4, SECOND: 3, THIRD: 3}
    assert published.industries == ("加工维修", "建筑施工", "社会服务")
    assert find_mistakes(published) == []


ALONE: list[tuple[str, str, list[Place]]] = [
    ("2\t6-29-01-04\t钢筋工\t建筑施工\n", "", [("serial_gap", FIRST, 2)]),
    ("4\t6-31-01-03", "7\t6-31-01-03", [("serial_gap", FIRST, serial) for serial in (4, 5, 6)]),
    ("2\t6-29-01-04", "3\t6-29-01-04", [("serial_gap", FIRST, 2), ("serial_duplicate", FIRST, 3)]),
    ("2\t6-29-01-04", "900000\t6-29-01-04", [("serial_gap", FIRST, 2)]),
    ("钢筋工\t建筑施工", "钢筋工\t建筑旋工", [("industry_misspelt", FIRST, 2)]),
    ("钢筋工\t建筑施工", "钢筋工\t建施筑工", [("industry_misspelt", FIRST, 2)]),
    ("钢筋工\t建筑施工", "钢筋工\t建筑工", [("industry_misspelt", FIRST, 2)]),
    ("钢筋工\t建筑施工", "钢筋工\t建筑施", [("industry_truncated", FIRST, 2)]),
    ("钢筋工\t建筑施工", "钢筋工\t筑施工", [("industry_truncated", FIRST, 2)]),
    ("钢筋工\t建筑施工", "钢筋工\t旅游服务", [("industry_unknown", FIRST, 2)]),
    ("2\t4-09-07-01\t污水处理工 L", "2\t4-09-07-01\t污水净化工 L", [("code_two_names", SECOND, 2)]),
    ("2\t4-09-07-01\t污水处理工 L", "2\t4-09-07-02\t污水处理工 L", [("name_two_codes", SECOND, 2)]),
    (SEWAGE, SEWAGE.replace("社会服务", "加工维修"), [("industry_differs", SECOND, 2)]),
    # an industry that is only misspelt differs from nothing
    (SEWAGE, SEWAGE.replace("社会服务", "社会报务"), [("industry_misspelt", SECOND, 2)]),
    ("2\t4-09-07-01\t污水处理工 L", "2\t4-09-07-01\t污水处理工", [("tag_differs", SECOND, 2)]),
    ("3\t4-09-07-01\t污水处理工 L", "3\t4-09-07-01\t污水处理工 L/S", [("tag_differs", SECOND, 2)]),
    ("\t钢筋工\t", "\t钢 筋工\t", [("stray_blank", FIRST, 2)]),
    ("\t钢筋工\t", "\t钢筋工\u3000\t", [("stray_blank", FIRST, 2)]),
    ("\t钢筋工\t", "\t钢\u200b筋工\t", [("stray_blank", FIRST, 2)]),
    ("污水处理工 L\t社会服务\n4", "污水处理工  L\t社会服务\n4", [("stray_blank", FIRST, 3)]),
    ("6-29-01-04", "6-29- 01-04", [("stray_blank", FIRST, 2)]),
    ("钢筋工\t建筑施工", "钢筋工\t建筑施工 ", [("stray_blank", FIRST, 2)]),
    ("钢筋工\t建筑施工", "钢筋工\t建筑施工\t", [("stray_blank", FIRST, 2)]),
    ("急需紧缺培训项目目录\n", "急需紧缺 培训项目目录\n", [("stray_blank", "急需紧缺 培训项目目录", None)]),
    (WELDER + "2\t6", "序号\t编码\t职业名称\t行业分类\n" + WELDER + "2\t6", [("heading_repeated", FIRST, None)]),
    (BIM, "（二）一般性培训项目目录（续）\n" + BIM, [("heading_repeated", SECOND, None)]),
    ("(二) 一般性培训项目目录", "(二) 一般性训练目录", [("list_name_differs", "一般性训练目录", None)]),
    ("(二) 一般性培训项目目录", "(二) 通用工种", [("list_name_differs", "通用工种", None)]),
    ("(二) 一般性培训项目目录\n", "", [("list_missing", SECOND, None)]),
    ("(三) 项目制培训项目目录\n", "", [("list_missing", THIRD, None)]),
    ("目录、项", "目录、专项能力培训项目目录、项", [("list_missing", "专项能力培训项目目录", None)]),
    ("6-29-01-04", "6-29-01-4", [("code_malformed", FIRST, 2)]),
    ("6-29-01-04", "6290104", [("code_malformed", FIRST, 2)]),
    ("6-29-01-04", "6-29-O1-04", [("code_malformed", FIRST, 2)]),
    ("6-29-01-04", "6–29–01–04", [("code_malformed", FIRST, 2)]),
    ("6-29-01-04", "6-29-01-٠٤", [("code_malformed", FIRST, 2)]),
    ("4\t6-31-01-03\t电工", "4\t6-29-01-04\t钢筋工", [("code_duplicate", FIRST, 4)]),
    ("6-29-01-04", "6－29-0１-04", [("fullwidth_characters", FIRST, 2)]),
    ("2\t6-29-01-04", "２\t6-29-01-04", [("fullwidth_characters", FIRST, 2)]),
    ("技术员 L/S", "技术员 Ｌ／Ｓ", [("fullwidth_characters", SECOND, 3)]),
    ("2\t6-29-01-04\t钢筋工\t建筑施工", "2\t6-29-01-04\t钢筋\n工\t建筑施工", [("row_cut", FIRST, 2)]),
    ("2\t6-29-01-04\t钢筋工\t建筑施工", "2\t6-29-01-04\t钢筋工\t建筑\n施工", [("row_cut", FIRST, 2)]),
    ("2\t6-29-01-04\t钢筋工\t建筑施工", "2\t6-29\n-01-04\t钢\n筋工\t建筑施工", [("row_cut", FIRST, 2)]),
    ("2\t6-29-01-04\t钢筋工\t建筑施工", "26-29-01-04钢筋工建筑施工", [("row_cut", FIRST, 2)]),
    ("2\t6-29-01-04\t钢筋工\t建筑施工", "2 6-29-01-04 钢筋工 建筑施工", [("row_cut", FIRST, 2)]),
    ("2\t6-29-01-04\t钢筋工\t建筑施工", "2\t钢筋工\t建筑施工", [("row_cut", FIRST, 2)]),
    ("2\t6-29-01-04\t钢筋工\t建筑施工", "2\t6-29-01-04\t建筑施工", [("row_cut", FIRST, 2)]),
    ("2\t6-29-01-04\t钢筋工\t建筑施工", "2", [("row_cut", FIRST, 2)]),
    ("2\t6-29-01-04\t钢筋工\t建筑施工", "6-29-01-04\t钢筋工\t建筑施工", [("row_cut", FIRST, 2)]),
    ("2\t6-29-01-04\t钢筋工\t建筑施工", "二\t6-29-01-04\t钢筋工\t建筑施工", [("row_cut", FIRST, 2)]),
    ("2\t建筑水电施工技能\t建筑施工", "2\t建筑水电施工技能", [("row_cut", THIRD, 2)]),
    ("2\t建筑水电施工技能\t建筑施工", "2\t建筑水\n电施工技能\t建筑施工", [("row_cut", THIRD, 2)]),
]  # fmt: skip


@pytest.mark.parametrize(("printed", "spoilt", "expected"), ALONE)
def test_a_mistake_alone_is_named_alone(printed: str, spoilt: str, expected: list[Place]) -> None:
    assert SMALL.count(printed) >= 1
    published = read_notice(SMALL.replace(printed, spoilt, 1).encode())
    assert [place_of(each) for each in find_mistakes(published)] == expected
    lost_rows = spoilt == "" and printed.startswith("2\t")
    assert len(published.rows) == 10 - lost_rows


def test_every_kind_is_tried_alone() -> None:
    beside_the_classification = {Kind.CODE_UNKNOWN, Kind.NAME_NOT_CLASSIFIED, Kind.TAG_NOT_CLASSIFIED}
    kinds = {kind.value for kind in set(Kind) - beside_the_classification}
    assert {place[0] for *_, expected in ALONE for place in expected} == kinds


def test_a_cut_row_shows_its_pieces_and_how_they_read() -> None:
    published = read_notice(SMALL.replace("钢筋工\t建筑施工", "钢筋\n工\t建筑施工").encode())
    row = published.rows[1]
    assert row.cut == ("2\t6-29-01-04\t钢筋", "工\t建筑施工")
    assert (row.serial_text, row.code_text, row.name_text, row.industry_text) == (
        "2",
        "6-29-01-04",
        "钢筋工",
        "建筑施工",
    )
    finding = find_mistakes(published)[0]
    assert (finding.severity, finding.line) == ("error", 15)
    assert "钢筋工" in finding.suggestion


def test_a_table_of_something_else_is_no_list() -> None:
    other = SMALL + "\n附件2\n\n序号\t机构名称\t地址\n1\t某学校\t某路1号\n2\t某中心\t某路2号\n"
    published = read_notice(other.encode())
    assert published.rows_per_list() == {FIRST: 4, SECOND: 3, THIRD: 3}
    assert find_mistakes(published) == []


def test_a_list_named_with_nothing_in_it_is_there_and_empty() -> None:
    text = SMALL.replace("、项目制", "、专项能力培训项目目录、项目制") + "\n（四）专项能力培训项目目录\n\n（略）\n"
    published = read_notice(text.encode())
    assert published.rows_per_list() == {FIRST: 4, SECOND: 3, THIRD: 3, "专项能力培训项目目录": 0}
    assert find_mistakes(published) == []


def test_a_table_whose_title_was_lost_keeps_its_rows_apart() -> None:
    published = read_notice(NOTICE.replace("(二) 一般性培训项目目录\n".encode(), b""))
    assert published.rows_per_list() == {SHORTAGE: 89, "（未标目录名）": 449, MAKING: 228, PROJECTS: 12}
    missing = next(each for each in find_mistakes(published) if each.list_name == "一般性职业培训项目目录")
    assert (missing.kind, missing.suggestion[:8]) == ("list_missing", "第 174 行起")


def test_a_list_printed_twice_is_one_list() -> None:
    twice = SMALL + "\n（一）急需紧缺培训项目目录\n" + WELDER
    published = read_notice(twice.encode())
    assert published.rows_per_list()[FIRST] == 5
    assert {place_of(each) for each in find_mistakes(published)} == {
        ("heading_repeated", FIRST, None),
        ("serial_duplicate", FIRST, 1),
        ("code_duplicate", FIRST, 1),
    }


# --- what is no catalog


@pytest.mark.parametrize("data", [b"", b"\n\n", "没有表格的通知。".encode(), "序号、编码按大典执行。".encode()])
def test_a_text_without_tables_is_an_empty_catalog(data: bytes) -> None:
    assert read_notice(data) == PublishedCatalog((), ())


@pytest.mark.parametrize("data", [b"\x00\x01", b"PK\x03\x04", b"%PDF-1.7", b"\xff\xff\xff", "目录\x00".encode()])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        read_notice(data)
    assert (refused.value.code, refused.value.field) == ("file.not_text", "file")


@pytest.mark.parametrize(
    "noise",
    [
        pytest.param("包括" * 1_700_000, id="one long line of prose"),
        pytest.param(("包括目录、" * 20 + "\n") * 20_000, id="unfinished enumerations"),
        pytest.param("、" * 3_000_000 + "等10个行业", id="an endless enumeration"),
        pytest.param("（一）\n" * 200_000, id="numbers without titles"),
        pytest.param(" \n" * 1_000_000, id="blank lines"),
        pytest.param("\t" * 10_000_000, id="tabs"),
        pytest.param("1" * 10_000_000, id="digits"),
    ],
)
def test_noise_takes_seconds(noise: str) -> None:
    began = time.process_time()
    published = read_notice((noise + "\n" + SMALL).encode())
    assert time.process_time() - began < 10  # linear: it takes one or two
    assert len(published.rows) == 10


@pytest.mark.parametrize(
    "more",
    [
        pytest.param("1\t6-18-02-04\t焊工\t加工维修\n" * (ROWS_MAX + 1), id="rows"),
        pytest.param("".join(f"（一）第{i}项目目录\n" for i in range(LISTS_MAX + 1)), id="lists"),
    ],
)
def test_more_rows_or_lists_than_any_catalog_has_are_refused(more: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_notice((SMALL + more).encode())
    assert refused.value.code == "catalog.too_large"
