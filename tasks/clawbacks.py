"""What follows a payment: what is owed back of it is raised and counted as it comes, what is owed still is paid."""

from service.clawbacks.commands.raising import raise_what_stands
from service.clawbacks.commands.repaying import settle_by_number
from service.clawbacks.commands.supplementing import LOOK_AGAIN_SECONDS, pay_supplements
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


@job(Job.PAY_SUPPLEMENT)
async def pay(owed: Owed) -> None:
    """What its fund has no money for, or whose claim's money came back, stays owed."""
    async with owed.settle() as (tx, supplement_ids):
        for supplement_id, why in (await pay_supplements(tx, supplement_ids, now())).items():
            owed.postpone(supplement_id, why, LOOK_AGAIN_SECONDS)
