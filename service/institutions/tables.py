"""Training institutions and the days on which each stands in the catalog."""

from datetime import date
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class InstitutionRow(Base):
    __tablename__ = "institutions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    credit_code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    sample: Mapped[bool] = mapped_column(server_default="false")


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
