"""The pages that anybody may see, and the files that they are made with."""

from litestar import Response, get
from litestar.params import FromPath

from service.pages import gathering
from service.pages.catalog_pages import Search, readable
from service.pages.rendering import page, stored
from service.security import PUBLIC
from service.web import StrictRequest, Today, Tx


@get("/", opt={PUBLIC: True}, include_in_schema=False)
async def home(request: StrictRequest, tx: Tx, today: Today) -> Response[bytes]:
    """Where one begins."""
    return page(request, "public/home.html", today, **await gathering.home(tx, today))


@get("/catalog", opt={PUBLIC: True}, include_in_schema=False)
async def catalog(request: StrictRequest, tx: Tx, today: Today) -> Response[bytes]:
    """What is paid for, found by text, list and industry."""
    found = await gathering.search(tx, Search.of(request.query_params), today)
    return page(request, "public/catalog.html", today, **found)


@get("/catalog/{code:str}", opt={PUBLIC: True}, include_in_schema=False)
async def occupation(request: StrictRequest, tx: Tx, today: Today, code: FromPath[str]) -> Response[bytes]:
    """What one gets for an occupation."""
    found = await gathering.occupation(tx, readable(code), today)
    template, status = ("occupation", 200) if found["entry"] else ("no_occupation", 404)
    return page(request, f"public/{template}.html", today, status=status, **found)


@get("/static/{digest:str}/{name:str}", opt={PUBLIC: True}, include_in_schema=False)
async def file(digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A file that pages are made with."""
    return stored(f"/static/{digest}/{name}")


ROUTES = [home, catalog, occupation, file]
