"""The desk of the catalog: editions from the first draft to publication, sources, and what districts propose."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from service.catalog.routes.drafts import EDITORS, PUBLISHERS, READERS
from service.gateways.catalog_files import FILE_BYTES_MAX
from service.pages import edition_pages, item_pages, proposal_pages
from service.pages.catalog_desk import Visit
from service.web import Me, Now, StrictRequest, Today, Tx

Page = Response[Any]
Text = Annotated[str, QueryParameter(max_length=60)]
First = Annotated[int, QueryParameter(ge=0, le=2_000_000)]
_FORM: dict[str, Any] = {"include_in_schema": False, "status_code": 303}
_FILE: dict[str, Any] = {**_FORM, "request_max_body_size": FILE_BYTES_MAX + 100_000}


@get("/catalog-desk", guards=[READERS], include_in_schema=False)
async def desk(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Page:
    """Editions, and how far each is."""
    return await edition_pages.desk(Visit(request, tx, me, today, now))


@get("/catalog-desk/editions/copy", guards=[EDITORS], include_in_schema=False)
async def copy_page(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Page:
    """Begin with an edition that is published."""
    return await edition_pages.copy_page(Visit(request, tx, me, today, now))


@post("/catalog-desk/editions/copy", guards=[EDITORS], **_FORM)
async def copy(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Page:
    """Copy it."""
    return await edition_pages.copy(Visit(request, tx, me, today, now))


@get("/catalog-desk/editions/upload", guards=[EDITORS], include_in_schema=False)
async def upload_page(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Page:
    """Begin with a file."""
    return await edition_pages.upload_page(Visit(request, tx, me, today, now))


@post("/catalog-desk/editions/upload", guards=[EDITORS], **_FILE)
async def upload(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Page:
    """Take the file."""
    return await edition_pages.upload(Visit(request, tx, me, today, now))


@get("/catalog-desk/editions/{edition_id:uuid}", guards=[READERS], include_in_schema=False)
async def edition(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID]) -> Page:
    """Where an edition stands."""
    return await edition_pages.edition(Visit(request, tx, me, today, now), edition_id)


@post("/catalog-desk/editions/{edition_id:uuid}/consult", guards=[EDITORS], **_FORM)
async def consult(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID]) -> Page:
    """Lay it open for opinions."""
    return await edition_pages.consult(Visit(request, tx, me, today, now), edition_id)


@post("/catalog-desk/editions/{edition_id:uuid}/reopen", guards=[EDITORS], **_FORM)
async def reopen(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID]) -> Page:
    """Make it a draft again."""
    return await edition_pages.reopen(Visit(request, tx, me, today, now), edition_id)


@get("/catalog-desk/editions/{edition_id:uuid}/publish", guards=[READERS], include_in_schema=False)
async def publish_page(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID]
) -> Page:
    """What stops it, and the forms to approve and to publish."""
    return await edition_pages.publish_page(Visit(request, tx, me, today, now), edition_id)


@post("/catalog-desk/editions/{edition_id:uuid}/approve", guards=[PUBLISHERS], **_FORM)
async def approve(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID]) -> Page:
    """Approve it."""
    return await edition_pages.approve(Visit(request, tx, me, today, now), edition_id)


@post("/catalog-desk/editions/{edition_id:uuid}/publish", guards=[PUBLISHERS], **_FORM)
async def publish(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID]) -> Page:
    """Put it in force."""
    return await edition_pages.publish(Visit(request, tx, me, today, now), edition_id)


@get("/catalog-desk/editions/{edition_id:uuid}/findings", guards=[READERS], include_in_schema=False)
async def findings(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    edition_id: FromPath[UUID],
) -> Page:
    """Findings to work down."""
    asked = dict(request.query_params)
    return await edition_pages.findings(Visit(request, tx, me, today, now), edition_id, asked)


@post("/catalog-desk/editions/{edition_id:uuid}/findings/{finding_id:uuid}", guards=[EDITORS], **_FORM)
async def decide(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    edition_id: FromPath[UUID],
    finding_id: FromPath[UUID],
) -> Page:
    """Let it stand, or note that the source was asked."""
    return await edition_pages.decide(Visit(request, tx, me, today, now), edition_id, finding_id)


@get("/catalog-desk/editions/{edition_id:uuid}/items", guards=[READERS], include_in_schema=False)
async def items(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    edition_id: FromPath[UUID],
    q: Text = "",
    after: First = 0,
) -> Page:
    """Its rows."""
    return await item_pages.items(Visit(request, tx, me, today, now), edition_id, q, after)


@get("/catalog-desk/editions/{edition_id:uuid}/items/new", guards=[EDITORS], include_in_schema=False)
async def new_item(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID]
) -> Page:
    """The form of a new row."""
    return await item_pages.item_page(Visit(request, tx, me, today, now), edition_id, None)


@post("/catalog-desk/editions/{edition_id:uuid}/items/new", guards=[EDITORS], **_FORM)
async def add_item(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID]
) -> Page:
    """Add it."""
    return await item_pages.add(Visit(request, tx, me, today, now), edition_id)


@get("/catalog-desk/editions/{edition_id:uuid}/items/{item_id:uuid}", guards=[READERS], include_in_schema=False)
async def item(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    edition_id: FromPath[UUID],
    item_id: FromPath[UUID],
) -> Page:
    """The form of a row."""
    return await item_pages.item_page(Visit(request, tx, me, today, now), edition_id, item_id)


@post("/catalog-desk/editions/{edition_id:uuid}/items/{item_id:uuid}", guards=[EDITORS], **_FORM)
async def correct_item(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    edition_id: FromPath[UUID],
    item_id: FromPath[UUID],
) -> Page:
    """Correct it."""
    return await item_pages.correct(Visit(request, tx, me, today, now), edition_id, item_id)


@post("/catalog-desk/editions/{edition_id:uuid}/items/{item_id:uuid}/remove", guards=[EDITORS], **_FORM)
async def remove_item(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    edition_id: FromPath[UUID],
    item_id: FromPath[UUID],
) -> Page:
    """Take it out."""
    return await item_pages.remove(Visit(request, tx, me, today, now), edition_id, item_id)


@get("/catalog-desk/editions/{edition_id:uuid}/diff", guards=[READERS], include_in_schema=False)
async def difference(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    edition_id: FromPath[UUID],
    against: FromQuery[UUID | None] = None,
    kind: Text = "",
    first: First = 0,
) -> Page:
    """What it changes."""
    return await item_pages.difference(Visit(request, tx, me, today, now), edition_id, against, kind, first)


@get("/catalog-desk/editions/{edition_id:uuid}/beside/{source_id:uuid}", guards=[READERS], include_in_schema=False)
async def beside(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    edition_id: FromPath[UUID],
    source_id: FromPath[UUID],
    kind: Text = "",
    first: First = 0,
) -> Page:
    """The edition beside a source."""
    return await item_pages.beside(Visit(request, tx, me, today, now), edition_id, source_id, kind, first)


@get("/catalog-desk/sources", guards=[READERS], include_in_schema=False)
async def sources(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Page:
    """The lists that the city was given."""
    return await item_pages.sources(Visit(request, tx, me, today, now))


@post("/catalog-desk/sources", guards=[EDITORS], **_FILE)
async def take_source(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Page:
    """Hand one in."""
    return await item_pages.take_source(Visit(request, tx, me, today, now))


@get("/catalog-desk/proposals", guards=[READERS], include_in_schema=False)
async def proposals(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    year: Annotated[int | None, QueryParameter(ge=2000, le=2100)] = None,
) -> Page:
    """What districts propose for a year."""
    return await proposal_pages.proposals(Visit(request, tx, me, today, now), year)


@get("/catalog-desk/proposals/new", guards=[EDITORS], include_in_schema=False)
async def proposal_form(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Page:
    """The form of a proposal."""
    return await proposal_pages.proposal_form(Visit(request, tx, me, today, now))


@post("/catalog-desk/proposals/new", guards=[EDITORS], **_FORM)
async def propose(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Page:
    """Propose a row."""
    return await proposal_pages.propose(Visit(request, tx, me, today, now))


@get("/catalog-desk/proposals/{proposal_id:uuid}", guards=[READERS], include_in_schema=False)
async def proposal(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, proposal_id: FromPath[UUID]
) -> Page:
    """One proposal."""
    return await proposal_pages.proposal(Visit(request, tx, me, today, now), proposal_id)


@post("/catalog-desk/proposals/{proposal_id:uuid}/opinions", guards=[EDITORS], **_FILE)
async def hear(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, proposal_id: FromPath[UUID]) -> Page:
    """Record an opinion."""
    return await proposal_pages.hear(Visit(request, tx, me, today, now), proposal_id)


@post("/catalog-desk/proposals/{proposal_id:uuid}/decide", guards=[EDITORS], **_FORM)
async def decide_proposal(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, proposal_id: FromPath[UUID]
) -> Page:
    """Accept it or say no."""
    return await proposal_pages.decide(Visit(request, tx, me, today, now), proposal_id)


_EDITIONS = (desk, copy_page, copy, upload_page, upload, edition, consult, reopen, publish_page, approve, publish)
_ROWS = (findings, decide, items, new_item, add_item, item, correct_item, remove_item, difference, beside)
_PROPOSALS = (sources, take_source, proposals, proposal_form, propose, proposal, hear, decide_proposal)
ROUTES = [*_EDITIONS, *_ROWS, *_PROPOSALS]
