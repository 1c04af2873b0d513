"""Results of classes, version by version; who examined; and which institutions are tied to each other."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from domain.assessment import SCORE_TENTHS_MAX
from service.database import Base
from service.institutions.tables import InstitutionRow
from service.training.tables import ClassRow


class AssessmentRow(Base):
    """One version of a class's results, written once; a correction is a further version, and the latest holds."""

    __tablename__ = "assessments"
    __table_args__ = (
        UniqueConstraint("class_id", "version", name="uq_assessments_version"),
        # what a result refers to, so that it stands under the class of its version
        UniqueConstraint("id", "class_id", name="uq_assessments_class"),
        CheckConstraint("version > 0 AND (version = 1) = (reason = '')", name="reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    class_id: Mapped[UUID] = mapped_column(ForeignKey(ClassRow.id))
    institution_id: Mapped[UUID] = mapped_column(ForeignKey(InstitutionRow.id), index=True)
    version: Mapped[int] = mapped_column(Integer)
    assessed_on: Mapped[date]
    reason: Mapped[str] = mapped_column(server_default="")
    filed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    filed_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    filed_on: Mapped[date]
    filed_at: Mapped[datetime]


class ResultRow(Base):
    """What was found of one trainee. `live`: of the version that holds; a trigger sees to it."""

    __tablename__ = "assessment_results"
    __table_args__ = (
        ForeignKeyConstraint(
            ["assessment_id", "class_id"], ["assessments.id", "assessments.class_id"], name="fk_assessment_results_of"
        ),
        ForeignKeyConstraint(
            ["class_id", "person_id"],
            ["training_places.class_id", "training_places.person_id"],
            name="fk_assessment_results_place",
        ),
        CheckConstraint("mark IN ('passed', 'failed', 'absent')", name="mark"),
        CheckConstraint("(mark = 'absent') = (score_tenths IS NULL)", name="score_of_who_sat"),
        CheckConstraint(f"score_tenths BETWEEN 0 AND {SCORE_TENTHS_MAX}", name="score"),
        CheckConstraint(
            "num_nonnulls(certificate_number, certificate_issued_on) = CASE mark WHEN 'passed' THEN 2 ELSE 0 END",
            name="certificate_of_who_passed",
        ),
        Index("uq_assessment_results_certificate", "certificate_number", unique=True, postgresql_where=text("live")),
        Index("ix_assessment_results_person", "person_id"),
        Index("ix_assessment_results_class", "class_id"),
    )

    assessment_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)
    class_id: Mapped[UUID]
    mark: Mapped[str]
    score_tenths: Mapped[int | None] = mapped_column(Integer)
    certificate_number: Mapped[str | None]
    certificate_issued_on: Mapped[date | None]
    #: Codes of what was odd about the certificate's number and did not refuse it.
    warnings: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    live: Mapped[bool] = mapped_column(server_default="true")


class ExaminerRow(Base):
    """考评员: who examined, by name; nobody who taught the class."""

    __tablename__ = "assessment_examiners"

    assessment_id: Mapped[UUID] = mapped_column(ForeignKey("assessments.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), primary_key=True)


class AffiliationRow(Base):
    """Two institutions of one owner or management, as an officer found it: neither assesses whom the other taught."""

    __tablename__ = "institution_affiliations"
    __table_args__ = (
        CheckConstraint("one_id < other_id", name="pair"),
        CheckConstraint("source <> '' AND NOT isempty(days) AND lower(days) IS NOT NULL", name="told"),
        Index("ix_institution_affiliations_one", "one_id"),
        Index("ix_institution_affiliations_other", "other_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    one_id: Mapped[UUID] = mapped_column(ForeignKey(InstitutionRow.id))
    other_id: Mapped[UUID] = mapped_column(ForeignKey(InstitutionRow.id))
    days: Mapped[Range[date]] = mapped_column(DATERANGE)
    source: Mapped[str]
    declared_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    declared_at: Mapped[datetime]
