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


class StepCountRow(Base):
    """How many working days the steps of the claims took that were paid from the batches of a month, as counted on
    one day: of every `every`-th line, step → days → how many claims. Written once; the last one counts."""

    __tablename__ = "step_counts"
    __table_args__ = (
        CheckConstraint("every > 0 AND date_part('day', month) = 1", name="month"),
        Index("ix_step_counts_month", "month", "counted_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    month: Mapped[date]  # its first day
    counted_on: Mapped[date]
    counted_at: Mapped[datetime]
    every: Mapped[int] = mapped_column(Integer)
    days: Mapped[dict[str, Any]]


class BatchListRow(Base):
    """How many lines of a batch that was sent are of a list; written once, for what was sent changes no more."""

    __tablename__ = "batch_lists"
    __table_args__ = (CheckConstraint("lines > 0", name="lines"),)

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    list_kind: Mapped[str] = mapped_column(primary_key=True)
    lines: Mapped[int] = mapped_column(Integer)
