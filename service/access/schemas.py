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


class NewFactor(Struct, forbid_unknown_fields=True):
    password: str


class EnrolmentView(Struct):
    """`uri` (otpauth://…) is shown this once: a telephone's program reads it, as text or as a picture made of it."""

    uri: str


Code = Annotated[str, Meta(pattern="^[0-9]{6}$")]


class FactorCode(Struct, forbid_unknown_fields=True):
    code: Code


class NamedSignature(Struct, forbid_unknown_fields=True):
    """What is to be signed or decided: `purpose` is batch.assemble, batch.check or batch.release, and `subject` the
    batch; or one of `domain.step_up.Decision`, and what it is about (an attempt for attempt.decide, a line of a
    statement for repayment.confirm)."""

    purpose: Annotated[str, Meta(pattern="^[a-z_]+[.][a-z_]+$", max_length=40)]
    subject: UUID


class NewStepUp(Struct, forbid_unknown_fields=True):
    """The password and a code of the telephone, for up to 100 signatures."""

    password: str
    code: Code
    signs: Annotated[list[NamedSignature], Meta(min_length=1, max_length=100)]


class StepUpView(Struct):
    """`token` goes into the header `Zhida-Step-Up` of each of the named signatures; it lives `seconds`."""

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
