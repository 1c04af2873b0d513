"""Editions and their items."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select, text
from sqlalchemy.dialects.postgresql import Range, aggregate_order_by

from domain.catalog.edition import IN_FORCE
from domain.errors import NotFound
from service.catalog.schemas import EditionsView, EditionView, ItemView, PrintingView
from service.catalog.tables import AliasRow, CatalogItemRow, EditionRow
from service.database import Tx


def _edition() -> Select[*tuple[Any, ...]]:
    row = EditionRow
    plain = (row.source_name, row.source_sha256, row.historical, row.reason, row.calendar_faults, row.consultation)
    return select(row.id, row.year, row.revision, row.status, row.in_force, *plain)


def _view(found: Row[*tuple[Any, ...]]) -> EditionView:
    return EditionView(
        id=found.id,
        year=found.year,
        revision=found.revision,
        status=found.status,
        first=_first(found.in_force),
        last=_last(found.in_force),
        source_name=found.source_name,
        source_sha256=found.source_sha256.hex(),
        historical=found.historical,
        reason=found.reason,
        calendar_faults=found.calendar_faults,
        consultation_first=_first(found.consultation),
        consultation_last=_last(found.consultation),
    )


def _first(days: Range[date] | None) -> date | None:
    return days.lower if days else None


def _last(days: Range[date] | None) -> date | None:
    return days.upper - timedelta(days=1) if days and days.upper else None


async def edition_view(tx: Tx, edition_id: UUID) -> EditionView:
    """One edition, a draft too; NotFound `edition.none`."""
    found = (await tx.execute(_edition().where(EditionRow.id == edition_id))).one_or_none()
    if found is None:
        raise NotFound("edition.none")
    return _view(found)


async def editions(tx: Tx, *, drafts: bool) -> EditionsView:
    """All editions, newest first; what is not published yet only with `drafts`."""
    asked = _edition().order_by(EditionRow.year.desc(), EditionRow.revision.desc())
    if not drafts:
        asked = asked.where(EditionRow.status.in_([str(status) for status in IN_FORCE]))
    return EditionsView([_view(found) for found in await tx.execute(asked)])


async def edition_on(tx: Tx, on: date) -> EditionView | None:
    """The edition in force on that day; None when there is none (an answer, not an error)."""
    found = (await tx.execute(_edition().where(EditionRow.in_force.contains(on)))).one_or_none()
    return _view(found) if found else None


async def edition_named(tx: Tx, year: int, revision: int | None, *, drafts: bool) -> EditionView:
    """The edition of a year: that revision, or the latest one; NotFound `edition.none_of_year` (year)."""
    found = next(
        (
            each
            for each in (await editions(tx, drafts=drafts)).editions
            if each.year == year and revision in (None, each.revision)
        ),
        None,
    )
    if found is None:
        raise NotFound("edition.none_of_year", year=year)
    return found


async def printings_of(tx: Tx, code: str) -> list[PrintingView]:
    """The published editions that print an occupation, newest first, whichever of its codes they print."""
    row, item = EditionRow, CatalogItemRow
    meant = select(AliasRow.canonical).where(AliasRow.code == code).scalar_subquery()
    canonical = func.coalesce(meant, code)
    same = or_(item.code == canonical, item.code.in_(select(AliasRow.code).where(AliasRow.canonical == canonical)))
    asked = (
        select(row.year, row.revision, row.in_force, item.code, item.name)
        .add_columns(func.array_agg(aggregate_order_by(item.list_name, item.place)).label("lists"))
        .join(item, item.edition_id == row.id)
        .where(row.status.in_([str(status) for status in IN_FORCE]), same)
        .group_by(row.year, row.revision, row.in_force, item.code, item.name)
        .order_by(row.year.desc(), row.revision.desc(), item.code, item.name)
    )
    return [
        PrintingView(
            each.year, each.revision, _first(each.in_force), _last(each.in_force), each.code, each.name, each.lists
        )
        for each in await tx.execute(asked)
    ]


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


async def items_of_edition(tx: Tx, edition_id: UUID) -> list[ItemView]:
    """Every item in the order of the edition."""
    row = CatalogItemRow
    asked = select(row.id, row.list_kind, row.list_name, row.serial, row.code, row.name, row.tag, row.industry)
    return [
        ItemView(*item) for item in await tx.execute(asked.where(row.edition_id == edition_id).order_by(row.place))
    ]
