"""Persons and their accounts: ciphertext and blind indexes, nothing readable."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class PersonRow(Base):
    __tablename__ = "people"
    __table_args__ = (Index("ix_people_merged", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name_sealed: Mapped[bytes]
    id_number_sealed: Mapped[bytes]
    phone_sealed: Mapped[bytes | None]
    #: Equal for equal telephones under one key; null where nobody has computed it yet.
    phone_index: Mapped[bytes | None] = mapped_column(index=True)
    #: Two ids of one human are joined, never erased.
    merged_into: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())


class PersonBlindIndexRow(Base):
    __tablename__ = "person_blind_indexes"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    index: Mapped[bytes] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)


class AccountRow(Base):
    """An account a person or an institution is paid to; never changed, a correction is another row. An institution's
    is the one that two persons put in force, under that proposal's id."""

    __tablename__ = "accounts"
    __table_args__ = (
        Index("uq_accounts_person_number", "person_id", "number_index", "bank_code", unique=True),
        CheckConstraint("num_nonnulls(person_id, institution_id) = 1", name="holder"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    institution_id: Mapped[UUID | None] = mapped_column(ForeignKey("institutions.id"))
    holder_sealed: Mapped[bytes]
    number_sealed: Mapped[bytes]
    number_index: Mapped[bytes] = mapped_column(index=True)
    tail: Mapped[str]  # the last four digits, all a person needs to recognise it
    bank_code: Mapped[str]
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())
