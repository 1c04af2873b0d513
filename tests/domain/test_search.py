"""How people look an item up."""

import pytest

from domain.catalog.search import Findable, as_sought, places_of

ITEMS = [
    Findable("6-18-02-04", ("焊工", "电焊工", "气焊工"), ("hg", "dhg", "qhg")),
    Findable("4-03-02-01", ("中式烹调师",), ("zsptcs",)),
    Findable("4-10-01-05", ("养老护理员",), ("ylhly",)),
    Findable("", ("家政服务专项(月嫂)",), ("jzfwzxys",)),
]
CASES = {
    "everything": ("", [0, 1, 2, 3]),
    "only blanks": (" \u3000", [0, 1, 2, 3]),
    "a part of a name": ("护理", [2]),
    "a trade inside it": ("气焊", [0]),
    "blanks between": ("养 老", [2]),
    "the beginning of a code": ("4-", [1, 2]),
    "a code in full width": ("６－１８", [0]),
    "the middle of a code": ("18-02", []),
    "initials": ("HLY", [2]),
    "initials of a trade": ("dhg", [0]),
    "full-width brackets": ("（月嫂）", [3]),
    "nothing": ("飞行员", []),
    "signs": ("%_\\", []),
}


@pytest.mark.parametrize("case", CASES)
def test_items_are_found_by_name_trade_code_and_initials(case: str) -> None:
    text, expected = CASES[case]
    assert list(places_of(ITEMS, text)) == expected


def test_what_is_sought_is_evened_out_once() -> None:
    assert as_sought(" Ａ b\u3000") == as_sought(as_sought("ab")) == "ab"
