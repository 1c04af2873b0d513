"""公示: which claims stood before the public, from when to when."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, text
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class NoticeRow(Base):
    __tablename__ = "public_notices"
    __table_args__ = (
        CheckConstraint("closes_on >= opens_on", name="days"),
        Index("ix_public_notices_open", "closes_on", postgresql_where=text("closed_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    opens_on: Mapped[date]
    closes_on: Mapped[date]  # the last working day of the period
    provisional: Mapped[bool]  # the calendar of that year is not published yet
    line_count: Mapped[int] = mapped_column(Integer)
    content_hash: Mapped[str]  # SHA-256 over the masked rows as shown
    published_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    closed_at: Mapped[datetime | None]


class NoticeLineRow(Base):
    __tablename__ = "notice_lines"

    notice_id: Mapped[UUID] = mapped_column(ForeignKey("public_notices.id"), primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), primary_key=True, index=True)
