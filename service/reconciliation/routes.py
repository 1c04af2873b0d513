"""Return files handed in by a person, and what persons look at and decide."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.exceptions import ClientException
from litestar.params import FromPath, FromQuery, JSONBody, PathParameter, QueryParameter

from domain.actor import Post
from service.gateways.bank_files import FORMS
from service.journal import By
from service.openapi import files
from service.reconciliation import commands, queries
from service.reconciliation.schemas import (
    AttemptDecisionView,
    ExceptionList,
    ExceptionView,
    MissingList,
    NewAttemptDecision,
    NewResolution,
    ReturnView,
)
from service.security import allow
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, taken

_CURSOR = "^[0-9a-f-]{36}[.][0-9]{1,9}$"
_REFERENCE = "^[A-Z0-9]{1,35}$"


_RETURNS = tuple(kind for form in FORMS.values() for kind in form.RETURN_MEDIA_TYPES)


@post("/api/returns", guards=[allow(Post.MAKER)], operation_class=files(takes=_RETURNS))
async def take_return(request: StrictRequest, tx: Tx, me: Me, now: Now, once: Once) -> Response[ReturnView]:
    """Hand in a bank's return file as it came, in the form of its batch; the same bytes again change nothing."""
    taken(request, _RETURNS)
    data, by = await request.body(), By.actor(me, Post.MAKER, now)
    file = commands.read(data)
    return answered(await once(tx, ReturnView, lambda: commands.take_return(tx, me, file, data, "upload", by)))


@get("/api/returns/exceptions", guards=[allow(Post.MAKER, Post.CHECKER, Post.RELEASER, Post.AUDITOR)])
async def exceptions(
    tx: Tx,
    me: Me,
    cursor: Annotated[str | None, QueryParameter(pattern=_CURSOR)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
    resolved: FromQuery[bool] = False,
) -> ExceptionList:
    """Lines of return files that fit no open payment, masked, oldest first: open ones, or those worked off."""
    return await queries.list_exceptions(tx, me, _seen(cursor), limit, resolved=resolved)


@post(
    "/api/returns/{return_id:uuid}/lines/{line_no:int}/resolve",
    guards=[allow(Post.CHECKER, Post.RELEASER)],
    status_code=200,
)
async def resolve(
    tx: Tx,
    me: Me,
    now: Now,
    once: Once,
    return_id: FromPath[UUID],
    line_no: Annotated[int, PathParameter(ge=0, le=2**31 - 1)],
    data: JSONBody[NewResolution],
) -> Response[ExceptionView]:
    """Say how an exception of my district was worked off."""
    effect = once(tx, ExceptionView, lambda: commands.resolve_line(tx, me, return_id, line_no, data, now))
    return answered(await effect, 200)


@get("/api/exceptions/missing", guards=[allow(Post.MAKER, Post.CHECKER, Post.RELEASER, Post.AUDITOR)])
async def missing(
    tx: Tx,
    me: Me,
    today: Today,
    cursor: Annotated[str | None, QueryParameter(pattern=_REFERENCE)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> MissingList:
    """Payments of my district of which no return has said in time how they ended, masked."""
    return await queries.list_missing(tx, me, today, cursor, limit)


@post(
    "/api/attempts/{reference:str}/decide",
    guards=[allow(Post.MAKER, Post.CHECKER, Post.RELEASER)],
    status_code=200,
)
async def decide(
    tx: Tx,
    me: Me,
    now: Now,
    once: Once,
    reference: Annotated[str, PathParameter(pattern=_REFERENCE)],
    data: JSONBody[NewAttemptDecision],
) -> Response[AttemptDecisionView]:
    """Say what became of a payment of which the bank cannot tell, or confirm as a second person what was said."""
    effect = once(tx, AttemptDecisionView, lambda: commands.decide_attempt(tx, me, reference, data, now))
    return answered(await effect, 200)


def _seen(cursor: str | None) -> tuple[UUID, int] | None:
    if cursor is None:
        return None
    return_id, _, line_no = cursor.partition(".")
    try:
        return UUID(return_id), int(line_no)
    except ValueError:
        raise ClientException("not a cursor of ours") from None


ROUTES = [take_return, exceptions, resolve, missing, decide]
