"""Return files as the bank sent them, and what became of each line."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base, Fen


class ReturnFileRow(Base):
    __tablename__ = "return_files"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[str] = mapped_column(unique=True)  # the same file again is the same file, whatever its name
    file_id: Mapped[str] = mapped_column(index=True)
    bytes_sealed: Mapped[bytes]
    line_count: Mapped[int] = mapped_column(Integer)
    sum_fen: Mapped[Fen]
    source: Mapped[str]
    received_at: Mapped[datetime]


class ReturnLineRow(Base):
    """A line belongs to an attempt or is an exception for a person; it counts once (promise 13)."""

    __tablename__ = "return_lines"
    __table_args__ = (
        CheckConstraint("verdict IN ('settled', 'repeat', 'exception')", name="verdict"),
        CheckConstraint("verdict = 'exception' OR attempt_id IS NOT NULL", name="owned"),
        Index(
            "uq_return_lines_counted", "attempt_id", "code", unique=True, postgresql_where=text("verdict = 'settled'")
        ),
        Index("ix_return_lines_exception", "return_file_id", postgresql_where=text("verdict = 'exception'")),
    )

    return_file_id: Mapped[UUID] = mapped_column(ForeignKey("return_files.id"), primary_key=True)
    line_no: Mapped[int] = mapped_column(Integer, primary_key=True)
    reference: Mapped[str]
    amount_fen: Mapped[Fen]
    code: Mapped[str]
    reason: Mapped[str]
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey("payment_attempts.id"), index=True)
    verdict: Mapped[str]
    exception: Mapped[str] = mapped_column(server_default="")


class ResolutionRow(Base):
    """How a person worked an exception off. Written once."""

    __tablename__ = "return_resolutions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["return_file_id", "line_no"],
            ["return_lines.return_file_id", "return_lines.line_no"],
            name="fk_return_resolutions_line",
        ),
    )

    return_file_id: Mapped[UUID] = mapped_column(primary_key=True)
    line_no: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str]
    note: Mapped[str]
    resolved_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    resolved_at: Mapped[datetime]


class AttemptDecisionRow(Base):
    """What two persons say became of a payment of which the bank cannot tell (promise 5).

    One says it, another confirms it; whoever says something else replaces what was said, and it waits again.
    """

    __tablename__ = "attempt_decisions"
    __table_args__ = (
        Index("uq_attempt_decisions_open", "attempt_id", unique=True, postgresql_where=text("closed_at IS NULL")),
        Index(
            "uq_attempt_decisions_confirmed",
            "attempt_id",
            unique=True,
            postgresql_where=text("confirmed_person IS NOT NULL"),
        ),
        CheckConstraint("outcome IN ('paid', 'not_paid')", name="outcome"),
        CheckConstraint("proposed_person <> confirmed_person", name="two_persons"),
        CheckConstraint(
            "num_nulls(confirmed_by, confirmed_person) IN (0, 2) AND (confirmed_by IS NULL OR closed_at IS NOT NULL)",
            name="confirmed_whole",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("payment_attempts.id"), index=True)
    outcome: Mapped[str]
    evidence_sha256: Mapped[str]
    note: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    proposed_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    proposed_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    confirmed_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    #: Confirmed, or replaced by something else that was said.
    closed_at: Mapped[datetime | None]
