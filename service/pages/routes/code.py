"""The telephone that shows one-time codes to whoever signs."""

from typing import Any

from litestar import Response, get, post

from domain.step_up import PROVERS
from service.pages import code_pages
from service.security import allow
from service.web import Me, Now, StrictRequest, Today, Tx


@get("/account/code", guards=[allow(*PROVERS)], include_in_schema=False)
async def code_page(request: StrictRequest, tx: Tx, me: Me, today: Today) -> Response[bytes]:
    """My telephone for one-time codes."""
    return await code_pages.shown(request, tx, me, today, [])


@post("/account/code", guards=[allow(*PROVERS)], include_in_schema=False, status_code=200)
async def enrol_code(request: StrictRequest, today: Today, now: Now) -> Response[bytes]:
    """A new secret for it, shown this once."""
    return await code_pages.enrolled(request, request.user, today, now)


@post("/account/code/confirm", guards=[allow(*PROVERS)], include_in_schema=False, status_code=303)
async def confirm_code(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """It shows the right codes."""
    return await code_pages.confirmed(request, tx, me, today, now)


ROUTES = [code_page, enrol_code, confirm_code]
