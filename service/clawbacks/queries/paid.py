"""What claims have brought their payees so far: by themselves, by supplements, and less what was asked back of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.claim import DEAD
from domain.clawback import OF_AMOUNT, Paid
from service.database import Tx

_OF_AMOUNT = sorted(str(cause) for cause in OF_AMOUNT)
_PAID = text("""
    SELECT c.id, c.amount_fen AS paid_fen, coalesce(more.fen, 0)::bigint AS supplements_fen,
           coalesce(less.fen, 0)::bigint AS lowered_fen, coalesce(more.underway, false) AS underway,
           asked_back_fen(c.id) > 0 AS owed_back
      FROM claims c
      LEFT JOIN LATERAL (
           SELECT sum(s.amount_fen) AS fen,
                  bool_or(p.status IS NULL OR p.status IN ('filed', 'payable', 'batched', 'bounced')) AS underway
             FROM claim_supplements s LEFT JOIN claims p ON p.id = s.id
            WHERE s.claim_id = c.id AND p.status IS DISTINCT FROM 'withdrawn') AS more ON true
      LEFT JOIN LATERAL (
           SELECT sum(clawback_stands_fen(k)) AS fen FROM clawbacks k
            WHERE k.cause = ANY (CAST(:of_amount AS text[]))
              AND (k.claim_id = c.id OR k.claim_id IN (SELECT id FROM claim_supplements WHERE claim_id = c.id))
           ) AS less ON true
     WHERE c.id = ANY (CAST(:claims AS uuid[]))
""")
# What is left to be asked back of a claim and of its supplements that were paid: of these first, the last before the
# others, so that a claim is recovered, and another may be filed in its place, only where nothing of it stays paid.
_LEFT = text("""
    SELECT coalesce(p.supplement_of, p.id) AS claim_id, p.id,
           (p.amount_fen - coalesce((SELECT sum(clawback_stands_fen(k)) FROM clawbacks k
                                      WHERE k.claim_id = p.id), 0))::bigint AS fen
      FROM claims p
     WHERE (p.id = ANY (CAST(:claims AS uuid[])) OR p.supplement_of = ANY (CAST(:claims AS uuid[])))
       AND p.status = 'paid'
     ORDER BY p.supplement_of IS NULL, p.filed_at DESC, p.id
""")
# Supplements of claims that are no more, or of which another cause than their amount leaves nothing: by what they
# go the same way. A claim that ended without a clawback asks for itself.
_FOLLOWING = text("""
    SELECT p.id, p.supplement_of AS claim_id, p.status, coalesce(k.cause, 'recheck') AS cause,
           coalesce(k.ground_id, k.id, b.id) AS ground_id, coalesce(k.note, '') AS note
      FROM claims p JOIN claims b ON b.id = p.supplement_of
      LEFT JOIN LATERAL (
           SELECT k.id, k.cause, k.ground_id, k.note FROM clawbacks k
            WHERE k.claim_id = b.id AND k.status <> 'waived' AND k.cause <> ALL (CAST(:of_amount AS text[]))
            ORDER BY k.raised_at DESC, k.id LIMIT 1) AS k ON true
     WHERE p.supplement_of = ANY (CAST(:claims AS uuid[])) AND p.status <> ALL (CAST(:dead AS text[]))
       AND (owed_back_wholly(b)
            OR b.status = ANY (CAST(:dead AS text[])) AND (b.status <> 'recovered' OR asked_back_fen(b.id) > 0))
     ORDER BY p.supplement_of, p.id
""")


async def paid_of(tx: Tx, claim_ids: Sequence[UUID]) -> dict[UUID, Paid]:
    """What counts as paid for each claim. Whoever acts on it has locked the claims."""
    asked = {"claims": list(claim_ids), "of_amount": _OF_AMOUNT}
    return {
        row.id: Paid(row.paid_fen, row.supplements_fen, row.lowered_fen, row.underway, row.owed_back)
        for row in await tx.execute(_PAID, asked)
    }


async def left_of(tx: Tx, claim_ids: Sequence[UUID]) -> dict[UUID, list[tuple[UUID, int]]]:
    """For each claim: of which payments, its own and its supplements', how many fen may still be asked back."""
    left: dict[UUID, list[tuple[UUID, int]]] = {}
    for row in await tx.execute(_LEFT, {"claims": list(claim_ids)}):
        left.setdefault(row.claim_id, []).append((row.id, row.fen))
    return left


async def following(tx: Tx, claim_ids: Sequence[UUID]) -> Sequence[Any]:
    """The supplements that go the way of their claims: `id`, `claim_id`, `status`, and why."""
    dead = [str(status) for status in DEAD]
    return (await tx.execute(_FOLLOWING, {"claims": list(claim_ids), "dead": dead, "of_amount": _OF_AMOUNT})).all()


async def corrected_before(tx: Tx, district: str) -> list[UUID]:
    """Claims of a district on which more or less than their amount counts as paid already."""
    return list((await tx.execute(_CORRECTED, {"district": district, "of_amount": _OF_AMOUNT})).scalars())


_CORRECTED = text("""
    SELECT s.claim_id FROM claim_supplements s JOIN claims c ON c.id = s.claim_id WHERE c.district = :district
     UNION
    SELECT k.claim_id FROM clawbacks k JOIN claims c ON c.id = k.claim_id
     WHERE c.district = :district AND k.cause = ANY (CAST(:of_amount AS text[]))
""")
