"""What follows a payment: what is owed back of it is raised, and what is owed still is paid."""

from service.clawbacks.commands.raising import raise_what_stands
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


@job(Job.PAY_SUPPLEMENT)
async def pay(owed: Owed) -> None:
    """What its fund has no money for, or whose claim's money came back, stays owed."""
    async with owed.settle() as (tx, supplement_ids):
        for supplement_id, why in (await pay_supplements(tx, supplement_ids, now())).items():
            owed.postpone(supplement_id, why, LOOK_AGAIN_SECONDS)
