"""Once: the same key and body give the same answer, stored with the effect in one transaction (promise 11)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from domain.errors import Conflict, Invalid
from service.database import Base, Tx, fetch

T = TypeVar("T")


class IdempotencyKeyRow(Base):
    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_sha256: Mapped[bytes]
    answer: Mapped[str | None]  # the view as JSON: ids, statuses and masked values only


# Every filing says these three. The limit of waiting travels with the key.
_TAKE = """
    WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', '5s', true) AS lock_timeout)
    INSERT INTO idempotency_keys (user_id, route, key, body_sha256)
    SELECT $1::uuid, $2::text, $3::text, $4::bytea FROM patience WHERE lock_timeout IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING key
"""
_TAKEN = "SELECT body_sha256, answer FROM idempotency_keys WHERE user_id = $1::uuid AND route = $2 AND key = $3"
_KEEP = "UPDATE idempotency_keys SET answer = $4 WHERE user_id = $1::uuid AND route = $2 AND key = $3"


@dataclass(frozen=True)
class Answer(Generic[T]):
    view: T
    replayed: bool


@dataclass(frozen=True)
class Once:
    """The caller's key for one effect of one route."""

    user_id: UUID
    route: str
    key: str
    body_sha256: bytes

    async def __call__(self, tx: Tx, view: type[T], effect: Callable[[], Awaitable[T]]) -> Answer[T]:
        """Run `effect` unless this key has run it; then answer what it answered.

        Conflict `idempotency.busy` after 5 s behind another caller with the same key; Invalid
        `idempotency.other_body` when the key was used with another body. A refusal stores nothing.
        """
        mine = (self.user_id, self.route, self.key)
        try:
            fresh = await fetch(tx, _TAKE, *mine, self.body_sha256)
        except DBAPIError as problem:
            if getattr(problem.orig, "sqlstate", "") == "55P03":
                raise Conflict("idempotency.busy") from None
            raise
        if not fresh:
            ((body_sha256, stored),) = await fetch(tx, _TAKEN, *mine)
            if body_sha256 != self.body_sha256:
                raise Invalid("idempotency.other_body", field="Idempotency-Key")
            return Answer(msgspec.json.decode(stored or "null", type=view), replayed=True)
        answer = await effect()
        await fetch(tx, _KEEP, *mine, msgspec.json.encode(answer).decode())
        return Answer(answer, replayed=False)
