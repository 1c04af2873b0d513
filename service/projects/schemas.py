"""Procured projects as JSON."""

from datetime import date
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Number = Annotated[str, Meta(min_length=1, max_length=64)]
#: Far above what any city procures, and within 64 bits.
Amount = Annotated[int, Meta(ge=1, le=10**13)]


class NewProject(Struct, forbid_unknown_fields=True):
    """A contract over the project `item` (its name in the catalog on the first day): for `places` persons, at most
    `place_fen` for one and `cap_fen` for all."""

    institution_id: UUID
    item: Annotated[str, Meta(min_length=1, max_length=200)]
    contract_number: Number
    valid_from: str
    valid_to: str
    places: Annotated[int, Meta(ge=1, le=1_000_000)]
    cap_fen: Amount
    place_fen: Amount
    document_sha256: Sha256


class NewResult(Struct, forbid_unknown_fields=True):
    """What was reached and by which evidence: how many of a hundred who were trained are in work."""

    reached_on: str
    employment_percent: Annotated[int, Meta(ge=0, le=100)]
    evidence_sha256: Sha256


class ResultView(Struct):
    """A recorded result, with the hash of its evidence."""

    id: UUID
    reached_on: date
    employment_percent: int
    evidence_sha256: str


class ProjectView(Struct):
    """`result` is the latest; `confirmed` by a second person."""

    id: UUID
    item: str
    contractor: str
    district: str
    contract_number: str
    valid_from: date
    valid_to: date
    places: int
    cap_fen: int
    place_fen: int
    document_sha256: str
    confirmed: bool
    result: ResultView | None


class ProjectList(Struct):
    """`next` is the cursor of the page that follows; null on the last."""

    projects: list[ProjectView]
    next: UUID | None
