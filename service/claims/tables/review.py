"""How claims are reviewed: each approval with what was drawn for it, who takes which claim, and who leaves it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base, Fen

#: Another person has yet to look at the approval again.
OPEN_SQL = "why <> '{}' AND finding IS NULL"


class ClaimApprovalRow(Base):
    """An approval by a reviewer: by what the sample was drawn, why another person must look again (`why`; empty:
    nobody must), and what they found. The last of a claim counts."""

    __tablename__ = "claim_approvals"
    __table_args__ = (
        Index("uq_claim_approvals_open", "claim_id", unique=True, postgresql_where=text(OPEN_SQL)),
        Index("ix_claim_approvals_work", "district", "filed_on", "claim_id", postgresql_where=text(OPEN_SQL)),
        CheckConstraint("length(seed) = 32", name="seed"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
        CheckConstraint("why <@ ARRAY['sample', 'amount', 'manual', 'again']", name="why"),
        CheckConstraint("finding IN ('confirmed', 'overturned')", name="finding"),
        CheckConstraint("num_nulls(finding, found_by, found_person, found_at) IN (0, 4)", name="found_whole"),
        CheckConstraint("finding IS NULL OR why <> '{}'", name="found_what_was_asked"),
        CheckConstraint("finding IS DISTINCT FROM 'overturned' OR finding_reason <> ''", name="finding_reason"),
        CheckConstraint("found_person <> approved_person", name="two_persons"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), index=True)
    #: As on the claim, for the list of work.
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    filed_on: Mapped[date]
    #: Made when it was approved; all approvals of one transaction have the same.
    seed: Mapped[bytes]
    percent: Mapped[int] = mapped_column(Integer)
    from_fen: Mapped[Fen | None]
    why: Mapped[list[str]] = mapped_column(ARRAY(Text))
    approved_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    approved_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    approved_at: Mapped[datetime]
    finding: Mapped[str | None]
    finding_reason: Mapped[str] = mapped_column(server_default="")
    found_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    found_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    found_at: Mapped[datetime | None]


class ClaimRecusalRow(Base):
    """回避: an officer leaves one claim to others, for good."""

    __tablename__ = "claim_recusals"

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str]
    recused_at: Mapped[datetime]


class ClaimLeaseRow(Base):
    """Who works on a claim until when, so that two do not do the same. It decides nothing: later it is as if it were
    not there, and the next one takes the row over."""

    __tablename__ = "claim_leases"

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    taken_at: Mapped[datetime]
    until: Mapped[datetime]
