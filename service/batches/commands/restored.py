"""A backup was put back: the bank may have files that are not known here, so nothing leaves by itself."""

from datetime import datetime

from sqlalchemy import func, insert, select

from domain.batch import AttemptAction, AttemptStatus, BatchAction, BatchStatus
from service.batches.commands.dissolve import give_up
from service.batches.commands.moves import move_attempts
from service.batches.queries import locked_batch
from service.batches.schemas import RestoredView
from service.batches.tables import BATCH_NUMBERS, AttemptRow, BatchRow, RestoreRow
from service.database import Tx
from service.jobs import stop
from service.journal import By, JournalRow
from service.queue import Job

#: No more batches than this were opened between a backup and its loss.
NUMBERS_SKIPPED = 1_000

_SENDING = (Job.WRITE_BANK_FILE, Job.SEND_BANK_FILE, Job.RESEND_BANK_FILE, Job.SEND_MESSAGE)


async def mark_restored(tx: Tx, now: datetime) -> RestoredView:
    """Stop what would be sent, call unknown what was on its way, give up what was not filled yet, jump over numbers
    the bank may know; record it.

    Before workers start. What was stopped goes on when an operator wants it again, batch by batch. A batch that is
    frozen stays: its number always stands for the same lines. One that is only opened would be filled anew, under a
    number and references that the bank may know for other persons.
    """
    last = (await tx.execute(select(func.coalesce(func.max(JournalRow.id), 0)))).scalar_one()
    stopped = await stop(tx, _SENDING, "restored")
    on_its_way = select(AttemptRow.id).where(AttemptRow.status == str(AttemptStatus.SENDING))
    ids = list((await tx.execute(on_its_way)).scalars())
    by = By("zhida restored", now)
    await move_attempts(tx, AttemptAction.LOSE_SIGHT, ids, by, changes={"failure": "bank.unclear"})
    opened = await _give_up_opened(tx, by)
    skipped = select(func.max(BATCH_NUMBERS.next_value())).select_from(func.generate_series(1, NUMBERS_SKIPPED))
    serial = (await tx.execute(skipped)).scalar_one()
    facts = {"serial": serial, "jobs_stopped": stopped, "attempts_unknown": len(ids)}
    await tx.execute(insert(RestoreRow).values(restored_at=now, journal_id=last, **facts))
    return RestoredView(stopped, len(ids), opened, serial)


async def _give_up_opened(tx: Tx, by: By) -> int:
    opened = select(BatchRow.id).where(BatchRow.status == str(BatchStatus.OPENED)).order_by(BatchRow.id)
    ids = list((await tx.execute(opened)).scalars())
    for batch_id in ids:
        await give_up(tx, await locked_batch(tx, batch_id), BatchAction.DISSOLVE, by, "batch.restored")
    return len(ids)
