"""Procured projects (项目制): contracts with who trains, and the results that they reached."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, UniqueConstraint
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

import service.institutions.tables  # noqa: F401 (a contractor is one of the institutions)
from service.database import Base, Fen


class ProjectRow(Base):
    """A contract over a project item of the catalog, as one officer recorded it and another confirmed: for so many
    places, `place_fen` at most for one, `cap_fen` for all. Nothing of it changes afterwards."""

    __tablename__ = "procured_projects"
    __table_args__ = (
        # what a claim refers to, so that it is the contractor's, of this item and in this district
        UniqueConstraint("id", "institution_id", "item_id", "district", name="uq_procured_projects_contract"),
        UniqueConstraint("district", "contract_number", name="uq_procured_projects_number"),
        CheckConstraint("places > 0 AND cap_fen > 0 AND place_fen > 0", name="over"),
        CheckConstraint("num_nulls(confirmed_by, confirmed_person, confirmed_at) IN (0, 3)", name="confirmed_whole"),
        CheckConstraint("confirmed_person <> proposed_person", name="two_persons"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_items.id"))
    institution_id: Mapped[UUID] = mapped_column(ForeignKey("institutions.id"))
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"))
    contract_number: Mapped[str]
    in_force: Mapped[Range[date]] = mapped_column(DATERANGE)
    places: Mapped[int] = mapped_column(Integer)
    cap_fen: Mapped[Fen]
    place_fen: Mapped[Fen]
    document_sha256: Mapped[str]
    proposed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    proposed_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    proposed_at: Mapped[datetime]
    confirmed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    confirmed_person: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    confirmed_at: Mapped[datetime | None]


class ProjectResultRow(Base):
    """What a project reached, by which evidence. Written once; the latest is the one that claims are priced by."""

    __tablename__ = "project_results"
    __table_args__ = (
        CheckConstraint("employment_percent BETWEEN 0 AND 100", name="percent"),
        Index("ix_project_results_latest", "project_id", "recorded_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("procured_projects.id"))
    reached_on: Mapped[date]
    employment_percent: Mapped[int] = mapped_column(Integer)
    evidence_sha256: Mapped[str]
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]
