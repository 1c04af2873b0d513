"""Operators' pages: whether it runs, what failed too often, the seal, and what is set."""

from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import FromPath, PathParameter

from domain.actor import Post
from service.pages import operating
from service.security import allow
from service.web import Me, Now, StrictRequest, Tx

_SEES = [allow(Post.OPERATOR, Post.AUDITOR)]
_Page = Response[bytes]


@get("/operate", guards=_SEES, include_in_schema=False)
async def overview(request: StrictRequest, tx: Tx, me: Me, now: Now) -> _Page:
    """Health, queues by age, alarms."""
    return await operating.overview(request, tx, me, now)


@post("/operate/outside/{service:str}", guards=[allow(Post.OPERATOR)], include_in_schema=False, status_code=303)
async def ask_now(request: StrictRequest, tx: Tx, me: Me, now: Now, service: FromPath[str]) -> Response[Any]:
    """Have a service that is not ours asked now."""
    return await operating.ask_now(request, tx, me, service, now)


@get("/operate/jobs", guards=_SEES, include_in_schema=False)
async def jobs(request: StrictRequest, tx: Tx, me: Me) -> _Page:
    """Work that failed too often."""
    return await operating.jobs_page(request, tx, me, [])


@post("/operate/jobs/{job_id:int}/again", guards=[allow(Post.OPERATOR)], include_in_schema=False, status_code=303)
async def again(
    request: StrictRequest, tx: Tx, me: Me, now: Now, job_id: Annotated[int, PathParameter(ge=0, le=2**63 - 1)]
) -> Response[Any]:
    """Have it done again."""
    return await operating.again(request, tx, me, job_id, now)


@get("/operate/seals", guards=_SEES, include_in_schema=False)
async def seals(request: StrictRequest, tx: Tx, me: Me) -> _Page:
    """The seal of the journal."""
    return operating.page(request, "operate/seals", me, **await operating.seal(tx, check=False))


@post("/operate/seals", guards=_SEES, include_in_schema=False, status_code=200)
async def check_seal(request: StrictRequest, tx: Tx, me: Me) -> _Page:
    """Hold the journal against it."""
    return operating.page(request, "operate/seals", me, **await operating.seal(tx, check=True))


@get("/operate/settings", guards=_SEES, include_in_schema=False)
async def settings(request: StrictRequest, tx: Tx, me: Me) -> _Page:
    """Settings and policies in force, without secrets."""
    return operating.page(request, "operate/settings", me, **await operating.in_force(tx))


ROUTES = [overview, ask_now, jobs, again, seals, check_seal, settings]
