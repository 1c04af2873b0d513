"""A draft as a published catalog again, so that the rules that check a text check its corrections too."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select

from domain.catalog import NamedList, Occupation, PublishedCatalog, PublishedList, PublishedRow
from service.catalog.tables import AliasRow, CatalogItemRow, EditionRow, OccupationRow
from service.database import Tx


def framework_of(published: PublishedCatalog) -> dict[str, Any]:
    """What a published catalog says besides its rows."""
    return {
        "lists": [asdict(each) for each in published.lists],
        "named": [asdict(each) for each in published.named],
        "industries": list(published.industries),
    }


async def catalog_of(tx: Tx, edition_id: UUID) -> PublishedCatalog:
    """The edition's rows as they would be printed now: as they were, where nobody corrected them."""
    framework = (await tx.execute(select(EditionRow.framework).filter_by(id=edition_id))).scalar_one()
    item = CatalogItemRow
    rows = await tx.execute(
        select(item.list_name, item.line, item.serial, item.code, item.name, item.tag, item.industry, item.printed)
        .where(item.edition_id == edition_id)
        .order_by(item.place)
    )
    printed = tuple(_row(row) for row in rows.mappings())
    lists = tuple(
        PublishedList(each["name"], each["line"], tuple(each["repeated_headings"]), each["untitled"])
        for each in framework["lists"]
    )
    known = {each.name for each in lists}
    added = {row.list_name: row.line for row in reversed(printed) if row.list_name not in known}
    named = tuple(NamedList(each["name"], each["line"]) for each in framework["named"])
    more = tuple(PublishedList(name, line) for name, line in sorted(added.items(), key=lambda each: each[1]))
    return PublishedCatalog(lists + more, printed, named, tuple(framework["industries"]))


def _row(item: RowMapping) -> PublishedRow:
    printed = item["printed"]
    if printed:
        return PublishedRow(**{**printed, "cut": tuple(printed["cut"])})
    name = f"{item['name']} {item['tag']}" if item["tag"] else item["name"]
    return PublishedRow(item["list_name"], item["line"], item["serial"], item["code"], name, item["industry"])


async def classification(tx: Tx) -> dict[str, Occupation]:
    """The national classification by code; empty where none was loaded."""
    rows = await tx.execute(select(OccupationRow.code, OccupationRow.name, OccupationRow.tag))
    return {code: Occupation(code, name, tag) for code, name, tag in rows}


async def aliases(tx: Tx) -> dict[str, str]:
    """Codes of older classifications and the occupation each means now."""
    return dict((await tx.execute(select(AliasRow.code, AliasRow.canonical))).all())
