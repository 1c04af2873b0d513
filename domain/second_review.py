"""复核: which approvals another person must confirm before they are published, and what that person may find.

The sample is drawn when a claim is approved, by a seed that did not exist before; whoever has the seed and the id of
the claim can draw again.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from domain.errors import Conflict
from domain.money import Fen


class Why(StrEnum):
    """AGAIN: an approval of the same claim was overturned before. MANUAL: its certificate was checked by a person."""

    SAMPLE = "sample"
    AMOUNT = "amount"
    MANUAL = "manual"
    AGAIN = "again"


class SecondFinding(StrEnum):
    CONFIRMED = "confirmed"
    OVERTURNED = "overturned"


@dataclass(frozen=True)
class Approved:
    """What decides about a second review of a claim that was approved."""

    claim_id: UUID
    amount_fen: Fen
    manual: bool = False
    overturned: bool = False


@dataclass(frozen=True)
class Sampling:
    """Policy of the day: `percent` of all approvals, and each of `from_fen` or more; None: no amount is large."""

    percent: int = 0
    from_fen: Fen | None = None


def is_drawn(seed: bytes, claim_id: UUID, percent: int) -> bool:
    """Whether the first four bytes of SHA-256 over the seed and the claim's 16 bytes, as one number, leave less than
    `percent` when divided by 100."""
    digest = hashlib.sha256(seed + claim_id.bytes).digest()
    return int.from_bytes(digest[:4], "big") % 100 < percent


def certainly(approved: Approved, sampling: Sampling) -> list[Why]:
    """Why another person must look again, whatever is drawn."""
    large = sampling.from_fen is not None and approved.amount_fen >= sampling.from_fen
    asked = {Why.AMOUNT: large, Why.MANUAL: approved.manual, Why.AGAIN: approved.overturned}
    return [why for why, so in asked.items() if so]


def grounds(approved: Approved, sampling: Sampling, seed: bytes) -> list[Why]:
    """Why another person must look again; empty: nobody must."""
    drawn = is_drawn(seed, approved.claim_id, sampling.percent)
    return [*([Why.SAMPLE] if drawn else []), *certainly(approved, sampling)]


def must_be_open(finding: str | None) -> None:
    """Conflict `second_review.over` for one that somebody has decided."""
    if finding is not None:
        raise Conflict("second_review.over", finding=finding)
