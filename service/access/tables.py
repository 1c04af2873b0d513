"""Districts, users, posts, and which posts exclude each other."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    func,
    text,
)
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


class SecondFactorRow(Base):
    """The secret of a telephone's one-time codes, sealed under the row's id; confirmed by a code, ended by operators.

    `last_counter` is the last step of time whose code was taken: that code and those before serve nobody any more.
    """

    __tablename__ = "second_factors"
    __table_args__ = (
        Index("uq_second_factors_standing", "user_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        UniqueConstraint("id", "user_id", name="uq_second_factors_user"),
        CheckConstraint("wrong_count >= 0 AND last_counter >= 0", name="counted"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    secret_sealed: Mapped[bytes]
    enrolled_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    last_counter: Mapped[int] = mapped_column(BigInteger, server_default="0")
    wrong_count: Mapped[int] = mapped_column(Integer, server_default="0")
    locked_until: Mapped[datetime | None]


class StepUpRow(Base):
    """Somebody proved anew who they are, for the signatures in `signs` ("batch.check UUID"); written once.

    A code serves once: no two have the same factor and step of time. The database sets when it was and until when it
    serves, and refuses one of a factor that is another's, not confirmed, ended or locked, and one of no live session.
    """

    __tablename__ = "step_ups"
    __table_args__ = (
        UniqueConstraint("factor_id", "counter", name="uq_step_ups_code"),
        UniqueConstraint("token_sha256", name="uq_step_ups_token"),
        ForeignKeyConstraint(
            ["factor_id", "user_id"], ["second_factors.id", "second_factors.user_id"], name="fk_step_ups_factor"
        ),
        CheckConstraint("cardinality(signs) BETWEEN 1 AND 100", name="signs"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    factor_id: Mapped[UUID]
    counter: Mapped[int] = mapped_column(BigInteger)
    session_sha256: Mapped[bytes]
    token_sha256: Mapped[bytes]
    signs: Mapped[list[str]] = mapped_column(ARRAY(Text))
    granted_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(server_default=text("now() + interval '5 minutes'"))


class StepUpUseRow(Base):
    """What a step-up was used for, once each ("attempt.decide UUID"); in the transaction that did it."""

    __tablename__ = "step_up_uses"
    __table_args__ = (Index("ix_step_up_uses_sign", "sign"),)

    step_up_id: Mapped[UUID] = mapped_column(ForeignKey("step_ups.id"), primary_key=True)
    sign: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    used_at: Mapped[datetime]
    xid: Mapped[str] = mapped_column(server_default=text("(pg_current_xact_id())::text"))


class SignInBrakeRow(Base):
    """Wrong passwords for one login, or from one address, which is found by its blind index and not readable. Goes by
    the database's clock, as sessions do."""

    __tablename__ = "sign_in_brakes"
    __table_args__ = (CheckConstraint("wrong_count >= 0", name="counted"),)

    key: Mapped[bytes] = mapped_column(primary_key=True)
    wrong_count: Mapped[int] = mapped_column(Integer)
    counted_since: Mapped[datetime] = mapped_column(index=True)
    locked_until: Mapped[datetime | None]


class KeptFormRow(Base):
    """What somebody typed on a page and sent when their session had ended, or put aside, sealed under the row's id:
    given back on that page to nobody but that user, and forgotten within hours."""

    __tablename__ = "kept_forms"
    __table_args__ = (UniqueConstraint("user_id", "page_index"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id"))
    page_index: Mapped[bytes]
    typed_sealed: Mapped[bytes]
    kept_at: Mapped[datetime] = mapped_column(index=True, server_default=func.now())


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
