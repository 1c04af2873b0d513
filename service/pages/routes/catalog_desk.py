"""The desk of the catalog: editions from the first draft to publication, sources, and what districts propose."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from service.catalog.routes.drafts import EDITORS, PUBLISHERS, READERS
from service.gateways.catalog_files import FILE_BYTES_MAX
from service.pages import edition_pages, finding_pages, item_pages, proposal_pages
from service.pages.catalog_desk import AtDesk

Page = Response[Any]
Text = Annotated[str, QueryParameter(max_length=60)]
First = Annotated[int, QueryParameter(ge=0, le=2_000_000)]
_FORM: dict[str, Any] = {"include_in_schema": False, "status_code": 303}
_FILE: dict[str, Any] = {**_FORM, "request_max_body_size": FILE_BYTES_MAX + 100_000}


@get("/catalog-desk", guards=[READERS], include_in_schema=False)
async def desk(visit: AtDesk) -> Page:
    """Editions, and how far each is."""
    return await edition_pages.desk(visit)


@get("/catalog-desk/editions/copy", guards=[EDITORS], include_in_schema=False)
async def copy_page(visit: AtDesk) -> Page:
    """Begin with an edition that is published."""
    return await edition_pages.copy_page(visit)


@post("/catalog-desk/editions/copy", guards=[EDITORS], **_FORM)
async def copy(visit: AtDesk) -> Page:
    """Copy it."""
    return await edition_pages.copy(visit)


@get("/catalog-desk/editions/upload", guards=[EDITORS], include_in_schema=False)
async def upload_page(visit: AtDesk) -> Page:
    """Begin with a file."""
    return await edition_pages.upload_page(visit)


@post("/catalog-desk/editions/upload", guards=[EDITORS], **_FILE)
async def upload(visit: AtDesk) -> Page:
    """Take the file."""
    return await edition_pages.upload(visit)


@get("/catalog-desk/editions/{edition_id:uuid}", guards=[READERS], include_in_schema=False)
async def edition(visit: AtDesk, edition_id: FromPath[UUID]) -> Page:
    """Where an edition stands."""
    return await edition_pages.edition(visit, edition_id)


@post("/catalog-desk/editions/{edition_id:uuid}/consult", guards=[EDITORS], **_FORM)
async def consult(visit: AtDesk, edition_id: FromPath[UUID]) -> Page:
    """Lay it open for opinions."""
    return await edition_pages.consult(visit, edition_id)


@post("/catalog-desk/editions/{edition_id:uuid}/reopen", guards=[EDITORS], **_FORM)
async def reopen(visit: AtDesk, edition_id: FromPath[UUID]) -> Page:
    """Make it a draft again."""
    return await edition_pages.reopen(visit, edition_id)


@get("/catalog-desk/editions/{edition_id:uuid}/publish", guards=[READERS], include_in_schema=False)
async def publish_page(visit: AtDesk, edition_id: FromPath[UUID]) -> Page:
    """What stops it, and the forms to approve and to publish."""
    return await edition_pages.publish_page(visit, edition_id)


@post("/catalog-desk/editions/{edition_id:uuid}/approve", guards=[PUBLISHERS], **_FORM)
async def approve(visit: AtDesk, edition_id: FromPath[UUID]) -> Page:
    """Approve it."""
    return await edition_pages.approve(visit, edition_id)


@post("/catalog-desk/editions/{edition_id:uuid}/publish", guards=[PUBLISHERS], **_FORM)
async def publish(visit: AtDesk, edition_id: FromPath[UUID]) -> Page:
    """Put it in force."""
    return await edition_pages.publish(visit, edition_id)


@get("/catalog-desk/editions/{edition_id:uuid}/findings", guards=[READERS], include_in_schema=False)
async def findings(visit: AtDesk, edition_id: FromPath[UUID]) -> Page:
    """Findings to work down."""
    asked = dict(visit.request.query_params)
    return await finding_pages.findings(visit, edition_id, asked)


@get("/catalog-desk/editions/{edition_id:uuid}/findings/set", guards=[EDITORS], include_in_schema=False)
async def many_findings(visit: AtDesk, edition_id: FromPath[UUID]) -> Page:
    """Findings that shall have one answer, before they have it."""
    return await finding_pages.many(visit, edition_id)


@post("/catalog-desk/editions/{edition_id:uuid}/findings/set", guards=[EDITORS], **_FORM)
async def decide_many(visit: AtDesk, edition_id: FromPath[UUID]) -> Page:
    """Give them one answer."""
    return await finding_pages.decide_many(visit, edition_id)


@post("/catalog-desk/editions/{edition_id:uuid}/findings/{finding_id:uuid}", guards=[EDITORS], **_FORM)
async def decide(visit: AtDesk, edition_id: FromPath[UUID], finding_id: FromPath[UUID]) -> Page:
    """Let it stand, or note that the source was asked."""
    return await finding_pages.decide(visit, edition_id, finding_id)


@get("/catalog-desk/editions/{edition_id:uuid}/items", guards=[READERS], include_in_schema=False)
async def items(visit: AtDesk, edition_id: FromPath[UUID], q: Text = "", after: First = 0) -> Page:
    """Its rows."""
    return await item_pages.items(visit, edition_id, q, after)


@get("/catalog-desk/editions/{edition_id:uuid}/items/new", guards=[EDITORS], include_in_schema=False)
async def new_item(visit: AtDesk, edition_id: FromPath[UUID]) -> Page:
    """The form of a new row."""
    return await item_pages.item_page(visit, edition_id, None)


@post("/catalog-desk/editions/{edition_id:uuid}/items/new", guards=[EDITORS], **_FORM)
async def add_item(visit: AtDesk, edition_id: FromPath[UUID]) -> Page:
    """Add it."""
    return await item_pages.add(visit, edition_id)


@get("/catalog-desk/editions/{edition_id:uuid}/items/{item_id:uuid}", guards=[READERS], include_in_schema=False)
async def item(visit: AtDesk, edition_id: FromPath[UUID], item_id: FromPath[UUID]) -> Page:
    """The form of a row."""
    return await item_pages.item_page(visit, edition_id, item_id)


@post("/catalog-desk/editions/{edition_id:uuid}/items/{item_id:uuid}", guards=[EDITORS], **_FORM)
async def correct_item(visit: AtDesk, edition_id: FromPath[UUID], item_id: FromPath[UUID]) -> Page:
    """Correct it."""
    return await item_pages.correct(visit, edition_id, item_id)


@post("/catalog-desk/editions/{edition_id:uuid}/items/{item_id:uuid}/remove", guards=[EDITORS], **_FORM)
async def remove_item(visit: AtDesk, edition_id: FromPath[UUID], item_id: FromPath[UUID]) -> Page:
    """Take it out."""
    return await item_pages.remove(visit, edition_id, item_id)


@get("/catalog-desk/editions/{edition_id:uuid}/diff", guards=[READERS], include_in_schema=False)
async def difference(
    visit: AtDesk,
    edition_id: FromPath[UUID],
    against: FromQuery[UUID | None] = None,
    kind: Text = "",
    first: First = 0,
) -> Page:
    """What it changes."""
    return await item_pages.difference(visit, edition_id, against, kind, first)


@get("/catalog-desk/editions/{edition_id:uuid}/diff.csv", guards=[READERS], include_in_schema=False)
async def difference_file(
    visit: AtDesk, edition_id: FromPath[UUID], against: FromQuery[UUID | None] = None
) -> Response[bytes]:
    """The same, all of it, as CSV."""
    return await item_pages.difference_file(visit, edition_id, against)


@get("/catalog-desk/editions/{edition_id:uuid}/beside/{source_id:uuid}", guards=[READERS], include_in_schema=False)
async def beside(
    visit: AtDesk, edition_id: FromPath[UUID], source_id: FromPath[UUID], kind: Text = "", first: First = 0
) -> Page:
    """The edition beside a source."""
    return await item_pages.beside(visit, edition_id, source_id, kind, first)


@get("/catalog-desk/sources", guards=[READERS], include_in_schema=False)
async def sources(visit: AtDesk) -> Page:
    """The lists that the city was given."""
    return await item_pages.sources(visit)


@post("/catalog-desk/sources", guards=[EDITORS], **_FILE)
async def take_source(visit: AtDesk) -> Page:
    """Hand one in."""
    return await item_pages.take_source(visit)


@get("/catalog-desk/proposals", guards=[READERS], include_in_schema=False)
async def proposals(visit: AtDesk, year: Annotated[int | None, QueryParameter(ge=2000, le=2100)] = None) -> Page:
    """What districts propose for a year."""
    return await proposal_pages.proposals(visit, year)


@get("/catalog-desk/proposals/new", guards=[EDITORS], include_in_schema=False)
async def proposal_form(visit: AtDesk) -> Page:
    """The form of a proposal."""
    return await proposal_pages.proposal_form(visit)


@post("/catalog-desk/proposals/new", guards=[EDITORS], **_FORM)
async def propose(visit: AtDesk) -> Page:
    """Propose a row."""
    return await proposal_pages.propose(visit)


@get("/catalog-desk/proposals/{proposal_id:uuid}", guards=[READERS], include_in_schema=False)
async def proposal(visit: AtDesk, proposal_id: FromPath[UUID]) -> Page:
    """One proposal."""
    return await proposal_pages.proposal(visit, proposal_id)


@post("/catalog-desk/proposals/{proposal_id:uuid}/opinions", guards=[EDITORS], **_FILE)
async def hear(visit: AtDesk, proposal_id: FromPath[UUID]) -> Page:
    """Record an opinion."""
    return await proposal_pages.hear(visit, proposal_id)


@post("/catalog-desk/proposals/{proposal_id:uuid}/decide", guards=[EDITORS], **_FORM)
async def decide_proposal(visit: AtDesk, proposal_id: FromPath[UUID]) -> Page:
    """Accept it or say no."""
    return await proposal_pages.decide(visit, proposal_id)


_EDITIONS = (desk, copy_page, copy, upload_page, upload, edition, consult, reopen, publish_page, approve, publish)
_FINDINGS = (findings, many_findings, decide_many, decide)
_ROWS = (items, new_item, add_item, item, correct_item, remove_item, difference, difference_file, beside)
_PROPOSALS = (sources, take_source, proposals, proposal_form, propose, proposal, hear, decide_proposal)
ROUTES = [*_EDITIONS, *_FINDINGS, *_ROWS, *_PROPOSALS]
