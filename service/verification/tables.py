"""What the certificate registry answered: raw, sealed, with time and source; and what officers checked by hand."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base
from service.gateways.file_store import StoredFileRow


class RegistryReplyRow(Base):
    __tablename__ = "registry_replies"
    __table_args__ = (
        # few, and asked for just before anything is paid
        Index("ix_registry_replies_revoked", "claim_id", postgresql_where=text("outcome = 'revoked'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), index=True)
    outcome: Mapped[str]
    detail: Mapped[dict[str, Any]]  # names of the fields that differ or stayed silent, never their values
    source: Mapped[str]
    received_at: Mapped[datetime]
    raw_sealed: Mapped[bytes]


class CheckEvidenceRow(Base):
    """A letter, a record of a call, a photo: what a check by hand rests on, in the store of files."""

    __tablename__ = "manual_check_evidence"

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), primary_key=True)
    sha256: Mapped[bytes] = mapped_column(ForeignKey(StoredFileRow.sha256), primary_key=True)
    media_type: Mapped[str]
    handed_in_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    handed_in_at: Mapped[datetime]


class ManualCheckRow(Base):
    """One check by hand; where it needs a second person it settles nothing before they have said the same."""

    __tablename__ = "manual_checks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["claim_id", "evidence_sha256"],
            ["manual_check_evidence.claim_id", "manual_check_evidence.sha256"],
            name="fk_manual_checks_evidence",
        ),
        Index(
            "uq_manual_checks_open",
            "claim_id",
            unique=True,
            postgresql_where=text("needs_second AND second_at IS NULL"),
        ),
        CheckConstraint("finding IN ('genuine', 'not_genuine')", name="finding"),
        CheckConstraint("second_finding IN ('genuine', 'not_genuine')", name="second_finding"),
        CheckConstraint("how IN ('phone', 'letter', 'visit')", name="how"),
        CheckConstraint("note <> ''", name="note"),
        CheckConstraint(
            "num_nulls(second_finding, second_by, second_person, second_at) IN (0, 4)", name="second_whole"
        ),
        CheckConstraint("second_at IS NULL OR needs_second", name="second_wanted"),
        CheckConstraint("second_person <> checked_person", name="two_persons"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), index=True)
    finding: Mapped[str]
    how: Mapped[str]
    note: Mapped[str]
    evidence_sha256: Mapped[bytes]
    needs_second: Mapped[bool]
    checked_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    checked_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    checked_at: Mapped[datetime]
    second_finding: Mapped[str | None]
    second_note: Mapped[str] = mapped_column(server_default="")
    second_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    second_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    second_at: Mapped[datetime | None]
