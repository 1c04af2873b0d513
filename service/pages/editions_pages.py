"""The editions of the catalog, and what changed from one to another."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from domain.catalog.difference import Change
from domain.errors import NotFound
from service.catalog.queries.differences import Named, difference
from service.catalog.queries.editions import edition_named, editions
from service.catalog.schemas import DifferenceView, EditionView, ListedView
from service.database import Tx
from service.gateways.publication_files import as_csv
from service.pages.catalog_pages import readable
from service.wording import words

#: Rows of each kind on the page; the file has all.
_SHOWN_MAX = 200
_NAMED = re.compile(r"([0-9]{4})(?:-([0-9]{1,2}))?")
_ROW = ("目录", "编码", "名称", "标识", "行业")
_HEADING = ("变化", *(f"原{each}" for each in _ROW), *(f"新{each}" for each in _ROW))


class _Pair(NamedTuple):
    before: ListedView | None
    after: ListedView | None


async def every_edition(tx: Tx) -> dict[str, Any]:
    """All that were published, newest first, each with the one before it."""
    found = (await editions(tx, drafts=False)).editions
    before = [*found[1:], None] if found else []
    return {
        "editions": [
            (each, key_of(each), former and key_of(former)) for each, former in zip(found, before, strict=True)
        ]
    }


def key_of(edition: EditionView) -> str:
    """As an address names it."""
    return f"{edition.year}-{edition.revision}"


async def compared(tx: Tx, asked: Mapping[str, str]) -> dict[str, Any]:
    """From one edition to another; NotFound `edition.none`, `edition.none_of_year`."""
    before, after = [_named(asked, side) for side in ("from", "to")]
    found = await difference(tx, before, after, drafts=False)
    left, right = [await edition_named(tx, *each, drafts=False) for each in (before, after)]
    kinds = [(str(change), _pairs(found, change)) for change in Change]
    return {
        "editions": (await every_edition(tx))["editions"],
        "left": left,
        "right": right,
        "left_key": key_of(left),
        "right_key": key_of(right),
        "kinds": [
            (kind, words(f"change.{kind}", {"count": len(pairs)}), pairs[:_SHOWN_MAX], len(pairs))
            for kind, pairs in kinds
            if pairs
        ],
    }


async def compared_file(tx: Tx, asked: Mapping[str, str]) -> tuple[str, bytes]:
    """The same as CSV, with its name."""
    before, after = [_named(asked, side) for side in ("from", "to")]
    found = await difference(tx, before, after, drafts=False)
    names = ["-".join(str(part) for part in each if part is not None) for each in (before, after)]
    return as_file(names[0], names[1], found)


def as_file(before: str, after: str, found: DifferenceView) -> tuple[str, bytes]:
    """Every change between two editions as CSV, and its name; a row that changed in two ways stands under each."""
    rows = [
        [words(f"changed.{change}", language="zh"), *_cells(pair.before), *_cells(pair.after)]
        for change in Change
        for pair in _pairs(found, change)
    ]
    return f"catalog-{before}-to-{after}.csv", as_csv(_HEADING, rows)


def _named(asked: Mapping[str, str], side: str) -> Named:
    """`2026-1`: the first adjustment of 2026; `2026`: its latest edition."""
    found = _NAMED.fullmatch(readable(asked.get(side, "")))
    if found is None:
        raise NotFound("edition.none")
    return int(found[1]), int(found[2]) if found[2] else None


def _pairs(found: DifferenceView, change: Change) -> list[_Pair]:
    """Before and after of each row; None where it was not there."""
    if change is Change.ADDED:
        return [_Pair(None, row) for row in found.added]
    if change is Change.REMOVED:
        return [_Pair(row, None) for row in found.removed]
    return [_Pair(each.before, each.after) for each in getattr(found, str(change))]


def _cells(row: ListedView | None) -> Iterator[str]:
    values = (row.list, row.code, row.name, row.tag, row.industry) if row else ("",) * len(_ROW)
    return (value or "" for value in values)
