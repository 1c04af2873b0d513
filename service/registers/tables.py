"""Registers as they were loaded: of each, snapshots that two persons vouch for, and their lines without a name."""

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
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class SnapshotRow(Base):
    """A register as it stood on the day `as_of`; written once, after its lines. The file itself is not kept."""

    __tablename__ = "register_snapshots"
    __table_args__ = (
        UniqueConstraint("register", "as_of", "sha256", name="uq_register_snapshots_file"),
        UniqueConstraint("id", "loader_id", name="uq_register_snapshots_loader"),
        CheckConstraint("lines > 0", name="lines"),
        CheckConstraint("source <> ''", name="source"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    register: Mapped[str]
    as_of: Mapped[date]
    #: The days on which it may be asked, unless a newer one is.
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)
    source: Mapped[str]
    sha256: Mapped[str]  # of the file's bytes
    lines: Mapped[int] = mapped_column(Integer)
    loader_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    loaded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    loaded_at: Mapped[datetime]


class SnapshotConfirmationRow(Base):
    """The signature of another person under a snapshot, from which on it is asked; written once. `serial` is the
    order in which they were given: of two that describe one day, the later holds."""

    __tablename__ = "register_confirmations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["snapshot_id", "loader_id"],
            ["register_snapshots.id", "register_snapshots.loader_id"],
            name="fk_register_confirmations_snapshot",
        ),
        CheckConstraint("person_id <> loader_id", name="two_persons"),
    )

    snapshot_id: Mapped[UUID] = mapped_column(primary_key=True)
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))
    loader_id: Mapped[UUID]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    confirmed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    confirmed_at: Mapped[datetime]


class EntryRow(Base):
    """A line: whom it is about by the keyed digest of their number, never in clear, and what it says.

    It has no foreign key: a million lines come before their snapshot, whose row says that they are all there.
    """

    __tablename__ = "register_entries"
    __table_args__ = (Index("ix_register_entries_person", "index", "snapshot_id"),)

    snapshot_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(Integer, primary_key=True)
    index: Mapped[bytes]
    first: Mapped[date | None]
    last: Mapped[date | None]
    graduates: Mapped[int | None] = mapped_column(SmallInteger)
    occupation: Mapped[str | None]
    level: Mapped[str | None]
