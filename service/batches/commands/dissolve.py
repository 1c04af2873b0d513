"""Give a batch up before anything of it is sent: its claims become payable again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import update

from domain.actor import Actor, Post
from domain.batch import BATCH_LIFECYCLE, STOPPABLE, AttemptAction, BatchAction, BatchStatus
from domain.claim import ClaimAction
from domain.errors import Conflict, Invalid
from service.batches.commands.moves import BATCHES, move_attempts, move_claims
from service.batches.queries import Batch, attempts_in, locked_batch, view_of
from service.batches.schemas import BatchView, Rejection
from service.batches.tables import TreasuryTransferRow
from service.database import Tx
from service.journal import By, move, record
from service.wording import wording


async def dissolve_batch(tx: Tx, me: Actor, batch_id: UUID, reason: str, now: datetime) -> BatchView:
    """Void every attempt of a batch of which nothing is sent. Conflict `wrong_status`, `batch.past_no_return`
    afterwards, NotFound elsewhere."""
    me.must_hold(Post.MAKER, Post.CHECKER, Post.RELEASER)
    batch = await locked_batch(tx, batch_id, me)
    post = next(post for post in (Post.MAKER, Post.CHECKER, Post.RELEASER) if me.holds(post))
    await give_up(tx, batch, BatchAction.DISSOLVE, By.actor(me, post, now), reason)
    return await view_of(tx, batch.id)


async def reject_batch(tx: Tx, me: Actor, batch_id: UUID, rejection: Rejection, now: datetime) -> BatchView:
    """A checker or releaser says no, and why: the maker sees it with the batch.

    Invalid `rejecting.reason` for a reason that is not of the list; refusals as for `dissolve_batch`.
    """
    me.must_hold(Post.CHECKER, Post.RELEASER)
    if f"rejection.{rejection.code}" not in wording():
        raise Invalid("rejecting.reason", field="code", unknown=[rejection.code])
    batch = await locked_batch(tx, batch_id, me)
    by = By.actor(me, Post.CHECKER if me.holds(Post.CHECKER) else Post.RELEASER, now)
    await give_up(tx, batch, BatchAction.REJECT, by, f"{rejection.code} {rejection.note}".strip())
    return await view_of(tx, batch.id)


async def give_up(tx: Tx, batch: Batch, action: BatchAction, by: By, reason: str) -> int:
    """End a locked batch by DISSOLVE or REJECT; how many claims are payable again.

    Money that the treasury has transferred for it stays at the bank: its row is kept, marked as carried over.
    """
    BATCH_LIFECYCLE.after(BatchStatus(batch.status), action)
    attempts = await attempts_in(tx, batch.id)
    if any(each.status not in STOPPABLE for each in attempts):
        raise Conflict("batch.past_no_return", number=batch.number)
    await move(tx, BATCHES, BATCH_LIFECYCLE, action, batch.id, by, reason=reason)
    await move_attempts(tx, AttemptAction.VOID, [each.id for each in attempts], by, reason=reason)
    await move_claims(tx, ClaimAction.UNBATCH, [each.claim_id for each in attempts], by, reason=reason)
    await _carry_over(tx, batch, by)
    return len(attempts)


async def _carry_over(tx: Tx, batch: Batch, by: By) -> None:
    row = TreasuryTransferRow
    kept = await tx.execute(
        update(row).where(row.batch_id == batch.id).values(carried_over_at=by.at).returning(row.batch_id)
    )
    noted = {"carried_over_at": by.at.isoformat()}
    await record(tx, "treasury_transfer", list(kept.scalars()), "carry_over", by, [noted] * kept.rowcount)
