"""Sources beside a draft, and what districts proposed."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from domain.actor import Actor
from domain.catalog import CatalogItem
from domain.catalog.sources import beside_source
from domain.errors import NotFound
from service.catalog.queries.differences import items_to_compare
from service.catalog.queries.drafts import aliases
from service.catalog.queries.editions import edition_view
from service.catalog.schemas import (
    BesideSourceView,
    FigureView,
    ListedView,
    OpinionView,
    ProposalsView,
    ProposalView,
    RenamedView,
    SourcesView,
    SourceView,
)
from service.catalog.tables import OpinionRow, ProposalRow, SourceItemRow, SourceRow
from service.database import Tx

_PROPOSALS_SHOWN = 500


async def sources(tx: Tx) -> SourcesView:
    """Every source, the newest first."""
    return SourcesView([SourceView(*each) for each in await tx.execute(_source())])


async def source_view(tx: Tx, source_id: UUID) -> SourceView:
    """NotFound `source.none`."""
    found = (await tx.execute(_source().where(SourceRow.id == source_id))).one_or_none()
    if found is None:
        raise NotFound("source.none")
    return SourceView(*found)


def _source() -> Any:
    row = SourceRow
    rows = select(func.count()).where(SourceItemRow.source_id == row.id).scalar_subquery()
    digest = func.encode(row.sha256, "hex")
    return select(row.id, row.kind, row.name, row.dated_on, digest, rows).order_by(row.dated_on.desc(), row.id)


async def compared_with_source(tx: Tx, edition_id: UUID, source_id: UUID) -> BesideSourceView:
    """What a source asks for and an edition lacks, and the reverse; NotFound `edition.none`, `source.none`."""
    await edition_view(tx, edition_id)
    source = await source_view(tx, source_id)
    row = SourceItemRow
    asked = select(row.list_name, row.code, row.name, row.tag, row.industry).where(row.source_id == source_id)
    told = [
        CatalogItem(each.list_name, None, each.code, each.name, each.tag, each.industry, place)
        for place, each in enumerate(await tx.execute(asked.order_by(row.place)), 1)
    ]
    found = beside_source(await items_to_compare(tx, edition_id), told, await aliases(tx))
    return BesideSourceView(
        source,
        [_listed(item) for item in found.missing],
        [RenamedView(_listed(theirs), _listed(ours)) for theirs, ours in found.named_otherwise],
        [_listed(item) for item in found.unsupported],
    )


def _listed(item: CatalogItem) -> ListedView:
    return ListedView(item.list_name, item.code, item.name, item.tag, item.industry)


async def proposals(tx: Tx, me: Actor, year: int) -> ProposalsView:
    """What was proposed for a year by my district, or by any for the city; the newest first."""
    row = ProposalRow
    found = _mine(me).where(row.year == year).order_by(row.proposed_at.desc(), row.id).limit(_PROPOSALS_SHOWN)
    return ProposalsView(await _views(tx, (await tx.execute(found)).all()))


async def proposal_view(tx: Tx, me: Actor, proposal_id: UUID) -> ProposalView:
    """NotFound `proposal.none`, also for another district's."""
    found = (await tx.execute(_mine(me).where(ProposalRow.id == proposal_id))).all()
    if not found:
        raise NotFound("proposal.none")
    return (await _views(tx, found))[0]


def _mine(me: Actor) -> Any:
    row = ProposalRow
    what = select(row.id, row.district, row.year, row.status, row.item, row.reason, row.figures, row.item_id)
    return what if me.district is None else what.where(row.district == me.district)


async def _views(tx: Tx, rows: Any) -> list[ProposalView]:
    heard: dict[UUID, list[OpinionView]] = defaultdict(list)
    row = OpinionRow
    digest = func.encode(row.document_sha256, "hex")
    asked = select(row.proposal_id, row.asked, row.name, row.stance, row.said, digest, row.heard_on)
    for proposal_id, *opinion in await tx.execute(
        asked.where(row.proposal_id.in_([each.id for each in rows])).order_by(row.heard_on, row.id)
    ):
        heard[proposal_id].append(OpinionView(*opinion))
    return [
        ProposalView(
            id=each.id,
            district=each.district,
            year=each.year,
            status=each.status,
            item=each.item,
            reason=each.reason,
            figures=[FigureView(name, said["value"], said["source"]) for name, said in each.figures.items()],
            opinions=heard[each.id],
            item_id=each.item_id,
        )
        for each in rows
    ]
