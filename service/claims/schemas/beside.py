"""What an officer sees beside a claim: who claims, which claims are near it, which money it would be held from."""

from datetime import datetime
from uuid import UUID

from msgspec import Struct

from service.claims.schemas.care import ReasonCode


class NewUnmasking(Struct, forbid_unknown_fields=True):
    """`why`: a code of the list `unmask.…`."""

    why: ReasonCode


class UnmaskedView(Struct):
    """Until when I see who claims in clear; what is seen is told by `/api/claims/{claim_id}/claimant` alone."""

    claim_id: UUID
    until: datetime


class ClaimantView(Struct, kw_only=True):
    """Who claims: masked, and in clear until `in_clear_until` for whoever gave a reason. `holder_agrees`: the account
    is in the claimant's own name."""

    name: str
    id_number: str
    phone: str | None
    age: int
    sex_name: str
    group: str
    account_tail: str
    bank_code: str
    holder_agrees: bool
    in_clear_until: datetime | None


class SimilarClaim(Struct, kw_only=True):
    """A claim near another: of the same `person`, `card`, `phone` or `class`."""

    id: UUID
    why: str
    why_name: str
    claimant: str
    item_name: str
    level_name: str
    status: str
    status_name: str


class ClaimMoney(Struct):
    """The fund that would pay, and what is free in it for the claim's district."""

    fund_name: str
    free_fen: int
