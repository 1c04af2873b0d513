"""Once: the same key and body give the same answer, stored with the effect in one transaction (promise 11)."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from asyncpg import Record
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from domain.errors import Conflict, Invalid
from service.crypto import keyring
from service.database import Base, Tx, fetch, said_by

T = TypeVar("T")


class IdempotencyKeyRow(Base):
    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_sha256: Mapped[bytes]  # by our key
    answer: Mapped[str | None]  # the view as JSON: ids, statuses and masked values only


_BODY = "body"
_TAKEN = "SELECT body_sha256, answer FROM idempotency_keys WHERE user_id = $1::uuid AND route = $2 AND key = $3"
_KEEP = "UPDATE idempotency_keys SET answer = $4 WHERE user_id = $1::uuid AND route = $2 AND key = $3"


@dataclass(frozen=True)
class Query:
    """A query that is written out, with its values for `$1` and on."""

    sql: str
    values: tuple[Any, ...] = ()


@cache
def _taking(first: str, places: int) -> str:
    """Takes the key and sets how long anybody waits; then, where the key is new, asks `first`, of so many places.

    No row: the key is taken. In this order, so that two with one key cannot wait for each other's locks.
    """
    user, route, key, body = (f"${places + each}" for each in range(1, 5))
    return f"""
        WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', '5s', true) AS lock_timeout), taken AS (
            INSERT INTO idempotency_keys (user_id, route, key, body_sha256)
            SELECT {user}::uuid, {route}::text, {key}::text, {body}::bytea
              FROM patience WHERE lock_timeout IS NOT NULL
            ON CONFLICT DO NOTHING
            RETURNING key
        ), first AS (
            SELECT * FROM ({first}) AS asked WHERE EXISTS (SELECT FROM taken)
        )
        SELECT first.* FROM taken LEFT JOIN first ON true
    """  # noqa: S608 (our own constants)


def _waited_for_the_key(problem: DBAPIError) -> bool:
    """And not for what the first query locks: where it waited, PostgreSQL says by the table's name."""
    said = said_by(problem)
    return said.sqlstate == "55P03" and "idempotency_keys" in said.context


@dataclass(frozen=True)
class Answer(Generic[T]):
    view: T
    replayed: bool


@dataclass(frozen=True)
class Once:
    """The caller's key for one effect of one route. Of the body a hash is kept, by our key: numbers of persons and
    cards stand in it, and all of them can be tried against a plain one."""

    user_id: UUID
    route: str
    key: str
    body: bytes = field(repr=False)

    @cached_property
    def _plain(self) -> bytes:
        return hashlib.sha256(self.body).digest()

    def _was_kept_as(self, body_sha256: bytes) -> bool:
        """Under any of our keys; a plain hash is of a row older than them."""
        return body_sha256 in {self._plain, *keyring().blind_indexes(_BODY, self._plain.hex()).values()}

    async def __call__(self, tx: Tx, view: type[T], effect: Callable[[], Awaitable[T]]) -> Answer[T]:
        """Run `effect` unless this key has run it; then answer what it answered.

        Conflict `idempotency.busy` after 5 s behind another caller with the same key; Invalid
        `idempotency.other_body` when the key was used with another body. A refusal stores nothing.
        """
        return await self.beginning_with(Query("SELECT"), tx, view, lambda _: effect())

    async def ran(self, tx: Tx) -> bool:
        """Whether this key has run this very body."""
        found = await fetch(tx, _TAKEN, self.user_id, self.route, self.key)
        return bool(found) and self._was_kept_as(found[0]["body_sha256"])

    async def told(self, tx: Tx, view: type[T]) -> T | None:
        """What this key answered, for whoever asks about it later; None where it has run nothing."""
        found = await fetch(tx, _TAKEN, self.user_id, self.route, self.key)
        return msgspec.json.decode(found[0]["answer"] or "null", type=view) if found else None

    async def beginning_with(
        self, first: Query, tx: Tx, view: type[T], effect: Callable[[Record], Awaitable[T]]
    ) -> Answer[T]:
        """The same for an effect that begins with a query of at most one row, which travels with the key; the effect
        is given the row, or one of NULLs."""
        mine = (self.user_id, self.route, self.key)
        try:
            taking = _taking(first.sql, len(first.values))
            told = keyring().blind_index(_BODY, self._plain.hex())
            fresh = await fetch(tx, taking, *first.values, *mine, told)
        except DBAPIError as problem:
            if _waited_for_the_key(problem):
                raise Conflict("idempotency.busy") from None
            raise
        if not fresh:
            ((body_sha256, stored),) = await fetch(tx, _TAKEN, *mine)
            if not self._was_kept_as(body_sha256):
                raise Invalid("idempotency.other_body", field="Idempotency-Key")
            return Answer(msgspec.json.decode(stored or "null", type=view), replayed=True)
        answer = await effect(fresh[0])
        await fetch(tx, _KEEP, *mine, msgspec.json.encode(answer).decode())
        return Answer(answer, replayed=False)
