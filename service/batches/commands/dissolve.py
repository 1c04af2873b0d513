"""Give a batch up before it is released: its claims become payable again."""

from datetime import datetime
from uuid import UUID

from domain.actor import Actor, Post
from domain.batch import BATCH_LIFECYCLE, AttemptAction, AttemptStatus, BatchAction
from domain.claim import ClaimAction
from service.batches.commands.moves import BATCHES, move_attempts, move_claims
from service.batches.queries import attempts_in, locked_batch, view_of
from service.batches.schemas import BatchView
from service.database import Tx
from service.journal import By, move


async def dissolve_batch(tx: Tx, me: Actor, batch_id: UUID, reason: str, now: datetime) -> BatchView:
    """Void every attempt of a batch not yet released. Conflict `wrong_status` afterwards, NotFound elsewhere."""
    me.must_hold(Post.MAKER, Post.CHECKER, Post.RELEASER)
    batch = await locked_batch(tx, batch_id, me)
    post = next(post for post in (Post.MAKER, Post.CHECKER, Post.RELEASER) if me.holds(post))
    by = By.actor(me, post, now)
    await move(tx, BATCHES, BATCH_LIFECYCLE, BatchAction.DISSOLVE, batch.id, by, reason=reason)
    prepared = await attempts_in(tx, batch.id, AttemptStatus.PREPARED)
    await move_attempts(tx, AttemptAction.VOID, [each.id for each in prepared], by)
    await move_claims(tx, ClaimAction.UNBATCH, [each.claim_id for each in prepared], by)
    return await view_of(tx, batch.id)
