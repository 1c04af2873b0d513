"""The rules on lists and rows made by hand; the texts they come from are tested with the importer."""

import time

import pytest

from domain.catalog import (
    CatalogItem,
    Finding,
    Kind,
    NamedList,
    PublishedCatalog,
    PublishedList,
    PublishedRow,
    Severity,
    find_mistakes,
    items_of,
)
from domain.catalog.mistakes import GAP_MAX


def row(
    serial: object, code: str | None, name: str, industry: str = "加工维修", list_name: str = "甲", line: int = 0
) -> PublishedRow:
    return PublishedRow(list_name, line, str(serial), code, name, industry)


def mistakes(
    *rows: PublishedRow, named: tuple[str, ...] = (), lists: tuple[PublishedList, ...] = ()
) -> list[Finding]:
    names = dict.fromkeys(each.list_name for each in rows)
    lists = lists or tuple(PublishedList(name, 0) for name in names)
    return find_mistakes(PublishedCatalog(lists, rows, tuple(NamedList(name, 1) for name in named)))


def kinds(*rows: PublishedRow) -> list[tuple[str, int | None]]:
    return [(each.kind.value, each.serial) for each in mistakes(*rows)]


def filler(*serials: int) -> list[PublishedRow]:
    return [row(serial, None, f"项目{serial}") for serial in serials]


@pytest.mark.parametrize(
    ("serials", "expected"),
    [
        ((1, 2, 3), []),
        ((2, 3), [("serial_gap", 1)]),
        ((1, 4), [("serial_gap", 2), ("serial_gap", 3)]),
        ((1, 1, 2), [("serial_duplicate", 1)]),
        ((1, 3, 2), []),  # out of order, but none is missing
        ((1, 99, 3), [("serial_gap", 2)]),  # one wild serial opens no gap of its own
        ((1, 2, 2 + GAP_MAX + 2), [("serial_gap", 3)]),  # a long gap is one finding
        ((0, 1), []),
    ],
)
def test_serials(serials: tuple[int, ...], expected: list[tuple[str, int]]) -> None:
    assert kinds(*filler(*serials)) == expected


def test_a_long_gap_says_how_far_it_goes() -> None:
    found = mistakes(*filler(1, 900))
    assert [(each.serial, "2 至 899" in each.message) for each in found] == [(2, True)]


def test_a_lost_serial_is_told_from_the_row_before() -> None:
    found = mistakes(row(1, None, "甲项"), row("", None, "乙项"), row(3, None, "丙项"))
    assert [(each.kind, each.serial, each.severity) for each in found] == [(Kind.ROW_CUT, 2, Severity.ERROR)]
    # it is not told where the number is taken
    found = mistakes(row(1, None, "甲项"), row("", None, "乙项"), row(2, None, "丙项"))
    assert [(each.kind, each.serial) for each in found] == [(Kind.ROW_CUT, None)]


def test_a_contradiction_stands_at_the_later_row_and_names_the_earlier() -> None:
    found = mistakes(
        row(1, "6-18-02-04", "焊工 S", line=10), row(1, "6-18-02-04", "电焊工", "社会服务", list_name="乙", line=20)
    )
    assert [each.kind for each in found] == [Kind.CODE_TWO_NAMES, Kind.INDUSTRY_DIFFERS, Kind.TAG_DIFFERS]
    for each in found:
        assert (each.list_name, each.serial, each.line, each.code) == ("乙", 1, 20, "6-18-02-04")
        assert "“甲”序号 1（第 10 行）" in each.message


def test_three_rows_of_a_code_give_two_findings_at_most() -> None:
    same = [row(1, "6-18-02-04", "焊工", industry, list_name=name) for name, industry in
            (("甲", "加工维修"), ("乙", "社会服务"), ("丙", "建筑施工"))]  # fmt: skip
    assert [each.list_name for each in mistakes(*same)] == ["乙", "丙"]


def test_a_blank_in_a_name_makes_no_second_name() -> None:
    assert kinds(row(1, "6-18-02-04", "焊工"), row(1, "6-18-02-04", "焊 工", list_name="乙")) == [("stray_blank", 1)]


def test_an_industry_cut_short_or_unknown_differs_from_nothing() -> None:
    first = row(1, "6-18-02-04", "焊工", "建筑施工")
    assert kinds(first, row(1, "6-18-02-04", "焊工", "建筑施", list_name="乙")) == [("industry_truncated", 1)]
    assert kinds(first, row(1, "6-18-02-04", "焊工", "航空航天", list_name="乙")) == [("industry_unknown", 1)]
    assert [each.kind for each in mistakes(first, row(1, "6-18-02-04", "焊工", "加工维", list_name="乙"))] == [
        Kind.INDUSTRY_TRUNCATED,
        Kind.INDUSTRY_DIFFERS,
    ]


def test_a_code_that_is_none_is_compared_with_nothing_and_a_namesake_proposes() -> None:
    found = mistakes(row(1, "6-18-02-04", "焊工"), row(1, "6-18-02-O4", "焊工", list_name="乙"))
    assert [(each.kind, each.suggestion) for each in found] == [(Kind.CODE_MALFORMED, "6-18-02-04")]


def test_codes_in_a_list_without_codes_are_not_missed() -> None:
    assert mistakes(row(1, None, "老年失能照护"), row(2, None, "儿童托育照护")) == []


NAMED = ("急需紧缺职业技能培训项目目录", "一般性职业培训项目目录", "专项职业能力培训项目目录", "项目制培训项目目录")


@pytest.mark.parametrize(
    ("printed", "differs", "missing"),
    [
        (NAMED, [], []),
        (NAMED[:2] + NAMED[3:], [], [NAMED[2]]),
        (("急需紧缺培训目录", *NAMED[1:]), ["急需紧缺培训目录"], []),
        (("紧急短缺工种", *NAMED[1:]), ["紧急短缺工种"], []),  # nothing alike: told by its place
        ((*NAMED, "创业培训目录"), ["创业培训目录"], []),
        ((NAMED[3], *NAMED[:3]), [], []),  # in another order
        ((), [], list(NAMED)),
    ],
)
def test_lists_named_and_lists_printed(printed: tuple[str, ...], differs: list[str], missing: list[str]) -> None:
    lists = tuple(PublishedList(name, place) for place, name in enumerate(printed, 10))
    found = mistakes(named=NAMED, lists=lists)
    assert [each.list_name for each in found if each.kind is Kind.LIST_NAME_DIFFERS] == differs
    assert [each.list_name for each in found if each.kind is Kind.LIST_MISSING] == missing
    assert len(found) == len(differs) + len(missing)


def test_without_a_text_lists_are_compared_with_nothing() -> None:
    assert mistakes(lists=(PublishedList("甲", 1),)) == []


def test_items_keep_what_was_printed() -> None:
    printed = PublishedCatalog((), (row("１", "6-18 -02-04", " 焊 工  S ", "加工维", line=7), row("x", None, "乙项")))
    assert items_of(printed) == [
        CatalogItem("甲", 1, "6-18 -02-04", " 焊 工", "S", "加工维", 7),
        CatalogItem("甲", None, None, "乙项", "", "加工维修", 0),
    ]


def test_facts_have_the_form_the_command_prints() -> None:
    found = mistakes(row(1, "6-18-02-04", "焊工", "加工维", line=3))[0]
    assert list(found.facts()) == ["kind", "severity", "list", "serial", "line", "code", "message", "suggestion"]
    assert {**found.facts(), "message": ""} == {
        "kind": "industry_truncated",
        "severity": "warning",
        "list": "甲",
        "serial": 1,
        "line": 3,
        "code": "6-18-02-04",
        "message": "",
        "suggestion": "加工维修",
    }


def test_fifty_thousand_equal_rows_take_seconds() -> None:
    rows = [row(1, "6-18-02-04", f"焊工{place}", "社会报务") for place in range(50_000)]
    began = time.process_time()
    found = mistakes(*rows)
    assert time.process_time() - began < 10
    assert sum(each.kind is Kind.CODE_DUPLICATE for each in found) == 49_999
