"""公示: which claims stood before the public, from when to when, and who objected."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    UniqueConstraint,
    text,
)
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


class NoticeObjectionRow(Base):
    """异议 to a line of a notice, or to the whole of it (no line), its words sealed. Written once, while it stands.

    `person_id` None: nobody was signed in. `contact_sealed`: how to find them, if they said so.
    """

    __tablename__ = "notice_objections"
    __table_args__ = (
        ForeignKeyConstraint(
            ["notice_id", "claim_id"],
            ["notice_lines.notice_id", "notice_lines.claim_id"],
            name="fk_notice_objections_line",
        ),
        CheckConstraint("num_nulls(line, claim_id) IN (0, 2) AND line >= 1", name="line"),
        CheckConstraint("due_on >= filed_on", name="days"),
        UniqueConstraint("serial", name="uq_notice_objections_serial"),
        Index("ix_notice_objections_of", "notice_id", "filed_at"),
        Index("ix_notice_objections_claim", "claim_id", postgresql_where=text("claim_id IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    notice_id: Mapped[UUID] = mapped_column(ForeignKey(NoticeRow.id))
    #: Its place in the list, from 1, as the public reads it.
    line: Mapped[int | None] = mapped_column(Integer)
    claim_id: Mapped[UUID | None]
    words_sealed: Mapped[bytes]
    contact_sealed: Mapped[bytes | None]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), index=True)
    filed_on: Mapped[date]
    filed_at: Mapped[datetime]
    due_on: Mapped[date]
    #: `domain.numbering.OBJECTIONS` prints it.
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))


class NoticeObjectionAnswerRow(Base):
    """What the desk that runs the notice answered. Upheld, the claim is looked at again. Written once."""

    __tablename__ = "notice_objection_answers"
    __table_args__ = (
        CheckConstraint("finding IN ('upheld', 'not_upheld')", name="finding"),
        CheckConstraint("answer <> ''", name="answer"),
    )

    objection_id: Mapped[UUID] = mapped_column(ForeignKey(NoticeObjectionRow.id), primary_key=True)
    finding: Mapped[str]
    answer: Mapped[str]
    answered_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    answered_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    answered_on: Mapped[date]
    answered_at: Mapped[datetime]
