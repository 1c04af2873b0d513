"""Statements of the accounts that pay, as the bank gave them, whose each line is, and the days that are closed."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from domain.statement import Oddity, Owner
from service.batches.tables import AttemptRow, BatchRow
from service.database import Base, Fen


def _listed(names: type[Owner] | type[Oddity]) -> str:
    return ", ".join(f"'{name}'" for name in names)


class StatementRow(Base):
    """A statement that follows the one before it. Written once."""

    __tablename__ = "bank_statements"
    __table_args__ = (
        UniqueConstraint("sha256", name="uq_bank_statements_bytes"),
        UniqueConstraint("account", "from_on", name="uq_bank_statements_days"),
        CheckConstraint("opening_fen + credits_fen - debits_fen = closing_fen", name="adds_up"),
        CheckConstraint("from_on <= to_on AND sequence > 0", name="days"),
        CheckConstraint("form IN ('neutral', 'camt053')", name="form"),
        Index("ix_bank_statements_account", "account", "to_on"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    form: Mapped[str]
    bytes_sealed: Mapped[bytes]
    account: Mapped[str]
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    fund: Mapped[str] = mapped_column(ForeignKey("funds.code"))
    sequence: Mapped[int] = mapped_column(Integer)
    from_on: Mapped[date]
    to_on: Mapped[date]
    opening_fen: Mapped[Fen]
    credits_fen: Mapped[Fen]
    debits_fen: Mapped[Fen]
    closing_fen: Mapped[Fen]
    line_count: Mapped[int] = mapped_column(Integer)
    taken_at: Mapped[datetime]


class BlockedStatementRow(Base):
    """A statement that does not follow the last: kept whole, nothing of it counted, until the gap is filled or a
    person sets it aside."""

    __tablename__ = "blocked_statements"
    __table_args__ = (
        Index("uq_blocked_statements_open", "sha256", unique=True, postgresql_where=text("ended_at IS NULL")),
        CheckConstraint(
            "reason IN ('gap', 'repeated_number', 'overlap', 'opening_differs', 'lines_known')", name="reason"
        ),
        CheckConstraint("num_nulls(ended_how, ended_at) IN (0, 2)", name="ended_whole"),
        CheckConstraint("ended_how IN ('taken', 'set_aside')", name="ended_how"),
        CheckConstraint("ended_how IS DISTINCT FROM 'set_aside' OR ended_note <> ''", name="ended_note"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    sha256: Mapped[str]
    form: Mapped[str]
    bytes_sealed: Mapped[bytes]
    account: Mapped[str] = mapped_column(index=True)
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    fund: Mapped[str] = mapped_column(ForeignKey("funds.code"))
    sequence: Mapped[int] = mapped_column(Integer)
    from_on: Mapped[date]
    to_on: Mapped[date]
    opening_fen: Mapped[Fen]
    closing_fen: Mapped[Fen]
    reason: Mapped[str]
    blocked_at: Mapped[datetime]
    ended_how: Mapped[str | None]
    ended_note: Mapped[str] = mapped_column(server_default="")
    ended_at: Mapped[datetime | None]


class StatementLineRow(Base):
    """A booking: owned, an exception for a person, or waiting for its clawback. It counts once (promise 13), by the
    bank's key and by what it pays."""

    __tablename__ = "statement_lines"
    __table_args__ = (
        UniqueConstraint("statement_id", "line_no", name="uq_statement_lines_place"),
        UniqueConstraint("account", "bank_key", name="uq_statement_lines_key"),
        CheckConstraint("side IN ('debit', 'credit')", name="side"),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("verdict IN ('owned', 'waiting', 'exception')", name="verdict"),
        CheckConstraint(f"owner IN ('', {_listed(Owner)})", name="owner"),
        CheckConstraint(f"exception IN ('', {_listed(Oddity)})", name="exception"),
        CheckConstraint("(verdict = 'exception') = (exception <> '')", name="excepted"),
        CheckConstraint("(verdict = 'exception') = (owner = '')", name="owned"),
        CheckConstraint("verdict <> 'waiting' OR owner = 'repayment'", name="waiting"),
        CheckConstraint("owner NOT IN ('payment', 'return') OR attempt_id IS NOT NULL", name="of_attempt"),
        CheckConstraint("owner NOT IN ('batch', 'treasury') OR batch_id IS NOT NULL", name="of_batch"),
        CheckConstraint("owner <> 'repayment' OR clawback_serial IS NOT NULL", name="of_clawback"),
        CheckConstraint(
            "owner = '' OR (side = 'credit') = (owner IN ('return', 'treasury', 'repayment'))", name="owned_side"
        ),
        Index(
            "uq_statement_lines_attempt",
            "attempt_id",
            "owner",
            unique=True,
            postgresql_where=text("owner IN ('payment', 'return')"),
        ),
        Index("uq_statement_lines_batch", "batch_id", unique=True, postgresql_where=text("owner = 'batch'")),
        Index(
            "uq_statement_lines_voucher",
            "account",
            "reference",
            unique=True,
            postgresql_where=text("owner = 'treasury'"),
        ),
        Index("ix_statement_lines_batch_id", "batch_id"),
        Index("ix_statement_lines_attempt_id", "attempt_id"),
        Index("ix_statement_lines_day", "account", "booked_on"),
        Index("ix_statement_lines_odd", "verdict", postgresql_where=text("verdict <> 'owned'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    statement_id: Mapped[UUID] = mapped_column(ForeignKey(StatementRow.id))
    line_no: Mapped[int] = mapped_column(Integer)
    account: Mapped[str]
    bank_key: Mapped[str]
    booked_on: Mapped[date]
    side: Mapped[str]
    amount_fen: Mapped[Fen]
    reference: Mapped[str]
    counterparty: Mapped[str]  # masked
    text: Mapped[str]  # without long numbers
    verdict: Mapped[str]
    owner: Mapped[str]
    exception: Mapped[str]
    expected_fen: Mapped[Fen | None]
    attempt_id: Mapped[UUID | None] = mapped_column(ForeignKey(AttemptRow.id))
    batch_id: Mapped[UUID | None] = mapped_column(ForeignKey(BatchRow.id))
    clawback_serial: Mapped[int | None] = mapped_column(BigInteger)


class LineResolutionRow(Base):
    """How a person worked an exception off. Written once; it moves no money."""

    __tablename__ = "statement_resolutions"

    line_id: Mapped[UUID] = mapped_column(ForeignKey(StatementLineRow.id), primary_key=True)
    code: Mapped[str]
    note: Mapped[str]
    resolved_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    resolved_at: Mapped[datetime]


class EvidenceRow(Base):
    """What a statement shows of a payment of which the bank could not tell (promise 5): the line that debits it, the
    line that gives it back, or that up to the end of this statement there is none. Written once."""

    __tablename__ = "statement_evidence"
    __table_args__ = (
        CheckConstraint("outcome IN ('paid', 'returned', 'not_paid')", name="outcome"),
        CheckConstraint("(outcome = 'not_paid') = (line_id IS NULL)", name="line"),
        CheckConstraint("(outcome = 'not_paid') = (absent_until IS NOT NULL)", name="absence"),
    )

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey(AttemptRow.id), primary_key=True)
    outcome: Mapped[str]
    statement_id: Mapped[UUID] = mapped_column(ForeignKey(StatementRow.id))
    line_id: Mapped[UUID | None] = mapped_column(ForeignKey(StatementLineRow.id))
    #: The day by which it would have been debited, by what is agreed with the bank.
    absent_until: Mapped[date | None]
    shown_at: Mapped[datetime]


class CloseRow(Base):
    """日终: what the bank booked on a day for an account, and what the ledger did. Written once; what is corrected
    later is booked on a later day."""

    __tablename__ = "daily_closes"
    __table_args__ = (
        UniqueConstraint("account", "day", name="uq_daily_closes_day"),
        CheckConstraint(
            "opening_fen + treasury_fen + returned_fen + repaid_fen + other_credits_fen"
            " - paid_fen - charges_fen - other_debits_fen = closing_fen",
            name="adds_up",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account: Mapped[str]
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    fund: Mapped[str] = mapped_column(ForeignKey("funds.code"))
    day: Mapped[date] = mapped_column(index=True)
    opening_fen: Mapped[Fen]
    treasury_fen: Mapped[Fen]
    paid_fen: Mapped[Fen]
    returned_fen: Mapped[Fen]
    repaid_fen: Mapped[Fen]
    charges_fen: Mapped[Fen]
    other_credits_fen: Mapped[Fen]
    other_debits_fen: Mapped[Fen]
    closing_fen: Mapped[Fen]
    line_count: Mapped[int] = mapped_column(Integer)
    #: Movement → fen of the day, as `fund_movements` has them.
    ledger: Mapped[dict[str, Any]]
    #: What differs between the two, a row each: kind, key, bank_fen, ledger_fen.
    differences: Mapped[list[Any]]
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))  # nobody: the sweep did
    closed_at: Mapped[datetime]
