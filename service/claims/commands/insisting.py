"""Refuse a claim in due form: stored, refused in the same step, and open to an appeal.

Only what could stand beside every live claim is stored. A claim comes into being as filed, so for one statement it
takes its places in the unique indexes (once, certificate, invoice) before refusing it gives them up: duplicates of a
live claim are refused at the door, where nothing is stored, and nobody may insist on those (`Decision.may_insist`).
"""

from datetime import datetime
from uuid import UUID

from domain.claim import ClaimAction
from service.claims.commands.moves import move_claim
from service.claims.queries.refusals import RULES
from service.database import Tx
from service.journal import By


async def refuse_at_once(tx: Tx, claim_id: UUID, now: datetime) -> None:
    """Refuse the claim that was filed a moment ago in `tx`; every reason stands in its decision."""
    by = By(RULES, now)
    await move_claim(tx, ClaimAction.REFUSE, claim_id, by, reason="not_eligible")
