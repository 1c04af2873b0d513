"""Signing in and up, as JSON."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from domain.relative import Relation


class NewSignIn(Struct, forbid_unknown_fields=True):
    login: str
    password: str


class SessionView(Struct):
    """`token` goes into `Authorization: Bearer …`; it lives `seconds`."""

    token: str
    seconds: int


class NewSignUp(Struct, forbid_unknown_fields=True):
    login: str
    password: str
    name: str
    id_number: str
    phone: str | None = None


class SignedUpView(Struct):
    user_id: UUID
    person_id: UUID


class NewStaff(Struct, forbid_unknown_fields=True):
    """`district` null: the whole city. `institution_id` is asked of a clerk, and of nobody else."""

    user: NewSignUp
    posts: list[str]
    district: str | None = None
    institution_id: UUID | None = None


class NewRelative(Struct, forbid_unknown_fields=True):
    id_number: Annotated[str, Meta(max_length=40)]
    relation: Relation


class RelativeView(Struct):
    """Somebody whose claims I leave to others: for good those filed until `ended_at`."""

    id: UUID
    masked: str
    relation: Relation
    relation_name: str
    declared_at: datetime
    ended_at: datetime | None


class RelativesView(Struct):
    relatives: list[RelativeView]
