"""What-if results, kept with what they were computed from; what has been paid in a year, as it was counted."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base, Fen


class SimulationRow(Base):
    """What claims would have cost under other standards; written once.

    `inputs_sha256` is the hash of `inputs`, which say everything that `result` follows from.
    """

    __tablename__ = "simulations"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    inputs_sha256: Mapped[str] = mapped_column(unique=True)
    inputs: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]]
    actor_user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    actor_person_id: Mapped[UUID | None]
    actor_name: Mapped[str]  # the post they acted in, or the command
    at: Mapped[datetime]


class PaidCountRow(Base):
    """What was paid from the batches of a year, counted on one of its days: persons, payments that stand, and the
    working days within which a half of the latest month's claims were paid. Written once; the last one counts."""

    __tablename__ = "paid_counts"
    __table_args__ = (
        CheckConstraint("persons >= 0 AND payments >= persons AND paid_fen >= payments", name="counts"),
        CheckConstraint("num_nulls(month, month_claims, half_days) IN (0, 3)", name="month"),
        Index("ix_paid_counts_day", "counted_on", "counted_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    counted_on: Mapped[date]
    counted_at: Mapped[datetime]
    persons: Mapped[int] = mapped_column(Integer)
    payments: Mapped[int] = mapped_column(Integer)
    paid_fen: Mapped[Fen]
    month: Mapped[date | None]
    month_claims: Mapped[int | None] = mapped_column(Integer)
    half_days: Mapped[int | None] = mapped_column(Integer)
