"""The sweep that counts what was paid and how long it took: pages for everybody read what was counted."""

from service.clock import now, today
from service.database import transaction
from service.queue import Sweep
from service.statistics.commands import keep_lists_of_a_batch, keep_paid_count, keep_step_count
from service.statistics.queries.step_counts import months_to_count
from tasks.runtime import sweep

#: Batches that are counted in one go; the others wait for the next.
_BATCHES_AT_ONCE_MAX = 50


@sweep(Sweep.COUNT_PAID)
async def count_paid() -> None:
    """Doubled, it keeps the same count twice."""
    async with transaction() as tx:
        await keep_paid_count(tx, today(), now())
        months = await months_to_count(tx, today())
    for month in months:
        async with transaction() as tx:
            await keep_step_count(tx, month, today(), now())
    for _ in range(_BATCHES_AT_ONCE_MAX):
        async with transaction() as tx:
            if not await keep_lists_of_a_batch(tx):
                break
