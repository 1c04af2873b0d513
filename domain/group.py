"""Groups of persons (六类人员, 企业职工) that rules and funds depend on, and the proofs of belonging to one."""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Self

from domain.errors import Invalid
from domain.period import parse_date
from domain.text import half_width, trimmed

PROOF_LENGTH_MAX = 64


@dataclass(frozen=True)
class Proof:
    """A kind of document that shows it."""

    kind: str
    name: str
    name_en: str


@dataclass(frozen=True)
class Group:
    """`code` is stable; the names are for people."""

    code: str
    name: str
    name_en: str
    proofs: tuple[Proof, ...]


def groups_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, Group]:
    """By code, from the rows of `data/groups.toml`. ValueError for a code twice, or a group without a proof."""
    groups: dict[str, Group] = {}
    for row in rows:
        group = Group(row["code"], row["name"], row["name_en"], tuple(Proof(**each) for each in row["proofs"]))
        if group.code in groups or not group.proofs:
            raise ValueError(f"a group stands there once, with its proofs: {group.code}")
        groups[group.code] = group
    return groups


@dataclass(frozen=True)
class Membership:
    """What a claimant says of their group. `proof_number` is personal: sealed in the store, never in facts."""

    group: str
    proof_kind: str
    proof_number: str = field(repr=False)
    valid_from: date

    @classmethod
    def parse(
        cls, group: str, proof_kind: str, proof_number: object, valid_from: object, known: Mapping[str, Group]
    ) -> Self:
        """Invalid `group.unknown`, `group.proof_unknown`, `proof.not_text`, `proof.empty`, `proof.too_long` (limit),
        `proof.characters` (place), or what `parse_date` says; each names its field below `group`."""
        if group not in known:
            raise Invalid("group.unknown", field="group.code")
        if proof_kind not in {proof.kind for proof in known[group].proofs}:
            raise Invalid("group.proof_unknown", field="group.proof_kind")
        number = half_width(trimmed(proof_number, "group.proof_number", "proof"))
        if len(number) > PROOF_LENGTH_MAX:
            raise Invalid("proof.too_long", field="group.proof_number", limit=PROOF_LENGTH_MAX)
        for place, character in enumerate(number, start=1):
            if unicodedata.category(character)[0] in "CZ" and character != " ":
                raise Invalid("proof.characters", field="group.proof_number", place=place)
        return cls(group, proof_kind, number, parse_date(valid_from, "group.valid_from"))
