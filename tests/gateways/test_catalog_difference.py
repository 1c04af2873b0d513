"""A second, invented edition: the one of 2023 with thirty changes, and exactly those are told."""

import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from domain.catalog import CatalogItem, items_of
from domain.catalog.difference import Change, compare_editions
from service.gateways.catalog_files import read_catalog

DATA = Path(__file__).parents[2] / "data"
_FIELDS = {
    Change.RENAMED: "name",
    Change.RECODED: "code",
    Change.RELISTED: "list_name",
    Change.RETAGGED: "tag",
    Change.RECLASSED: "industry",
}


def invented(items: list[CatalogItem], dice: random.Random) -> tuple[list[CatalogItem], dict[Change, set[str]]]:
    """Thirty changes to rows whose code and name occur nowhere else, so that it is certain what was meant."""
    codes, names = Counter(each.code for each in items), Counter(each.name for each in items)
    single = [i for i, each in enumerate(items) if each.code and codes[each.code] == names[each.name] == 1]
    chosen = iter(dice.sample(single, 30))
    after: dict[int, CatalogItem] = dict(enumerate(items))
    expected: dict[Change, set[str]] = {change: set() for change in Change}
    for kind, count in ((Change.REMOVED, 5), *((kind, 4) for kind in _FIELDS)):
        for n in range(count):
            item = after.pop(i := next(chosen))
            if kind is not Change.REMOVED:
                value = {
                    "name": f"新{item.name}",
                    "code": f"8-99-00-{n:02d}",
                    "list_name": next(
                        name for name in ("急需紧缺目录", "一般性目录") if name[:2] not in item.list_name
                    ),
                    "tag": "" if item.tag else "S",
                    "industry": "纺织服装" if item.industry != "纺织服装" else "食品餐饮",
                }[_FIELDS[kind]]
                after[i] = item = replace(item, **{_FIELDS[kind]: value})
            expected[kind].add(item.name)
    for n in range(5):
        after[len(items) + n] = CatalogItem(
            "一般性目录", n, f"8-98-00-{n:02d}", f"新职业{n}", "", "社会服务", 9000 + n
        )
        expected[Change.ADDED].add(f"新职业{n}")
    return dice.sample(list(after.values()), len(after)), expected


@pytest.mark.parametrize("seed", range(5))
def test_thirty_changes_of_the_published_catalog_are_told_and_nothing_else(seed: int) -> None:
    before = items_of(read_catalog((DATA / "catalog-2023.csv").read_bytes(), "catalog-2023.csv"))
    after, expected = invented(before, random.Random(seed))
    found = compare_editions(before, after, {})
    told = {change: {pair.after.name for pair in found.having(change)} for change in _FIELDS}
    told |= {Change.ADDED: {row.name for row in found.added}, Change.REMOVED: {row.name for row in found.removed}}
    assert told == expected
    assert len(found.added) + len(found.removed) + len(found.changed) == 30
