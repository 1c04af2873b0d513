"""The sweep that counts what was paid, for the first page."""

from service.clock import now, today
from service.database import transaction
from service.queue import Sweep
from service.statistics.commands import keep_paid_count
from tasks.runtime import sweep


@sweep(Sweep.COUNT_PAID)
async def count_paid() -> None:
    """Doubled, it keeps the same count twice."""
    async with transaction() as tx:
        await keep_paid_count(tx, today(), now())
