"""Classes start on their first day and are finished after their last; institutions are weighed for patrols."""

from service.clock import now, today
from service.database import transaction
from service.journal import By
from service.queue import Job, Sweep
from service.training.commands.deciding import advance
from service.training.commands.weighing import weigh
from tasks.runtime import Owed, job, sweep

#: Transactions of one sweep; the rest is left to the next.
_PORTIONS_MAX = 100


@sweep(Sweep.ADVANCE_CLASSES)
async def advance_classes() -> None:
    """A transaction a portion; doubled or broken off, the next goes on."""
    for _ in range(_PORTIONS_MAX):
        async with transaction() as tx:
            if not await advance(tx, today(), By(str(Sweep.ADVANCE_CLASSES), now())):
                return


@job(Job.WEIGH)
async def weigh_institutions(owed: Owed) -> None:
    """Each weighing with its job, in one transaction."""
    async with owed.settle() as (tx, weighings):
        for weighing_id in weighings:
            await weigh(tx, weighing_id, now())
