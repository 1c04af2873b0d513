"""Read the edition in force on a day."""

from datetime import date, timedelta

from sqlalchemy import or_, select

from service.catalog.schemas import CatalogView, EditionView, ItemView
from service.catalog.tables import CatalogItemRow, EditionRow
from service.database import Tx


async def edition_on(tx: Tx, on: date) -> EditionView | None:
    """The edition in force on that day; None when there is none (an answer, not an error)."""
    row = EditionRow
    found = (
        await tx.execute(
            select(row.id, row.year, row.revision, row.in_force, row.source_name, row.source_sha256).where(
                row.in_force.contains(on)
            )
        )
    ).one_or_none()
    if found is None:
        return None
    last = found.in_force.upper - timedelta(days=1) if found.in_force.upper else None
    return EditionView(
        found.id, found.year, found.revision, found.in_force.lower, last, found.source_name, found.source_sha256.hex()
    )


async def catalog_on(tx: Tx, on: date, text: str = "", list_kind: str = "") -> CatalogView:
    """The items in force on a day, as published; `text` is a part of a name or the beginning of a code."""
    edition = await edition_on(tx, on)
    if edition is None:
        return CatalogView(None, [])
    row = CatalogItemRow
    asked = select(row.id, row.list_kind, row.list_name, row.serial, row.code, row.name, row.tag, row.industry).where(
        row.edition_id == edition.id
    )
    if text:
        asked = asked.where(or_(row.name.contains(text, autoescape=True), row.code.startswith(text, autoescape=True)))
    if list_kind:
        asked = asked.where(row.list_kind == list_kind)
    items = await tx.execute(asked.order_by(row.line))
    return CatalogView(edition, [ItemView(*item) for item in items])
