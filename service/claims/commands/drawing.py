"""What every approval leaves: the draw that says whether another person must look at it again."""

import secrets
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from domain.actor import Actor
from domain.second_review import Approved, Sampling, certainly, grounds
from service.claims.tables import ClaimApprovalRow
from service.database import Tx
from service.policies.queries import parameters

# A certificate that a person, and no registry, vouched for: it was checked by hand, or somebody moved the claim on.
_FACTS = text("""
    SELECT c.id, c.district, c.filed_on, c.amount_fen,
           EXISTS (SELECT FROM journal j
                    WHERE j.subject_kind = 'claim' AND j.subject_id = c.id AND j.action = 'verify'
                      AND j.actor_person_id IS NOT NULL)
           OR EXISTS (SELECT FROM manual_checks m WHERE m.claim_id = c.id) AS manual,
           coalesce((SELECT a.finding = 'overturned' FROM claim_approvals a
                      WHERE a.claim_id = c.id ORDER BY a.id DESC LIMIT 1), false) AS overturned
      FROM claims c
     WHERE NOT EXISTS (SELECT FROM claim_approvals a
                        WHERE a.claim_id = c.id AND a.why <> '{}' AND a.finding IS NULL)
       AND c.id = ANY (CAST(:ids AS uuid[])) ORDER BY c.id
""")


async def draw(tx: Tx, me: Actor, claim_ids: Sequence[UUID], today: date, now: datetime) -> int:
    """Keep that `me` approves these claims, and draw which another person must look at again; how many those are.

    In the transaction that approves them, with a seed that nobody can have known before. A claim that was questioned
    before the other person came to it still waits for them.
    """
    sampling, seed = await sampling_on(tx, today), secrets.token_bytes(32)
    signed = {"approved_by": me.user_id, "approved_person": me.person_id, "approved_at": now}
    kept = {"seed": seed, "percent": sampling.percent, "from_fen": sampling.from_fen, **signed}
    rows = [
        {"claim_id": each.claim_id, **place, "why": grounds(each, sampling, seed), **kept}
        for each, place in await _approved(tx, claim_ids)
    ]
    if rows:
        await tx.execute(insert(ClaimApprovalRow).values(rows))
    return len(claim_ids) - sum(not row["why"] for row in rows)


async def surely_again(tx: Tx, claim_ids: Sequence[UUID], today: date) -> int:
    """How many of these another person must look at again, whatever is drawn."""
    sampling = await sampling_on(tx, today)
    surely_not = sum(not certainly(each, sampling) for each, _ in await _approved(tx, claim_ids))
    return len(claim_ids) - surely_not


async def sampling_on(tx: Tx, today: date) -> Sampling:
    """Where a city has set neither, nothing is drawn and no amount is large."""
    policy = await parameters(tx, today)
    return Sampling(policy.get("second_review_percent", 0), policy.get("second_review_from_fen"))


async def _approved(tx: Tx, claim_ids: Collection[UUID]) -> list[tuple[Approved, dict[str, Any]]]:
    """Each with where it stands in the lists of work."""
    rows = await tx.execute(_FACTS, {"ids": list(claim_ids)})
    return [
        (
            Approved(row.id, row.amount_fen, manual=row.manual, overturned=row.overturned),
            {"district": row.district, "filed_on": row.filed_on},
        )
        for row in rows
    ]
