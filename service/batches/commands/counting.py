"""By how many persons a batch is checked: counted alone in its district and fund, so that of two at once the second
sees the first."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from domain.batch import BatchStatus
from domain.batch_checks import Beside
from domain.errors import Conflict
from service.batches.queries import Batch, beside, checks_with
from service.clock import business_day
from service.database import Tx


async def counted(tx: Tx, batch: Batch, sum_fen: int, at: datetime, *, signing: bool = False) -> dict[str, Any]:
    """What is written into a locked batch about its checks, counted at this instant. The database counts the same
    (ZD216).

    `signing`: its maker signs now. Conflict `batch.others_open` while others of its district and fund are still put
    together: what they come to is not known, and who signed first would be checked by fewer.
    """
    # the same name as in the trigger `guard_batch_checks`
    alone = func.hashtextextended(f"checks of {batch.district} {batch.fund}", 0)
    await tx.execute(select(func.pg_advisory_xact_lock(alone)))
    on = business_day(at)
    others = await beside(tx, batch, on)
    if signing:
        _must_be_known(others)
    return await checks_with(tx, sum_fen, others, on)


async def must_be_countable(tx: Tx, batch: Batch, at: datetime) -> None:
    """Before much is looked up for a signature: what `counted` would refuse now."""
    _must_be_known(await beside(tx, batch, business_day(at)))


def _must_be_known(others: Iterable[Beside]) -> None:
    if any(each.status == BatchStatus.OPENED for each in others):
        raise Conflict("batch.others_open")
