"""Employment contracts, by which enterprises claim for the staff that they hired and trained."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

import service.institutions.tables  # noqa: F401 (an employer is one of the institutions)
from service.database import Base


class EmploymentContractRow(Base):
    """劳动合同 of a person with an enterprise, as its clerk recorded it. Written once."""

    __tablename__ = "employment_contracts"
    __table_args__ = (
        # what a claim refers to, so that it is of the same two parties
        UniqueConstraint("id", "person_id", "institution_id", name="uq_employment_contracts_parties"),
        ForeignKeyConstraint(
            ["institution_id", "employer_kind"],
            ["institutions.id", "institutions.kind"],
            name="fk_employment_contracts_employer",
        ),
        CheckConstraint("employer_kind IN ('enterprise', 'enterprise_centre')", name="employer"),
        Index("ix_employment_contracts_parties", "person_id", "institution_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    institution_id: Mapped[UUID] = mapped_column(index=True)
    employer_kind: Mapped[str]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    number_sealed: Mapped[bytes]
    signed_on: Mapped[date]
    #: Without an upper end: of no fixed term (无固定期限).
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)
    document_sha256: Mapped[str]
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]
