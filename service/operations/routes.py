"""The operations desk over HTTP, the same in figures for Prometheus, and services that are not ours."""

import hmac
from typing import Any

from litestar import Response, get, post
from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.params import JSONBody

from domain.actor import Post
from service.operations import commands
from service.operations.queries.desk import desk
from service.operations.queries.figures import CONTENT_TYPE, exposition
from service.operations.queries.outside import outside
from service.operations.schemas import NewAsking, OperationsView, OutsideView, OutsideViews
from service.security import allow, token_of
from service.settings import settings
from service.web import Me, Now, Once, Tx, answered


@get("/api/operations", guards=[allow(Post.MAKER, Post.CHECKER, Post.RELEASER, Post.OPERATOR, Post.AUDITOR)])
async def show_operations(tx: Tx, me: Me, now: Now) -> OperationsView:
    """What has not ended in my district, or in the city, and what needs a person: what is unknown first."""
    return await desk(tx, me.district, now)


@get("/api/operations/outside", guards=[allow(Post.OPERATOR, Post.AUDITOR)])
async def show_outside(tx: Tx) -> OutsideViews:
    """How it stands with the certificate registry, the bank and the message gateway, and what waits for them."""
    return await outside(tx)


@post("/api/operations/outside", guards=[allow(Post.OPERATOR)], status_code=200)
async def ask_now(tx: Tx, me: Me, now: Now, once: Once, data: JSONBody[NewAsking]) -> Response[OutsideView]:
    """Have one of them asked now: its rest ends with one call on trial, and what waits for it waits no longer."""
    return answered(await once(tx, OutsideView, lambda: commands.ask_now(tx, me, data, now)), 200)


async def _scrapes(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Only with the token of `ZHIDA_METRICS_TOKEN`; where none is set there is no such page."""
    token = settings().metrics_token
    if not token or not hmac.compare_digest((token_of(connection) or "").encode(), token.encode()):
        raise NotFoundException


@get("/metrics", guards=[_scrapes], include_in_schema=False)
async def show_metrics(tx: Tx, now: Now) -> Response[bytes]:
    """The desk of the city in Prometheus' text format."""
    return Response(exposition(await desk(tx, None, now)), media_type=CONTENT_TYPE)


ROUTES = [show_operations, show_outside, ask_now, show_metrics]
