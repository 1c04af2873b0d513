"""Employment contracts over HTTP."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromQuery, JSONBody, QueryParameter

from domain.actor import Post
from service.employment import commands, queries
from service.employment.schemas import ContractList, ContractView, NewContract
from service.security import allow
from service.web import Me, Now, Once, Today, Tx, answered

Limit = Annotated[int, QueryParameter(ge=1, le=200)]


@post("/api/contracts", guards=[allow(Post.CLERK)])
async def record_contract(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewContract]
) -> Response[ContractView]:
    """Record my enterprise's signed contract with somebody it hired."""
    effect = once(tx, ContractView, lambda: commands.record_contract(tx, me, data, today, now))
    return answered(await effect)


@get("/api/contracts", guards=[allow(Post.TRAINEE, Post.CLERK)])
async def list_contracts(tx: Tx, me: Me, cursor: FromQuery[UUID | None] = None, limit: Limit = 50) -> ContractList:
    """The contracts in my name, or those of my enterprise."""
    return await queries.list_contracts(tx, me, cursor, limit)


ROUTES = [record_contract, list_contracts]
