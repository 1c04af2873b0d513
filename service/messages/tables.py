"""Messages to persons, and how far the journal has been read for them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

import service.claims.tables  # noqa: F401 (most messages are about a claim)
from service.database import Base


class MessageRow(Base):
    """One message. `event` says of what, so that nothing is told twice; the words are made when it leaves."""

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint("state IN ('owed', 'sent', 'undeliverable')", name="state"),
        CheckConstraint("(state = 'owed') = (ended_at IS NULL)", name="ended"),
        CheckConstraint("(state = 'undeliverable') = (why <> '')", name="why"),
        CheckConstraint("(template IN ('offer', 'digest', 'alarm')) = (claim_id IS NULL)", name="of_claim"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    event: Mapped[str] = mapped_column(
        unique=True
    )  # journal:<id>, remind:<correction>, offer:<id>, clawback:<id>, digest|alarm:<person>:<day>
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    claim_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("claims.id"), index=True
    )  # an offer, a digest and an alarm have none
    template: Mapped[str]
    facts: Mapped[dict[str, Any]]  # fill the template's places; no personal data
    state: Mapped[str] = mapped_column(server_default="owed")
    why: Mapped[str] = mapped_column(server_default="")
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ended_at: Mapped[datetime | None]


class MessageFloorRow(Base):
    """One row. Of the journal up to `floor` every message is made. `seen` becomes the floor once every transaction
    that could still write below it has ended: those that had a number below `horizon`."""

    __tablename__ = "message_floor"
    __table_args__ = (CheckConstraint("one", name="one"), CheckConstraint("floor <= seen", name="rising"))

    one: Mapped[bool] = mapped_column(primary_key=True, server_default="true")
    floor: Mapped[int] = mapped_column(BigInteger)
    seen: Mapped[int] = mapped_column(BigInteger)
    horizon: Mapped[int] = mapped_column(BigInteger)
