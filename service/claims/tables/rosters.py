"""Rosters as they were uploaded, in portions, and what became of each line."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class RosterRow(Base):
    """A roster as it was uploaded: the same bytes from one institution are one roster."""

    __tablename__ = "rosters"
    __table_args__ = (
        Index("uq_rosters_institution_sha256", "institution_id", "sha256", unique=True),
        CheckConstraint("kind IN ('csv', 'xlsx')", name="kind"),
        CheckConstraint("(status = 'rejected') = (rejection IS NOT NULL)", name="rejected"),
        CheckConstraint("(status IN ('filing', 'finished')) = (line_count IS NOT NULL)", name="read"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"))
    uploaded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    kind: Mapped[str]
    sha256: Mapped[str]  # of the plain bytes
    bytes_sealed: Mapped[bytes]
    status: Mapped[str]
    line_count: Mapped[int | None] = mapped_column(Integer)
    #: 开班编号 of the lines that name no class of their own.
    class_number: Mapped[str | None]
    #: Why the file as a whole could not be read: code, field and facts.
    rejection: Mapped[dict[str, Any] | None]
    #: The day whose rules decide the lines, however late a worker comes to them.
    received_on: Mapped[date]
    received_at: Mapped[datetime]


class RosterPortionRow(Base):
    """Lines of a roster that are filed in one transaction, sealed together as they were typed."""

    __tablename__ = "roster_portions"
    __table_args__ = (
        Index("uq_roster_portions_first", "roster_id", "first_line", unique=True),
        CheckConstraint("filed + refused = line_count", name="counted"),
        CheckConstraint("num_nonnulls(filed, refused, done_at) IN (0, 3)", name="done"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    roster_id: Mapped[UUID] = mapped_column(ForeignKey("rosters.id"))
    first_line: Mapped[int] = mapped_column(Integer)
    line_count: Mapped[int] = mapped_column(Integer)
    lines_sealed: Mapped[bytes]
    filed: Mapped[int | None] = mapped_column(Integer)
    refused: Mapped[int | None] = mapped_column(Integer)
    done_at: Mapped[datetime | None]


class RosterLineRow(Base):
    """What became of a line, written once with its claim. `line` is its row in the sheet; who it is, is sealed."""

    __tablename__ = "roster_lines"
    __table_args__ = (
        CheckConstraint("(outcome = 'filed') = (claim_id IS NOT NULL)", name="filed"),
        CheckConstraint("(outcome = 'refused') = (reasons <> '[]')", name="refused"),
        CheckConstraint("outcome IN ('filed', 'refused')", name="outcome"),
    )

    roster_id: Mapped[UUID] = mapped_column(ForeignKey("rosters.id"), primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True)
    portion_id: Mapped[UUID] = mapped_column(ForeignKey("roster_portions.id"), index=True)
    outcome: Mapped[str]
    claim_id: Mapped[UUID | None] = mapped_column(ForeignKey("claims.id"), unique=True)
    #: Field, code and facts of everything that keeps the line out; without personal data.
    reasons: Mapped[list[Any]]
