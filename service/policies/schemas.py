"""Policy parameters, proposals to change them, and groups, as JSON."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct, field

from domain.group import Group

Words = Annotated[str, Meta(max_length=500)]


class PolicyView(Struct):
    """In force from `first` to `last`, both included; `last` null: until it is changed."""

    key: str
    value: Any
    first: date
    last: date | None
    source: str
    basis: str


class PoliciesView(Struct):
    on: date
    policies: list[PolicyView]


class NewPolicy(Struct, forbid_unknown_fields=True):
    """What a parameter shall be from a day on; `source` names the document, `basis` says in words what it means."""

    key: Annotated[str, Meta(max_length=60)]
    value: Any
    first: str = field(name="from")
    source: Words
    basis: Words


class ProposalView(Struct):
    """`first` is the day from which it holds once another person has confirmed it; `confirmed` whether one has."""

    id: UUID
    key: str
    value: Any
    first: date
    source: str
    basis: str
    mine: bool
    confirmed: bool


class ProposalsView(Struct):
    proposals: list[ProposalView]


class ProofView(Struct):
    kind: str
    name: str
    name_en: str


class GroupView(Struct):
    """A group that a claim may name, and the kinds of proof that show it."""

    code: str
    name: str
    name_en: str
    proofs: list[ProofView]

    @classmethod
    def of(cls, group: Group) -> "GroupView":
        proofs = [ProofView(each.kind, each.name, each.name_en) for each in group.proofs]
        return cls(group.code, group.name, group.name_en, proofs)


class GroupsView(Struct):
    groups: list[GroupView]
