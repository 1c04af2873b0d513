"""What the OpenAPI document says of every route beyond its types: how it refuses, and who may ask."""

import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args

from litestar import Litestar, MediaType, Router
from litestar.connection import ASGIConnection
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.openapi import OpenAPIConfig, ResponseSpec
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.openapi.spec import (
    Components,
    OpenAPIMediaType,
    Operation,
    RequestBody,
    Schema,
    SecurityRequirement,
    SecurityScheme,
)
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.openapi.spec.response import OpenAPIResponse
from litestar.routes import HTTPRoute
from msgspec import Struct
from msgspec.structs import fields

from service.problems import ProblemView
from service.security import PUBLIC, Allowed

_BEARER = "bearer"

_REFUSALS = {
    400: "It cannot be read: not one clear JSON document of the described form, or a parameter out of its range.",
    401: "Nobody is signed in, the session has ended, or login and password do not fit.",
    403: "Whoever asks may not do it, whatever the state.",
    404: "It does not exist, or whoever asks may not know that it does.",
    409: "It cannot be done to what is there now.",
    410: "Its time is over.",
    413: "The body is too large.",
    415: "The body is of another kind.",
    422: "A value is malformed, or the rules do not grant it.",
    429: "Tried too often; `facts.minutes` says for how long nobody is heard.",
    503: "A part of the service is away; nothing was stored.",
}
_ASKING_FOR_PASSWORDS = {"/api/sign-in", "/api/step-up/enrol"}
_TAKING_A_BODY = {404, 409, 413, 415, 422}


def config(page: OpenAPIRenderPlugin) -> OpenAPIConfig:
    """The document itself, at /schema/openapi.json, and the `page` that shows it to people, at /schema."""
    return OpenAPIConfig(
        title="直达 Zhida",
        version="0.1.0",
        description="职业培训补贴申领：目录、标准、申领、公示、发放、统计。拒绝一律是 application/problem+json。",
        components=Components(security_schemes={_BEARER: SecurityScheme(type="http", scheme="bearer")}),
        # browsers show application/json, and store what has the document's own media type as a file
        render_plugins=[page, JsonRenderPlugin(media_type=MediaType.JSON)],
        use_handler_docstrings=True,
        openapi_router=Router("/schema", route_handlers=[], include_in_schema=False, guards=[_is_there]),
    )


def _is_there(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Litestar answers every other address below /schema with a page of its own; ours says it in our words."""
    if connection.path_params:
        raise NotFoundException


def describe(routes: Iterable[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """The same routes, each saying with which problems it may refuse and whether one signs in for it."""
    described = list(routes)
    for route in described:
        route.responses = {
            **{status: _problem(status) for status in sorted(_refusals_of(route))},
            **(route.responses or {}),
        }
        if not route.opt.get(PUBLIC):
            route.security = _who_may_ask(route)
    return described


def _who_may_ask(route: HTTPRouteHandler) -> list[SecurityRequirement]:
    """One way in a post, of which one is enough (OpenAPI 3.1 lets a bearer scheme name roles); else any session."""
    posts = [post for guard in route.guards or () if isinstance(guard, Allowed) for post in guard.posts]
    return [{_BEARER: [post.value]} for post in posts] or [{_BEARER: []}]


def _refusals_of(route: HTTPRouteHandler) -> Iterator[int]:
    yield from (400, 503)
    if not route.opt.get(PUBLIC):
        yield from (401, 403)
    if "POST" in route.http_methods:
        yield from {401, *_TAKING_A_BODY}
    if _ASKING_FOR_PASSWORDS & route.paths:
        yield 429
    if any("{" in path for path in route.paths):
        yield from (404, 410) if route.opt.get(PUBLIC) else (404,)
    if inspect.signature(route.fn).parameters.keys() - {"tx", "me", "today", "now"}:
        yield 422


def _problem(status: int) -> ResponseSpec:
    return ResponseSpec(
        ProblemView,
        generate_examples=False,
        description=_REFUSALS[status],
        media_type="application/problem+json",
    )


def close_bodies(app: Litestar) -> None:
    """Say of each struct that is refused with unknown fields that it has no others."""
    schemas = app.openapi_schema.components.schemas or {}
    handlers = (handler for route in app.routes if isinstance(route, HTTPRoute) for handler in route.route_handlers)
    bodies = (handler.parsed_fn_signature.parameters.get("data") for handler in handlers)
    for struct in _with_inner(body.annotation for body in bodies if body):
        schema = schemas.get(struct.__name__)
        if isinstance(schema, Schema) and struct.__struct_config__.forbid_unknown_fields:
            schema.additional_properties = False


def _with_inner(types: Iterable[Any]) -> Iterator[type[Struct]]:
    for each in types:
        if isinstance(each, type) and issubclass(each, Struct):
            yield each
            yield from _with_inner(field.type for field in fields(each))
        else:
            yield from _with_inner(get_args(each))  # one that may be left out, a list of them


def files(*, takes: tuple[str, ...] = (), gives: tuple[str, ...] = ()) -> type[Operation]:
    """The description of a route whose body, or whose answer, is a file of one of these media types."""

    @dataclass
    class FileOperation(Operation):
        def __post_init__(self) -> None:
            if takes:
                self.request_body = RequestBody(_binary(takes), required=True)
            success = (self.responses or {}).get("200")
            if gives and isinstance(success, OpenAPIResponse):
                success.content = _binary(gives)

    return FileOperation


def _binary(media_types: tuple[str, ...]) -> dict[str, OpenAPIMediaType]:
    schema = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
    return {each: OpenAPIMediaType(schema=schema) for each in media_types}
