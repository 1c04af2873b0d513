"""Holds the claims in flight of institutions whose penalty says so; records the credit event of a failed patrol."""

from service.clock import now
from service.database import transaction
from service.oversight.commands.crediting import credit_patrol
from service.oversight.commands.holding import hold_portion
from service.queue import Job
from tasks.runtime import Owed, job


@job(Job.HOLD_CLAIMS)
async def hold_claims(owed: Owed) -> None:
    """A transaction a portion; doubled or broken off, the next goes on."""
    for penalty_id in owed.subjects:
        more = True
        while more:
            async with transaction() as tx:
                more = await hold_portion(tx, penalty_id, now())
    async with owed.settle():
        return


@job(Job.CREDIT_PATROL)
async def credit_patrols(owed: Owed) -> None:
    """Each with its job, in one transaction."""
    async with owed.settle() as (tx, patrols):
        for patrol_id in patrols:
            await credit_patrol(tx, patrol_id, now())
