"""What stands against money that was paid, as far as the service knows it by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text

from domain.clawback import Cause
from domain.objection import Finding
from service.claims.tables import ClaimObjectionRow
from service.database import Tx
from service.verification.queries.rechecks import revoked_among

_REPLIES = text("""
    SELECT DISTINCT ON (claim_id) claim_id, id FROM registry_replies
     WHERE outcome = 'revoked' AND claim_id = ANY (CAST(:claims AS uuid[]))
     ORDER BY claim_id, received_at, id
""")


@dataclass(frozen=True)
class Ground:
    """`id` is of the reply that told it first, or of the objection: the same ground is raised once."""

    claim_id: UUID
    cause: Cause
    id: UUID


async def grounds_of(tx: Tx, claim_ids: Sequence[UUID]) -> list[Ground]:
    """Certificates that were revoked, and objections that were upheld, in order of their claims."""
    revoked = await revoked_among(tx, claim_ids)
    replies = await tx.execute(_REPLIES, {"claims": revoked})
    found = [Ground(row.claim_id, Cause.REVOCATION, row.id) for row in replies]
    objection = ClaimObjectionRow
    upheld = select(objection.claim_id, objection.id).where(
        objection.claim_id.in_(claim_ids), objection.finding == Finding.UPHELD
    )
    found += [Ground(row.claim_id, Cause.OBJECTION, row.id) for row in await tx.execute(upheld)]
    return sorted(found, key=lambda each: (each.claim_id, each.cause))
