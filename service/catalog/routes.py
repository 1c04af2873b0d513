"""Look items up, and make the next edition."""

import asyncio
from hashlib import sha256
from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.exceptions import ClientException
from litestar.params import FromPath, JSONBody, QueryParameter

from domain.actor import Post
from domain.period import parse_date
from service.catalog.commands import editing, importing, publishing
from service.catalog.queries import announcing, differences, editions
from service.catalog.queries import editing as drafts
from service.catalog.queries.published import published_on
from service.catalog.schemas import (
    AnnouncementView,
    CatalogView,
    DifferenceView,
    DraftItemView,
    DraftView,
    EditionsView,
    EditionView,
    FindingsView,
    FindingView,
    NewConsultation,
    NewEdition,
    NewFindingDecision,
    NewItem,
    NewPublication,
    NewReason,
)
from service.gateways.catalog_files import TYPES, read_catalog
from service.gateways.publication_files import ATOM_TYPE
from service.journal import By
from service.openapi import files
from service.security import PUBLIC, allow
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, cacheable

_EDITORS = allow(Post.CATALOG_EDITOR)
_PUBLISHERS = allow(Post.CATALOG_PUBLISHER)
_READERS = allow(Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER, Post.AUDITOR)
_FILE_BYTES_MAX = 20 * 1024 * 1024

Year = Annotated[int, QueryParameter(ge=2000, le=2100)]
Revision = Annotated[int | None, QueryParameter(ge=0, le=99)]


@get("/api/catalog", opt={PUBLIC: True})
async def catalog(
    request: StrictRequest,
    today: Today,
    on: Annotated[str | None, QueryParameter(max_length=10)] = None,
    q: Annotated[str, QueryParameter(max_length=60)] = "",
    list_kind: Annotated[str, QueryParameter(name="list", max_length=30)] = "",
) -> Response[CatalogView]:
    """The edition in force on a day (today when none is given) and its items.

    `q` is a part of a name or of a trade, the beginning of a code, or initials of the pinyin.
    """
    published = await published_on(parse_date(on, "on") if on else today)
    if published is None:
        return Response(CatalogView(None, []))
    return cacheable(request, published.tag, lambda: published.view(q, list_kind))


@get("/catalog/feed.atom", opt={PUBLIC: True}, operation_class=files(gives=(ATOM_TYPE,)))
async def feed(request: StrictRequest, tx: Tx) -> Response[bytes]:
    """Publications as an Atom feed."""
    content = await announcing.feed(tx, str(request.base_url).rstrip("/"))
    return cacheable(request, sha256(content).hexdigest()[:32], lambda: content, media_type=ATOM_TYPE)


@get(
    "/api/catalog/editions/{edition_id:uuid}/file",
    opt={PUBLIC: True},
    operation_class=files(gives=tuple(announcing.DOWNLOADS.values())),
)
async def edition_file(
    tx: Tx,
    edition_id: FromPath[UUID],
    kind: Annotated[Literal["csv", "xlsx"], QueryParameter()] = "xlsx",
) -> Response[bytes]:
    """A published edition as CSV, or as XLSX with a sheet a list."""
    edition, content = await announcing.edition_file(tx, edition_id, kind)
    name = f"catalog-{edition.year}-{edition.revision}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=announcing.DOWNLOADS[kind], headers=headers)


@get("/api/catalog/editions/{edition_id:uuid}/announcement", opt={PUBLIC: True})
async def announcement(request: StrictRequest, tx: Tx, edition_id: FromPath[UUID]) -> AnnouncementView:
    """A short text for a public account, with a link."""
    return await announcing.announcement(tx, edition_id, str(request.base_url).rstrip("/"))


@get("/api/catalog/editions", opt={PUBLIC: True})
async def list_editions(tx: Tx) -> EditionsView:
    """The published editions, newest first."""
    return await editions.editions(tx, drafts=False)


@get("/api/catalog/difference", opt={PUBLIC: True})
async def show_difference(
    tx: Tx,
    from_year: Annotated[int, QueryParameter(name="from", ge=2000, le=2100)],
    to_year: Annotated[int, QueryParameter(name="to", ge=2000, le=2100)],
    from_revision: Revision = None,
    to_revision: Revision = None,
) -> DifferenceView:
    """What changed from one published edition to another; without a revision the latest of the year is meant."""
    return await differences.difference(tx, (from_year, from_revision), (to_year, to_revision), drafts=False)


@get("/api/catalog/drafts", guards=[_READERS])
async def list_drafts(tx: Tx) -> EditionsView:
    """Every edition, drafts among them, newest first."""
    return await editions.editions(tx, drafts=True)


@get("/api/catalog/drafts/difference", guards=[_READERS])
async def show_draft_difference(
    tx: Tx,
    from_year: Annotated[int, QueryParameter(name="from", ge=2000, le=2100)],
    to_year: Annotated[int, QueryParameter(name="to", ge=2000, le=2100)],
    from_revision: Revision = None,
    to_revision: Revision = None,
) -> DifferenceView:
    """The same where either may be a draft."""
    return await differences.difference(tx, (from_year, from_revision), (to_year, to_revision), drafts=True)


@post(
    "/api/catalog/drafts",
    guards=[_EDITORS],
    request_max_body_size=_FILE_BYTES_MAX,
    operation_class=files(takes=tuple(TYPES)),
)
async def import_draft(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    now: Now,
    once: Once,
    year: Year,
    revision: Annotated[int, QueryParameter(ge=0, le=99)] = 0,
    source: Annotated[str, QueryParameter(min_length=1, max_length=100)] = "upload",
) -> Response[EditionView]:
    """Hand in a catalog as published (text, CSV or XLSX): a draft, with everything that is wrong with it."""
    suffix = TYPES.get(request.content_type[0])
    if suffix is None:
        raise ClientException("a catalog is text, CSV or XLSX", status_code=415)
    data = await request.body()
    published = await asyncio.to_thread(read_catalog, data, f"catalog.{suffix}")
    by = By.actor(me, Post.CATALOG_EDITOR, now)

    async def effect() -> EditionView:
        edition_id = await importing.import_edition(tx, by, year, published, data, source, revision)
        return await editions.edition_view(tx, edition_id)

    return answered(await once(tx, EditionView, effect))


@post("/api/catalog/drafts/copy", guards=[_EDITORS])
async def copy_draft(tx: Tx, me: Me, now: Now, once: Once, data: JSONBody[NewEdition]) -> Response[EditionView]:
    """Begin a draft as a copy of a published edition: an adjustment, or the next year's."""
    by = By.actor(me, Post.CATALOG_EDITOR, now)

    async def effect() -> EditionView:
        edition_id = await importing.copy_edition(tx, by, data.copy_of, data.year, data.revision)
        return await editions.edition_view(tx, edition_id)

    return answered(await once(tx, EditionView, effect))


@get("/api/catalog/drafts/{edition_id:uuid}", guards=[_READERS])
async def show_draft(
    tx: Tx,
    edition_id: FromPath[UUID],
    after: Annotated[int, QueryParameter(ge=0, le=2_000_000)] = 0,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> DraftView:
    """An edition's rows by page, and what editors did to them."""
    return await drafts.draft_page(tx, edition_id, after, limit)


@get("/api/catalog/drafts/{edition_id:uuid}/findings", guards=[_READERS])
async def show_findings(tx: Tx, edition_id: FromPath[UUID]) -> FindingsView:
    """Everything that is wrong with an edition, and what was decided about it."""
    return await drafts.findings_of(tx, edition_id)


@post("/api/catalog/drafts/{edition_id:uuid}/findings/{finding_id:uuid}", guards=[_EDITORS], status_code=200)
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


@post("/api/catalog/drafts/{edition_id:uuid}/items", guards=[_EDITORS])
async def add_item(
    tx: Tx, me: Me, now: Now, once: Once, edition_id: FromPath[UUID], data: JSONBody[NewItem]
) -> Response[DraftItemView]:
    """Put a row into a draft."""
    return answered(await once(tx, DraftItemView, lambda: editing.add_item(tx, me, edition_id, data, now)))


@post("/api/catalog/drafts/{edition_id:uuid}/items/{item_id:uuid}", guards=[_EDITORS], status_code=200)
async def correct_item(
    tx: Tx, me: Me, now: Now, edition_id: FromPath[UUID], item_id: FromPath[UUID], data: JSONBody[NewItem]
) -> DraftItemView:
    """Correct a row of a draft; what was printed stays on record."""
    return await editing.correct_item(tx, me, edition_id, item_id, data, now)


@post("/api/catalog/drafts/{edition_id:uuid}/items/{item_id:uuid}/remove", guards=[_EDITORS], status_code=204)
async def remove_item(
    tx: Tx, me: Me, now: Now, edition_id: FromPath[UUID], item_id: FromPath[UUID], data: JSONBody[NewReason]
) -> None:
    """Take a row out of a draft."""
    await editing.remove_item(tx, me, edition_id, item_id, data.reason, now)


@post("/api/catalog/drafts/{edition_id:uuid}/consult", guards=[_EDITORS], status_code=200)
async def consult(
    tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID], data: JSONBody[NewConsultation]
) -> EditionView:
    """Lay a draft open for opinions."""
    return await publishing.consult(tx, me, edition_id, data, today, now)


@post("/api/catalog/drafts/{edition_id:uuid}/reopen", guards=[_EDITORS], status_code=200)
async def reopen(tx: Tx, me: Me, now: Now, edition_id: FromPath[UUID], data: JSONBody[NewReason]) -> EditionView:
    """Make an edition in consultation, or an approved one, a draft again."""
    return await publishing.reopen(tx, me, edition_id, data.reason, now)


@post("/api/catalog/drafts/{edition_id:uuid}/approve", guards=[_PUBLISHERS], status_code=200)
async def approve(
    tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID], data: JSONBody[NewReason]
) -> EditionView:
    """Approve an edition that others put together."""
    return await publishing.approve(tx, me, edition_id, data.reason, today, now)


@post("/api/catalog/drafts/{edition_id:uuid}/publish", guards=[_PUBLISHERS], status_code=200)
async def publish(
    tx: Tx, me: Me, today: Today, now: Now, edition_id: FromPath[UUID], data: JSONBody[NewPublication]
) -> EditionView:
    """Put an approved edition in force."""
    return await publishing.publish(tx, me, edition_id, data, today, now)


ROUTES = [
    catalog,
    feed,
    edition_file,
    announcement,
    list_editions,
    show_difference,
    list_drafts,
    show_draft_difference,
    import_draft,
    copy_draft,
    show_draft,
    show_findings,
    decide_finding,
    add_item,
    correct_item,
    remove_item,
    consult,
    reopen,
    approve,
    publish,
]
