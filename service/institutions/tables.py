"""Institutions: what is known of each on which days, and the rounds in which they are selected.

A dated fact is added and at most ends earlier; nothing of it is ever rewritten (trigger `guard_only_ends`).
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Integer, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class InstitutionRow(Base):
    __tablename__ = "institutions"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('vocational_college', 'technical_college', 'enterprise_centre', 'public_base',"
            " 'private_school', 'online_platform', 'project_contractor', 'assessment_body', 'enterprise')",
            name="kind",
        ),
        # what a grade refers to, so that it is given within the institution's own class
        UniqueConstraint("id", "kind", name="uq_institutions_class"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    credit_code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    sample: Mapped[bool] = mapped_column(server_default="false")
    kind: Mapped[str] = mapped_column(server_default="private_school")


class InstitutionListingRow(Base):
    """Standing in the institution catalog (notice 二.二): a dated fact, not a flag."""

    __tablename__ = "institution_listings"
    __table_args__ = (
        ExcludeConstraint(
            ("institution_id", "="), ("in_force", "&&"), name="ex_institution_listings_one_a_day", using="gist"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"))
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)
    source: Mapped[str]


class InstitutionScopeRow(Base):
    """What an institution is admitted to teach or assess: a canonical occupation at some levels, on which days."""

    __tablename__ = "institution_scopes"
    __table_args__ = (
        CheckConstraint("cardinality(levels) > 0", name="levels"),
        ExcludeConstraint(
            ("institution_id", "="),
            ("occupation", "="),
            ("in_force", "&&"),
            name="ex_institution_scopes_one_a_day",
            using="gist",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"))
    occupation: Mapped[str]
    levels: Mapped[list[str]] = mapped_column(ARRAY(Text))
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)
    source: Mapped[str]


class InstitutionExitRow(Base):
    """An institution leaves the catalog on a day, which ends the listing it falls into; written once."""

    __tablename__ = "institution_exits"
    __table_args__ = (CheckConstraint("reason <> ''", name="reason"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"), index=True)
    left_on: Mapped[date]
    reason: Mapped[str]


class InstitutionSanctionRow(Base):
    """What an institution must not do on which days, and why; written once."""

    __tablename__ = "institution_sanctions"
    __table_args__ = (
        CheckConstraint(
            "cardinality(stops) > 0"
            " AND stops <@ ARRAY['file_classes', 'file_claims', 'receive_payments', 'be_listed']",
            name="stops",
        ),
        CheckConstraint("reason <> '' AND NOT isempty(days) AND lower(days) IS NOT NULL", name="told"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"), index=True)
    days: Mapped[Range[date]] = mapped_column(DATERANGE)
    stops: Mapped[list[str]] = mapped_column(ARRAY(Text))
    reason: Mapped[str]
    imposed_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    imposed_at: Mapped[datetime]


class InstitutionSanctionLiftRow(Base):
    """A sanction no longer holds from a day on, for instance after an appeal; written once."""

    __tablename__ = "institution_sanction_lifts"
    __table_args__ = (CheckConstraint("reason <> ''", name="reason"),)

    sanction_id: Mapped[UUID] = mapped_column(ForeignKey("institution_sanctions.id"), primary_key=True)
    lifted_on: Mapped[date]
    reason: Mapped[str]
    lifted_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    lifted_at: Mapped[datetime]


class BranchRow(Base):
    """A place where an institution teaches or assesses (教学点), on which days."""

    __tablename__ = "institution_branches"
    __table_args__ = (
        CheckConstraint("name <> '' AND address <> ''", name="told"),
        ExcludeConstraint(
            ("institution_id", "="),
            ("address", "="),
            ("in_force", "&&"),
            name="ex_institution_branches_one_a_day",
            using="gist",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"))
    name: Mapped[str]
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    address: Mapped[str]
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)


class ContactRow(Base):
    """Whom one asks, and by which telephone: sealed."""

    __tablename__ = "institution_contacts"
    __table_args__ = (
        CheckConstraint("role IN ('head', 'training', 'finance')", name="role"),
        ExcludeConstraint(
            ("institution_id", "="),
            ("role", "="),
            ("in_force", "&&"),
            name="ex_institution_contacts_one_a_day",
            using="gist",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"))
    role: Mapped[str]
    name_sealed: Mapped[bytes]
    phone_sealed: Mapped[bytes]
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)


class GradeRow(Base):
    """A, B or C within the institution's class (notice 二（五）), on which days."""

    __tablename__ = "institution_grades"
    __table_args__ = (
        ForeignKeyConstraint(
            ["institution_id", "kind"], ["institutions.id", "institutions.kind"], name="fk_institution_grades_class"
        ),
        CheckConstraint("grade IN ('A', 'B', 'C')", name="grade"),
        ExcludeConstraint(
            ("institution_id", "="), ("in_force", "&&"), name="ex_institution_grades_one_a_day", using="gist"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID]
    kind: Mapped[str]
    grade: Mapped[str]
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)
    source: Mapped[str]


class AccountProposalRow(Base):
    """The account an institution shall be paid to from a day on, as one person proposed it: sealed, written once."""

    __tablename__ = "institution_account_proposals"
    __table_args__ = (
        # what an answer refers to, so that it knows whose proposal it is
        UniqueConstraint("id", "proposer_id", name="uq_institution_account_proposals_proposer"),
        CheckConstraint("reason <> ''", name="reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"), index=True)
    holder_sealed: Mapped[bytes]
    number_sealed: Mapped[bytes]
    number_index: Mapped[bytes] = mapped_column(index=True)
    tail: Mapped[str]
    bank_code: Mapped[str]
    first: Mapped[date]
    reason: Mapped[str]
    proposer_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    proposed_at: Mapped[datetime]


class AccountAnswerRow(Base):
    """What another person says of a proposed account, once. The account of a day is the confirmed one whose `first`
    is the latest until then."""

    __tablename__ = "institution_account_answers"
    __table_args__ = (
        ForeignKeyConstraint(
            ["proposal_id", "proposer_id"],
            ["institution_account_proposals.id", "institution_account_proposals.proposer_id"],
            name="fk_institution_account_answers_proposal",
        ),
        CheckConstraint("person_id <> proposer_id", name="two_persons"),
        CheckConstraint("answer IN ('confirmed', 'declined')", name="answer"),
        CheckConstraint("(answer = 'declined') = (reason <> '')", name="reason"),
    )

    proposal_id: Mapped[UUID] = mapped_column(primary_key=True)
    proposer_id: Mapped[UUID]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    answered_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    answered_at: Mapped[datetime]
    answer: Mapped[str]
    reason: Mapped[str] = mapped_column(server_default="")


class EvaluationRow(Base):
    """What the third party found of an institution's year (notice 二（五）); written once, a correction is a further
    version, and the latest holds."""

    __tablename__ = "institution_evaluations"
    __table_args__ = (CheckConstraint("source <> ''", name="source"),)

    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    passed: Mapped[bool]
    source: Mapped[str]
    recorded_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    recorded_at: Mapped[datetime]


class RoundRow(Base):
    """A selection as it was announced; `criteria` is `[{name, weight}]`. Only its status and publicity come later."""

    __tablename__ = "selection_rounds"
    __table_args__ = (
        CheckConstraint("status IN ('announced', 'in_publicity', 'closed', 'dropped')", name="status"),
        CheckConstraint("assessors >= 2", name="assessors"),
        CheckConstraint("pass_mark BETWEEN 0 AND 100", name="pass_mark"),
        CheckConstraint("cardinality(kinds) > 0", name="kinds"),
        CheckConstraint(
            "NOT isempty(applications) AND NOT isempty(admits) AND NOT upper_inf(applications)"
            " AND NOT upper_inf(admits) AND upper(applications) <= lower(admits)",
            name="days",
        ),
        CheckConstraint(
            "(publicity IS NOT NULL) = (status IN ('in_publicity', 'closed')) AND NOT isempty(publicity)",
            name="publicity",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(Integer)
    title: Mapped[str]
    status: Mapped[str]
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    criteria: Mapped[list[Any]]
    pass_mark: Mapped[int] = mapped_column(Integer)
    assessors: Mapped[int] = mapped_column(Integer)
    applications: Mapped[Range[date]] = mapped_column(DATERANGE)
    admits: Mapped[Range[date]] = mapped_column(DATERANGE)
    publicity_working_days: Mapped[int] = mapped_column(Integer)
    publicity: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    announced_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    announced_at: Mapped[datetime]


class ApplicationRow(Base):
    """What an institution applies to teach or assess: `scopes` is `[{occupation, levels}]`; `score` in hundredths."""

    __tablename__ = "selection_applications"
    __table_args__ = (
        CheckConstraint("status IN ('filed', 'nominated', 'admitted', 'not_admitted', 'withdrawn')", name="status"),
        CheckConstraint("(status = 'admitted') = (listing_id IS NOT NULL)", name="admitted_is_listed"),
        CheckConstraint("status NOT IN ('nominated', 'admitted') OR score IS NOT NULL", name="scored"),
        CheckConstraint("score BETWEEN 0 AND 10000", name="score"),
        # what its documents refer to, so that they are the institution's own
        UniqueConstraint("id", "institution_id", name="uq_selection_applications_institution"),
        Index(
            "uq_selection_applications_live",
            "round_id",
            "institution_id",
            unique=True,
            postgresql_where=text("status <> 'withdrawn'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    round_id: Mapped[UUID] = mapped_column(ForeignKey("selection_rounds.id"))
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"), index=True)
    status: Mapped[str]
    scopes: Mapped[list[Any]]
    score: Mapped[int | None] = mapped_column(Integer)
    listing_id: Mapped[UUID | None] = mapped_column(ForeignKey("institution_listings.id"))
    filed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    filed_by_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    filed_at: Mapped[datetime]


class DocumentRow(Base):
    """A file that an institution handed in; the bytes are in `stored_files`, once however many hand them in."""

    __tablename__ = "institution_documents"
    __table_args__ = (
        UniqueConstraint("institution_id", "sha256", name="uq_institution_documents_once"),
        UniqueConstraint("id", "institution_id", name="uq_institution_documents_institution"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"))
    sha256: Mapped[bytes] = mapped_column(ForeignKey("stored_files.sha256"))
    name: Mapped[str]
    media_type: Mapped[str]
    handed_in_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    handed_in_at: Mapped[datetime]


class ApplicationDocumentRow(Base):
    """A document that belongs to an application, of the same institution."""

    __tablename__ = "selection_documents"
    __table_args__ = (
        ForeignKeyConstraint(
            ["application_id", "institution_id"],
            ["selection_applications.id", "selection_applications.institution_id"],
            name="fk_selection_documents_application",
        ),
        ForeignKeyConstraint(
            ["document_id", "institution_id"],
            ["institution_documents.id", "institution_documents.institution_id"],
            name="fk_selection_documents_document",
        ),
    )

    application_id: Mapped[UUID] = mapped_column(primary_key=True)
    document_id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID]


class ScoreSheetRow(Base):
    """What one person gave an application: `points` is `{criterion: 0 to 100}`; written once."""

    __tablename__ = "selection_score_sheets"
    __table_args__ = (UniqueConstraint("application_id", "person_id", name="uq_selection_score_sheets_person"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("selection_applications.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    points: Mapped[dict[str, Any]]
    remark: Mapped[str]
    given_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    given_at: Mapped[datetime]
