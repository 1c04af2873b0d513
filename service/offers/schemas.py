"""Offers as JSON."""

from datetime import date
from uuid import UUID

from msgspec import Struct

from service.claims.schemas import ClaimView
from service.claims.schemas.filing import NewAccount


class NewConfirmation(Struct, forbid_unknown_fields=True):
    """Where the money is to go, and that everything the offer says is true. `district`: where one claims, for an
    offer that names none."""

    account: NewAccount
    truth: bool
    district: str | None = None


class OfferView(Struct):
    """What would be filed, with the amount in fen as of the day it was made; `expires_on` is the last day.
    `needs_human`: once it is filed, an officer looks at it. One from the registry's file has no class and no
    district."""

    id: UUID
    item_code: str
    item_name: str
    level: str
    certificate_number: str
    certificate_issued_on: date
    class_number: str | None
    district: str | None
    amount_fen: int
    made_on: date
    expires_on: date
    status: str
    status_name: str
    claim_id: UUID | None
    needs_human: bool


class OffersView(Struct):
    """Newest first."""

    offers: list[OfferView]


class ConfirmedView(Struct):
    """The claim that was filed. `offered_fen`: the amount that was shown; the rules of today may give another."""

    id: UUID
    status: str
    offered_fen: int
    amount_differs: bool
    claim: ClaimView
