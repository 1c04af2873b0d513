"""A draft beside what the city was told it should hold."""

from domain.catalog import CatalogItem
from domain.catalog.sources import beside_source

WELDER = CatalogItem("急需紧缺", 1, "6-18-02-04", "焊工", "", "加工维修", 1)
COOK = CatalogItem("一般性", 1, "4-03-02-01", "中式烹调师", "", "食品餐饮", 2)
AI = CatalogItem("一般性", 2, "2-02-10-09", "人工智能工程技术人员", "S", "软件智能", 3)
PROJECT = CatalogItem("项目制", 1, None, "月嫂 专项", "", "家政养老", 4)
DRAFT = [WELDER, COOK, AI, PROJECT]
ALIASES = {"2-02-10-09": "2-02-38-01"}


def item(code: str | None, name: str) -> CatalogItem:
    return CatalogItem("指导目录", None, code, name, "", "加工维修", 1)


def test_occupations_are_compared_whatever_list_they_stand_in() -> None:
    source = [
        item("6-18-02-04", "焊工"),
        item("6-18-02-04", "焊工"),
        item("2-02-38-01", "人工智能工程技术人员 S"),
        item("4-03-02-01", "厨师"),
        item("5-01-01-01", "农艺工"),
        item(None, "月嫂专项"),
        item(None, "无人机专项"),
    ]
    found = beside_source(DRAFT, source, ALIASES)
    assert [each.name for each in found.missing] == ["农艺工", "无人机专项"]
    assert [(theirs.name, ours.name) for theirs, ours in found.named_otherwise] == [("厨师", "中式烹调师")]
    assert found.unsupported == ()


def test_what_no_source_asks_for_is_told_once_an_occupation() -> None:
    twice = CatalogItem("制造业", 1, "6-18-02-04", "焊工", "", "加工维修", 9)
    found = beside_source([*DRAFT, twice], [item("4-03-02-01", "中式烹调师")], ALIASES)
    assert [each.name for each in found.unsupported] == ["焊工", "人工智能工程技术人员", "月嫂 专项"]


def test_nothing_beside_nothing() -> None:
    found = beside_source([], [], {})
    assert (found.missing, found.named_otherwise, found.unsupported) == ((), (), ())
