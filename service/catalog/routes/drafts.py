"""The next edition as its editors and publishers work on it."""

import asyncio
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from domain.actor import Post
from domain.catalog import PublishedCatalog
from service.catalog.commands import editing, importing, publishing
from service.catalog.queries import differences, editions
from service.catalog.queries import editing as drafts
from service.catalog.schemas import (
    DifferenceView,
    DraftItemView,
    DraftView,
    EditionsView,
    EditionView,
    FindingsDecidedView,
    FindingsView,
    FindingView,
    NewConsultation,
    NewEdition,
    NewFindingDecision,
    NewFindingDecisions,
    NewItem,
    NewPublication,
    NewReason,
)
from service.gateways.catalog_files import FILE_BYTES_MAX, TYPES, read_catalog
from service.openapi import files
from service.security import allow
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, taken

EDITORS = allow(Post.CATALOG_EDITOR)
READERS = allow(Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER, Post.AUDITOR)
PUBLISHERS = allow(Post.CATALOG_PUBLISHER)

Revision = Annotated[int | None, QueryParameter(ge=0, le=99)]


async def uploaded_catalog(request: StrictRequest) -> tuple[bytes, PublishedCatalog]:
    """The body's bytes and the catalog they hold; 415 for another kind, Invalid as `read_catalog`."""
    suffix = TYPES[taken(request, TYPES)]
    data = await request.body()
    return data, await asyncio.to_thread(read_catalog, data, f"catalog.{suffix}")


@get("/api/catalog/drafts", guards=[READERS])
async def list_drafts(tx: Tx) -> EditionsView:
    """Every edition, drafts among them, newest first."""
    return await editions.editions(tx, drafts=True)


@get("/api/catalog/drafts/difference/{from_year:int}/{to_year:int}", guards=[READERS])
async def show_draft_difference(
    tx: Tx,
    from_year: FromPath[int],
    to_year: FromPath[int],
    from_revision: Revision = None,
    to_revision: Revision = None,
) -> DifferenceView:
    """The same where either may be a draft."""
    return await differences.difference(tx, (from_year, from_revision), (to_year, to_revision), drafts=True)


@post(
    "/api/catalog/drafts",
    guards=[EDITORS],
    request_max_body_size=FILE_BYTES_MAX,
    operation_class=files(takes=tuple(TYPES)),
)
async def import_draft(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    now: Now,
    once: Once,
    year: Annotated[int, QueryParameter(ge=2000, le=2100)],
    revision: Annotated[int, QueryParameter(ge=0, le=99)] = 0,
    source: Annotated[str, QueryParameter(min_length=1, max_length=100)] = "upload",
    replace: FromQuery[bool] = False,
) -> Response[EditionView]:
    """Hand in a catalog as published (text, CSV or XLSX): a draft, with everything that is wrong with it."""
    data, published = await uploaded_catalog(request)
    upload = importing.Upload(year, revision, source, data, published, replace)
    return answered(await once(tx, EditionView, lambda: importing.import_draft(tx, me, upload, now)))


@post("/api/catalog/drafts/copy", guards=[EDITORS])
async def copy_draft(tx: Tx, me: Me, now: Now, once: Once, data: JSONBody[NewEdition]) -> Response[EditionView]:
    """Begin a draft as a copy of a published edition: an adjustment, or the next year's."""
    return answered(await once(tx, EditionView, lambda: importing.copy_draft(tx, me, data, now)))


@get("/api/catalog/drafts/{edition_id:uuid}", guards=[READERS])
async def show_draft(
    tx: Tx,
    edition_id: FromPath[UUID],
    after: Annotated[int, QueryParameter(ge=0, le=2_000_000)] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> DraftView:
    """An edition's rows by page, and what editors did to them."""
    return await drafts.draft_page(tx, edition_id, after, limit)


@get("/api/catalog/drafts/{edition_id:uuid}/findings", guards=[READERS])
async def show_findings(tx: Tx, edition_id: FromPath[UUID]) -> FindingsView:
    """Everything that is wrong with an edition, and what was decided about it."""
    return await drafts.findings_of(tx, edition_id)


@post("/api/catalog/drafts/{edition_id:uuid}/findings", guards=[EDITORS], status_code=200)
async def decide_findings(
    tx: Tx, me: Me, now: Now, once: Once, edition_id: FromPath[UUID], data: JSONBody[NewFindingDecisions]
) -> Response[FindingsDecidedView]:
    """Give many findings one answer; whichever changed since it was read is named, and not answered."""
    decide = editing.decide_findings
    return answered(await once(tx, FindingsDecidedView, lambda: decide(tx, me, edition_id, data, now)), 200)


@post("/api/catalog/drafts/{edition_id:uuid}/findings/{finding_id:uuid}", guards=[EDITORS], status_code=200)
async def decide_finding(
    tx: Tx,
    me: Me,
    now: Now,
    edition_id: FromPath[UUID],
    finding_id: FromPath[UUID],
    data: JSONBody[NewFindingDecision],
) -> FindingView:
    """Accept a finding as published, or note that the source was asked."""
    return await editing.decide_finding(tx, me, edition_id, finding_id, data, now)


@post("/api/catalog/drafts/{edition_id:uuid}/items", guards=[EDITORS])
async def add_item(
    tx: Tx, me: Me, now: Now, once: Once, edition_id: FromPath[UUID], data: JSONBody[NewItem]
) -> Response[DraftItemView]:
    """Put a row into a draft."""
    return answered(await once(tx, DraftItemView, lambda: editing.add_item(tx, me, edition_id, data, now)))


@post("/api/catalog/drafts/{edition_id:uuid}/items/{item_id:uuid}", guards=[EDITORS], status_code=200)
async def correct_item(
    tx: Tx, me: Me, now: Now, edition_id: FromPath[UUID], item_id: FromPath[UUID], data: JSONBody[NewItem]
) -> DraftItemView:
    """Correct a row of a draft; what was printed stays on record."""
    return await editing.correct_item(tx, me, edition_id, item_id, data, now)


@post("/api/catalog/drafts/{edition_id:uuid}/items/{item_id:uuid}/remove", guards=[EDITORS], status_code=204)
async def remove_item(
    tx: Tx, me: Me, now: Now, edition_id: FromPath[UUID], item_id: FromPath[UUID], data: JSONBody[NewReason]
) -> None:
    """Take a row out of a draft."""
    await editing.remove_item(tx, me, edition_id, item_id, data.reason, now)


@post("/api/catalog/drafts/{edition_id:uuid}/consult", guards=[EDITORS], status_code=200)
async def consult(
    tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID], data: JSONBody[NewConsultation]
) -> EditionView:
    """Lay a draft open for opinions."""
    return await publishing.consult(tx, me, edition_id, data, today, now)


@post("/api/catalog/drafts/{edition_id:uuid}/reopen", guards=[EDITORS], status_code=200)
async def reopen(tx: Tx, me: Me, now: Now, edition_id: FromPath[UUID], data: JSONBody[NewReason]) -> EditionView:
    """Make an edition in consultation, or an approved one, a draft again."""
    return await publishing.reopen(tx, me, edition_id, data.reason, now)


@post("/api/catalog/drafts/{edition_id:uuid}/approve", guards=[PUBLISHERS], status_code=200)
async def approve(
    tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID], data: JSONBody[NewReason]
) -> EditionView:
    """Approve an edition that others put together."""
    return await publishing.approve(tx, me, edition_id, data.reason, today, now)


@post("/api/catalog/drafts/{edition_id:uuid}/publish", guards=[PUBLISHERS], status_code=200)
async def publish(
    tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID], data: JSONBody[NewPublication]
) -> EditionView:
    """Put an approved edition in force."""
    return await publishing.publish(tx, me, edition_id, data, today, now)


ROUTES = [
    list_drafts,
    show_draft_difference,
    import_draft,
    copy_draft,
    show_draft,
    show_findings,
    decide_findings,
    decide_finding,
    add_item,
    correct_item,
    remove_item,
    consult,
    reopen,
    approve,
    publish,
]
