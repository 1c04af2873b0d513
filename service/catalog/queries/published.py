"""The published catalog from memory: an edition in force never changes, so each process reads it once.

Which edition is in force on a day, and the trades, are asked again after a few seconds, and at once in the process
that published.
"""

import time
from collections import OrderedDict, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from pypinyin import Style, lazy_pinyin
from sqlalchemy import select

from domain.catalog.search import Findable, as_sought, places_of
from service.catalog.queries.editions import edition_on, items_of_edition
from service.catalog.schemas import CatalogView, EditionView, ItemView
from service.catalog.tables import AliasRow, TradeRow
from service.database import AFTER_COMMIT, Tx, after_commit, transaction

Key = TypeVar("Key")
Value = TypeVar("Value")

_ASK_AGAIN_SECONDS = 5.0
_EDITIONS_KEPT, _DAYS_KEPT = 8, 400
_PUBLISHED = "edition_published"


@dataclass(frozen=True)
class Published:
    """An edition with its items and what they are found by. `tag`: another content, another tag."""

    edition: EditionView
    items: Sequence[ItemView]
    findable: Sequence[Findable]
    tag: str

    def view(self, text: str = "", list_kind: str = "") -> CatalogView:
        """The items that `text` finds, of one list where one is named."""
        found = (self.items[place] for place in places_of(self.findable, text))
        return CatalogView(self.edition, [item for item in found if list_kind in ("", item.list_kind)])


@dataclass
class _Memory:
    days: OrderedDict[date, tuple[float, Published | None]] = field(default_factory=OrderedDict)
    editions: OrderedDict[tuple[UUID, str], Published] = field(default_factory=OrderedDict)


_memory = _Memory()


async def published_on(on: date) -> Published | None:
    """The edition in force on a day; None when there is none. Asks the database only when it has not just done so."""
    known = _memory.days.get(on)
    if known is None or known[0] < time.monotonic():
        async with transaction() as tx:
            known = time.monotonic() + _ASK_AGAIN_SECONDS, await published_now(tx, on)
        keep(_memory.days, on, known, _DAYS_KEPT)
    return known[1]


async def published_now(tx: Tx, on: date) -> Published | None:
    """The same as the database has it in this transaction."""
    edition = await edition_on(tx, on)
    if edition is None:
        return None
    trades = await _trades(tx)
    tag = sha256(repr((edition, sorted(trades.items()))).encode()).hexdigest()[:32]
    key = edition.id, tag
    if key not in _memory.editions:
        items = await items_of_edition(tx, edition.id)
        findable = [_findable(item, trades[item.code or ""]) for item in items]
        keep(_memory.editions, key, Published(edition, items, findable, tag), _EDITIONS_KEPT)
    return _memory.editions[key]


async def catalog_on(tx: Tx, on: date, text: str = "", list_kind: str = "") -> CatalogView:
    """The items in force on a day that `text` finds; without an edition, none."""
    published = await published_now(tx, on)
    return published.view(text, list_kind) if published else CatalogView(None, [])


async def _trades(tx: Tx) -> Mapping[str, Sequence[str]]:
    """Code → the trades inside that occupation, under the codes of older classifications too."""
    asked = select(TradeRow.name, TradeRow.code, AliasRow.code).outerjoin(
        AliasRow, AliasRow.canonical == TradeRow.code
    )
    trades = defaultdict[str, dict[str, None]](dict)
    for name, *codes in await tx.execute(asked.order_by(TradeRow.name)):
        for code in filter(None, codes):
            trades[code][name] = None
    return defaultdict(tuple[str, ...], {code: tuple(names) for code, names in trades.items()})


def _findable(item: ItemView, trades: Sequence[str]) -> Findable:
    words = (item.name, *trades)
    initials = ("".join(lazy_pinyin(word, style=Style.FIRST_LETTER)) for word in words)
    return Findable(as_sought(item.code or ""), tuple(map(as_sought, words)), tuple(map(as_sought, initials)))


def keep(kept: OrderedDict[Key, Value], key: Key, value: Value, most: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > most:
        kept.popitem(last=False)


def forget_days_after(tx: Tx) -> None:
    """Once `tx` is committed, ask again which edition is in force."""
    after_commit(tx, _PUBLISHED, None)


AFTER_COMMIT[_PUBLISHED] = lambda _: _memory.days.clear()
