"""Take a claim out of its batch before anything is sent: to hold it, to withdraw it, or because a mandate ended.

Signatures bind what a batch holds, so one line cannot leave it: the whole batch is dissolved, and its other claims
are payable for the next. Once anything is sending, nothing is stopped any more.
"""

from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, select

from domain.actor import Actor, Post
from domain.batch import STOPPABLE, AttemptStatus, BatchAction
from domain.claim import ClaimStatus
from domain.errors import Conflict, NotFound
from service.batches.commands.dissolve import give_up
from service.batches.queries import live_attempt, locked_batch
from service.batches.schemas import HeldView, RevokedView, TakenOutView
from service.claims.commands.holds import HOLDERS, lift_hold, place_hold, post_of
from service.claims.commands.mandates import revoke_mandate
from service.claims.commands.review import withdraw_claim
from service.claims.queries.care import claimed_by, in_district
from service.claims.schemas import ClaimView, HoldView, NewHold
from service.claims.tables import ClaimRow
from service.database import Tx
from service.journal import By
from service.notices.commands import clear_freed

_WITH_A_BATCH = (ClaimStatus.BATCHED, ClaimStatus.PAID)


async def hold(tx: Tx, me: Actor, claim_id: UUID, new: NewHold, now: datetime) -> HeldView:
    """Hold a claim, and dissolve the batch it stands in.

    Conflict `claim.past_no_return` when its money is paid or on its way; otherwise refusals as for `place_hold`.
    """
    me.must_hold(*HOLDERS)
    if not await _is_there(tx, claim_id, in_district(me)):
        raise NotFound("claim.not_found")
    dissolved = await take_out(tx, claim_id, post_of(me, now), "batch.claim_held")
    placed = await place_hold(tx, me, claim_id, new, now)
    return HeldView(**msgspec.structs.asdict(placed), dissolved=dissolved)


async def lift(tx: Tx, me: Actor, claim_id: UUID, note: str, today: date, now: datetime) -> HoldView:
    """Let a held claim go on, also to the money when its notice was over meanwhile; refusals as for `lift_hold`."""
    lifted = await lift_hold(tx, me, claim_id, note, now)
    await clear_freed(tx, claim_id, today, post_of(me, now))
    return lifted


async def withdraw(tx: Tx, me: Actor, claim_id: UUID, note: str, now: datetime) -> ClaimView:
    """Withdraw a claim, out of its batch where it stands in one.

    Conflict `claim.past_no_return` when its money is paid or on its way; otherwise refusals as for `withdraw_claim`.
    """
    if not await _is_there(tx, claim_id, claimed_by(me)):
        raise NotFound("claim.not_found")
    post = Post.CLERK if me.holds(Post.CLERK) else Post.TRAINEE
    await take_out(tx, claim_id, By.actor(me, post, now), "batch.claim_withdrawn")
    return await withdraw_claim(tx, me, claim_id, note, now)


async def revoke(tx: Tx, me: Actor, mandate_id: UUID, note: str, today: date, now: datetime) -> RevokedView:
    """Take back a mandate in one's own name and withdraw the claims under it, as far as their money has not left.

    What is paid or on its way is only named: once it is paid, the trainee may object. Refusals: `revoke_mandate`.
    """
    withdrawn, past = [], []
    for claim_id in await revoke_mandate(tx, me, mandate_id, note, today, now):
        try:
            await withdraw(tx, me, claim_id, "mandate.revoked", now)
            withdrawn.append(claim_id)
        except Conflict as refusal:
            if refusal.code != "claim.past_no_return":
                raise
            past.append(claim_id)
    return RevokedView(mandate_id, today, withdrawn, past)


async def _is_there(tx: Tx, claim_id: UUID, scope: ColumnElement[bool]) -> bool:
    asked = select(ClaimRow.id).where(ClaimRow.id == claim_id, scope)
    return (await tx.execute(asked)).one_or_none() is not None


async def take_out(tx: Tx, claim_id: UUID, by: By, reason: str) -> TakenOutView | None:
    """Dissolve the batch that a claim stands in; None where it stands in none. The claim is locked afterwards.

    The batch is locked before its claim, as by whoever changes a batch. Conflict `busy` when the claim went into a
    batch between the two.
    """
    paying = await live_attempt(tx, claim_id)
    batch = await locked_batch(tx, paying.batch_id) if paying else None
    status = await tx.execute(select(ClaimRow.status).where(ClaimRow.id == claim_id).with_for_update())
    standing = ClaimStatus(status.scalar_one())
    if standing not in _WITH_A_BATCH:
        return None
    paying = await live_attempt(tx, claim_id)
    if batch is None or paying is None or paying.batch_id != batch.id:
        raise Conflict("busy")
    if AttemptStatus(paying.status) not in STOPPABLE:
        raise Conflict("claim.past_no_return", number=batch.number)
    freed = await give_up(tx, batch, BatchAction.DISSOLVE, by, reason)
    return TakenOutView(batch.id, batch.number, freed - 1)
