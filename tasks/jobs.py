"""The sweep that repeats every nudge until its job is done."""

import asyncio

from service import jobs
from service.database import transaction
from service.queue import Sweep
from tasks.runtime import sweep


@sweep(Sweep.NUDGE_WHAT_IS_DUE)
async def nudge_what_is_due() -> None:
    """Push the leases of due jobs, then send their ids in chunks."""
    async with transaction() as tx:
        due = await jobs.take_due(tx)
    await asyncio.to_thread(jobs.send, due)
