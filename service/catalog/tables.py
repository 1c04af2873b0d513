"""Catalog editions as published, their items, and what is wrong with them."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, func, text
from sqlalchemy.dialects.postgresql import DATERANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class EditionRow(Base):
    """One edition; published, it is immutable but for the end of its days, set when the next one supersedes it."""

    __tablename__ = "catalog_editions"
    __table_args__ = (
        Index("uq_catalog_editions_year_revision", "year", "revision", unique=True),
        ExcludeConstraint(("in_force", "&&"), name="ex_catalog_editions_one_a_day", using="gist"),
        CheckConstraint("status IN ('draft', 'published')", name="status"),
        CheckConstraint("(status = 'published') = (in_force IS NOT NULL)", name="published_has_days"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(Integer, server_default="0")
    status: Mapped[str] = mapped_column(server_default="draft")
    in_force: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    source_name: Mapped[str]
    source_sha256: Mapped[bytes]
    imported_at: Mapped[datetime] = mapped_column(server_default=func.now())
    #: Why it was published on another day than the calendar rule asks (a historical import says so).
    reason: Mapped[str] = mapped_column(server_default="")


class CatalogItemRow(Base):
    """A row of a list as it was published; `name` without its tag."""

    __tablename__ = "catalog_items"
    __table_args__ = (
        Index("ix_catalog_items_edition_code", "edition_id", "code"),
        Index("uq_catalog_items_edition_line", "edition_id", "line", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    edition_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_editions.id"))
    list_name: Mapped[str]
    list_kind: Mapped[str]  # shortage, general, manufacturing, special, project or other
    serial: Mapped[str]
    line: Mapped[int] = mapped_column(Integer)
    code: Mapped[str | None]
    name: Mapped[str]
    tag: Mapped[str] = mapped_column(server_default="")
    industry: Mapped[str]


class FindingRow(Base):
    __tablename__ = "catalog_findings"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    edition_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_editions.id"), index=True)
    kind: Mapped[str]
    severity: Mapped[str]
    list_name: Mapped[str]
    serial: Mapped[int | None] = mapped_column(Integer)
    line: Mapped[int | None] = mapped_column(Integer)
    code: Mapped[str | None]
    message: Mapped[str]
    suggestion: Mapped[str]


class AliasRow(Base):
    """A code of an older classification and the occupation it means now."""

    __tablename__ = "occupation_aliases"

    code: Mapped[str] = mapped_column(primary_key=True)
    canonical: Mapped[str]
    source: Mapped[str]
