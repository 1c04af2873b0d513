"""The pages that anybody may see, and the files that they are made with."""

from hashlib import sha256

from litestar import Response, get
from litestar.params import FromPath

from service.gateways.sheet_files import CSV_TYPE
from service.pages import editions_pages, gathering
from service.pages.catalog_pages import Search, readable
from service.pages.rendering import page, stored
from service.security import PUBLIC
from service.web import StrictRequest, Today, Tx, download


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
    found = await gathering.occupation(tx, readable(code), request.query_params, today)
    template, status = ("occupation", 200) if found["entry"] else ("no_occupation", 404)
    status = 422 if found.get("calculator") and found["calculator"].faults else status
    return page(request, f"public/{template}.html", today, status=status, **found)


@get("/catalog/editions", opt={PUBLIC: True}, include_in_schema=False)
async def editions(request: StrictRequest, tx: Tx, today: Today) -> Response[bytes]:
    """Every edition, and what to compare."""
    return page(request, "public/editions.html", today, **await editions_pages.every_edition(tx))


@get("/catalog/diff", opt={PUBLIC: True}, include_in_schema=False)
async def difference(request: StrictRequest, tx: Tx, today: Today) -> Response[bytes]:
    """What changed from one edition to another."""
    return page(request, "public/difference.html", today, **await editions_pages.compared(tx, request.query_params))


@get("/catalog/diff.csv", opt={PUBLIC: True}, include_in_schema=False)
async def difference_file(request: StrictRequest, tx: Tx) -> Response[bytes]:
    """The same as CSV, all of it."""
    name, content = await editions_pages.compared_file(tx, request.query_params)
    return download(request, sha256(content).hexdigest()[:32], name, CSV_TYPE, lambda: content)


@get("/static/{digest:str}/{name:str}", opt={PUBLIC: True}, include_in_schema=False)
async def file(digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A file that pages are made with."""
    return stored(f"/static/{digest}/{name}")


ROUTES = [home, catalog, occupation, editions, difference, difference_file, file]
