"""Return files as the bank sent them, and what became of each line."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
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
