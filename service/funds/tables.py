"""Funds: what a district has of each in a year, where it came from, and a ledger of every fen that moved.

Rows are only written into the ledger (`fund_movements`); positions and reservations are what its rows add up to, kept
by a trigger (`post_fund_movements`), and nobody else changes them.
"""

from datetime import datetime
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

from service.database import Base, Fen

#: `domain.fund.WAYS`, said again for the database (a test compares).
WAYS_SQL = (
    "(kind, source, target) IN (('appropriate', 'treasury', 'free'), ('lower', 'free', 'treasury'),"
    " ('carry_over', 'treasury', 'free'), ('transfer_out', 'free', 'treasury'), ('transfer_in', 'treasury', 'free'),"
    " ('set_aside', 'free', 'set_aside'), ('draw', 'set_aside', 'free'),"
    " ('give_back', 'set_aside', 'free'), ('reserve', 'free', 'reserved'), ('send', 'reserved', 'in_flight'),"
    " ('pay', 'in_flight', 'paid'), ('fail', 'in_flight', 'reserved'), ('bounce', 'paid', 'reserved'),"
    " ('release', 'reserved', 'free'), ('recover', 'paid', 'free'), ('repay', 'paid', 'free'))"
)


class FundRow(Base):
    """A fund by its code: 就业补助资金, 失业保险基金, 专账结余."""

    __tablename__ = "funds"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class FundPotRow(Base):
    """`domain.fund.HELD_IN`, for the database's own guard. Filled by migrations; a test compares."""

    __tablename__ = "fund_pots"

    status: Mapped[str] = mapped_column(primary_key=True)
    pot: Mapped[str] = mapped_column(primary_key=True)


class PositionRow(Base):
    """What a district has of a fund in a year (promise 9)."""

    __tablename__ = "fund_positions"
    __table_args__ = (
        UniqueConstraint("district", "fund", "year", name="uq_fund_positions_year"),
        CheckConstraint(
            "appropriated_fen = free_fen + set_aside_fen + reserved_fen + in_flight_fen + paid_fen", name="conserved"
        ),
        CheckConstraint("free_fen >= 0", name="free"),
        CheckConstraint("set_aside_fen >= 0", name="set_aside"),
        CheckConstraint("reserved_fen >= 0", name="reserved"),
        CheckConstraint("in_flight_fen >= 0", name="in_flight"),
        CheckConstraint("paid_fen >= 0", name="paid"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    fund: Mapped[str] = mapped_column(ForeignKey("funds.code"))
    year: Mapped[int] = mapped_column(Integer)
    appropriated_fen: Mapped[Fen] = mapped_column(server_default="0")
    free_fen: Mapped[Fen] = mapped_column(server_default="0")
    reserved_fen: Mapped[Fen] = mapped_column(server_default="0")
    in_flight_fen: Mapped[Fen] = mapped_column(server_default="0")
    paid_fen: Mapped[Fen] = mapped_column(server_default="0")
    set_aside_fen: Mapped[Fen] = mapped_column(server_default="0")


class AppropriationRow(Base):
    """An appropriation or a supplement as one person proposed it, or a lowering (a negative amount); it counts once
    another has confirmed it."""

    __tablename__ = "appropriations"
    __table_args__ = (
        # what an answer refers to, so that it knows whose proposal it is
        UniqueConstraint("id", "proposed_by_person", name="uq_appropriations_proposer"),
        CheckConstraint("amount_fen <> 0", name="amount"),
        CheckConstraint("document <> '' AND reason <> ''", name="said"),
        Index("ix_appropriations_district", "district", "proposed_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    fund: Mapped[str] = mapped_column(ForeignKey("funds.code"))
    year: Mapped[int] = mapped_column(Integer)
    amount_fen: Mapped[Fen]
    document: Mapped[str]
    reason: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    proposed_by_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    proposed_at: Mapped[datetime]


class _Answer:
    """What the second person says of a proposal of money, once."""

    proposed_by_person: Mapped[UUID]
    answered_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    answered_by_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    answered_at: Mapped[datetime]
    answer: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")


def _by_another() -> tuple[CheckConstraint, ...]:
    """What holds of every `_Answer`: another person's, and a reason with every no."""
    return (
        CheckConstraint("answered_by_person <> proposed_by_person", name="two_persons"),
        CheckConstraint("answer IN ('confirmed', 'declined')", name="answer"),
        CheckConstraint("(answer = 'declined') = (reason <> '')", name="reason"),
    )


class AnswerRow(_Answer, Base):
    """What the second person says of a proposal, once: confirmed, or declined with a reason."""

    __tablename__ = "appropriation_answers"
    __table_args__ = (
        ForeignKeyConstraint(
            ["appropriation_id", "proposed_by_person"],
            ["appropriations.id", "appropriations.proposed_by_person"],
            name="fk_appropriation_answers_proposer",
        ),
        *_by_another(),
    )

    appropriation_id: Mapped[UUID] = mapped_column(primary_key=True)


class TransferRow(Base):
    """A transfer (调剂) between districts or funds, or a carry-over (结转) into a later year, as one person proposed
    it; money moves once another has confirmed it."""

    __tablename__ = "fund_transfers"
    __table_args__ = (
        UniqueConstraint("id", "proposed_by_person", name="uq_fund_transfers_proposer"),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("document <> '' AND reason <> ''", name="said"),
        CheckConstraint(
            "(source_district, source_fund, source_year) <> (target_district, target_fund, target_year)",
            name="elsewhere",
        ),
        CheckConstraint("source_year <= target_year", name="forward"),
        Index("ix_fund_transfers_source", "source_district", "proposed_at", "id"),
        Index("ix_fund_transfers_target", "target_district", "proposed_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    source_district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    source_fund: Mapped[str] = mapped_column(ForeignKey("funds.code"))
    source_year: Mapped[int] = mapped_column(Integer)
    target_district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    target_fund: Mapped[str] = mapped_column(ForeignKey("funds.code"))
    target_year: Mapped[int] = mapped_column(Integer)
    amount_fen: Mapped[Fen]
    document: Mapped[str]
    reason: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    proposed_by_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    proposed_at: Mapped[datetime]


class TransferAnswerRow(_Answer, Base):
    """What the second person says of a transfer, once. Confirmed, it comes with both its lines of the ledger, or the
    database refuses it at commit (`guard_fund_transfer`, ZD240)."""

    __tablename__ = "fund_transfer_answers"
    __table_args__ = (
        ForeignKeyConstraint(
            ["transfer_id", "proposed_by_person"],
            ["fund_transfers.id", "fund_transfers.proposed_by_person"],
            name="fk_fund_transfer_answers_proposer",
        ),
        *_by_another(),
    )

    transfer_id: Mapped[UUID] = mapped_column(primary_key=True)


class MovementRow(Base):
    """A line of the ledger: fen of a position out of one pot into another, for a claim, or by an appropriation, or as
    one of the two legs of a transfer."""

    __tablename__ = "fund_movements"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint(WAYS_SQL, name="way"),
        CheckConstraint("(kind IN ('appropriate', 'lower')) = (appropriation_id IS NOT NULL)", name="appropriation"),
        CheckConstraint("(kind IN ('transfer_out', 'transfer_in')) = (transfer_id IS NOT NULL)", name="transfer"),
        CheckConstraint(
            "('treasury' IN (source, target) OR kind IN ('set_aside', 'give_back', 'repay')) = (claim_id IS NULL)",
            name="claim",
        ),
        CheckConstraint("('set_aside' IN (source, target)) = (class_id IS NOT NULL)", name="class"),
        CheckConstraint("(kind = 'repay') = (repayment_id IS NOT NULL)", name="repayment"),
        UniqueConstraint("appropriation_id", name="uq_fund_movements_appropriation"),
        UniqueConstraint("transfer_id", "kind", name="uq_fund_movements_transfer"),
        UniqueConstraint("repayment_id", name="uq_fund_movements_repayment"),
        Index("ix_fund_movements_claim", "claim_id", "id"),
        Index("ix_fund_movements_class", "class_id", postgresql_where=text("class_id IS NOT NULL")),
        Index("ix_fund_movements_position", "position_id", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    position_id: Mapped[UUID] = mapped_column(ForeignKey("fund_positions.id"))
    claim_id: Mapped[UUID | None] = mapped_column(ForeignKey("claims.id"))
    class_id: Mapped[UUID | None] = mapped_column(ForeignKey("training_classes.id"))
    appropriation_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("appropriation_answers.appropriation_id", name="fk_fund_movements_appropriation_id")
    )
    transfer_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("fund_transfer_answers.transfer_id", name="fk_fund_movements_transfer_id")
    )
    #: What the claimant repaid: it names the clawback, and so the claim.
    repayment_id: Mapped[UUID | None] = mapped_column(ForeignKey("clawback_repayments.id"))
    kind: Mapped[str]
    source: Mapped[str]
    target: Mapped[str]
    amount_fen: Mapped[Fen]
    actor_user_id: Mapped[UUID | None]
    actor_person_id: Mapped[UUID | None]
    actor_name: Mapped[str]  # the post they acted in, or the job's name
    at: Mapped[datetime]


class ClassPotRow(Base):
    """What is left of a position's money that was set aside for a class. The ledger tells the way."""

    __tablename__ = "fund_class_pots"
    __table_args__ = (CheckConstraint("left_fen >= 0", name="left"),)

    class_id: Mapped[UUID] = mapped_column(ForeignKey("training_classes.id"), primary_key=True)
    position_id: Mapped[UUID] = mapped_column(ForeignKey("fund_positions.id"), primary_key=True)
    left_fen: Mapped[Fen]


class ReservationRow(Base):
    """Where a claim's money is now; `free`: it was held once and is no longer. The ledger tells the way."""

    __tablename__ = "fund_reservations"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("pot IN ('free', 'reserved', 'in_flight', 'paid')", name="pot"),
        CheckConstraint(
            "repaid_fen BETWEEN 0 AND amount_fen AND (repaid_fen = 0 OR pot IN ('paid', 'free'))", name="repaid"
        ),
        Index("ix_fund_reservations_position", "position_id", "pot"),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), primary_key=True)
    position_id: Mapped[UUID] = mapped_column(ForeignKey("fund_positions.id"))
    amount_fen: Mapped[Fen]
    pot: Mapped[str]
    #: Of what was paid: what the claimant has repaid, and is free again.
    repaid_fen: Mapped[Fen] = mapped_column(server_default="0")
