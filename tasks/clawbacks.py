"""Raises what is owed back of claims that were paid for what turned out otherwise, and counts what comes back."""

from service.clawbacks.commands.raising import raise_what_stands
from service.clawbacks.commands.repaying import settle_by_number
from service.clock import now
from service.queue import Job
from tasks.runtime import Owed, job


@job(Job.RAISE_CLAWBACK)
async def raise_clawbacks(owed: Owed) -> None:
    """What the bank has in hand stays owed until it has spoken."""
    async with owed.settle() as (tx, claim_ids):
        for claim_id in await raise_what_stands(tx, claim_ids, now()):
            owed.postpone(claim_id, "clawback.in_flight")


@job(Job.SETTLE_REPAYMENT)
async def settle_repayments(owed: Owed) -> None:
    """Each line by itself: it locks a batch, and whoever would lock two in another order stands in others' way."""
    for each in owed.jobs:
        async with Owed([each], owed.postponed).settle() as (tx, line_ids):
            for line_id in line_ids:
                await settle_by_number(tx, line_id, now())
