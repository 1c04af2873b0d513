"""An officer's manual check of a certificate: how it was made, when it needs a second person, and what it settles."""

from collections.abc import Collection
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from domain.claim import ClaimStatus
from domain.errors import Conflict, Forbidden
from domain.money import Fen
from domain.verification import Outcome


class Finding(StrEnum):
    """What asking by hand came to."""

    GENUINE = "genuine"
    NOT_GENUINE = "not_genuine"


class How(StrEnum):
    """The body that issued it was called, written to, or visited."""

    PHONE = "phone"
    LETTER = "letter"
    VISIT = "visit"


def needs_second(amount_fen: Fen, from_fen: Fen | None) -> bool:
    """Whether another person must confirm the same. Where no amount is set, every check is of two persons."""
    return from_fen is None or amount_fen >= from_fen


def check_may_be_made(status: ClaimStatus, filed_on: date, after_days: int | None, today: date) -> None:
    """In review, or filed and without an answer for so many days; None: then only in review.

    Conflict `wrong_status`, `manual_check.too_early` (first) while the registry is still to be waited for.
    """
    if status is ClaimStatus.IN_REVIEW:
        return
    if status is not ClaimStatus.FILED or after_days is None:
        raise Conflict("wrong_status", noun="claim", status=str(status), action="check_by_hand")
    first = filed_on + timedelta(days=after_days)
    if today < first:
        raise Conflict("manual_check.too_early", first=first.isoformat())


def check_person(person_id: UUID, claimed: Collection[UUID], checked_by: UUID | None = None) -> None:
    """Forbidden `claim.own` for the claimant and for who filed; `manual_check.same_person` for who checked first."""
    if person_id in claimed:
        raise Forbidden("claim.own")
    if person_id == checked_by:
        raise Forbidden("manual_check.same_person")


def must_be_genuine(said: Outcome | None, *, by_hand: bool) -> None:
    """Conflict `manual_check.needed` unless the registry found the certificate or persons did."""
    if said is not Outcome.FOUND and not by_hand:
        raise Conflict("manual_check.needed", registry=f"registry.{said}" if said else "registry.silent")
