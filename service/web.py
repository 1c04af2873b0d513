"""What a route may ask for: Tx, Me, Today, Now, Once, Page; and bodies that are strictly JSON."""

import hashlib
import json
from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Annotated, Any, TypeVar

from litestar import Request, Response
from litestar.di import NamedDependency, Provide
from litestar.exceptions import ClientException
from litestar.params import HeaderParameter

from domain.actor import Actor
from domain.errors import Invalid, SignedOut
from service import clock, database
from service.idempotency import Answer
from service.idempotency import Once as OnceValue

T = TypeVar("T")

Tx = NamedDependency[database.Tx]
Me = NamedDependency[Actor]
Today = NamedDependency[date]
Now = NamedDependency[datetime]
Once = NamedDependency[OnceValue]

_KEY_LENGTH_MAX = 128


class StrictRequest(Request[Any, Any, Any]):
    """A request whose JSON has no duplicate keys, no NUL, no lone surrogates, and no depth that hurts."""

    async def json(self) -> Any:
        """The decoded body; Invalid or ClientException (400) where it is not one clear document."""
        return read_json(await self.body())


def read_json(body: bytes) -> Any:
    """Strict JSON: what two readers could understand differently is refused."""
    try:
        found = json.loads(body, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (RecursionError, UnicodeDecodeError, json.JSONDecodeError):
        raise ClientException("not JSON") from None
    if b"\\u" in body:
        _no_strange_text(found)
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Invalid("json.duplicate_key", field=twice[:64])
    return found


def _no_constant(name: str) -> Any:
    raise Invalid("json.not_a_number", field="body", value=name)


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


async def _tx() -> AsyncIterator[database.Tx]:
    """Handler, then COMMIT, then the response: a 2xx means committed (promise 10)."""
    async with database.transaction() as tx:
        yield tx


async def _me(request: Request[Any, Any, Any]) -> Actor:
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
        raise ClientException("two Idempotency-Key headers")
    body = await request.body()
    route = f"{request.method} {request.url.path}"
    return OnceValue(me.user_id, route, idempotency_key, hashlib.sha256(body).digest())


async def _today() -> date:
    return clock.today()


async def _now() -> datetime:
    return clock.now()


DEPENDENCIES = {
    "tx": Provide(_tx),
    "me": Provide(_me),
    "today": Provide(_today),
    "now": Provide(_now),
    "once": Provide(_once),
}


def answered(answer: Answer[T], status: int = 201) -> Response[T]:
    """The effect's view; `Idempotent-Replayed: true` when the key had run before."""
    headers = {"Idempotent-Replayed": "true"} if answer.replayed else {}
    return Response(answer.view, status_code=status, headers=headers)
