"""Once: the same key and body give the same answer, stored with the effect in one transaction (promise 11)."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import func, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
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
        claim = upsert(IdempotencyKeyRow).values(**mine, body_sha256=self.body_sha256).on_conflict_do_nothing()
        await tx.execute(select(func.set_config("lock_timeout", "5s", text("true"))))
        try:
            fresh = (await tx.execute(claim.returning(IdempotencyKeyRow.key))).scalar_one_or_none()
        except DBAPIError as problem:
            if getattr(problem.orig, "sqlstate", "") == "55P03":
                raise Conflict("idempotency.busy") from None
            raise
        row = IdempotencyKeyRow
        here = [row.user_id == self.user_id, row.route == self.route, row.key == self.key]
        if fresh is None:
            stored = (await tx.execute(select(row.body_sha256, row.answer).where(*here))).one()
            if stored.body_sha256 != self.body_sha256:
                raise Invalid("idempotency.other_body", field="Idempotency-Key")
            return Answer(msgspec.json.decode(stored.answer or "null", type=view), replayed=True)
        answer = await effect()
        await tx.execute(update(row).where(*here).values(answer=msgspec.json.encode(answer).decode()))
        return Answer(answer, replayed=False)
