"""Risk signals: the day's run is asked for, runs are done, and claims are held for what they found."""

from service.clock import now, today
from service.database import transaction
from service.oversight.commands import signalling
from service.queue import Job, Sweep
from tasks.runtime import Owed, job, sweep


@sweep(Sweep.ASK_SIGNALS)
async def ask_signals() -> None:
    """The run of this day, the first time it is looked for."""
    async with transaction() as tx:
        await signalling.ask_nightly(tx, today(), now())


@job(Job.RUN_SIGNALS)
async def run_signals(owed: Owed) -> None:
    """Everything that a run found, or nothing of it, stands at its end."""
    more = True
    while more:
        async with transaction() as tx:
            more = await signalling.index_portion(tx)
    async with owed.settle() as (tx, run_ids):
        for run_id in run_ids:
            await signalling.do_run(tx, run_id, now())


@job(Job.HOLD_SIGNALLED)
async def hold_signalled(owed: Owed) -> None:
    """A transaction a portion; doubled or broken off, the next goes on."""
    for finding_id in owed.subjects:
        more = True
        while more:
            async with transaction() as tx:
                more = await signalling.hold_portion(tx, finding_id, now())
    async with owed.settle():
        return
