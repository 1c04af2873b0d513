"""What changed between two editions."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalog.difference import Change, Difference, compare_editions
from domain.catalog.published import CatalogItem

SHORTAGE, GENERAL = "急需紧缺职业技能培训项目目录", "一般性职业技能培训项目目录"
WELDER = CatalogItem(SHORTAGE, 1, "6-18-02-04", "焊工", "", "加工维修", 10)
COOK = CatalogItem(GENERAL, 1, "4-03-02-01", "中式烹调师", "", "食品餐饮", 20)
NURSE = CatalogItem(GENERAL, 2, "4-10-01-05", "养老护理员", "", "家政养老", 21)
AI = CatalogItem(GENERAL, 3, "2-02-10-09", "人工智能工程技术人员", "S", "软件智能", 22)
SERVICE = CatalogItem("项目制培训项目目录", 1, None, "家政服务专项", "", "家政养老", 30)
BEFORE = [WELDER, COOK, NURSE, AI, SERVICE]
ALIASES = {"2-02-10-09": "2-02-38-01"}


def told(difference: Difference) -> dict[str, list[str]]:
    """Names under each kind of change."""
    found = {
        Change.ADDED: [row.name for row in difference.added],
        Change.REMOVED: [r.name for r in difference.removed],
    }
    for change in set(Change) - set(found):
        found[change] = [pair.after.name for pair in difference.having(change)]
    return {str(change): names for change, names in found.items() if names}


CASES = {
    "nothing": (BEFORE, {}),
    "another order, other serials and lines": ([replace(row, serial=9, line=1) for row in reversed(BEFORE)], {}),
    "only blanks and widths": ([replace(WELDER, name="焊 工", code="6－18－02－04"), *BEFORE[1:]], {}),
    "a list under another name": ([replace(WELDER, list_name="急需紧缺培训目录"), *BEFORE[1:]], {}),
    "one more": ([*BEFORE, replace(COOK, code="4-03-02-02", name="中式面点师")], {"added": ["中式面点师"]}),
    "one fewer": (BEFORE[1:], {"removed": ["焊工"]}),
    "another name": ([replace(WELDER, name="电焊工"), *BEFORE[1:]], {"renamed": ["电焊工"]}),
    "another code": ([replace(WELDER, code="6-18-02-99"), *BEFORE[1:]], {"recoded": ["焊工"]}),
    "another list": ([replace(WELDER, list_name=GENERAL), *BEFORE[1:]], {"relisted": ["焊工"]}),
    "another tag": ([replace(WELDER, tag="L"), *BEFORE[1:]], {"retagged": ["焊工"]}),
    "another industry": ([replace(WELDER, industry="建筑施工"), *BEFORE[1:]], {"reclassed": ["焊工"]}),
    "the new classification's code and name": (
        [*BEFORE[:3], replace(AI, code="2-02-38-01", name="人工智能工程师"), SERVICE],
        {"renamed": ["人工智能工程师"], "recoded": ["人工智能工程师"]},
    ),
    "a second list for an occupation": ([*BEFORE, replace(NURSE, list_name=SHORTAGE)], {"added": ["养老护理员"]}),
    "a project under another name": (
        [*BEFORE[:4], replace(SERVICE, name="月嫂专项")], {"added": ["月嫂专项"], "removed": ["家政服务专项"]},
    ),
    "names of two rows exchanged": (
        [WELDER, replace(COOK, name=NURSE.name), replace(NURSE, name=COOK.name), AI, SERVICE],
        {"renamed": ["养老护理员", "中式烹调师"]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_kind_of_change_is_told_as_an_editor_would(name: str) -> None:
    after, expected = CASES[name]
    assert told(compare_editions(BEFORE, after, ALIASES)) == expected


def test_an_occupation_in_two_lists_that_leaves_one_is_removed_there() -> None:
    both = [WELDER, replace(WELDER, list_name="制造业培训目录")]
    difference = compare_editions(both, [WELDER], {})
    assert ([row.list_key for row in difference.removed], difference.changed) == (["manufacturing"], ())


rows = st.builds(
    CatalogItem,
    list_name=st.sampled_from([SHORTAGE, GENERAL, "制造业目录", "新目录"]),
    serial=st.none(),
    code=st.sampled_from([None, *(f"6-18-02-{number:02d}" for number in range(8))]),
    name=st.sampled_from("甲乙丙丁戊己庚辛"),
    tag=st.sampled_from(["", "L", "S"]),
    industry=st.sampled_from(["加工维修", "建筑施工"]),
    line=st.just(1),
)


@given(st.lists(rows, max_size=20), st.lists(rows, max_size=20), st.randoms())
def test_every_row_is_kept_changed_added_or_removed(
    before: list[CatalogItem], after: list[CatalogItem], dice: random.Random
) -> None:
    difference = compare_editions(before, after, {})
    kept = len(before) - len(difference.removed)
    assert kept == len(after) - len(difference.added)
    assert len(difference.changed) <= kept
    assert all(pair.changes() for pair in difference.changed)
    shuffled = dice.sample(before, len(before))
    same = compare_editions(before, shuffled, {})
    assert (same.added, same.removed, same.changed) == ((), (), ())
