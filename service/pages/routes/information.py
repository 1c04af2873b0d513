"""What somebody reads before they begin: how it goes, what is held of them; and pages in larger letters."""

from typing import Any

from litestar import Response, get
from litestar.datastructures import Cookie
from litestar.params import FromPath

from domain.errors import NotFound
from service.pages import forms, homes
from service.pages.rendering import BIG, TEXT, page
from service.policies.queries import parameters
from service.security import PUBLIC, SESSION_HOURS
from service.settings import settings
from service.web import StrictRequest, Today, Tx

_A_YEAR = 365 * 24 * 3600


@get("/how", opt={PUBLIC: True}, include_in_schema=False)
async def how(request: StrictRequest, tx: Tx, today: Today) -> Response[bytes]:
    """The way from a certificate to the money, in plain words."""
    return page(request, "public/how.html", today, policies=await parameters(tx, today))


@get("/accessibility", opt={PUBLIC: True}, include_in_schema=False)
async def accessibility(request: StrictRequest, today: Today) -> Response[bytes]:
    """What these pages do for whoever sees, hears or moves otherwise."""
    return page(request, "public/accessibility.html", today)


@get("/privacy", opt={PUBLIC: True}, include_in_schema=False)
async def privacy(request: StrictRequest, tx: Tx, today: Today) -> Response[bytes]:
    """What is held of people, and why."""
    policies = await parameters(tx, today)
    return page(request, "public/privacy.html", today, policies=policies, session_hours=SESSION_HOURS)


@get("/text/{size:str}", opt={PUBLIC: True}, include_in_schema=False)
async def text_size(request: StrictRequest, size: FromPath[str]) -> Response[Any]:
    """Larger letters on every page, or plain ones again; back to where one was."""
    if size not in {BIG, "plain"}:
        raise NotFound("page.not_found")
    answer = forms.see(homes.local(request.query_params.get("next", "")) or "/")
    kept = _A_YEAR if size == BIG else 0
    secure = not settings().demo
    answer.set_cookie(Cookie(TEXT, value=size, max_age=kept, httponly=True, samesite="lax", secure=secure))
    return answer


ROUTES = [how, accessibility, privacy, text_size]
