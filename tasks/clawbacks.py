"""Raises what is owed back of claims that were paid for what turned out otherwise."""

from service.clawbacks.commands.raising import raise_what_stands
from service.clock import now
from service.queue import Job
from tasks.runtime import Owed, job


@job(Job.RAISE_CLAWBACK)
async def raise_clawbacks(owed: Owed) -> None:
    """What the bank has in hand stays owed until it has spoken."""
    async with owed.settle() as (tx, claim_ids):
        for claim_id in await raise_what_stands(tx, claim_ids, now()):
            owed.postpone(claim_id, "clawback.in_flight")
