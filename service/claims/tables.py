"""Mandates, claims, and the figures kept with them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, func, text
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base, Fen

#: The statuses of `domain.claim.DEAD`, said again for the database (a test compares).
DEAD_SQL = "status NOT IN ('refused', 'withdrawn', 'lapsed', 'recovered')"


class MandateRow(Base):
    """代领协议: a trainee lets an institution claim for them; no fee may be charged."""

    __tablename__ = "mandates"
    __table_args__ = (CheckConstraint("fee_fen = 0", name="no_fee"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    signed_on: Mapped[date]
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)
    document_sha256: Mapped[str]
    fee_fen: Mapped[Fen]
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())


class ClaimRow(Base):
    """One claim. Everything but `status` and `account_id` is copied at filing and never changes."""

    __tablename__ = "claims"
    __table_args__ = (
        # promise 2: one subsidy per person, occupation and level, over all channels and districts
        Index(
            "uq_claims_once",
            "person_id",
            "subsidy_key",
            "level",
            "once_in",
            unique=True,
            postgresql_where=text(DEAD_SQL),
        ),
        Index("uq_claims_certificate", "certificate_number", unique=True, postgresql_where=text(DEAD_SQL)),
        Index("uq_claims_invoice", "invoice_number", unique=True, postgresql_where=text(DEAD_SQL)),
        Index("ix_claims_work", "district", "status", "filed_on"),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("channel IN ('individual', 'institution', 'enterprise')", name="channel"),
        CheckConstraint(
            "(channel = 'institution') = (mandate_id IS NOT NULL AND institution_id IS NOT NULL)", name="mandate"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    channel: Mapped[str]
    via: Mapped[str]
    filed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    institution_id: Mapped[UUID | None] = mapped_column(ForeignKey("institutions.id"), index=True)
    mandate_id: Mapped[UUID | None] = mapped_column(ForeignKey("mandates.id"))
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    item_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_items.id"))
    list_kind: Mapped[str]
    industry: Mapped[str]
    subsidy_key: Mapped[str]
    level: Mapped[str]
    once_in: Mapped[str]
    certificate_number: Mapped[str]
    certificate_issued_on: Mapped[date]
    training_started_on: Mapped[date]
    #: The group of persons (就业困难 and others) the claimant belongs to; empty: none that was named.
    group_code: Mapped[str] = mapped_column(server_default="")
    #: The number of the proof of that group, sealed under the claim's id.
    group_proof_sealed: Mapped[bytes | None]
    #: The invoice over a fee that the claimant paid: one invoice once among live claims.
    invoice_number: Mapped[str | None]
    standard_id: Mapped[UUID] = mapped_column(ForeignKey("standards.id"))
    amount_fen: Mapped[Fen]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    status: Mapped[str]
    filed_on: Mapped[date]
    filed_at: Mapped[datetime]
    #: Facts, rule versions and outcomes, from which the decision can be recomputed (promise 16).
    decision: Mapped[dict[str, Any]]


class ClaimTallyDeltaRow(Base):
    """A change of the filing figures, appended in the transaction that caused it; folded by a sweep."""

    __tablename__ = "claim_tally_deltas"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    filed_on: Mapped[date]
    district: Mapped[str]
    list_kind: Mapped[str]
    industry: Mapped[str]
    level: Mapped[str]
    channel: Mapped[str]
    count: Mapped[int] = mapped_column(Integer)
    amount_fen: Mapped[Fen]


class ClaimTallyRow(Base):
    """Claims filed and not withdrawn, by filing day and everything the share is asked by."""

    __tablename__ = "claim_tally"

    filed_on: Mapped[date] = mapped_column(primary_key=True)
    district: Mapped[str] = mapped_column(primary_key=True)
    list_kind: Mapped[str] = mapped_column(primary_key=True)
    industry: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    amount_fen: Mapped[Fen]


class ClaimTallySumRow(Base):
    """The tally once more, summed along each thing the share is asked by (`along`, whose value is `key`).

    However many claims there are, a day has as many rows here as there are districts, lists, industries and levels.
    """

    __tablename__ = "claim_tally_sums"

    along: Mapped[str] = mapped_column(primary_key=True)
    filed_on: Mapped[date] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    amount_fen: Mapped[Fen]


class DoorRefusalRow(Base):
    """How often filing was refused at the door, by day and code: a figure without a person in it."""

    __tablename__ = "door_refusals"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    on: Mapped[date]
    code: Mapped[str]
    channel: Mapped[str]
