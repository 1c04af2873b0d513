"""What things are called on a page: as they were in Chinese, with pinyin beside them in English."""

from types import SimpleNamespace

import pytest

from domain.level import LEVELS
from service.pages.names import FILTERS, edition, pinyin
from service.wording import spoken


def test_an_edition_that_was_revised_says_so() -> None:
    revised = SimpleNamespace(year=2026, revision=1)
    assert edition(revised) == "2026 年第 1 次修订"
    token = spoken.set("en")
    try:
        assert edition(revised) == "2026, revision 1"
    finally:
        spoken.reset(token)


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("焊工", "hàn gōng"),
        ("长清区", "cháng qīng qū"),
        ("电工（高压）", "diàn gōng (gāo yā)"),
        ("工业机器人系统运维员、3D打印", "gōng yè jī qì rén xì tǒng yùn wéi yuán 3D dǎ yìn"),
        ("x", "x"),
    ],
)
def test_pinyin(name: str, spelled: str) -> None:
    assert pinyin(name) == spelled


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("named", "焊工"),
        ("latin", "焊工"),
        ("option", "焊工"),
        ("figure", "＜5"),
        ("level_name", "4"),
        ("list_name", "shortage"),
        ("month_of", "2026-03"),
        ("month_bare", 3),
    ],
)
def test_in_chinese_a_name_is_what_it_was(name: str, given: object) -> None:
    known = {"4": LEVELS["4"].short, "shortage": "急需紧缺", "2026-03": "2026年3月", 3: "3"}
    assert FILTERS[name](given) == known.get(given, given)
