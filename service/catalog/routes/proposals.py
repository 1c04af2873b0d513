"""Sources beside a draft, and proposals of districts with what was heard about them."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from domain.catalog.sources import SourceKind
from domain.period import parse_date
from service.catalog.commands import proposing
from service.catalog.queries import proposals as kept
from service.catalog.routes.drafts import EDITORS, READERS, uploaded_catalog
from service.catalog.schemas import (
    BesideSourceView,
    NewOpinion,
    NewProposal,
    NewProposalDecision,
    ProposalsView,
    ProposalView,
    SourcesView,
    SourceView,
)
from service.gateways.catalog_files import FILE_BYTES_MAX, TYPES
from service.openapi import files
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered


@get("/api/catalog/sources", guards=[READERS])
async def list_sources(tx: Tx) -> SourcesView:
    """The lists the city was given, the newest first."""
    return await kept.sources(tx)


@post(
    "/api/catalog/sources",
    guards=[EDITORS],
    request_max_body_size=FILE_BYTES_MAX,
    operation_class=files(takes=tuple(TYPES)),
)
async def take_source(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    now: Now,
    once: Once,
    kind: Annotated[Literal["provincial_guide", "shortage", "survey"], QueryParameter()],
    name: Annotated[str, QueryParameter(min_length=1, max_length=100)],
    dated_on: Annotated[str, QueryParameter(max_length=10)],
) -> Response[SourceView]:
    """Hand in the provincial guide catalog, the enterprises' shortage catalog or the survey (text, CSV or XLSX)."""
    day = parse_date(dated_on, "dated_on")
    data, published = await uploaded_catalog(request)
    about = SourceKind(kind), name, day
    return answered(await once(tx, SourceView, lambda: proposing.take_source(tx, me, *about, published, data, now)))


@get("/api/catalog/drafts/{edition_id:uuid}/beside/{source_id:uuid}", guards=[READERS])
async def compare_with_source(tx: Tx, edition_id: FromPath[UUID], source_id: FromPath[UUID]) -> BesideSourceView:
    """What a source asks for and an edition lacks, and the reverse."""
    return await kept.compared_with_source(tx, edition_id, source_id)


@get("/api/catalog/proposals", guards=[READERS])
async def list_proposals(tx: Tx, me: Me, year: Annotated[int, QueryParameter(ge=2000, le=2100)]) -> ProposalsView:
    """What my district proposed for a year; for the city, what all did."""
    return await kept.proposals(tx, me, year)


@post("/api/catalog/proposals", guards=[EDITORS])
async def propose(tx: Tx, me: Me, now: Now, once: Once, data: JSONBody[NewProposal]) -> Response[ProposalView]:
    """Propose a row for the catalog of a year, for my district."""
    return answered(await once(tx, ProposalView, lambda: proposing.propose(tx, me, data, now)))


@post("/api/catalog/proposals/{proposal_id:uuid}/opinions", guards=[EDITORS])
async def record_opinion(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, proposal_id: FromPath[UUID], data: JSONBody[NewOpinion]
) -> Response[ProposalView]:
    """Record what a department, an enterprise, an institution or a trainee said about a proposal."""
    effect = once(tx, ProposalView, lambda: proposing.record_opinion(tx, me, proposal_id, data, today, now))
    return answered(await effect)


@post("/api/catalog/proposals/{proposal_id:uuid}/accept", guards=[EDITORS], status_code=200)
async def accept(
    tx: Tx, me: Me, now: Now, proposal_id: FromPath[UUID], data: JSONBody[NewProposalDecision]
) -> ProposalView:
    """Carry a proposal into a draft."""
    return await proposing.accept(tx, me, proposal_id, data, now)


@post("/api/catalog/proposals/{proposal_id:uuid}/decline", guards=[EDITORS], status_code=200)
async def decline(
    tx: Tx, me: Me, now: Now, proposal_id: FromPath[UUID], data: JSONBody[NewProposalDecision]
) -> ProposalView:
    """Say no to a proposal, with a reason."""
    return await proposing.decline(tx, me, proposal_id, data, now)


ROUTES = [list_sources, take_source, compare_with_source, list_proposals, propose, record_opinion, accept, decline]
