"""What an editor looks at: a draft's rows, its findings, and what was done to it."""

from collections import Counter
from collections.abc import Collection
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, func, or_, select

from domain.catalog.deciding import SETTLED
from domain.errors import NotFound
from service.catalog.queries.editions import edition_view
from service.catalog.schemas import DraftItemView, DraftView, FindingsView, FindingView, ItemChangeView
from service.catalog.tables import CatalogItemRow, FindingRow, ItemChangeRow
from service.database import Tx

_CHANGES_SHOWN = 200
_IN_ORDER = (FindingRow.list_name, FindingRow.line, FindingRow.kind, FindingRow.serial, FindingRow.id)


async def draft_page(tx: Tx, edition_id: UUID, after: int, limit: int, text: str = "") -> DraftView:
    """Rows after a place, by page: all, or those whose name holds `text` or whose code begins with it; NotFound
    `edition.none`."""
    edition = await edition_view(tx, edition_id)
    row = CatalogItemRow
    asked = select(*_item_columns()).where(row.edition_id == edition_id, row.place > after)
    if text:
        named = row.name.contains(text, autoescape=True)
        asked = asked.where(or_(named, row.code.startswith(text, autoescape=True)))
    items = await tx.execute(asked.order_by(row.place).limit(limit))
    change = ItemChangeRow
    done = await tx.execute(
        select(change.item_id, change.kind, change.before, change.after, change.reason, change.at)
        .where(change.edition_id == edition_id)
        .order_by(change.at.desc(), change.id)
        .limit(_CHANGES_SHOWN)
    )
    return DraftView(edition, [DraftItemView(*each) for each in items], [ItemChangeView(*each) for each in done])


async def item_view(tx: Tx, item_id: UUID) -> DraftItemView:
    return DraftItemView(*(await tx.execute(select(*_item_columns()).where(CatalogItemRow.id == item_id))).one())


def _item_columns() -> tuple[Any, ...]:
    row = CatalogItemRow
    values = (row.list_name, row.serial, row.code, row.name, row.tag, row.industry)
    change = ItemChangeRow
    changed = exists().where(change.edition_id == row.edition_id, change.item_id == row.id)
    return (row.id, row.place, row.line, *values, changed)


async def item_of(tx: Tx, edition_id: UUID, item_id: UUID) -> DraftItemView:
    """A row of this edition; NotFound `catalog.no_item`."""
    await item_values(tx, edition_id, item_id)
    return await item_view(tx, item_id)


async def items_on_line(tx: Tx, edition_id: UUID, line: int) -> list[DraftItemView]:
    """The rows that were read from a line of what was published: what a finding there speaks of."""
    row = CatalogItemRow
    asked = select(*_item_columns()).where(row.edition_id == edition_id, row.line == line)
    return [DraftItemView(*each) for each in await tx.execute(asked.order_by(row.place))]


async def item_values(tx: Tx, edition_id: UUID, item_id: UUID) -> dict[str, Any]:
    """A row's values by name; NotFound `catalog.no_item`."""
    row = CatalogItemRow
    values = select(row.list_name, row.code, row.name, row.tag, row.industry, row.serial)
    found = (await tx.execute(values.where(row.id == item_id, row.edition_id == edition_id))).mappings().one_or_none()
    if found is None:
        raise NotFound("catalog.no_item")
    return dict(found)


async def next_serial(tx: Tx, edition_id: UUID, list_name: str) -> int:
    """The serial after the greatest of a list."""
    row = CatalogItemRow
    serials = await tx.execute(select(row.serial).where(row.edition_id == edition_id, row.list_name == list_name))
    return 1 + max((int(serial) for serial in serials.scalars() if serial.isdecimal()), default=0)


def _finding_columns() -> tuple[Any, ...]:
    row = FindingRow
    place = (row.list_name, row.serial, row.line, row.code)
    return (
        row.id,
        row.kind,
        row.severity,
        *place,
        row.message,
        row.suggestion,
        row.decision,
        row.note,
        row.decided_at,
    )


def _finding(row: Row[Any]) -> FindingView:
    """As it is; its version is made of what is said of it and what was decided."""
    told = (row.message, row.suggestion, row.code, row.decision, row.note, row.decided_at)
    return FindingView(**row._mapping, version=sha256(repr(told).encode()).hexdigest()[:16])


async def finding_view(tx: Tx, finding_id: UUID) -> FindingView:
    return _finding((await tx.execute(select(*_finding_columns()).where(FindingRow.id == finding_id))).one())


async def findings_named(tx: Tx, edition_id: UUID, ids: Collection[UUID]) -> dict[UUID, FindingView]:
    """Those of an edition, each once, list by list. NotFound `finding.none` where one is none of its."""
    row = FindingRow
    asked = select(*_finding_columns()).where(row.edition_id == edition_id, row.id.in_(set(ids)))
    found = {each.id: _finding(each) for each in await tx.execute(asked.order_by(*_IN_ORDER))}
    if len(found) < len(set(ids)):
        raise NotFound("finding.none")
    return found


async def findings_of(tx: Tx, edition_id: UUID) -> FindingsView:
    """Every finding, list by list; NotFound `edition.none`."""
    await edition_view(tx, edition_id)
    asked = select(*_finding_columns()).where(FindingRow.edition_id == edition_id)
    found = [_finding(each) for each in await tx.execute(asked.order_by(*_IN_ORDER))]
    errors, warnings = await open_findings(tx, edition_id)
    return FindingsView(errors, warnings, found)


async def open_findings(tx: Tx, edition_id: UUID) -> tuple[int, int]:
    """How many errors and warnings of an edition are not settled."""
    row = FindingRow
    settled = row.decision.in_([str(decision) for decision in SETTLED])
    asked = select(row.severity, func.count()).where(
        row.edition_id == edition_id, or_(row.decision.is_(None), ~settled)
    )
    counted: Counter[str] = Counter(dict((await tx.execute(asked.group_by(row.severity))).all()))
    return counted["error"], counted["warning"]
