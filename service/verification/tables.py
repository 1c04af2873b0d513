"""What the certificate registry answered or sent as a file, how it stands with asking it; checks made by hand."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
    text,
)
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


class RegistryLineRow(Base):
    """The line to a registry: how often it was silent one time after another, and until when it is left alone.

    `open_until` stands while the breaker is open: once it is past, one call on trial may be made. While that is out
    `on_trial` says so, and `open_until` by when it must have ended.
    """

    __tablename__ = "registry_lines"

    source: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int] = mapped_column(Integer, server_default="0")
    rests: Mapped[int] = mapped_column(Integer, server_default="0")
    open_until: Mapped[datetime | None]
    on_trial: Mapped[bool] = mapped_column(server_default=text("false"))
    last_failure: Mapped[str]
    last_failed_at: Mapped[datetime]


class RegistryMinuteRow(Base):
    """How many calls a minute had. `slot` is its place in the hour, so that there are never more than sixty."""

    __tablename__ = "registry_minutes"
    __table_args__ = (CheckConstraint("slot BETWEEN 0 AND 59", name="slot"),)

    source: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    minute: Mapped[datetime]
    calls: Mapped[int] = mapped_column(Integer)


class RegistryFileRow(Base):
    """A file that the registry's owner sent, as it stood on the day `as_of`; written once, after its entries.

    Its bytes are in the store of files.
    """

    __tablename__ = "registry_files"
    __table_args__ = (
        UniqueConstraint("id", "loader_id", name="uq_registry_files_loader"),
        CheckConstraint("entries > 0", name="entries"),
        CheckConstraint("source <> ''", name="source"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[bytes] = mapped_column(ForeignKey(StoredFileRow.sha256), unique=True)
    as_of: Mapped[date]
    source: Mapped[str]
    entries: Mapped[int] = mapped_column(Integer)
    loader_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    loaded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    loaded_at: Mapped[datetime]


class RegistryFileConfirmationRow(Base):
    """The signature of another person under a file, from which on it is asked; written once. `serial` is the order in
    which they were given: of two files that describe one day, the later holds."""

    __tablename__ = "registry_file_confirmations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["file_id", "loader_id"],
            ["registry_files.id", "registry_files.loader_id"],
            name="fk_registry_file_confirmations_file",
        ),
        CheckConstraint("person_id <> loader_id", name="two_persons"),
    )

    file_id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    loader_id: Mapped[UUID]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    confirmed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    confirmed_at: Mapped[datetime]


class RegistryEntryRow(Base):
    """A line of such a file. Name and number of the holder are sealed as one; a whole number is also found by its
    keyed digest. `level` is a code of `domain.level`, or what the registry wrote where that is none.

    It has no foreign key: the lines come before their file, whose row says that they are all there.
    """

    __tablename__ = "registry_entries"
    __table_args__ = (
        UniqueConstraint("file_id", "line", name="uq_registry_entries_line"),
        CheckConstraint("revoked OR revoked_on IS NULL", name="revoked"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    file_id: Mapped[UUID]
    line: Mapped[int] = mapped_column(Integer)
    certificate_number: Mapped[str] = mapped_column(index=True)
    holder_index: Mapped[bytes | None]
    holder_sealed: Mapped[bytes]
    occupation_code: Mapped[str | None]
    level: Mapped[str | None]
    issued_on: Mapped[date | None]
    revoked: Mapped[bool]
    revoked_on: Mapped[date | None]
