"""Employment contracts as JSON. Views hold masked values only."""

from datetime import date
from uuid import UUID

from msgspec import Struct


class NewEmployee(Struct, forbid_unknown_fields=True):
    name: str
    id_number: str
    phone: str | None = None


class NewContract(Struct, forbid_unknown_fields=True):
    """`valid_to` null: of no fixed term. `document_sha256` is that of the signed paper."""

    employee: NewEmployee
    number: str
    signed_on: str
    valid_from: str
    document_sha256: str
    valid_to: str | None = None


class ContractView(Struct):
    """`employee` is masked."""

    id: UUID
    employee: str
    enterprise: str
    signed_on: date
    valid_from: date
    valid_to: date | None


class ContractList(Struct):
    """`next` is the cursor of the page that follows; null on the last."""

    contracts: list[ContractView]
    next: UUID | None
