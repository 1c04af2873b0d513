"""Read the edition in force on a day."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import or_, select, text

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


_CODES_NAMED = text("""
    SELECT ARRAY(SELECT DISTINCT i.code FROM catalog_items i JOIN catalog_editions e ON e.id = i.edition_id
                  WHERE e.in_force @> asked.day AND i.name = asked.name AND i.code IS NOT NULL ORDER BY i.code)
      FROM unnest(CAST(:names AS text[]), CAST(:days AS date[])) WITH ORDINALITY AS asked (name, day, n)
     ORDER BY asked.n
""")


async def codes_named(tx: Tx, asked: Sequence[tuple[str, date]]) -> list[list[str]]:
    """The codes of the occupations that bear each name on its day: one, unless the name is unknown or ambiguous."""
    if not asked:
        return []
    given = {"names": [name for name, _ in asked], "days": [day for _, day in asked]}
    return list((await tx.execute(_CODES_NAMED, given)).scalars())


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
