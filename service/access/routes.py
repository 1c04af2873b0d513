"""Signing in, proving it anew for signatures, and whom one is related to."""

from uuid import UUID

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, JSONBody

from domain.step_up import PROVERS
from service.access import commands, queries
from service.access.schemas import (
    EnrolmentView,
    FactorCode,
    NewFactor,
    NewRelative,
    NewSignIn,
    NewSignUp,
    NewStepUp,
    RelativesView,
    SessionView,
    SignedUpView,
    StepUpView,
)
from service.security import PUBLIC, allow, close_session, digest
from service.settings import settings
from service.web import Me, Now, Once, StrictRequest, Today, Tx, address_of, answered


@post("/api/sign-in", opt={PUBLIC: True})
async def sign_in(request: StrictRequest, data: JSONBody[NewSignIn]) -> SessionView:
    """Open a session for a login and its password; after too many wrong ones 429 says for how many minutes not."""
    return await commands.sign_in(data, address_of(request))


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


@get("/api/me/relatives", guards=[allow(*commands.OFFICERS)])
async def list_relatives(tx: Tx, me: Me) -> RelativesView:
    """Whose claims I leave to others."""
    return await queries.my_relatives(tx, me)


@post("/api/me/relatives", guards=[allow(*commands.OFFICERS)])
async def declare_relative(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewRelative]
) -> Response[RelativesView]:
    """Declare a relative: from now on I decide nothing on their claims."""
    effect = once(tx, RelativesView, lambda: commands.declare_relative(tx, me, data, today, now))
    return answered(await effect)


@post("/api/me/relatives/{relative_id:uuid}/end", guards=[allow(*commands.OFFICERS)], status_code=200)
async def end_relative(tx: Tx, me: Me, now: Now, once: Once, relative_id: FromPath[UUID]) -> Response[RelativesView]:
    """We are not related any more; what they filed until now stays barred."""
    return answered(await once(tx, RelativesView, lambda: commands.end_relative(tx, me, relative_id, now)), 200)


@post("/api/step-up/enrol", guards=[allow(*PROVERS)])
async def enrol(request: StrictRequest, now: Now, data: JSONBody[NewFactor]) -> EnrolmentView:
    """A new secret for my telephone's one-time codes, shown this once; confirm it by a code."""
    return await commands.enrol(request.user, data.password, now)


@post("/api/step-up/confirm", guards=[allow(*PROVERS)], status_code=204)
async def confirm_factor(tx: Tx, me: Me, now: Now, data: JSONBody[FactorCode]) -> None:
    """My telephone shows the right codes: from now on my signatures and decisions need one."""
    await commands.confirm_factor(tx, me, data.code, now)


@post("/api/step-up", guards=[allow(*PROVERS)])
async def step_up(request: StrictRequest, now: Now, data: JSONBody[NewStepUp]) -> StepUpView:
    """My password and a code, for signatures and decisions I name; its token goes with each in `Zhida-Step-Up`."""
    return await commands.prove(request.user, digest(request.auth), data, now)


ROUTES = [
    *(sign_in, sign_out, sign_up, list_relatives, declare_relative, end_relative),
    *(enrol, confirm_factor, step_up),
]
