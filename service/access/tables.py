"""Districts, users, posts, and which posts exclude each other."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, Text, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from service.database import Base


class DistrictRow(Base):
    __tablename__ = "districts"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    parent: Mapped[str | None] = mapped_column(ForeignKey("districts.code"))
    kind: Mapped[str]  # city, district or zone


class UserRow(Base):
    """A way to sign in, tied to a person. `district` None: the whole city."""

    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    password_hash: Mapped[str]
    district: Mapped[str | None] = mapped_column(ForeignKey("districts.code"))
    institution_id: Mapped[UUID | None]
    disabled_at: Mapped[datetime | None]
    made_at: Mapped[datetime] = mapped_column(server_default=func.now())


class UserPostRow(Base):
    __tablename__ = "user_posts"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"), primary_key=True)
    post: Mapped[str] = mapped_column(primary_key=True)


class DeclaredRelativeRow(Base):
    """回避: somebody whose claims an officer leaves to others. Their number is sealed under the row's id; they are
    found by its blind index under each key that was known, whether or not they are a person here yet."""

    __tablename__ = "declared_relatives"
    __table_args__ = (
        CheckConstraint("relation IN ('spouse', 'parent', 'child', 'sibling', 'in_law', 'other')", name="relation"),
        CheckConstraint("cardinality(key_ids) > 0 AND cardinality(key_ids) = cardinality(indexes)", name="indexed"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"), index=True)
    relation: Mapped[str]
    number_sealed: Mapped[bytes]
    key_ids: Mapped[list[str]] = mapped_column(ARRAY(Text))
    indexes: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary))
    declared_by: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    declared_at: Mapped[datetime]
    #: Claims filed before stay barred.
    ended_at: Mapped[datetime | None]


class PostExclusionRow(Base):
    """Filled by a migration from `domain.actor.EXCLUSIONS`; a test compares."""

    __tablename__ = "post_exclusions"
    __table_args__ = (CheckConstraint("scope IN ('person', 'claim', 'batch')", name="scope"),)

    scope: Mapped[str] = mapped_column(primary_key=True)
    post: Mapped[str] = mapped_column(primary_key=True)
    other: Mapped[str] = mapped_column(primary_key=True)
