"""异议: a trainee objects to money that an institution was paid for in their name."""

from enum import StrEnum

from domain.claim import Channel, ClaimStatus
from domain.errors import Conflict


class Ground(StrEnum):
    """Why the institution should not have claimed: the mandate was taken back, or the trainee says there was none."""

    REVOKED = "revoked"
    NEVER_GIVEN = "never_given"


class Finding(StrEnum):
    """What the review finds. Upheld, the money is owed back (`domain.clawback`)."""

    UPHELD = "upheld"
    NOT_UPHELD = "not_upheld"


def check_may_object(channel: Channel, status: ClaimStatus, ground: Ground, *, revoked: bool) -> None:
    """Conflict `objection.own_filing`, `objection.not_paid` (before that, revoking the mandate stops the claim), and
    `objection.mandate_stands` for a mandate that was not taken back."""
    if channel != Channel.INSTITUTION:
        raise Conflict("objection.own_filing")
    if status != ClaimStatus.PAID:
        raise Conflict("objection.not_paid", status=status)
    if ground == Ground.REVOKED and not revoked:
        raise Conflict("objection.mandate_stands")
