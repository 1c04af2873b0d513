"""Sets of standards with their signatures, and the amounts in them: one for an occupation, a level and a day."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, Integer, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE, JSONB, ExcludeConstraint
from sqlalchemy.dialects.postgresql.ranges import MultiRange
from sqlalchemy.orm import Mapped, mapped_column

from service.catalog.tables import EditionRow
from service.database import Base, Fen


class StandardSetRow(Base):
    """One formula over one edition. Proposed, it never changes but for its status and the days on which it holds.

    `first` up to `until` are the days it was published for; `in_force` is what later publications have left it.
    `place` counts publications: what was in force on a day, as it was known at some time, is the set with the
    greatest place among those that were published by then for that day.

    `formula` null: amounts that were in force before there were sets. `projects` null: it prices no projects.
    """

    __tablename__ = "standard_sets"
    __table_args__ = (
        Index(
            "uq_standard_sets_revision", "year", "revision", unique=True, postgresql_where=text("status <> 'dropped'")
        ),
        UniqueConstraint("id", "content_hash", name="uq_standard_sets_content"),
        UniqueConstraint("id", "in_force", name="uq_standard_sets_days"),
        UniqueConstraint("id", "proposer_id", name="uq_standard_sets_proposer"),
        UniqueConstraint("place", name="uq_standard_sets_place"),
        ExcludeConstraint(
            ("in_force", "&&"), name="ex_standard_sets_one_a_day", using="gist", where=text("formula IS NOT NULL")
        ),
        CheckConstraint("status IN ('draft', 'signed', 'published', 'superseded', 'dropped')", name="status"),
        CheckConstraint("in_force <@ datemultirange(daterange(first, until))", name="days"),
        CheckConstraint("status = 'published' OR in_force = '{}'", name="in_force_when_published"),
        CheckConstraint(
            "(status IN ('published', 'superseded')) = (place IS NOT NULL)"
            " AND (place IS NULL) = (published_on IS NULL)",
            name="placed_when_published",
        ),
        CheckConstraint("sample OR formula IS NULL OR proposer_id IS NOT NULL", name="proposed"),
        CheckConstraint("source <> ''", name="source"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(Integer)
    revision: Mapped[int] = mapped_column(Integer)
    status: Mapped[str]
    first: Mapped[date]
    until: Mapped[date | None]
    in_force: Mapped[MultiRange[date]] = mapped_column(DATEMULTIRANGE, server_default="{}")
    place: Mapped[int | None] = mapped_column(Integer)
    published_on: Mapped[date | None]
    edition_id: Mapped[UUID | None] = mapped_column(ForeignKey(EditionRow.id))
    formula: Mapped[dict[str, Any] | None]
    projects: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    facts: Mapped[dict[str, Any]]  # of occupations, as the proposal says them
    source: Mapped[str]
    reason: Mapped[str]
    sample: Mapped[bool]
    corrects_id: Mapped[UUID | None] = mapped_column(ForeignKey("standard_sets.id"))
    content_hash: Mapped[str]
    proposer_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    proposed_by: Mapped[UUID | None] = mapped_column(ForeignKey("users.id"))
    proposed_at: Mapped[datetime]


class StandardSignatureRow(Base):
    """A bureau's signature under what its signer was shown; written once."""

    __tablename__ = "standard_signatures"
    __table_args__ = (
        UniqueConstraint("set_id", "person_id", name="uq_standard_signatures_person"),
        ForeignKeyConstraint(
            ["set_id", "content_hash"],
            ["standard_sets.id", "standard_sets.content_hash"],
            name="fk_standard_signatures_content",
        ),
        ForeignKeyConstraint(
            ["set_id", "proposer_id"],
            ["standard_sets.id", "standard_sets.proposer_id"],
            name="fk_standard_signatures_proposer",
        ),
        CheckConstraint("bureau IN ('hr', 'finance')", name="bureau"),
        CheckConstraint("person_id <> proposer_id", name="three_persons"),
    )

    set_id: Mapped[UUID] = mapped_column(primary_key=True)
    bureau: Mapped[str] = mapped_column(primary_key=True)
    content_hash: Mapped[str]
    proposer_id: Mapped[UUID]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    signed_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    signed_at: Mapped[datetime]


class StandardRow(Base):
    """The amount for whoever brings no fact of their own. Its days are those of its set: the key that refers to both
    carries them over when they change."""

    __tablename__ = "standards"
    __table_args__ = (
        ExcludeConstraint(
            ("occupation", "="), ("level", "="), ("in_force", "&&"), name="ex_standards_one_a_day", using="gist"
        ),
        UniqueConstraint("set_id", "occupation", "level", name="uq_standards_of_set"),
        ForeignKeyConstraint(
            ["set_id", "in_force"],
            ["standard_sets.id", "standard_sets.in_force"],
            onupdate="CASCADE",
            name="fk_standards_set",
        ),
        CheckConstraint("amount_fen > 0", name="amount"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    set_id: Mapped[UUID]
    occupation: Mapped[str]  # canonical code
    level: Mapped[str]
    amount_fen: Mapped[Fen]
    in_force: Mapped[MultiRange[date]] = mapped_column(DATEMULTIRANGE, server_default="{}")
    sample: Mapped[bool]
    facts: Mapped[dict[str, Any]]  # what the formula was told of the occupation
    derivation: Mapped[dict[str, Any]]


class ReviewRow(Base):
    """动态评估: what is looked at for a period before standards are changed; closed, its summary is published."""

    __tablename__ = "standard_reviews"
    __table_args__ = (
        CheckConstraint("status IN ('open', 'closed', 'concluded', 'dropped')", name="status"),
        CheckConstraint("first <= last", name="days"),
        CheckConstraint("title <> ''", name="title"),
        CheckConstraint(
            "(status IN ('closed', 'concluded')) = (closed_on IS NOT NULL) AND (closed_on IS NULL) = (summary = '')",
            name="closed",
        ),
        CheckConstraint("(status = 'concluded') = (set_id IS NOT NULL)", name="concluded"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    first: Mapped[date]
    last: Mapped[date]
    status: Mapped[str]
    summary: Mapped[str] = mapped_column(server_default="")
    closed_on: Mapped[date | None]
    set_id: Mapped[UUID | None] = mapped_column(ForeignKey(StandardSetRow.id))  # that it led to
    opened_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    opened_at: Mapped[datetime]


class ReviewSampleRow(Base):
    """One figure with the document it stands in; written once."""

    __tablename__ = "standard_review_samples"
    __table_args__ = (
        # `domain.review.BOUNDS`, said again (a test compares)
        CheckConstraint(
            "(measure = 'training_cost' AND value BETWEEN 1 AND 100000000)"
            " OR (measure = 'vacancy_ratio' AND value BETWEEN 0 AND 100000)"
            " OR (measure IN ('pass_rate', 'employment_rate') AND value BETWEEN 0 AND 1000)",
            name="value",
        ),
        CheckConstraint("source <> ''", name="source"),
        CheckConstraint("document_sha256 ~ '^[0-9a-f]{64}$'", name="document"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    review_id: Mapped[UUID] = mapped_column(ForeignKey(ReviewRow.id), index=True)
    occupation: Mapped[str]  # canonical code
    level: Mapped[str]
    measure: Mapped[str]
    value: Mapped[int] = mapped_column(Integer)  # fen, or per mille
    source: Mapped[str]
    document_sha256: Mapped[str]
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]


class ReviewOpinionRow(Base):
    """What an expert, an office or one of the public said, in short; written once. The public has no names here."""

    __tablename__ = "standard_review_opinions"
    __table_args__ = (
        UniqueConstraint("id", "review_id", name="uq_standard_review_opinions_of_review"),
        CheckConstraint(
            "voice IN ('expert', 'department', 'enterprise', 'institution', 'trainee', 'public')", name="voice"
        ),
        CheckConstraint("(voice IN ('trainee', 'public')) = (speaker = '')", name="speaker"),
        CheckConstraint("summary <> ''", name="summary"),
        CheckConstraint("document_sha256 ~ '^[0-9a-f]{64}$'", name="document"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    review_id: Mapped[UUID] = mapped_column(ForeignKey(ReviewRow.id), index=True)
    voice: Mapped[str]
    speaker: Mapped[str]
    summary: Mapped[str]
    heard_on: Mapped[date]
    document_sha256: Mapped[str | None]
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    recorded_at: Mapped[datetime]


class ReviewAnswerRow(Base):
    """What was made of an opinion, and why; written once."""

    __tablename__ = "standard_review_answers"
    __table_args__ = (
        ForeignKeyConstraint(
            ["opinion_id", "review_id"],
            ["standard_review_opinions.id", "standard_review_opinions.review_id"],
            name="fk_standard_review_answers_opinion",
        ),
        CheckConstraint("answer <> ''", name="answer"),
    )

    opinion_id: Mapped[UUID] = mapped_column(primary_key=True)
    review_id: Mapped[UUID]
    adopted: Mapped[bool]
    answer: Mapped[str]
    answered_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    answered_at: Mapped[datetime]
