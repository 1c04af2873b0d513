"""Batches, their signatures, the attempts to pay, and the files for the bank."""

import json
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
    Sequence,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from domain.agent_bank import UNSAID
from service.database import Base, Fen

#: The statuses of `domain.batch.LIVE_ATTEMPT`, said again for the database (a test compares).
LIVE_SQL = "status IN ('prepared', 'sending', 'sent', 'unknown', 'done')"

#: The statuses of a batch in which nothing is to come any more, said again for the database (a test compares).
ENDED_SQL = "('settled', 'dissolved', 'not_received')"

#: Numbers batches; with the line's place they make payment references that never repeat.
BATCH_NUMBERS = Sequence("batch_numbers", metadata=Base.metadata)

_UNSAID = f"'{json.dumps(UNSAID.written(), ensure_ascii=False)}'"


class BatchRow(Base):
    __tablename__ = "batches"
    __table_args__ = (
        # what a signature refers to: once signed, none of these can change (promise 8)
        UniqueConstraint("id", "content_hash", "line_count", "sum_fen", name="uq_batches_content"),
        CheckConstraint(
            "(status IN ('opened', 'dissolved')) OR (content_hash IS NOT NULL AND line_count > 0 AND sum_fen > 0)",
            name="frozen_has_content",
        ),
        # the operations desk looks at what has not ended
        Index("ix_batches_open", "district", "status", postgresql_where=text(f"status NOT IN {ENDED_SQL}")),
        CheckConstraint("checks_needed BETWEEN 1 AND 3", name="checks_needed"),
        Index("ix_batches_series", "series", postgresql_where=text("series IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    #: Whose money every line is; and how its account is labelled, for ever, in the file and its returns.
    fund: Mapped[str] = mapped_column(ForeignKey("funds.code"))
    debit_account: Mapped[str]
    #: `domain.agent_bank.BankTerms` as they were agreed when the batch was opened.
    terms: Mapped[dict[str, Any]] = mapped_column(server_default=text(_UNSAID))
    filter: Mapped[dict[str, Any]]
    #: The id of the first of the batches over which one opening was split; its own where it is that.
    series: Mapped[UUID | None]
    status: Mapped[str]
    #: How many persons check it, settled when its maker signs; from its freezing on as it would be then.
    checks_needed: Mapped[int] = mapped_column(Integer, server_default="1")
    #: Why: `{fen, with, from_fen}`, `domain.batch_checks.Checks` as it was counted. Null: from before it was kept.
    together: Mapped[dict[str, Any] | None]
    content_hash: Mapped[str | None]
    line_count: Mapped[int | None] = mapped_column(Integer)
    sum_fen: Mapped[Fen | None]
    opened_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    opened_at: Mapped[datetime]


class SignatureRow(Base):
    """A person's signature under what they were shown (promises 7 and 8). `delegation_id`: city finance put it in
    place of a person whom the district lacks."""

    __tablename__ = "batch_signatures"
    __table_args__ = (
        UniqueConstraint("batch_id", "person_id", name="uq_batch_signatures_person"),
        ForeignKeyConstraint(
            ["batch_id", "content_hash", "line_count", "sum_fen"],
            ["batches.id", "batches.content_hash", "batches.line_count", "batches.sum_fen"],
            name="fk_batch_signatures_content",
        ),
        CheckConstraint("step IN ('assemble', 'check', 'check_2', 'check_3', 'release')", name="step"),
    )

    #: The proof that went with it. Null: from before there were any, or where the policy `step_up` asks for none.
    step_up_id: Mapped[UUID | None] = mapped_column(ForeignKey("step_ups.id"), index=True)

    batch_id: Mapped[UUID] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    content_hash: Mapped[str]
    line_count: Mapped[int] = mapped_column(Integer)
    sum_fen: Mapped[Fen]
    signed_at: Mapped[datetime]
    delegation_id: Mapped[UUID | None] = mapped_column(ForeignKey("batch_delegations.id"))


class DelegationRow(Base):
    """City finance stands in for a post that a district cannot fill, from a first to a last day: proposed by one
    person of city finance, confirmed by another, who is not the one that stands in either. Ended once."""

    __tablename__ = "batch_delegations"
    __table_args__ = (
        CheckConstraint("post IN ('maker', 'checker', 'releaser')", name="post"),
        CheckConstraint("last_day BETWEEN first_day AND first_day + 366", name="days"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint("num_nulls(confirmed_by, confirmed_person, confirmed_at) IN (0, 3)", name="confirmed_whole"),
        CheckConstraint(
            "confirmed_person <> proposed_person AND confirmed_person <> delegate_person", name="two_persons"
        ),
        Index("ix_batch_delegations_delegate_user", "delegate_user"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    post: Mapped[str]
    delegate_user: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    delegate_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    first_day: Mapped[date]
    last_day: Mapped[date]
    reason: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    proposed_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    proposed_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    confirmed_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    confirmed_at: Mapped[datetime | None]


class BatchHoldRow(Base):
    """While a row of a batch is not lifted, by another than placed it, the batch is neither signed nor sent."""

    __tablename__ = "batch_holds"
    __table_args__ = (
        Index("uq_batch_holds_live", "batch_id", unique=True, postgresql_where=text("lifted_at IS NULL")),
        Index("ix_batch_holds_batch", "batch_id"),
        CheckConstraint("num_nulls(lifted_by, lifted_person, lifted_at) IN (0, 3)", name="lifted_whole"),
        CheckConstraint("lifted_person <> placed_person", name="two_persons"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batches.id"))
    code: Mapped[str]
    note: Mapped[str]
    placed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    placed_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    placed_at: Mapped[datetime]
    lifted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    lifted_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    lifted_at: Mapped[datetime | None]
    lift_note: Mapped[str] = mapped_column(server_default="")


class LeftOutRow(Base):
    """A claim that a batch would have paid and does not: as it was put together, or, under its reference then, before
    anybody signed. Written once."""

    __tablename__ = "batch_left_out"
    __table_args__ = (
        CheckConstraint("step IN ('assemble', 'submit')", name="step"),
        CheckConstraint("(step = 'submit') = (reference IS NOT NULL)", name="reference"),
        CheckConstraint("jsonb_array_length(reasons) > 0", name="reasons"),
    )

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), primary_key=True)
    step: Mapped[str]
    reference: Mapped[str | None]
    reasons: Mapped[list[Any]]  # each: code and facts
    left_at: Mapped[datetime]


class ProgressRow(Base):
    """How far the assembling of a batch is, told by its job while nothing of it is committed yet."""

    __tablename__ = "batch_progress"
    __table_args__ = (CheckConstraint("done BETWEEN 0 AND total", name="done"),)

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    done: Mapped[int] = mapped_column(Integer, server_default="0")
    total: Mapped[int] = mapped_column(Integer, server_default="0")


class RegisterCheckRow(Base):
    """The claims of a batch were looked up in the registers again: when it was put together, when
    its maker signed, and before it was sent.
    `snapshots` is register → the snapshot that was asked; a register that is not there was not loaded."""

    __tablename__ = "batch_register_checks"
    __table_args__ = (
        CheckConstraint("step IN ('assemble', 'submit', 'send')", name="step"),
        CheckConstraint("stopped BETWEEN 0 AND claims", name="counted"),
    )

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    step: Mapped[str] = mapped_column(primary_key=True)
    checked_on: Mapped[date]
    checked_at: Mapped[datetime]
    snapshots: Mapped[dict[str, Any]]
    claims: Mapped[int] = mapped_column(Integer)
    stopped: Mapped[int] = mapped_column(Integer)


class TreasuryTransferRow(Base):
    """拨付: the treasury's transfer of a total to the agent bank, recorded before any file is written.

    When its batch is dissolved the money stays with the bank: the row is kept, and the voucher may be named again by
    one other batch of the district and fund, for no more than it is over.
    """

    __tablename__ = "treasury_transfers"
    __table_args__ = (
        Index(
            "uq_treasury_transfers_voucher",
            "voucher",
            unique=True,
            postgresql_where=text("carried_over_at IS NULL"),
        ),
        Index("ix_treasury_transfers_carried_over", "voucher", postgresql_where=text("carried_over_at IS NOT NULL")),
    )

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    voucher: Mapped[str]
    transferred_on: Mapped[date]
    sum_fen: Mapped[Fen]
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    carried_over_at: Mapped[datetime | None]


class AttemptRow(Base):
    """One attempt to pay one claim; payee, account, amount and reference are frozen when it is made."""

    __tablename__ = "payment_attempts"
    __table_args__ = (
        # promise 1
        Index("uq_payment_attempts_live", "claim_id", unique=True, postgresql_where=text(LIVE_SQL)),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("reference ~ '^[A-Z0-9]{1,35}$'", name="reference"),
        Index("ix_payment_attempts_batch", "batch_id", "status"),
        Index("ix_payment_attempts_unknown", "batch_id", postgresql_where=text("status = 'unknown'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), index=True)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batches.id"))
    reference: Mapped[str] = mapped_column(unique=True)
    amount_fen: Mapped[Fen]
    payee_sealed: Mapped[bytes]
    account_sealed: Mapped[bytes]
    account_tail: Mapped[str]
    bank_code: Mapped[str]
    status: Mapped[str]
    failure: Mapped[str] = mapped_column(server_default="")


class BankFileRow(Base):
    """The bytes for the bank, committed before anything is sent (promise 4); sealed, the hash is of the plain."""

    __tablename__ = "bank_files"

    batch_id: Mapped[UUID] = mapped_column(ForeignKey("batches.id"), primary_key=True)
    file_id: Mapped[str] = mapped_column(unique=True)
    bytes_sealed: Mapped[bytes]
    sha256: Mapped[str]
    line_count: Mapped[int] = mapped_column(Integer)
    sum_fen: Mapped[Fen]
    written_at: Mapped[datetime] = mapped_column(server_default=func.now())


class _SaidByTwo:
    """One person says it of a batch's file, another confirms it; whoever says something else replaces it."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("bank_files.batch_id"), index=True)
    note: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    proposed_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    proposed_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    confirmed_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    #: Confirmed, or replaced by something else that was said.
    closed_at: Mapped[datetime | None]


def _by_two(table: str) -> tuple[CheckConstraint | Index, ...]:
    return (
        CheckConstraint("proposed_person <> confirmed_person", name="two_persons"),
        CheckConstraint(
            "num_nulls(confirmed_by, confirmed_person) IN (0, 2) AND (confirmed_by IS NULL OR closed_at IS NOT NULL)",
            name="confirmed_whole",
        ),
        Index(f"uq_{table}_open", "batch_id", unique=True, postgresql_where=text("closed_at IS NULL")),
    )


class ResendRow(_SaidByTwo, Base):
    """Two persons say that the same bytes go once more, while the bank promises to know them (promise 5)."""

    __tablename__ = "bank_file_resends"
    __table_args__ = _by_two(__tablename__)


class HandoverRow(_SaidByTwo, Base):
    """What became of a file that persons carry: the bank has it (whoever took it out, and another with the bank's
    receipt), it has it not and will not take it, or nobody can tell."""

    __tablename__ = "bank_file_handovers"
    __table_args__ = (
        CheckConstraint("outcome IN ('handed_over', 'not_handed_over', 'unclear')", name="outcome"),
        Index(
            "uq_bank_file_handovers_confirmed",
            "batch_id",
            unique=True,
            postgresql_where=text("confirmed_person IS NOT NULL"),
        ),
        *_by_two(__tablename__),
    )

    outcome: Mapped[str]
    evidence_sha256: Mapped[str]


class SendingRow(Base):
    """Each time that a file's bytes were allowed to leave: committed before they do. Written once."""

    __tablename__ = "bank_file_sendings"
    __table_args__ = (
        CheckConstraint("kind IN ('sent', 'carried', 'resent')", name="kind"),
        CheckConstraint("num_nulls(user_id, person_id) = CASE kind WHEN 'carried' THEN 0 ELSE 2 END", name="carrier"),
        CheckConstraint("(kind = 'resent') = (resend_id IS NOT NULL)", name="said_again"),
        Index("uq_bank_file_sendings_first", "batch_id", unique=True, postgresql_where=text("kind <> 'resent'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    batch_id: Mapped[UUID] = mapped_column(ForeignKey("bank_files.batch_id"))
    #: `sent` over HTTP, `carried` by the person who took it out, `resent` as two persons said.
    kind: Mapped[str]
    sha256: Mapped[str]
    began_at: Mapped[datetime]
    user_id: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    resend_id: Mapped[UUID | None] = mapped_column(ForeignKey("bank_file_resends.id"), unique=True)


class RestoreRow(Base):
    """A backup was put back, and what could have been sent already was stopped then (promise 19). Written once."""

    __tablename__ = "restores"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    restored_at: Mapped[datetime]
    #: The last journal row of the backup: what comes later was done after it was put back.
    journal_id: Mapped[int] = mapped_column(BigInteger)
    #: Batches opened afterwards have higher numbers than the bank can have seen.
    serial: Mapped[int] = mapped_column(BigInteger)
    jobs_stopped: Mapped[int] = mapped_column(Integer)
    attempts_unknown: Mapped[int] = mapped_column(Integer)
