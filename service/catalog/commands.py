"""Import a published catalog as a draft with its findings, and put a draft in force."""

import hashlib
from collections.abc import Sequence
from datetime import date
from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import Range

from domain.catalog import CatalogItem, Finding, PublishedCatalog, find_mistakes, items_of
from domain.catalog.lists import kind_of_list
from domain.errors import Conflict, Invalid, NotFound
from service.catalog.tables import AliasRow, CatalogItemRow, EditionRow, FindingRow
from service.database import Tx
from service.journal import By, record


async def import_edition(tx: Tx, by: By, year: int, published: PublishedCatalog, source: bytes, name: str) -> UUID:
    """Store a draft of `year`: every row as published, every finding, and the source's SHA-256.

    A draft of that year is replaced; Conflict `edition.published` when the year has a published edition.
    """
    drafts = await tx.execute(select(EditionRow.id, EditionRow.status).where(EditionRow.year == year))
    for known in drafts.all():
        if known.status == "published":
            raise Conflict("edition.published", year=year)
        for table in (FindingRow, CatalogItemRow):
            await tx.execute(delete(table).where(table.edition_id == known.id))
        await tx.execute(delete(EditionRow).where(EditionRow.id == known.id))
    edition_id, digest = uuid4(), hashlib.sha256(source).digest()
    await tx.execute(
        insert(EditionRow).values(id=edition_id, year=year, revision=0, source_name=name, source_sha256=digest)
    )
    await _store_items(tx, edition_id, items_of(published))
    await _store_findings(tx, edition_id, find_mistakes(published))
    after = {"status": "draft", "year": year, "source_sha256": digest.hex()}
    await record(tx, "edition", [edition_id], "import", by, [after])
    return edition_id


async def _store_items(tx: Tx, edition_id: UUID, items: Sequence[CatalogItem]) -> None:
    rows = [
        {
            "id": uuid4(),
            "edition_id": edition_id,
            "list_name": item.list_name,
            "list_kind": kind_of_list(item.list_name),
            "serial": "" if item.serial is None else str(item.serial),
            "line": item.line,
            "code": item.code,
            "name": item.name,
            "tag": item.tag,
            "industry": item.industry,
        }
        for item in items
    ]
    if rows:
        await tx.execute(insert(CatalogItemRow), rows)


async def _store_findings(tx: Tx, edition_id: UUID, findings: Sequence[Finding]) -> None:
    rows = [
        {
            "edition_id": edition_id,
            "kind": str(finding.kind),
            "severity": str(finding.severity),
            "list_name": finding.list_name,
            "serial": finding.serial,
            "line": finding.line,
            "code": finding.code,
            "message": finding.message,
            "suggestion": finding.suggestion,
        }
        for finding in findings
    ]
    if rows:
        await tx.execute(insert(FindingRow), rows)


async def publish_edition(tx: Tx, by: By, year: int, first: date, reason: str) -> UUID:
    """Put the draft of `year` in force from `first` until superseded; the edition before it ends the day before.

    A historical import says in `reason` why the day of publication is not today. Invalid `edition.reason` without
    one, NotFound `edition.no_draft`, Conflict `edition.later_in_force` when a later edition is in force already.
    """
    if not reason.strip():
        raise Invalid("edition.reason", field="reason")
    draft = select(EditionRow.id).where(EditionRow.year == year, EditionRow.status == "draft")
    edition_id = (await tx.execute(draft)).scalar_one_or_none()
    if edition_id is None:
        raise NotFound("edition.no_draft", year=year)
    later = select(EditionRow.year).where(func.lower(EditionRow.in_force) >= first)
    if (await tx.execute(later.limit(1))).first():
        raise Conflict("edition.later_in_force", first=first.isoformat())
    await tx.execute(
        update(EditionRow)
        .where(EditionRow.in_force.contains(first))
        .values(in_force=func.daterange(func.lower(EditionRow.in_force), first))
    )
    in_force: Range[date] = Range(first, None, bounds="[)")
    published = {"status": "published", "in_force": in_force, "reason": reason.strip()}
    await tx.execute(update(EditionRow).where(EditionRow.id == edition_id).values(**published))
    after = {"status": "published", "first": first.isoformat()}
    await record(tx, "edition", [edition_id], "publish", by, [after], reason=reason)
    return edition_id


async def load_aliases(tx: Tx, rows: list[dict[str, str]]) -> None:
    """Put in the aliases (`code`, `canonical`, `source`) that are not there yet."""
    known = set((await tx.execute(select(AliasRow.code))).scalars())
    fresh = [row for row in rows if row["code"] not in known]
    if fresh:
        await tx.execute(insert(AliasRow), fresh)
