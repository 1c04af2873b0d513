"""The operations desk over HTTP, and the same in figures for Prometheus."""

import hmac
from typing import Any

from litestar import Response, get
from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler

from domain.actor import Post
from service.operations.queries.desk import desk
from service.operations.queries.figures import CONTENT_TYPE, exposition
from service.operations.schemas import OperationsView
from service.security import allow, token_of
from service.settings import settings
from service.web import Me, Now, Tx


@get("/api/operations", guards=[allow(Post.MAKER, Post.CHECKER, Post.RELEASER, Post.OPERATOR, Post.AUDITOR)])
async def show_operations(tx: Tx, me: Me, now: Now) -> OperationsView:
    """What has not ended in my district, or in the city, and what needs a person: what is unknown first."""
    return await desk(tx, me.district, now)


async def _scrapes(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Only with the token of `ZHIDA_METRICS_TOKEN`; where none is set there is no such page."""
    token = settings().metrics_token
    if not token or not hmac.compare_digest((token_of(connection) or "").encode(), token.encode()):
        raise NotFoundException


@get("/metrics", guards=[_scrapes], include_in_schema=False)
async def show_metrics(tx: Tx, now: Now) -> Response[bytes]:
    """The desk of the city in Prometheus' text format."""
    return Response(exposition(await desk(tx, None, now)), media_type=CONTENT_TYPE)


ROUTES = [show_operations, show_metrics]
