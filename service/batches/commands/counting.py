"""By how many persons a batch is checked: counted alone in its district and fund, so that of two at once the second
sees the first."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from domain.batch import BatchStatus
from domain.errors import Conflict
from service.batches.queries import Batch, beside, checks_with
from service.clock import business_day
from service.database import Tx


async def counted(tx: Tx, batch: Batch, sum_fen: int, at: datetime, *, signing: bool = False) -> dict[str, Any]:
    """What is written into a locked batch about its checks, counted at this instant. The database counts the same
    (ZD216).

    `signing`: its maker signs now. Conflict `batch.series_open` while others of its opening are still put together:
    what they come to is not known.
    """
    # the same name as in the trigger `guard_batch_checks`
    alone = func.hashtextextended(f"checks of {batch.district} {batch.fund}", 0)
    await tx.execute(select(func.pg_advisory_xact_lock(alone)))
    on = business_day(at)
    others = await beside(tx, batch, on)
    if signing and any(each.same_opening and each.status == BatchStatus.OPENED for each in others):
        raise Conflict("batch.series_open")
    return await checks_with(tx, sum_fen, others, on)
