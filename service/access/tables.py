"""Districts, users, posts, and which posts exclude each other."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, func
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


class PostExclusionRow(Base):
    """Filled by a migration from `domain.actor.EXCLUSIONS`; a test compares."""

    __tablename__ = "post_exclusions"
    __table_args__ = (CheckConstraint("scope IN ('person', 'claim', 'batch')", name="scope"),)

    scope: Mapped[str] = mapped_column(primary_key=True)
    post: Mapped[str] = mapped_column(primary_key=True)
    other: Mapped[str] = mapped_column(primary_key=True)
