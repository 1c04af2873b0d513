"""Who has handled my claims, and who has looked at what is masked: for the claimant."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from domain.actor import Actor
from service.claims.tables import ClaimRow
from service.database import Tx
from service.journal import JournalRow

#: What the journal calls a look at somebody's whole number, and the claims that it was about.
UNMASKING = "claim_unmasking"
HANDLED_MAX = 200


class Handled(NamedTuple):
    """Somebody in `post` did `action` to a claim of mine; `looked`: they read what is masked, because of `reason`."""

    at: datetime
    claim_id: UUID
    post: str
    action: str
    looked: bool
    reason: str


async def handled_by_others(tx: Tx, me: Actor) -> list[Handled]:
    """The latest first; what I did myself and what machines did is left out."""
    row, claim = JournalRow, ClaimRow
    asked = (
        select(row.at, claim.id, row.actor_name, row.action, row.subject_kind == UNMASKING, row.reason)
        .join(claim, claim.id == row.subject_id)
        .where(claim.person_id == me.person_id, row.subject_kind.in_(("claim", UNMASKING)))
        .where(row.actor_person_id.is_not(None), row.actor_person_id != me.person_id)
        .order_by(row.id.desc())
        .limit(HANDLED_MAX)
    )
    return [Handled(*each) for each in await tx.execute(asked)]
