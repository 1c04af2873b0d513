"""Signing in."""

from litestar import post
from litestar.exceptions import NotFoundException
from litestar.params import JSONBody

from service.access import commands
from service.access.schemas import NewSignIn, NewSignUp, SessionView, SignedUpView
from service.security import PUBLIC, allow, close_session
from service.settings import settings
from service.web import StrictRequest, Today, Tx


@post("/api/sign-in", opt={PUBLIC: True})
async def sign_in(data: JSONBody[NewSignIn]) -> SessionView:
    """Open a session for a login and its password."""
    return await commands.sign_in(data)


@post("/api/sign-out", guards=[allow()], status_code=204)
async def sign_out(request: StrictRequest, tx: Tx) -> None:
    """End this session."""
    await close_session(tx, request.auth)


@post("/api/sign-up", opt={PUBLIC: True})
async def sign_up(data: JSONBody[NewSignUp], today: Today) -> SignedUpView:
    """In the demo only: a trainee of one's own, in place of the province's real-name service."""
    if not settings().demo:
        raise NotFoundException
    return await commands.sign_up(data, today)


ROUTES = [sign_in, sign_out, sign_up]
