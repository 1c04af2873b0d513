"""Signing in and out with a cookie, which outlives its session so that what is sent too late is kept."""

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import Cookie

from domain.errors import SignedOut, Throttled
from domain.step_up import PROVERS
from service.access import commands
from service.access.schemas import NewSignIn
from service.pages import code_pages, forms, homes
from service.pages.rendering import private
from service.security import COOKIE, PUBLIC, REMEMBERED, allow, close_session
from service.settings import settings
from service.web import Me, Now, StrictRequest, Today, Tx, address_of
from service.wording import words


@get("/sign-in", opt={PUBLIC: True}, include_in_schema=False)
async def sign_in_page(request: StrictRequest, today: Today) -> Response[bytes]:
    """The form; `next` is where one wanted to go."""
    return private(request, "session/sign_in.html", today, typed=request.query_params)


@post("/sign-in", opt={PUBLIC: True}, include_in_schema=False, status_code=303)
async def sign_in(request: StrictRequest, today: Today) -> Response[Any]:
    """A session in a cookie that no script reads; back to the form for a wrong login or password alike."""
    given = await forms.typed(request)
    try:
        new = NewSignIn(given.get("login", ""), given.get("password", ""))
        session = await commands.sign_in(new, address_of(request))
    except (SignedOut, Throttled) as refusal:
        faults, status = (
            [("login", words(refusal.code, refusal.facts))],
            401 if isinstance(refusal, SignedOut) else 429,
        )
        return private(request, "session/sign_in.html", today, status=status, typed=given, faults=faults)
    answer = forms.see(homes.local(given.get("next", "")) or "/home")
    answer.set_cookie(_cookie(session.token, session.seconds + int(REMEMBERED.total_seconds())))
    return answer


@get("/home", opt={PUBLIC: True}, include_in_schema=False)
async def home(request: StrictRequest) -> Response[Any]:
    """Everybody's own first page."""
    return forms.see(homes.of(request.user))


@post("/sign-out", opt={PUBLIC: True}, include_in_schema=False, status_code=303)
async def sign_out(request: StrictRequest, tx: Tx) -> Response[Any]:
    """End the session; without one nothing happens."""
    await close_session(tx, request.cookies.get(COOKIE, ""))
    answer = forms.see("/")
    answer.set_cookie(_cookie("", 0))
    return answer


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


def _cookie(token: str, seconds: int) -> Cookie:
    """Not sent by other sites' forms; only over TLS where the service is real."""
    return Cookie(COOKIE, value=token, max_age=seconds, httponly=True, samesite="lax", secure=not settings().demo)


ROUTES = [sign_in_page, sign_in, home, sign_out, code_page, enrol_code, confirm_code]
