"""Mandates, claims, rosters, and the figures kept with them."""

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
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, JSONB, Range
from sqlalchemy.orm import Mapped, mapped_column

from domain.claim import DEAD, NOT_OF_SUPPLEMENTS, ClaimStatus
from service.database import Base, Fen
from service.employment.tables import EmploymentContractRow
from service.projects.tables import ProjectRow
from service.standards.tables import StandardRow
from service.training.tables import ClassRow

_DEAD = ", ".join(f"'{status}'" for status in ClaimStatus if status in DEAD)
#: A claim that stands in another's way: none of `domain.claim.DEAD`, in the order in which the indexes were made.
ALIVE_SQL = f"status NOT IN ({_DEAD})"
DEAD_SQL = f"status IN ({_DEAD})"
_NOT_OF_SUPPLEMENTS = ", ".join(f"'{status}'" for status in ClaimStatus if status in NOT_OF_SUPPLEMENTS)
_OF_INSTITUTION = "institution_id IS NOT NULL"
#: Of what a claim is made, by its kind: a certificate with its standard, or a project; and who is paid.
_KINDS = {
    "kind": "kind IN ('training', 'project', 'allowance', 'supplement')",
    "certificate": "(kind = 'training') = (num_nulls(certificate_number, certificate_issued_on, standard_id) = 0)",
    "no_certificate": "(kind = 'training') = (num_nonnulls(certificate_number, certificate_issued_on) > 0)",
    "allowance": "(kind = 'allowance') = (allowance_class_id IS NOT NULL)",
    "of_person": "kind <> 'allowance' OR channel = 'individual'",
    "project": "(kind = 'project') = (project_id IS NOT NULL)",
    "of_contractor": "kind <> 'project' OR (channel = 'institution' AND institution_id IS NOT NULL)",
    # what no registry can answer for, an officer looks at
    "looked_at": "kind = 'training' OR status <> 'verified'",
    "supplement": "(kind = 'supplement') = (supplement_of IS NOT NULL)",
    "granted": f"kind <> 'supplement' OR status NOT IN ({_NOT_OF_SUPPLEMENTS})",
    "mandate": "(channel = 'institution' AND kind NOT IN ('project', 'supplement'))"
    " = (mandate_id IS NOT NULL AND institution_id IS NOT NULL)",
    # a supplement goes to whoever was paid: `guard_supplement_claims`
    "payee": "kind = 'supplement' OR payee_institution_id IS NOT DISTINCT FROM"
    " CASE WHEN channel = 'enterprise' OR kind = 'project' THEN institution_id END",
}


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


class MandateRevocationRow(Base):
    """The trainee takes a mandate back: from this day on it is not in force. Written once."""

    __tablename__ = "mandate_revocations"

    mandate_id: Mapped[UUID] = mapped_column(ForeignKey("mandates.id"), primary_key=True)
    revoked_on: Mapped[date]
    note: Mapped[str]
    revoked_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    revoked_at: Mapped[datetime]


class ClaimRow(Base):
    """One claim. What it asks for is copied at filing and changes only when it was sent back to be corrected;
    besides, `status` moves and a bounced claim gets another `account_id`."""

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
            postgresql_where=text(ALIVE_SQL),
        ),
        Index("uq_claims_certificate", "certificate_number", unique=True, postgresql_where=text(ALIVE_SQL)),
        Index("ix_claims_dead_certificate", "certificate_number", postgresql_where=text(DEAD_SQL)),
        Index("uq_claims_invoice", "invoice_number", unique=True, postgresql_where=text(ALIVE_SQL)),
        Index("ix_claims_work", "district", "status", "filed_on"),
        # an institution's, in the order of their filing: all of them, and those in a status with what they come to
        Index("ix_claims_of_institution", "institution_id", "filed_at", "id", postgresql_where=text(_OF_INSTITUTION)),
        Index(
            "ix_claims_of_institution_status",
            *("institution_id", "status", "filed_at", "id"),
            postgresql_include=["amount_fen", "person_id"],
            postgresql_where=text(_OF_INSTITUTION),
        ),
        # what waits for a reviewer, the oldest first: small, however many claims there are
        Index(
            "ix_claims_to_review",
            "district",
            "filed_on",
            "id",
            postgresql_where=text("status IN ('verified', 'in_review')"),
        ),
        Index("ix_claims_class", "class_id", postgresql_where=text("class_id IS NOT NULL")),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("channel IN ('individual', 'institution', 'enterprise')", name="channel"),
        *(CheckConstraint(condition, name=name) for name, condition in _KINDS.items()),
        CheckConstraint(
            "(channel = 'enterprise') = (contract_id IS NOT NULL AND institution_id IS NOT NULL)", name="contract"
        ),
        # a contract of just this person with just this enterprise
        ForeignKeyConstraint(
            ["contract_id", "person_id", "institution_id"],
            [EmploymentContractRow.id, EmploymentContractRow.person_id, EmploymentContractRow.institution_id],
            name="fk_claims_contract",
        ),
        ForeignKeyConstraint(
            ["project_id", "institution_id", "item_id", "district"],
            [ProjectRow.id, ProjectRow.institution_id, ProjectRow.item_id, ProjectRow.district],
            name="fk_claims_project",
        ),
        Index("ix_claims_project", "project_id", postgresql_where=text("project_id IS NOT NULL")),
        Index("ix_claims_supplement", "supplement_of", postgresql_where=text("supplement_of IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    channel: Mapped[str]
    via: Mapped[str]
    filed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    institution_id: Mapped[UUID | None] = mapped_column(ForeignKey("institutions.id"))
    mandate_id: Mapped[UUID | None] = mapped_column(ForeignKey("mandates.id"))
    kind: Mapped[str] = mapped_column(server_default="training")
    project_id: Mapped[UUID | None]
    #: The class whose days an allowance is for.
    allowance_class_id: Mapped[UUID | None] = mapped_column(ForeignKey(ClassRow.id))
    contract_id: Mapped[UUID | None]
    #: The claim on which too little was paid. A supplement has the id of the `claim_supplements` that owes it.
    supplement_of: Mapped[UUID | None] = mapped_column(ForeignKey("claims.id"))
    #: Who is paid in the person's place; None: the person is.
    payee_institution_id: Mapped[UUID | None]
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    item_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_items.id"))
    list_kind: Mapped[str]
    industry: Mapped[str]
    subsidy_key: Mapped[str]
    level: Mapped[str]
    once_in: Mapped[str]
    certificate_number: Mapped[str | None]
    certificate_issued_on: Mapped[date | None]
    training_started_on: Mapped[date]
    #: The class that it named and was taught in; None: none was named, or it was refused for what is wrong with it.
    class_id: Mapped[UUID | None] = mapped_column(ForeignKey(ClassRow.id))
    #: The group of persons (就业困难 and others) the claimant belongs to; empty: none that was named.
    group_code: Mapped[str] = mapped_column(server_default="")
    #: The number of the proof of that group, sealed under the claim's id.
    group_proof_sealed: Mapped[bytes | None]
    #: The invoice over a fee that the claimant paid: one invoice once among live claims.
    invoice_number: Mapped[str | None]
    standard_id: Mapped[UUID | None] = mapped_column(ForeignKey(StandardRow.id))
    amount_fen: Mapped[Fen]
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    status: Mapped[str]
    filed_on: Mapped[date]
    filed_at: Mapped[datetime]
    #: Facts, rule versions and outcomes, from which the decision can be recomputed (promise 16).
    decision: Mapped[dict[str, Any]]


class ClaimCorrectionRow(Base):
    """退回补正: all faults of a claim named once, until when they are to be mended, and what the mending replaced."""

    __tablename__ = "claim_corrections"
    __table_args__ = (
        Index("uq_claim_corrections_open", "claim_id", unique=True, postgresql_where=text("corrected_at IS NULL")),
        Index("ix_claim_corrections_due", "due_on", postgresql_where=text("corrected_at IS NULL")),
        CheckConstraint("jsonb_array_length(faults) > 0", name="faults"),
        CheckConstraint("num_nulls(corrected_by, corrected_at, replaced) IN (0, 3)", name="corrected_whole"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), index=True)
    faults: Mapped[list[Any]]  # each: code, field, note
    due_on: Mapped[date]
    provisional: Mapped[bool]  # the calendar of that year is not published yet
    asked_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    asked_at: Mapped[datetime]
    corrected_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    corrected_at: Mapped[datetime | None]
    #: The claim's own columns as they were, its decision among them (promise 16).
    replaced: Mapped[dict[str, Any] | None] = mapped_column(JSONB)


class ClaimHoldRow(Base):
    """冻结: while a row of a claim is not lifted, the claim goes no further towards the money."""

    __tablename__ = "claim_holds"
    __table_args__ = (
        Index("uq_claim_holds_live", "claim_id", unique=True, postgresql_where=text("lifted_at IS NULL")),
        CheckConstraint("num_nulls(lifted_by, lifted_at) IN (0, 2)", name="lifted_whole"),
        CheckConstraint("placed_by IS NOT NULL OR code IN ('signal', 'register')", name="placed_by"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), index=True)
    code: Mapped[str]
    note: Mapped[str]
    placed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))  # nobody: a risk signal or a register did
    placed_at: Mapped[datetime]
    lifted_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    lifted_at: Mapped[datetime | None]
    lift_note: Mapped[str] = mapped_column(server_default="")


class RegisterFindingRow(Base):
    """What the registers had against a claim before it was paid, and by which snapshots: the reason of a hold.
    Written once; whoever lifts the hold has weighed it."""

    __tablename__ = "claim_register_findings"
    __table_args__ = (CheckConstraint("jsonb_array_length(objections) > 0", name="objections"),)

    hold_id: Mapped[UUID] = mapped_column(ForeignKey("claim_holds.id"), primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), index=True)
    objections: Mapped[list[Any]]  # each: code and facts
    registers: Mapped[list[Any]]  # `domain.register.Looked`, as for a decision


class ClaimObjectionRow(Base):
    """异议: the trainee objects to a claim that was paid; a reviewer closes it once, with a finding."""

    __tablename__ = "claim_objections"
    __table_args__ = (
        Index(
            "uq_claim_objections_standing",
            "claim_id",
            unique=True,
            postgresql_where=text("finding IS NULL OR finding = 'upheld'"),
        ),
        CheckConstraint("ground IN ('revoked', 'never_given')", name="ground"),
        CheckConstraint("finding IN ('upheld', 'not_upheld')", name="finding"),
        CheckConstraint("num_nulls(finding, closed_by, closed_person, closed_at) IN (0, 4)", name="closed_whole"),
        CheckConstraint("(finding IS NULL) = (finding_reason = '')", name="finding_reason"),
        CheckConstraint("closed_person <> raised_person", name="two_persons"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), index=True)
    ground: Mapped[str]
    reason: Mapped[str]
    raised_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    raised_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    raised_at: Mapped[datetime]
    finding: Mapped[str | None]
    finding_reason: Mapped[str] = mapped_column(server_default="")
    closed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    closed_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    closed_at: Mapped[datetime | None]


class ClaimAppealRow(Base):
    """复核: one for each refusal, answered once by another person than who refused it."""

    __tablename__ = "claim_appeals"
    __table_args__ = (
        UniqueConstraint("refusal_id", name="uq_claim_appeals_refusal"),
        Index("ix_claim_appeals_due", "due_on", postgresql_where=text("answered_at IS NULL")),
        CheckConstraint("answer IN ('granted', 'denied', 'moot')", name="answer"),
        CheckConstraint(
            "num_nulls(answer, answered_by, answered_person, answered_at) IN (0, 4)", name="answered_whole"
        ),
        CheckConstraint("(answer IS NULL) = (answer_text = '')", name="answer_text"),
        CheckConstraint("coalesce(answer = 'moot', false) = (in_the_way <> '{}')", name="in_the_way"),
        CheckConstraint("answered_person <> appealed_person", name="two_persons"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"), index=True)
    refusal_id: Mapped[int] = mapped_column(ForeignKey("journal.id"))
    reason: Mapped[str]
    appealed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    appealed_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    appealed_at: Mapped[datetime]
    due_on: Mapped[date]
    answer: Mapped[str | None]
    answer_text: Mapped[str] = mapped_column(server_default="")
    #: Rules by which other claims keep a granted one out.
    in_the_way: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    answered_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    answered_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    answered_at: Mapped[datetime | None]


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
    """The tally once more, summed along each thing the share is asked by (`along`, whose value is `key`), by day and
    by month (`grain`; a month stands under its first day).

    However many claims there are, a day has as many rows here as there are districts, lists, industries and levels,
    and a long span is read by its months.
    """

    __tablename__ = "claim_tally_sums"
    __table_args__ = (CheckConstraint("grain IN ('day', 'month')", name="grain"),)

    along: Mapped[str] = mapped_column(primary_key=True)
    grain: Mapped[str] = mapped_column(primary_key=True)
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
