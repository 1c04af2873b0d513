"""Credit events, ladders, penalties; evaluations and their formulas; complaints; risk signals and their findings."""

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
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base

_DOCUMENT = "document_sha256 ~ '^[0-9a-f]{64}$'"


class PenaltyLadderRow(Base):
    """A ladder as it was published; on a day the one with the latest `first` holds. Written once."""

    __tablename__ = "penalty_ladders"
    __table_args__ = (CheckConstraint("source <> ''", name="source"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    first: Mapped[date] = mapped_column(unique=True)
    content: Mapped[dict[str, Any]]
    source: Mapped[str]
    sample: Mapped[bool]


class CreditEventRow(Base):
    """What happened and what it does to the credit of its year; a correction is a further event. Written once."""

    __tablename__ = "credit_events"
    __table_args__ = (
        UniqueConstraint("id", "institution_id", "happened_on", "recorded_person", name="uq_credit_events_whole"),
        ForeignKeyConstraint(
            ["corrects_id", "institution_id", "happened_on", "corrected_person"],
            [
                *("credit_events.id", "credit_events.institution_id", "credit_events.happened_on"),
                "credit_events.recorded_person",
            ],
            name="fk_credit_events_corrects",
        ),
        CheckConstraint("corrected_person <> recorded_person", name="two_persons"),
        CheckConstraint(
            "kind IN ('patrol_failed', 'class_failed', 'class_results', 'false_roster', 'fee_charged',"
            " 'complaint_founded', 'not_mended', 'commended', 'other', 'correction', 'appeal_granted')",
            name="kind",
        ),
        CheckConstraint(
            "points BETWEEN -100 AND 100"
            " AND (points < 0 OR kind NOT IN ('patrol_failed', 'class_failed', 'false_roster', 'fee_charged',"
            " 'complaint_founded', 'not_mended'))"
            " AND (points >= 0 OR kind NOT IN ('class_results', 'commended', 'appeal_granted'))"
            " AND (points = 0 OR kind <> 'class_results')",
            name="points",
        ),
        CheckConstraint(
            "num_nulls(classes_held, classes_failed) = CASE kind WHEN 'class_results' THEN 0 ELSE 2 END"
            " AND classes_held > 0 AND classes_failed BETWEEN 0 AND classes_held",
            name="results",
        ),
        CheckConstraint(
            "num_nulls(corrects_id, corrected_person) = CASE kind WHEN 'correction' THEN 0 ELSE 2 END",
            name="corrects",
        ),
        CheckConstraint("(kind = 'appeal_granted') = (penalty_id IS NOT NULL)", name="penalty"),
        CheckConstraint("kind = 'patrol_failed' OR patrol_id IS NULL", name="patrol"),
        CheckConstraint(f"words <> '' AND {_DOCUMENT}", name="evidence"),
        Index("ix_credit_events_of", "institution_id", "happened_on"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"))
    kind: Mapped[str]
    points: Mapped[int]
    happened_on: Mapped[date]
    classes_held: Mapped[int | None]
    classes_failed: Mapped[int | None]
    words: Mapped[str]
    document_sha256: Mapped[str]
    corrects_id: Mapped[UUID | None]
    corrected_person: Mapped[UUID | None]
    penalty_id: Mapped[UUID | None] = mapped_column(ForeignKey("penalties.id"), unique=True)
    patrol_id: Mapped[UUID | None] = mapped_column(ForeignKey("patrols.id"), unique=True)
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    recorded_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    recorded_at: Mapped[datetime]


class PenaltyRow(Base):
    """惩戒: proposed by one person, decided by another, appealed once, and the appeal answered by a third.

    `rule`: what called for the step, with the `figures` it saw; `officer`: nothing did. `first` to `last`: the days
    on which it stops what its step stops; a step that stops nothing has no `last`. `published_until`: the last day on
    which everybody may read of it.
    """

    __tablename__ = "penalties"
    __table_args__ = (
        CheckConstraint(
            "status IN ('proposed', 'dropped', 'imposed', 'appealed', 'upheld', 'overturned')", name="status"
        ),
        CheckConstraint("rule IN ('credit_below', 'repeated', 'failed_share', 'officer')", name="rule"),
        CheckConstraint("claims_in_flight IN ('go_on', 'hold')", name="claims_in_flight"),
        CheckConstraint(f"reason <> '' AND {_DOCUMENT}", name="evidence"),
        CheckConstraint("last >= first AND published_until >= first", name="days"),
        CheckConstraint(
            "num_nulls(decided_by, decided_person, decided_on)"
            " = CASE status WHEN 'proposed' THEN 3 ELSE 0 END"
            " AND (decided_on IS NULL OR status = 'dropped' OR decided_on <= first)",
            name="decided",
        ),
        CheckConstraint("status = 'dropped' OR decided_person <> proposed_person", name="two_persons"),
        CheckConstraint(
            "(appeal_until IS NULL) = (status IN ('proposed', 'dropped'))"
            " AND (sanction_id IS NULL) = (status IN ('proposed', 'dropped') OR last IS NULL)",
            name="imposed",
        ),
        CheckConstraint(
            "num_nulls(appealed_by, appealed_person, appealed_on, appeal_reason)"
            " = CASE WHEN status IN ('appealed', 'upheld', 'overturned') THEN 0 ELSE 4 END"
            " AND appealed_on <= appeal_until",
            name="appealed",
        ),
        CheckConstraint(
            "num_nulls(answered_by, answered_person, answered_on, answer)"
            " = CASE WHEN status IN ('upheld', 'overturned') THEN 0 ELSE 4 END"
            " AND (lifted_on IS NULL) = (status <> 'overturned' OR last IS NULL)",
            name="answered",
        ),
        CheckConstraint("answered_person NOT IN (proposed_person, decided_person)", name="three_persons"),
        Index("uq_penalties_proposed", "institution_id", unique=True, postgresql_where=text("status = 'proposed'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"), index=True)
    ladder: Mapped[str] = mapped_column(ForeignKey("penalty_ladders.code"))
    step: Mapped[str]
    rule: Mapped[str]
    figures: Mapped[dict[str, Any]]
    reason: Mapped[str]
    document_sha256: Mapped[str]
    first: Mapped[date]
    last: Mapped[date | None]
    published_until: Mapped[date | None]
    claims_in_flight: Mapped[str]
    status: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    proposed_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    proposed_at: Mapped[datetime]
    decided_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    decided_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    decided_on: Mapped[date | None]
    sanction_id: Mapped[UUID | None] = mapped_column(ForeignKey("institution_sanctions.id"), unique=True)
    mend_until: Mapped[date | None]
    appeal_until: Mapped[date | None]
    appealed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    appealed_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    appealed_on: Mapped[date | None]
    appeal_reason: Mapped[str | None]
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    answered_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    answered_on: Mapped[date | None]
    answer: Mapped[str | None]
    lifted_on: Mapped[date | None]


class PenaltyHoldRow(Base):
    """A hold on a claim in flight that a penalty placed, and that goes with it. Written once."""

    __tablename__ = "penalty_holds"

    hold_id: Mapped[UUID] = mapped_column(ForeignKey("claim_holds.id"), primary_key=True)
    penalty_id: Mapped[UUID] = mapped_column(ForeignKey("penalties.id"), index=True)


class EvaluationFormulaRow(Base):
    """A formula as it was published; a year is evaluated by the latest that began before it ended. Written once."""

    __tablename__ = "evaluation_formulas"
    __table_args__ = (CheckConstraint("source <> ''", name="source"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    first: Mapped[date] = mapped_column(unique=True)
    content: Mapped[dict[str, Any]]
    source: Mapped[str]
    sample: Mapped[bool]


class EvaluationRow(Base):
    """One version of an institution's result for a year: values in tenths of a point, the score in hundredths. A
    correction is a further version, by another person and with a reason. Written once."""

    __tablename__ = "evaluations"
    __table_args__ = (
        UniqueConstraint("institution_id", "year", "version"),
        UniqueConstraint("id", "institution_id", "year", "version", "evaluated_person", name="uq_evaluations_whole"),
        ForeignKeyConstraint(
            ["corrects_id", "institution_id", "year", "corrected_version", "corrected_person"],
            [
                "evaluations.id",
                "evaluations.institution_id",
                "evaluations.year",
                "evaluations.version",
                "evaluations.evaluated_person",
            ],
            name="fk_evaluations_corrects",
        ),
        CheckConstraint(
            "num_nulls(corrects_id, corrected_version, corrected_person) = CASE version WHEN 1 THEN 3 ELSE 0 END"
            " AND version >= 1 AND (version = 1) = (reason = '')"
            " AND (version = 1 OR corrected_version = version - 1)",
            name="corrects",
        ),
        CheckConstraint("corrected_person <> evaluated_person", name="two_persons"),
        CheckConstraint("year BETWEEN 2000 AND 2100 AND score_hundredths BETWEEN 0 AND 10000", name="score"),
        CheckConstraint("summary <> ''", name="summary"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"))
    year: Mapped[int]
    version: Mapped[int]
    formula: Mapped[str] = mapped_column(ForeignKey("evaluation_formulas.code"))
    values: Mapped[dict[str, Any]]
    evidence: Mapped[dict[str, Any]]
    score_hundredths: Mapped[int]
    passed: Mapped[bool]
    summary: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")
    corrects_id: Mapped[UUID | None] = mapped_column(unique=True)
    corrected_version: Mapped[int | None]
    corrected_person: Mapped[UUID | None]
    evaluated_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    evaluated_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    evaluated_at: Mapped[datetime]


class ComplaintRow(Base):
    """投诉或意见, with its words sealed, written once.

    `person_id` None: nobody was signed in. `class_id`: a class of the institution.
    """

    __tablename__ = "complaints"
    __table_args__ = (
        CheckConstraint("kind IN ('complaint', 'opinion')", name="kind"),
        CheckConstraint("due_on >= filed_on", name="days"),
        UniqueConstraint("serial", name="uq_complaints_serial"),
        Index("ix_complaints_of", "institution_id", "filed_on"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"))
    class_id: Mapped[UUID | None]
    kind: Mapped[str]
    words_sealed: Mapped[bytes]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"), index=True)
    filed_on: Mapped[date]
    filed_at: Mapped[datetime]
    due_on: Mapped[date]
    #: `domain.numbering.COMPLAINTS` prints it.
    serial: Mapped[int] = mapped_column(BigInteger, Identity(always=True))


class ComplaintAnswerRow(Base):
    """What the district answered, sealed, and whether it found the complaint founded. Written once."""

    __tablename__ = "complaint_answers"

    complaint_id: Mapped[UUID] = mapped_column(ForeignKey("complaints.id"), primary_key=True)
    answer_sealed: Mapped[bytes]
    founded: Mapped[bool]
    answered_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    answered_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    answered_on: Mapped[date]
    answered_at: Mapped[datetime]


class SignalRunRow(Base):
    """Risk signals asked over everything: nightly, or because somebody wanted it. `parameters`: the thresholds it was
    done by. Only its end is written later."""

    __tablename__ = "signal_runs"
    __table_args__ = (
        CheckConstraint("origin IN ('nightly', 'officer', 'command')", name="origin"),
        CheckConstraint("(asked_by IS NOT NULL) = (origin = 'officer')", name="asked"),
        CheckConstraint("num_nulls(done_at, parameters) IN (0, 2)", name="done"),
        Index("uq_signal_runs_nightly", "day", unique=True, postgresql_where=text("origin = 'nightly'")),
        Index("ix_signal_runs_done", "done_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    origin: Mapped[str]
    day: Mapped[date]
    asked_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    parameters: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class SignalFindingRow(Base):
    """What one run found at one institution: the figures that explain it, and the ids of whom it is about. Written
    once."""

    __tablename__ = "signal_findings"
    __table_args__ = (
        UniqueConstraint("run_id", "signal", "institution_id", name="uq_signal_findings_one_a_run"),
        # what a hold refers to, so that it knows for which signal it was placed
        UniqueConstraint("id", "signal", name="uq_signal_findings_signal"),
        CheckConstraint("score BETWEEN 1 AND 100 AND jsonb_array_length(rows) > 0", name="found"),
        Index("ix_signal_findings_of", "institution_id", "signal"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("signal_runs.id"))
    signal: Mapped[str]
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"))
    score: Mapped[int] = mapped_column(Integer)
    figures: Mapped[dict[str, Any]]
    rows: Mapped[list[Any]]  # each {noun: id}
    first_seen: Mapped[date]


class SignalHoldRow(Base):
    """A hold that a signal placed on a claim: once for each signal, so that what an officer lifted stays lifted.
    Written once."""

    __tablename__ = "signal_holds"
    __table_args__ = (
        ForeignKeyConstraint(
            ["finding_id", "signal"], ["signal_findings.id", "signal_findings.signal"], name="fk_signal_holds_finding"
        ),
        UniqueConstraint("claim_id", "signal", name="uq_signal_holds_once"),
    )

    hold_id: Mapped[UUID] = mapped_column(ForeignKey("claim_holds.id"), primary_key=True)
    finding_id: Mapped[UUID] = mapped_column(index=True)
    signal: Mapped[str]
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"))
