"""Catalog editions as published, their items, and what is wrong with them."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, JSONB, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class EditionRow(Base):
    """One edition; published, it is immutable but for the end of its days, set when the next one supersedes it."""

    __tablename__ = "catalog_editions"
    __table_args__ = (
        Index("uq_catalog_editions_year_revision", "year", "revision", unique=True),
        ExcludeConstraint(("in_force", "&&"), name="ex_catalog_editions_one_a_day", using="gist"),
        CheckConstraint(
            "status IN ('draft', 'in_consultation', 'approved', 'published', 'superseded')", name="status"
        ),
        CheckConstraint(
            "(status IN ('published', 'superseded')) = (in_force IS NOT NULL)", name="published_has_days"
        ),
        CheckConstraint("status <> 'superseded' OR upper(in_force) IS NOT NULL", name="superseded_has_end"),
        CheckConstraint("(calendar_faults = '{}') OR (reason <> '')", name="override_has_reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(Integer, server_default="0")
    status: Mapped[str] = mapped_column(server_default="draft")
    in_force: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    source_name: Mapped[str]
    source_sha256: Mapped[bytes]
    imported_at: Mapped[datetime] = mapped_column(server_default=func.now())
    #: Why it was published although warnings stood open or the calendar asks for another day.
    reason: Mapped[str] = mapped_column(server_default="")
    #: A past edition, put in as it was published: the calendar and the two persons of today do not apply to it.
    historical: Mapped[bool] = mapped_column(server_default="false")
    #: What the calendar rule said against the day of publication; `reason` sets it aside.
    calendar_faults: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    consultation: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    #: Lists with their headings, the lists the text names, its industries: what the rows alone do not say.
    framework: Mapped[dict[str, Any]] = mapped_column(server_default="{}")


class CatalogItemRow(Base):
    """A row of a list; `name` without its tag. `printed`: what was published, until an editor corrects the row."""

    __tablename__ = "catalog_items"
    __table_args__ = (
        Index("ix_catalog_items_edition_code", "edition_id", "code"),
        Index("uq_catalog_items_edition_place", "edition_id", "place", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    edition_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_editions.id"))
    list_name: Mapped[str]
    list_kind: Mapped[str]  # shortage, general, manufacturing, specific_skill, project, startup or other
    serial: Mapped[str]
    place: Mapped[int] = mapped_column(Integer)  # from 1, in the order of the edition
    line: Mapped[int] = mapped_column(Integer)  # where it stood in the file, or on its sheet
    code: Mapped[str | None]
    name: Mapped[str]
    tag: Mapped[str] = mapped_column(server_default="")
    industry: Mapped[str]
    #: The cells as printed, for a row nobody has corrected; null for one that was corrected, added or copied.
    printed: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))


class ItemChangeRow(Base):
    """What an editor did to a row of a draft and why: the trace from what was printed to what is published."""

    __tablename__ = "catalog_item_changes"
    __table_args__ = (
        CheckConstraint("kind IN ('added', 'corrected', 'removed')", name="kind"),
        CheckConstraint(
            "(kind = 'added') = (before IS NULL) AND (kind = 'removed') = (after IS NULL)", name="before_and_after"
        ),
        CheckConstraint("reason <> ''", name="reason"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    edition_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_editions.id"), index=True)
    item_id: Mapped[UUID]  # of a row that may since have been removed
    kind: Mapped[str]
    before: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    reason: Mapped[str]
    #: The district's proposal that an added row comes from.
    proposal_id: Mapped[UUID | None] = mapped_column(ForeignKey("catalog_proposals.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    at: Mapped[datetime]


class FindingRow(Base):
    """Something wrong with a draft. Undecided ones follow the rows; what was decided stays and says what was."""

    __tablename__ = "catalog_findings"
    __table_args__ = (
        CheckConstraint("decision IN ('accept', 'correct', 'ask')", name="decision"),
        CheckConstraint("num_nonnulls(decision, note, decided_at) IN (0, 3)", name="decided"),
    )

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
    decision: Mapped[str | None]
    note: Mapped[str | None]
    decided_at: Mapped[datetime | None]


class AliasRow(Base):
    """A code of an older classification and the occupation it means now."""

    __tablename__ = "occupation_aliases"

    code: Mapped[str] = mapped_column(primary_key=True)
    canonical: Mapped[str]
    source: Mapped[str]


class OccupationRow(Base):
    """The national classification, as far as it was loaded (notice 二.3)."""

    __tablename__ = "occupations"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    tag: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str]


class TradeRow(Base):
    """A trade (工种) inside an occupation: certificates print it, and people search for it."""

    __tablename__ = "trades"

    name: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]


class SourceRow(Base):
    """A list the city was given to make its catalog by: the provincial guide, the shortage catalog, the survey."""

    __tablename__ = "catalog_sources"
    __table_args__ = (
        CheckConstraint("kind IN ('provincial_guide', 'shortage', 'survey')", name="kind"),
        Index("uq_catalog_sources_kind_sha256", "kind", "sha256", unique=True),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str]
    dated_on: Mapped[date]
    sha256: Mapped[bytes]
    received_at: Mapped[datetime]


class SourceItemRow(Base):
    __tablename__ = "catalog_source_items"

    source_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_sources.id"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True)
    list_name: Mapped[str]
    code: Mapped[str | None]
    name: Mapped[str]
    tag: Mapped[str]
    industry: Mapped[str]


class ProposalRow(Base):
    """What a district would like to see in the catalog of a year, and what the city decided (notice 二.2)."""

    __tablename__ = "catalog_proposals"
    __table_args__ = (
        CheckConstraint("status IN ('proposed', 'accepted', 'declined')", name="status"),
        CheckConstraint("(status = 'accepted') = (item_id IS NOT NULL)", name="accepted_has_item"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    district: Mapped[str] = mapped_column(ForeignKey("districts.code"), index=True)
    year: Mapped[int] = mapped_column(Integer)
    status: Mapped[str]
    item: Mapped[dict[str, Any]]
    reason: Mapped[str]
    #: Figures of the labour market: {name: {"value": …, "source": …}}.
    figures: Mapped[dict[str, Any]]
    proposed_by_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    proposed_at: Mapped[datetime]
    #: The row of the draft that it became.
    item_id: Mapped[UUID | None]


class OpinionRow(Base):
    """What somebody who was asked said about a proposal, with the hash of the document that says so."""

    __tablename__ = "catalog_opinions"
    __table_args__ = (
        CheckConstraint("asked IN ('department', 'enterprise', 'institution', 'trainee')", name="asked"),
        CheckConstraint("stance IN ('for', 'against', 'neither')", name="stance"),
        CheckConstraint("octet_length(document_sha256) = 32", name="document"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    proposal_id: Mapped[UUID] = mapped_column(ForeignKey("catalog_proposals.id"), index=True)
    asked: Mapped[str]
    name: Mapped[str]  # of a body; a trainee is not named
    stance: Mapped[str]
    said: Mapped[str]
    document_sha256: Mapped[bytes]
    heard_on: Mapped[date]
    recorded_by_person: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
