"""What anybody may ask of the catalog: items, editions, what changed, files and a feed."""

from hashlib import sha256
from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from domain.period import parse_date
from service.catalog.queries import announcing, differences, editions
from service.catalog.queries.published import published_on
from service.catalog.schemas import AnnouncementView, CatalogView, DifferenceView, EditionsView
from service.gateways.publication_files import ATOM_TYPE
from service.gateways.sheet_files import TYPES
from service.openapi import files
from service.security import PUBLIC
from service.web import StrictRequest, Today, Tx, cacheable, download

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


@get("/catalog/feed.atom", opt={PUBLIC: True}, include_in_schema=False)
async def feed(request: StrictRequest, tx: Tx) -> Response[bytes]:
    """Publications as an Atom feed."""
    content = await announcing.feed(tx, str(request.base_url).rstrip("/"))
    return cacheable(request, sha256(content).hexdigest()[:32], lambda: content, media_type=ATOM_TYPE)


@get(
    "/api/catalog/editions/{edition_id:uuid}/file",
    opt={PUBLIC: True},
    operation_class=files(gives=tuple(TYPES.values())),
)
async def edition_file(
    request: StrictRequest,
    tx: Tx,
    edition_id: FromPath[UUID],
    kind: Annotated[Literal["csv", "xlsx"], QueryParameter()] = "xlsx",
) -> Response[bytes]:
    """A published edition as CSV, or as XLSX with a sheet a list."""
    edition = await announcing.published_edition(tx, edition_id)
    items = await editions.items_of_edition(tx, edition_id)
    name = f"catalog-{edition.year}-{edition.revision}.{kind}"
    return download(request, f"{edition_id}-{kind}", name, TYPES[kind], lambda: announcing.edition_file(items, kind))


@get("/api/catalog/editions/{edition_id:uuid}/announcement", opt={PUBLIC: True})
async def announcement(request: StrictRequest, tx: Tx, edition_id: FromPath[UUID]) -> AnnouncementView:
    """A short text for a public account, with a link."""
    return await announcing.announcement(tx, edition_id, str(request.base_url).rstrip("/"))


@get("/api/catalog/editions", opt={PUBLIC: True})
async def list_editions(tx: Tx) -> EditionsView:
    """The published editions, newest first."""
    return await editions.editions(tx, drafts=False)


@get("/api/catalog/difference/{from_year:int}/{to_year:int}", opt={PUBLIC: True})
async def show_difference(
    tx: Tx,
    from_year: FromPath[int],
    to_year: FromPath[int],
    from_revision: Revision = None,
    to_revision: Revision = None,
) -> DifferenceView:
    """What changed from one published edition to another; without a revision the latest of the year is meant."""
    return await differences.difference(tx, (from_year, from_revision), (to_year, to_revision), drafts=False)


ROUTES = [catalog, feed, edition_file, announcement, list_editions, show_difference]
