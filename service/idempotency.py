"""Once: the same key and body give the same answer, stored with the effect in one transaction (promise 11)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from domain.errors import Conflict, Invalid
from service.database import Base, Tx

T = TypeVar("T")


class IdempotencyKeyRow(Base):
    __tablename__ = "idempotency_keys"

    user_id: Mapped[UUID] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    body_sha256: Mapped[bytes]
    answer: Mapped[str | None]  # the view as JSON: ids, statuses and masked values only


# Every filing says these three: they are written out, and the limit travels with the key.
_TAKE = text("""
    WITH patience AS MATERIALIZED (SELECT set_config('lock_timeout', '5s', true) AS lock_timeout)
    INSERT INTO idempotency_keys (user_id, route, key, body_sha256)
    SELECT CAST(:user_id AS uuid), CAST(:route AS text), CAST(:key AS text), CAST(:body_sha256 AS bytea)
      FROM patience WHERE lock_timeout IS NOT NULL
    ON CONFLICT DO NOTHING
    RETURNING key
""")
_TAKEN = text("""
    SELECT body_sha256, answer FROM idempotency_keys WHERE user_id = :user_id AND route = :route AND key = :key
""")
_KEEP = text("""
    UPDATE idempotency_keys SET answer = :answer WHERE user_id = :user_id AND route = :route AND key = :key
""")


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
        mine = {"user_id": self.user_id, "route": self.route, "key": self.key}
        try:
            fresh = (await tx.execute(_TAKE, {**mine, "body_sha256": self.body_sha256})).scalar_one_or_none()
        except DBAPIError as problem:
            if getattr(problem.orig, "sqlstate", "") == "55P03":
                raise Conflict("idempotency.busy") from None
            raise
        if fresh is None:
            stored = (await tx.execute(_TAKEN, mine)).one()
            if stored.body_sha256 != self.body_sha256:
                raise Invalid("idempotency.other_body", field="Idempotency-Key")
            return Answer(msgspec.json.decode(stored.answer or "null", type=view), replayed=True)
        answer = await effect()
        await tx.execute(_KEEP, {**mine, "answer": msgspec.json.encode(answer).decode()})
        return Answer(answer, replayed=False)
