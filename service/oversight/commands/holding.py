"""Claims in flight of an institution under a penalty that holds them: held with it, and let go once it is overturned.

The end of its days lets nothing go; an officer lifts what was looked into.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from domain.penalty import STANDING, InFlight, PenaltyStatus
from service.claims.commands.holds import hold_filed_by, hold_those, lift_those
from service.claims.tables import ClaimHoldRow, ClaimRow
from service.database import Tx
from service.jobs import owe
from service.journal import By
from service.oversight.tables import PenaltyHoldRow, PenaltyRow
from service.queue import Job

#: Why a claim is held, in the wording of holds.
HOLD_CODE = "penalty"
#: Claims that one transaction holds or lets go.
PORTION = 500


async def hold_portion(tx: Tx, penalty_id: UUID, now: datetime) -> bool:
    """Hold a portion of the claims in flight while the penalty stands, let them go once it was overturned; whether
    there may be more. Whoever decided or answered is named as the one for whom it is done."""
    row = PenaltyRow
    asked = select(*row.__table__.c).where(row.id == penalty_id).with_for_update(read=True)
    penalty = (await tx.execute(asked)).one()
    if penalty.status in STANDING:
        return await _hold(tx, penalty, now)
    if penalty.status == PenaltyStatus.OVERTURNED:
        return await _let_go(tx, penalty, now)
    return False


async def hold_under(tx: Tx, penalty_id: UUID, claim_ids: Sequence[UUID], by: By) -> None:
    """Hold claims that left a batch under a penalty that stands: as the others in flight, for whoever decided it."""
    row = PenaltyRow
    asked = select(row.decided_by, row.decided_person).where(row.id == penalty_id).with_for_update(read=True)
    decided = (await tx.execute(asked)).one()
    officer = By(by.name, by.at, decided.decided_by, decided.decided_person)
    holds = await hold_those(tx, officer, ClaimRow.id.in_(claim_ids), HOLD_CODE, "", len(claim_ids))
    if holds:
        await tx.execute(insert(PenaltyHoldRow), [{"hold_id": each, "penalty_id": penalty_id} for each in holds])


async def _hold(tx: Tx, penalty: Any, now: datetime) -> bool:
    by = By(str(Job.HOLD_CLAIMS), now, penalty.decided_by, penalty.decided_person)
    holds = await hold_filed_by(tx, by, penalty.institution_id, HOLD_CODE, "", PORTION)
    if holds:
        await tx.execute(insert(PenaltyHoldRow), [{"hold_id": each, "penalty_id": penalty.id} for each in holds])
    return len(holds) == PORTION


async def _let_go(tx: Tx, penalty: Any, now: datetime) -> bool:
    own, hold = PenaltyHoldRow, ClaimHoldRow
    live = select(hold.id).join(own, own.hold_id == hold.id).where(own.penalty_id == penalty.id)
    found = (await tx.execute(live.where(hold.lifted_at.is_(None)).limit(PORTION))).scalars().all()
    by = By(str(Job.HOLD_CLAIMS), now, penalty.answered_by, penalty.answered_person)
    await lift_those(tx, by, found, "")
    more = len(found) == PORTION
    if (other := await _other(tx, penalty)) is not None:
        await _hold(tx, other, now)
        if not more:
            await owe(tx, Job.HOLD_CLAIMS, other.id)
    return more


async def _other(tx: Tx, penalty: Any) -> Any:
    """Another penalty that stands and holds the institution's claims, or None. A claim is under one hold at a time,
    so what this one had held, the other must hold in the same transaction: no batch may take it in between."""
    row = PenaltyRow
    asked = select(*row.__table__.c).where(row.institution_id == penalty.institution_id, row.id != penalty.id)
    holds = asked.where(row.status.in_(STANDING), row.claims_in_flight == InFlight.HOLD)
    return (await tx.execute(holds.order_by(row.id).limit(1).with_for_update(read=True))).one_or_none()
