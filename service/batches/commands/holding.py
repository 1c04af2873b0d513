"""Stop a whole batch before anything of it is sent, and let it go on by another person's word."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from domain.actor import Actor, Post
from domain.batch import STOPPABLE, BatchStatus
from domain.errors import Conflict, Forbidden, Invalid
from service.batches.queries import live_hold, locked_batch, statuses_in, view_of
from service.batches.schemas import BatchView, NewBatchHold
from service.batches.tables import BatchHoldRow
from service.database import Tx
from service.jobs import hurry
from service.journal import By, record
from service.queue import Job
from service.wording import wording

_SIGNERS = (Post.MAKER, Post.CHECKER, Post.RELEASER)
_LIFTERS = (Post.CHECKER, Post.RELEASER)
_ENDED = (BatchStatus.SENT, BatchStatus.SETTLED, BatchStatus.NOT_RECEIVED, BatchStatus.DISSOLVED)


async def hold_batch(tx: Tx, me: Actor, batch_id: UUID, new: NewBatchHold, now: datetime) -> BatchView:
    """Nobody signs the batch and nothing of it is sent until the hold is lifted; it may be given up meanwhile.

    Invalid `holding.reason` for a reason that is not of the list; NotFound `batch.not_found`; Conflict
    `batch.past_no_return` once anything is sending, `wrong_status` for a batch that has ended, `batch.held`.
    """
    me.must_hold(*_SIGNERS)
    if f"batch_hold.{new.code}" not in wording():
        raise Invalid("holding.reason", field="code", unknown=[new.code])
    batch = await locked_batch(tx, batch_id, me)
    if batch.status in _ENDED:
        raise Conflict("wrong_status", noun="batch", status=batch.status, action="hold")
    if not STOPPABLE.issuperset(await statuses_in(tx, batch.id)):
        raise Conflict("batch.past_no_return", number=batch.number)
    if await live_hold(tx, batch.id) is not None:
        raise Conflict("batch.held", number=batch.number)
    hold_id = uuid4()
    placed = {"placed_by": me.user_id, "placed_person": me.person_id, "placed_at": now}
    await tx.execute(
        insert(BatchHoldRow).values(id=hold_id, batch_id=batch.id, code=new.code, note=new.note, **placed)
    )
    by = By.actor(me, next(post for post in _SIGNERS if me.holds(post)), now)
    noted = {"batch_id": str(batch.id), "code": new.code}
    await record(tx, "batch_hold", [hold_id], "hold", by, [noted], reason=f"{new.code} {new.note}".strip())
    return await view_of(tx, batch.id)


async def lift_batch(tx: Tx, me: Actor, batch_id: UUID, note: str, now: datetime) -> BatchView:
    """Let a held batch go on: a checker or releaser, and another person than held it.

    NotFound `batch.not_found`; Conflict `holding.none`; Forbidden `batch.hold_is_own`.
    """
    me.must_hold(*_LIFTERS)
    batch = await locked_batch(tx, batch_id, me)
    hold_id = await live_hold(tx, batch.id)
    if hold_id is None:
        raise Conflict("holding.none")
    row = BatchHoldRow
    if (await tx.execute(select(row.placed_person).where(row.id == hold_id))).scalar_one() == me.person_id:
        raise Forbidden("batch.hold_is_own")
    lifted = {"lifted_by": me.user_id, "lifted_person": me.person_id, "lifted_at": now, "lift_note": note}
    await tx.execute(update(row).where(row.id == hold_id).values(**lifted))
    by = By.actor(me, next(post for post in _LIFTERS if me.holds(post)), now)
    await record(tx, "batch_hold", [hold_id], "lift", by, [{"lifted_at": now.isoformat()}], reason=note)
    await hurry(tx, Job.SEND_BANK_FILE, [batch.id])
    return await view_of(tx, batch.id)
