"""Offers of claims that nobody has asked for yet."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

import service.assessments.tables
import service.claims.tables
import service.verification.tables  # noqa: F401 (an offer is of a result or an entry, and becomes a claim)
from service.database import Base, Fen


class OfferRow(Base):
    """One offer, of a result in a class, or of an entry in a file of the registry (which knows no class and no
    district), that held when it was made. Only `status` changes, once, and `claim_id` with it."""

    __tablename__ = "claim_offers"
    __table_args__ = (
        ForeignKeyConstraint(
            ["assessment_id", "person_id"],
            ["assessment_results.assessment_id", "assessment_results.person_id"],
            name="fk_claim_offers_result",
        ),
        # nobody is offered one certificate twice; one that a correction gives to another is offered to them
        UniqueConstraint("certificate_number", "person_id", name="uq_claim_offers_certificate"),
        Index("ix_claim_offers_person", "person_id"),
        Index("ix_claim_offers_made", "made_on", "status"),
        Index("ix_claim_offers_open", "id", postgresql_where=text("status = 'offered'")),
        CheckConstraint("status IN ('offered', 'confirmed', 'declined', 'expired')", name="status"),
        CheckConstraint("(status = 'confirmed') = (claim_id IS NOT NULL)", name="confirmed"),
        CheckConstraint(
            "num_nulls(assessment_id, class_id, district) = CASE WHEN entry_id IS NULL THEN 0 ELSE 3 END",
            name="found_in",
        ),
        CheckConstraint("made_on <= expires_on", name="days"),
        CheckConstraint("amount_fen > 0", name="amount"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    assessment_id: Mapped[UUID | None]
    person_id: Mapped[UUID]
    class_id: Mapped[UUID | None] = mapped_column(ForeignKey("training_classes.id"))
    entry_id: Mapped[UUID | None] = mapped_column(ForeignKey("registry_entries.id"))
    district: Mapped[str | None] = mapped_column(ForeignKey("districts.code"))
    item_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_items.id"))
    level: Mapped[str]
    certificate_number: Mapped[str]
    issued_on: Mapped[date]
    amount_fen: Mapped[Fen]
    #: As of a claim (`claims.decision`), of the day it was made.
    decision: Mapped[dict[str, Any]]
    made_on: Mapped[date]
    made_at: Mapped[datetime]
    expires_on: Mapped[date]
    status: Mapped[str]
    claim_id: Mapped[UUID | None] = mapped_column(ForeignKey("claims.id"), unique=True)
