"""Clawbacks, what ends them, appeals on an amount that was paid, corrections, and the supplements owed from them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.clawback import OPEN, Cause, ClawbackStatus
from service.claims.tables import ClaimRow
from service.database import Base, Fen
from service.standards.tables import StandardSetRow

_OPEN = ", ".join(f"'{status}'" for status in ClawbackStatus if status in OPEN)
_CAUSES = ", ".join(f"'{cause}'" for cause in Cause)


class _Proposed:
    """Proposed by one person, answered once by another; open until then."""

    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    proposed_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    proposed_at: Mapped[datetime]
    granted: Mapped[bool | None]
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    answered_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    answered_at: Mapped[datetime | None]


def _by_two_persons() -> tuple[CheckConstraint, CheckConstraint]:
    """What holds of every `_Proposed`: an answer is whole, and another person's."""
    whole = "num_nulls(granted, answered_by, answered_person, answered_at) IN (0, 4)"
    another = "answered_person <> proposed_person"
    return CheckConstraint(whole, name="answered_whole"), CheckConstraint(another, name="two_persons")


class ClawbackRow(Base):
    """追回: one open for a claim and cause; in all no more than was paid."""

    __tablename__ = "clawbacks"
    __table_args__ = (
        Index("uq_clawbacks_open", "claim_id", "cause", unique=True, postgresql_where=text(f"status IN ({_OPEN})")),
        UniqueConstraint("cause", "ground_id", "claim_id", name="uq_clawbacks_ground"),
        UniqueConstraint("serial", name="uq_clawbacks_serial"),
        CheckConstraint(f"cause IN ({_CAUSES})", name="cause"),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("status IN ('raised', 'waived') OR letter_number <> ''", name="letter"),
        CheckConstraint("num_nulls(raised_by, raised_person) IN (0, 2)", name="raised_whole"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey(ClaimRow.id), index=True)
    cause: Mapped[str]
    #: The registry's reply, the objection, the appeal or the correction it follows from, for a supplement what asks
    #: its claim back; an officer's own reason stands in the note.
    ground_id: Mapped[UUID | None]
    amount_fen: Mapped[Fen]
    note: Mapped[str] = mapped_column(server_default="")
    raised_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))  # nobody: a job did
    raised_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    raised_at: Mapped[datetime]
    status: Mapped[str]
    letter_number: Mapped[str] = mapped_column(server_default="")
    #: `domain.clawback.clawback_number` prints it.
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))


class ClawbackWaiverRow(_Proposed, Base):
    """By which law a clawback is to be waived: proposed by one, decided once by another."""

    __tablename__ = "clawback_waivers"
    __table_args__ = (
        Index("uq_clawback_waivers_open", "clawback_id", unique=True, postgresql_where=text("answered_at IS NULL")),
        CheckConstraint("law <> '' AND note <> ''", name="reason"),
        *_by_two_persons(),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    clawback_id: Mapped[UUID] = mapped_column(ForeignKey(ClawbackRow.id), index=True)
    law: Mapped[str]
    note: Mapped[str]
    #: Why it was declined (those from before reasons were asked have none); perhaps why it was granted.
    answer_text: Mapped[str] = mapped_column(server_default="")


class ClawbackTermRow(Base):
    """Up to which day what was demanded may be paid back freely. Written once, with the demand."""

    __tablename__ = "clawback_terms"

    clawback_id: Mapped[UUID] = mapped_column(ForeignKey(ClawbackRow.id), primary_key=True)
    due_on: Mapped[date]


class ClawbackEnforcementRow(_Proposed, Base):
    """By which order a clawback is enforced: proposed by one after its term, decided once by another."""

    __tablename__ = "clawback_enforcements"
    __table_args__ = (
        Index(
            "uq_clawback_enforcements_open", "clawback_id", unique=True, postgresql_where=text("answered_at IS NULL")
        ),
        CheckConstraint("order_number <> ''", name="order_number"),
        *_by_two_persons(),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    clawback_id: Mapped[UUID] = mapped_column(ForeignKey(ClawbackRow.id), index=True)
    order_number: Mapped[str]
    ordered_on: Mapped[date]


class RepaymentProposalRow(_Proposed, Base):
    """That a line of a statement without our number repays a clawback: said by one, answered by another."""

    __tablename__ = "repayment_proposals"
    __table_args__ = (
        Index("uq_repayment_proposals_open", "line_id", unique=True, postgresql_where=text("answered_at IS NULL")),
        CheckConstraint("amount_fen > 0 AND note <> ''", name="said"),
        *_by_two_persons(),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    line_id: Mapped[UUID] = mapped_column(ForeignKey("statement_lines.id"))
    clawback_id: Mapped[UUID] = mapped_column(ForeignKey(ClawbackRow.id), index=True)
    amount_fen: Mapped[Fen]
    note: Mapped[str]


class RepaymentRow(Base):
    """A part of a clawback that came back, by one line of a statement, once. Without a proposal the line carried the
    clawback's number."""

    __tablename__ = "clawback_repayments"
    __table_args__ = (
        UniqueConstraint("line_id", name="uq_clawback_repayments_line"),
        UniqueConstraint("proposal_id", name="uq_clawback_repayments_proposal"),
        CheckConstraint("amount_fen > 0", name="amount"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    clawback_id: Mapped[UUID] = mapped_column(ForeignKey(ClawbackRow.id), index=True)
    line_id: Mapped[UUID] = mapped_column(ForeignKey("statement_lines.id"))
    proposal_id: Mapped[UUID | None] = mapped_column(ForeignKey(RepaymentProposalRow.id))
    amount_fen: Mapped[Fen]
    counted_at: Mapped[datetime]


class AmountAppealRow(Base):
    """复核 of what a paid claim got: once a claim, answered by rule and by another person than who approved it."""

    __tablename__ = "amount_appeals"
    __table_args__ = (
        UniqueConstraint("claim_id", name="uq_amount_appeals_claim"),
        Index("ix_amount_appeals_due", "due_on", postgresql_where=text("answered_at IS NULL")),
        CheckConstraint(
            "num_nulls(right_fen, answered_by, answered_person, answered_at) IN (0, 4)", name="answered_whole"
        ),
        CheckConstraint("(right_fen IS NULL) = (answer_text = '')", name="answer_text"),
        CheckConstraint("right_fen >= 0", name="right"),
        CheckConstraint("answered_person <> appealed_person", name="two_persons"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey(ClaimRow.id))
    reason: Mapped[str]
    appealed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    appealed_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    appealed_at: Mapped[datetime]
    due_on: Mapped[date]
    #: What the rules and standards as they stand now give for the facts of the claim.
    right_fen: Mapped[Fen | None]
    answer_text: Mapped[str] = mapped_column(server_default="")
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    answered_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    answered_at: Mapped[datetime | None]


class ClawbackAppealRow(Base):
    """复核 of a demand: once a clawback, within its term, answered by another person than who raised it."""

    __tablename__ = "clawback_appeals"
    __table_args__ = (
        UniqueConstraint("clawback_id", name="uq_clawback_appeals_clawback"),
        Index("ix_clawback_appeals_due", "due_on", postgresql_where=text("answered_at IS NULL")),
        CheckConstraint(
            "num_nulls(granted, answered_by, answered_person, answered_at) IN (0, 4)", name="answered_whole"
        ),
        CheckConstraint("(granted IS NULL) = (answer_text = '')", name="answer_text"),
        CheckConstraint("answered_person <> appealed_person", name="two_persons"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    clawback_id: Mapped[UUID] = mapped_column(ForeignKey(ClawbackRow.id))
    reason: Mapped[str]
    appealed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    appealed_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    appealed_at: Mapped[datetime]
    due_on: Mapped[date]
    granted: Mapped[bool | None]
    answer_text: Mapped[str] = mapped_column(server_default="")
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    answered_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    answered_at: Mapped[datetime | None]


class AmountCorrectionRow(_Proposed, Base):
    """更正: what a published set of standards changes for claims of a district that were paid, as one officer was
    shown it and another confirms it."""

    __tablename__ = "amount_corrections"
    __table_args__ = (
        Index(
            "uq_amount_corrections_open",
            *("set_id", "district"),
            unique=True,
            postgresql_where=text("answered_at IS NULL"),
        ),
        CheckConstraint("more_count >= 0 AND less_count >= 0 AND more_count + less_count > 0", name="counts"),
        CheckConstraint("(more_count > 0) = (more_fen > 0) AND (less_count > 0) = (less_fen > 0)", name="sums"),
        CheckConstraint("note <> ''", name="note"),
        *_by_two_persons(),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    set_id: Mapped[UUID] = mapped_column(ForeignKey(StandardSetRow.id))
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    #: To be paid still, and owed back.
    more_count: Mapped[int] = mapped_column(Integer)
    more_fen: Mapped[Fen]
    less_count: Mapped[int] = mapped_column(Integer)
    less_fen: Mapped[Fen]
    #: SHA-256 over the lines: who confirms says by it what they were shown.
    content_hash: Mapped[str]
    note: Mapped[str]


class AmountCorrectionLineRow(Base):
    """What counts as paid for a claim, and what the set gives for its facts. Written once, with its correction."""

    __tablename__ = "amount_correction_lines"
    __table_args__ = (CheckConstraint("right_fen >= 0 AND right_fen <> paid_fen", name="differs"),)

    correction_id: Mapped[UUID] = mapped_column(ForeignKey(AmountCorrectionRow.id), primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey(ClaimRow.id), primary_key=True)
    paid_fen: Mapped[Fen]
    right_fen: Mapped[Fen]


class SupplementRow(Base):
    """补发: what a claim is still owed, after an appeal on its amount or a correction. Written once; it is paid as a
    claim with its id, of kind `supplement`."""

    __tablename__ = "claim_supplements"
    __table_args__ = (
        UniqueConstraint("appeal_id", name="uq_claim_supplements_appeal"),
        UniqueConstraint("correction_id", "claim_id", name="uq_claim_supplements_correction"),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("amount_fen = right_fen - paid_fen", name="difference"),
        CheckConstraint("num_nonnulls(appeal_id, correction_id) = 1", name="ground"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey(ClaimRow.id), index=True)
    appeal_id: Mapped[UUID | None] = mapped_column(ForeignKey(AmountAppealRow.id))
    correction_id: Mapped[UUID | None] = mapped_column(ForeignKey(AmountCorrectionRow.id))
    #: What is right, and what counted as paid (`domain.clawback.Paid`) when it was owed.
    right_fen: Mapped[Fen]
    paid_fen: Mapped[Fen]
    amount_fen: Mapped[Fen]
    why: Mapped[str]
    owed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    owed_at: Mapped[datetime]
