"""The catalog as JSON."""

from datetime import date
from uuid import UUID

from msgspec import Struct


class EditionView(Struct):
    """In force from `first` to `last`, both included; `last` null: until superseded."""

    id: UUID
    year: int
    revision: int
    first: date
    last: date | None
    source_name: str
    source_sha256: str


class ItemView(Struct):
    id: UUID
    list_kind: str
    list_name: str
    serial: str
    code: str | None
    name: str
    tag: str
    industry: str


class CatalogView(Struct):
    """`edition` null: no edition is in force on that day, and there are no items."""

    edition: EditionView | None
    items: list[ItemView]
