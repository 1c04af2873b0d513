"""Checks by hand: what they settle for claims, and how they are shown."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text

from domain.actor import Actor
from domain.errors import NotFound
from domain.manual_check import Finding, How, must_be_genuine
from domain.verification import Outcome
from service.claims.queries.views import visible_to
from service.claims.tables import ClaimRow
from service.database import Tx
from service.gateways.file_store import content_of
from service.verification.schemas import ManualCheckList, ManualCheckView
from service.verification.tables import CheckEvidenceRow, ManualCheckRow
from service.wording import words

# What the registry said last, and what persons found last: both only of the claim as it was last corrected, and a
# revocation that became known later than a check by hand is not covered by it. The guard of the database agrees.
STANDING = text("""
    SELECT c.id, reply.outcome,
           coalesce(hand.genuine AND NOT EXISTS (
             SELECT FROM registry_replies r
              WHERE r.claim_id = c.id AND r.outcome = 'revoked' AND r.received_at > hand.checked_at), false)
           AS by_hand
      FROM claims c
      LEFT JOIN LATERAL (
           SELECT max(corrected_at) AS at FROM claim_corrections WHERE claim_id = c.id) AS mended ON true
      LEFT JOIN LATERAL (
           SELECT r.outcome FROM registry_replies r
            WHERE r.claim_id = c.id AND r.received_at >= coalesce(mended.at, '-infinity')
            ORDER BY r.received_at DESC, r.id LIMIT 1) AS reply ON true
      LEFT JOIN LATERAL (
           SELECT m.finding = 'genuine' AND coalesce(m.second_finding = 'genuine', true) AS genuine, m.checked_at
             FROM manual_checks m
            WHERE m.claim_id = c.id AND m.checked_at >= coalesce(mended.at, '-infinity')
              AND (NOT m.needs_second OR m.second_at IS NOT NULL)
            ORDER BY m.checked_at DESC, m.id LIMIT 1) AS hand ON true
     WHERE c.id = ANY (CAST(:claims AS uuid[])) AND c.kind = 'training'  -- no other has a certificate
""")


async def checked_by_hand(tx: Tx, claim_ids: Collection[UUID]) -> frozenset[UUID]:
    """Those of `claim_ids` whose certificate persons checked, whatever they found, and that is settled."""
    row = ManualCheckRow
    settled = ~row.needs_second | row.second_at.is_not(None)
    found = await tx.execute(select(row.claim_id).where(row.claim_id.in_(claim_ids), settled).distinct())
    return frozenset(found.scalars())


async def genuine_by_hand(tx: Tx, claim_ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of `claim_ids` whose certificate persons found to be genuine, and nothing since says otherwise."""
    rows = await tx.execute(STANDING, {"claims": list(claim_ids)})
    return frozenset(row.id for row in rows if row.by_hand)


async def must_stand(tx: Tx, claim_id: UUID) -> None:
    """Conflict `manual_check.needed` for a claim whose certificate neither the registry nor persons found."""
    row = (await tx.execute(STANDING, {"claims": [claim_id]})).one_or_none()
    if row is not None:
        must_be_genuine(Outcome(row.outcome) if row.outcome else None, by_hand=row.by_hand)


async def list_checks(tx: Tx, me: Actor, claim_id: UUID) -> ManualCheckList:
    """The checks of a claim that `me` may see. NotFound `claim.not_found`."""
    await _must_see(tx, me, claim_id)
    row = ManualCheckRow
    asked = select(row.__table__).where(row.claim_id == claim_id).order_by(row.checked_at.desc(), row.id)
    return ManualCheckList([_view(each) for each in await tx.execute(asked)])


async def check_view(tx: Tx, check_id: UUID) -> ManualCheckView:
    """A check that the caller made or confirmed."""
    return _view((await tx.execute(select(ManualCheckRow.__table__).where(ManualCheckRow.id == check_id))).one())


async def evidence(tx: Tx, me: Actor, claim_id: UUID, sha256: str) -> tuple[str, bytes]:
    """Media type and bytes. NotFound `claim.not_found`, `document.none`."""
    await _must_see(tx, me, claim_id)
    row, digest = CheckEvidenceRow, _digest(sha256)
    asked = select(row.media_type).where(row.claim_id == claim_id, row.sha256 == digest)
    media_type = (await tx.execute(asked)).scalar_one_or_none()
    if media_type is None:
        raise NotFound("document.none")
    return media_type, await content_of(tx, digest)


def _digest(sha256: str) -> bytes:
    try:
        return bytes.fromhex(sha256)
    except ValueError:
        raise NotFound("document.none") from None


async def _must_see(tx: Tx, me: Actor, claim_id: UUID) -> None:
    asked = select(ClaimRow.id).where(ClaimRow.id == claim_id, visible_to(me))
    if (await tx.execute(asked)).one_or_none() is None:
        raise NotFound("claim.not_found")


def _view(row: Row[Any]) -> ManualCheckView:
    is_open = row.needs_second and row.second_at is None
    agreed = row.finding if row.second_finding in (None, row.finding) else None
    state = "open" if is_open else agreed or "differs"
    return ManualCheckView(
        id=row.id,
        claim_id=row.claim_id,
        finding=Finding(row.finding),
        how=How(row.how),
        how_name=words(f"manual_check_how.{row.how}"),
        note=row.note,
        evidence_sha256=row.evidence_sha256.hex(),
        checked_at=row.checked_at,
        open=is_open,
        second_finding=Finding(row.second_finding) if row.second_finding else None,
        second_at=row.second_at,
        genuine=None if is_open else agreed == Finding.GENUINE,
        message=words(f"manual_check.{state}"),
    )
