"""Accounts that wait for a second person, over HTTP."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from domain.actor import Post
from service.claims.commands import mending
from service.claims.queries import accounts
from service.claims.schemas import AccountCheckList, AccountCheckView, NewAccountAnswer
from service.security import allow
from service.web import Me, Now, Once, Tx, answered

Limit = Annotated[int, QueryParameter(ge=1, le=200)]


@get("/api/account-checks", guards=[allow(Post.CHECKER)])
async def list_checks(tx: Tx, me: Me, cursor: FromQuery[UUID | None] = None, limit: Limit = 50) -> AccountCheckList:
    """Accounts that claimants of my district named for money that came back, and that a checker has to confirm."""
    return await accounts.open_checks(tx, me, cursor, limit)


@post("/api/account-checks/{check_id:uuid}/answer", guards=[allow(Post.CHECKER)], status_code=200)
async def answer_check(
    tx: Tx, me: Me, now: Now, once: Once, check_id: FromPath[UUID], data: JSONBody[NewAccountAnswer]
) -> Response[AccountCheckView]:
    """Confirm it, and the claim is payable again; or decline it, and the claimant names another."""
    effect = once(tx, AccountCheckView, lambda: mending.answer_check(tx, me, check_id, data, now))
    return answered(await effect, 200)


ROUTES = [list_checks, answer_check]
