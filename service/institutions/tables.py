"""Training institutions and the days on which each stands in the catalog."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Text
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class InstitutionRow(Base):
    __tablename__ = "institutions"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('vocational_college', 'technical_college', 'enterprise_centre', 'public_base',"
            " 'private_school', 'online_platform', 'project_contractor', 'assessment_body')",
            name="kind",
        ),
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
