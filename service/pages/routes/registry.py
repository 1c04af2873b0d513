"""Pages of who teaches and who assesses."""

from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath

from service.pages import registry_pages
from service.pages.registry_pages import BODIES, TEACHING, Asked
from service.pages.rendering import page
from service.security import PUBLIC
from service.web import StrictRequest, Today, Tx


@get("/institutions", opt={PUBLIC: True}, include_in_schema=False)
async def institutions(request: StrictRequest, tx: Tx, today: Today) -> Response[bytes]:
    """Who teaches."""
    found = await registry_pages.found(tx, Asked.of(request.query_params), TEACHING, "/institutions", today)
    return page(request, "public/institutions.html", **found, status=422 if found["faults"] else 200)


@get("/bodies", opt={PUBLIC: True}, include_in_schema=False)
async def bodies(request: StrictRequest, tx: Tx, today: Today) -> Response[bytes]:
    """Who assesses."""
    found = await registry_pages.found(tx, Asked.of(request.query_params), BODIES, "/bodies", today)
    return page(request, "public/institutions.html", **found, status=422 if found["faults"] else 200)


@get("/institutions/{institution_id:uuid}", opt={PUBLIC: True}, include_in_schema=False)
async def institution(
    request: StrictRequest, tx: Tx, today: Today, institution_id: FromPath[UUID]
) -> Response[bytes]:
    """What everybody may know of one."""
    found = await registry_pages.institution(tx, institution_id, request.query_params, today)
    return page(request, "public/institution.html", today, **found, status=422 if found["faults"] else 200)


ROUTES = [institutions, bodies, institution]
