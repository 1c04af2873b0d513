"""What a route may ask for: Tx, Me, Today, Now, Once; and bodies that are strictly JSON."""

import json
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack
from datetime import date, datetime
from typing import Annotated, Any, TypeVar, cast
from urllib.parse import quote

import msgspec
from litestar import Request, Response
from litestar.di import NamedDependency, Provide
from litestar.exceptions import ClientException, ValidationException
from litestar.params import HeaderParameter
from litestar.types import Scope

from domain.actor import Actor
from domain.errors import Invalid, Malformed, SignedOut
from domain.personal_number import holds_personal_number
from service import clock, database
from service.idempotency import Answer
from service.idempotency import Once as OnceValue

T = TypeVar("T")

_OPENED = "opened_for_this_request"

Tx = NamedDependency[database.Tx]
Me = NamedDependency[Actor]
Today = NamedDependency[date]
Now = NamedDependency[datetime]
Once = NamedDependency[OnceValue]

_KEY_LENGTH_MAX = 128
#: No number of ours is longer, and turning thousands of digits into one takes its time.
_DIGITS_MAX = 40


class StrictRequest(Request[Any, Any, Any]):
    """A request whose JSON has no duplicate keys, no NUL, no lone surrogates, and no depth that hurts."""

    async def json(self) -> Any:
        """The decoded body; Malformed or Invalid where it is not one clear document, 415 where it is another kind."""
        kind, options = self.content_type
        if kind != "application/json" or options.get("charset", "utf-8").lower() != "utf-8":
            raise ClientException(status_code=415)
        found = read_json(await self.body())
        wanted = self.route_handler.parsed_fn_signature.parameters.get("data")
        return as_wanted(found, wanted.annotation) if wanted else found


def address_of(request: Request[Any, Any, Any]) -> str:
    """From where somebody asks, as the server in front tells it; empty where nobody does."""
    return request.client.host if request.client else ""


def taken(request: StrictRequest, media_types: Collection[str]) -> str:
    """The media type of an upload; 415 for one that is not among `media_types`."""
    media_type = request.content_type[0]
    if media_type not in media_types:
        raise ClientException(f"taken are {', '.join(media_types)}", status_code=415)
    return media_type


def private_file(content: bytes, media_type: str, name: str = "") -> Response[bytes]:
    """A file for the one who asks: kept by nobody on the way, and never looked into by a browser."""
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}" if name else "attachment",
        "Cache-Control": "private, no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, media_type=media_type, headers=headers)


def read_json(body: bytes) -> Any:
    """Strict JSON in UTF-8: what two readers could understand differently is refused."""
    try:
        found = _STRICT.decode(body.decode())
        if b"\\u" in body:
            _no_strange_text(found)
    except (RecursionError, UnicodeDecodeError, json.JSONDecodeError):
        raise Malformed("json.unreadable", field="body") from None
    return found


def as_wanted(found: Any, wanted: Any) -> Any:
    """`found` as a value of the type `wanted`, strictly: Litestar by itself reads "1" and 1.0 as the number 1."""
    try:
        return msgspec.convert(found, wanted)
    except msgspec.ValidationError as refusal:
        message, _, at = str(refusal).partition(" - at ")
        place = at.strip("`").removeprefix("$").removeprefix(".")
        raise ValidationException(extra=[{"key": place, "message": message, "source": "body"}]) from None


def _int(digits: str) -> int:
    if len(digits) > _DIGITS_MAX:
        raise Invalid("json.not_a_number", field="body", value=f"{digits[:8]}…")
    return int(digits)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Invalid("json.duplicate_key", field=twice[:64])
    return found


def _no_constant(name: str) -> Any:
    raise Invalid("json.not_a_number", field="body", value=name)


_STRICT = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_int)


def _no_strange_text(value: Any, field: str = "body") -> None:
    """NUL cannot be stored, and a lone surrogate is no character."""
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= each <= "\udfff" for each in value):
            raise Invalid("json.strange_text", field=field)
    elif isinstance(value, dict):
        for name, each in value.items():
            _no_strange_text(name, field)
            _no_strange_text(each, name)
    elif isinstance(value, list):
        for each in value:
            _no_strange_text(each, field)


# Each of these asks for the one before it, needed or not: for those that need nothing of each other Litestar starts
# a group of tasks, which costs more than all of them do.


async def _now() -> datetime:
    return clock.now()


async def _today(now: Now) -> date:
    return clock.business_day(now)


async def _tx(request: Request[Any, Any, Any], today: Today) -> AsyncIterator[database.Tx]:
    """Handler, then COMMIT, then the response: a 2xx means committed (promise 10)."""
    async with AsyncExitStack() as stack:
        request.scope["state"][_OPENED] = stack
        yield await stack.enter_async_context(database.transaction())


async def close_left_open(failure: Exception, scope: Scope) -> None:
    """Roll back what was opened for a request whose other dependencies then failed.

    Litestar forgets a dependency that waits at its `yield` when the next one raises, and with it a connection.
    """
    stack = scope["state"].pop(_OPENED, None)
    if stack is not None:
        await stack.__aexit__(type(failure), failure, failure.__traceback__)


async def refuse_strange_query(request: Request[Any, Any, Any]) -> None:
    """NUL in a query is refused before anybody looks for it in the database, which cannot hold it."""
    for name, value in request.query_params.multi_items():
        if "\0" in name or "\0" in value:
            raise Malformed("json.strange_text", field=name.replace("\0", ""))


async def _me(request: Request[Any, Any, Any], tx: Tx) -> Actor:
    if not isinstance(request.user, Actor):
        raise SignedOut("signed_out")
    return request.user


async def _once(
    request: Request[Any, Any, Any],
    me: Me,
    idempotency_key: Annotated[
        str, HeaderParameter(name="Idempotency-Key", min_length=1, max_length=_KEY_LENGTH_MAX)
    ],
) -> OnceValue:
    if len(request.headers.getall("idempotency-key")) > 1:
        raise Malformed("idempotency.two_keys", field="Idempotency-Key")
    if holds_personal_number(idempotency_key):  # it is kept for ever, in clear
        raise Invalid("text.personal_number", field="Idempotency-Key")
    told, query = await request.body(), request.scope["query_string"]
    if query:  # what is asked for may stand there as well
        told += b"\0?" + query
    route = f"{request.method} {request.url.path}"
    return OnceValue(me.user_id, route, idempotency_key, told)


DEPENDENCIES = {
    "now": Provide(_now),
    "today": Provide(_today),
    "tx": Provide(_tx),
    "me": Provide(_me),
    "once": Provide(_once),
}


def answered(answer: Answer[T], status: int = 201) -> Response[T]:
    """The effect's view; `Idempotent-Replayed: true` when the key had run before."""
    headers = {"Idempotent-Replayed": "true"} if answer.replayed else {}
    return Response(answer.view, status_code=status, headers=headers)


def cacheable(request: Request[Any, Any, Any], tag: str, content: Callable[[], T], **about: Any) -> Response[T]:
    """A public answer that browsers and proxies keep for a minute and then ask about by its `tag` (RFC 9110, 13.1.2);
    304 without a body while it is the same. `about` goes to the response."""
    quoted = f'W/"{tag}"'
    headers = {"ETag": quoted, "Cache-Control": "public, max-age=60"}
    asked = {each.strip() for each in request.headers.get("if-none-match", "").split(",")}
    if asked & {quoted, "*"}:
        return Response(cast(T, None), status_code=304, headers=headers)
    return Response(content(), headers=headers, **about)


def download(
    request: Request[Any, Any, Any], tag: str, name: str, media_type: str, content: Callable[[], bytes]
) -> Response[bytes]:
    """`cacheable` as a file that browsers keep under `name` and never look into."""
    answer = cacheable(request, tag, content, media_type=media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.headers["X-Content-Type-Options"] = "nosniff"
    return answer
