"""A catalog comes in as a draft: read from what was published, or copied from an edition that is adjusted."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import delete, func, insert, literal, select, update

from domain.actor import Actor, Post
from domain.catalog import PublishedCatalog, items_of
from domain.catalog.edition import IN_FORCE, EditionStatus, must_be_editor
from domain.catalog.lists import kind_of_list
from domain.errors import Conflict, NotFound
from domain.text import trimmed
from service.catalog.commands.checking import check_again
from service.catalog.queries.drafts import framework_of
from service.catalog.queries.editions import edition_view
from service.catalog.schemas import EditionView, NewEdition
from service.catalog.tables import CatalogItemRow, EditionRow, FindingRow, ItemChangeRow
from service.database import Tx
from service.journal import By, record


@dataclass(frozen=True)
class Upload:
    """A catalog as it was handed in: for which edition, from where, its bytes and what they hold."""

    year: int
    revision: int
    source: str
    data: bytes
    published: PublishedCatalog
    replace: bool = False


async def import_draft(tx: Tx, me: Actor, upload: Upload, now: datetime) -> EditionView:
    """An editor of the city hands in a catalog; refusals as `import_edition`."""
    by = By.actor(must_be_editor(me), Post.CATALOG_EDITOR, now)
    source, revision = trimmed(upload.source, "source", "words"), upload.revision
    edition_id = await import_edition(
        tx, by, upload.year, upload.published, upload.data, source, revision, replace=upload.replace
    )
    return await edition_view(tx, edition_id)


async def copy_draft(tx: Tx, me: Actor, new: NewEdition, now: datetime) -> EditionView:
    """An editor of the city begins with what is there; refusals as `copy_edition`."""
    by = By.actor(must_be_editor(me), Post.CATALOG_EDITOR, now)
    return await edition_view(
        tx, await copy_edition(tx, by, new.copy_of, new.year, new.revision, replace=new.replace)
    )


async def import_edition(
    tx: Tx,
    by: By,
    year: int,
    published: PublishedCatalog,
    source: bytes,
    name: str,
    revision: int = 0,
    *,
    replace: bool = False,
) -> UUID:
    """Store a draft of `year`: every row as published, every finding, and the source's SHA-256.

    A draft that is there is put together anew, where nobody has worked on it or `replace` says so; Conflict
    `edition.published` when that edition is published already, `edition.not_a_draft` while it is in consultation or
    approved, `edition.worked_on`, `edition.has_proposals`.
    """
    digest = hashlib.sha256(source).digest()
    kept = {"source_name": name, "source_sha256": digest, "framework": framework_of(published)}
    edition_id = await _empty_draft(tx, by, "import", year, revision, kept, replace)
    await _store_items(tx, edition_id, published)
    await check_again(tx, edition_id, by.at, "")
    return edition_id


async def copy_edition(tx: Tx, by: By, base_id: UUID, year: int, revision: int, *, replace: bool = False) -> UUID:
    """A draft that begins as the published edition `base_id`, with what was decided about its findings.

    NotFound `edition.none`; Conflict `edition.not_published` (status) when the base is itself a draft, and as
    `import_edition`.
    """
    row = EditionRow
    base = (
        await tx.execute(
            select(row.year, row.revision, row.status, row.source_sha256, row.framework).filter_by(id=base_id)
        )
    ).one_or_none()
    if base is None:
        raise NotFound("edition.none")
    if base.status not in IN_FORCE:
        raise Conflict("edition.not_published", status=base.status)
    name = f"{base.year} 年目录（第 {base.revision} 次调整）" if base.revision else f"{base.year} 年目录"
    kept = {"source_name": name, "source_sha256": base.source_sha256, "framework": base.framework}
    edition_id = await _empty_draft(tx, by, "copy", year, revision, kept, replace)
    item = CatalogItemRow
    columns = ("list_name", "list_kind", "serial", "place", "line", "code", "name", "tag", "industry")
    kept_rows = select(func.gen_random_uuid(), literal(edition_id), *(getattr(item, each) for each in columns))
    await tx.execute(
        insert(item).from_select(["id", "edition_id", *columns], kept_rows.where(item.edition_id == base_id))
    )
    found = FindingRow
    said = [column.name for column in found.__table__.c if column.name not in ("id", "edition_id")]
    decided = select(literal(edition_id), *(getattr(found, name) for name in said)).where(
        found.edition_id == base_id, found.decision.is_not(None)
    )
    await tx.execute(insert(found).from_select(["edition_id", *said], decided))
    await check_again(tx, edition_id, by.at, "")
    return edition_id


async def _empty_draft(
    tx: Tx, by: By, action: str, year: int, revision: int, kept: dict[str, Any], replace: bool
) -> UUID:
    """A new edition, or the draft that is there without its rows."""
    known = (
        await tx.execute(
            select(EditionRow.id, EditionRow.status).filter_by(year=year, revision=revision).with_for_update()
        )
    ).one_or_none()
    if known and known.status in IN_FORCE:
        raise Conflict("edition.published", year=year)
    if known and known.status != EditionStatus.DRAFT:
        raise Conflict("edition.not_a_draft", status=known.status)
    if known:
        await _must_be_replaceable(tx, known.id, replace)
    edition_id = known.id if known else uuid4()
    digest: bytes = kept["source_sha256"]
    after = {"status": str(EditionStatus.DRAFT), "year": year, "revision": revision, "source_sha256": digest.hex()}
    await record(tx, "edition", [edition_id], action, by, [after])
    if known:
        for table in (FindingRow, ItemChangeRow, CatalogItemRow):
            await tx.execute(delete(table).where(table.edition_id == edition_id))
        await tx.execute(update(EditionRow).where(EditionRow.id == edition_id).values(**kept))
    else:
        await tx.execute(insert(EditionRow).values(id=edition_id, year=year, revision=revision, **kept))
    return edition_id


async def _must_be_replaceable(tx: Tx, edition_id: UUID, replace: bool) -> None:
    """Work is not lost unasked: Conflict `edition.worked_on` when rows were changed and `replace` does not say so,
    `edition.has_proposals` when proposals were accepted into it, which stand for good."""
    row = ItemChangeRow
    counted = select(func.count(), func.count(row.proposal_id)).where(row.edition_id == edition_id)
    changes, proposals = (await tx.execute(counted)).one()
    if proposals:
        raise Conflict("edition.has_proposals", count=proposals)
    if changes and not replace:
        raise Conflict("edition.worked_on", count=changes)


async def _store_items(tx: Tx, edition_id: UUID, published: PublishedCatalog) -> None:
    rows = [
        {
            "id": uuid4(),
            "edition_id": edition_id,
            "list_name": item.list_name,
            "list_kind": kind_of_list(item.list_name),
            "serial": "" if item.serial is None else str(item.serial),
            "place": place,
            "line": item.line,
            "code": item.code,
            "name": item.name,
            "tag": item.tag,
            "industry": item.industry,
            "printed": asdict(row),
        }
        for place, (item, row) in enumerate(zip(items_of(published), published.rows, strict=True), 1)
    ]
    if rows:
        await tx.execute(insert(CatalogItemRow), rows)
