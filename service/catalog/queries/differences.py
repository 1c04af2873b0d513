"""What changed from one edition to another, drafts included."""

from uuid import UUID

from sqlalchemy import select

from domain.catalog import CatalogItem
from domain.catalog.difference import Change, Listed, compare_editions
from service.catalog.queries.drafts import aliases
from service.catalog.queries.editions import edition_named
from service.catalog.schemas import ChangedView, DifferenceView, ListedView
from service.catalog.tables import CatalogItemRow
from service.database import Tx

#: An edition as people name it: the year, and which adjustment (None: the latest there is).
Named = tuple[int, int | None]


async def difference(tx: Tx, before: Named, after: Named, *, drafts: bool) -> DifferenceView:
    """From `before` to `after`; NotFound `edition.none_of_year` (year), also for a draft without `drafts`."""
    left, right = [await edition_named(tx, *named, drafts=drafts) for named in (before, after)]
    return await difference_of(tx, left.id, right.id)


async def difference_of(tx: Tx, before: UUID, after: UUID) -> DifferenceView:
    """From the edition `before` to `after`."""
    left, right = [await items_to_compare(tx, edition_id) for edition_id in (before, after)]
    found = compare_editions(left, right, await aliases(tx))
    changed = {
        str(change): [ChangedView(_view(pair.before), _view(pair.after)) for pair in found.having(change)]
        for change in Change
        if change not in (Change.ADDED, Change.REMOVED)
    }
    return DifferenceView([_view(row) for row in found.added], [_view(row) for row in found.removed], **changed)


def _view(row: Listed) -> ListedView:
    return ListedView(row.list_name, row.code, row.name, row.tag, row.industry)


async def items_to_compare(tx: Tx, edition_id: UUID) -> list[CatalogItem]:
    """An edition's items as they are compared with others."""
    row = CatalogItemRow
    asked = select(row.list_name, row.code, row.name, row.tag, row.industry, row.line).where(
        row.edition_id == edition_id
    )
    return [
        CatalogItem(each.list_name, None, each.code, each.name, each.tag, each.industry, each.line)
        for each in await tx.execute(asked.order_by(row.place))
    ]
