"""Certificates that are to be asked about again, and those of which a revocation stands."""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import text

from domain.claim import ClaimStatus
from domain.verification import Outcome
from service.database import Tx
from service.verification.queries.manual import STANDING

#: Of these a registry is asked once more. In review are those that an appeal brought back.
ASKED_AGAIN = (
    *(ClaimStatus.IN_REVIEW, ClaimStatus.VERIFIED, ClaimStatus.APPROVED, ClaimStatus.NOTICED, ClaimStatus.PAYABLE),
    *(ClaimStatus.BATCHED, ClaimStatus.BOUNCED, ClaimStatus.PAID),
)
#: Claims that are owed in one sweep.
PORTION = 20_000

# A claim of which the asking is owed already, or that was asked about since, is left.
_DUE = text("""
    SELECT c.id
      FROM districts d
     CROSS JOIN LATERAL (
           SELECT id, kind FROM claims WHERE district = d.code AND status = ANY (CAST(:statuses AS text[]))
            UNION ALL
           SELECT id, kind FROM claims WHERE district = d.code AND status = 'paid' AND filed_on >= :paid_since) AS c
     WHERE c.kind = 'training'
       AND NOT EXISTS (SELECT FROM registry_replies r WHERE r.claim_id = c.id AND r.received_at > :asked_before)
       AND NOT EXISTS (SELECT FROM jobs j WHERE j.kind = :kind AND j.subject = c.id AND j.state = 'ready')
     LIMIT :portion
""")
_REVOKED = text("""
    SELECT DISTINCT claim_id FROM registry_replies
     WHERE outcome = 'revoked' AND claim_id = ANY (CAST(:claims AS uuid[]))
""")


async def due_again(tx: Tx, kind: str, paid_since: date, asked_before: datetime) -> list[UUID]:
    """A portion of the claims on their way to the money, and of paid ones filed since, last asked about before."""
    statuses = (ClaimStatus.APPROVED, ClaimStatus.NOTICED, ClaimStatus.PAYABLE)
    asked = {"kind": kind, "paid_since": paid_since, "asked_before": asked_before, "portion": PORTION}
    return list((await tx.execute(_DUE, {**asked, "statuses": [str(each) for each in statuses]})).scalars())


async def revoked_among(tx: Tx, claim_ids: Sequence[UUID]) -> list[UUID]:
    """Those of `claim_ids` whose certificate the registry says is revoked, and no person found otherwise since."""
    named = (await tx.execute(_REVOKED, {"claims": list(claim_ids)})).scalars().all()
    if not named:
        return []  # nearly always
    rows = await tx.execute(STANDING, {"claims": list(named)})
    return sorted(row.id for row in rows if row.outcome == Outcome.REVOKED and not row.by_hand)
