"""Signing in and up, as JSON."""

from uuid import UUID

from msgspec import Struct


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
