"""Watches over what needs a person, and says so: in the log each time, to operators once on a working day. And what
waited for a service that rested waits no longer."""

from uuid import UUID

from domain.message import DIGEST_FROM_HOUR
from service import jobs
from service.clock import SHANGHAI, now, today
from service.database import transaction
from service.logs import log
from service.messages import commands as messages
from service.operations.queries.desk import desk
from service.queue import WAITS, Job, Outside, Sweep
from service.settings import settings
from tasks.runtime import Owed, job, sweep

#: Jobs that one transaction brings forward.
PORTION = 2_000


@sweep(Sweep.WATCH)
async def watch() -> None:
    """A gateway for SMS is wanted for the messages only."""
    awake = now().astimezone(SHANGHAI).hour >= DIGEST_FROM_HOUR
    async with transaction() as tx:
        alarms = {each.code: each.count for each in (await desk(tx, None, now())).alarms}
        if alarms and awake and settings().sms_url:
            await messages.tell_operators(tx, alarms, today())
    for code, count in alarms.items():
        log.warning("alarm", code=code, count=count)


@job(Job.HURRY_WAITING)
async def hurry_waiting(owed: Owed) -> None:
    """Each portion in a transaction of its own: locks are short, and killed between two, the rest is still owed."""
    for service in Outside:
        if service.id in owed.subjects:
            for kind in WAITS[service].kinds:
                await _hurry(kind, WAITS[service].reasons)
    async with owed.settle():
        pass  # what was put off meanwhile waits a minute at most, as whatever is put off


async def _hurry(kind: Job, reasons: tuple[str, ...]) -> None:
    after = UUID(int=0)
    while True:
        async with transaction() as tx:
            hurried = await jobs.hurry_portion(tx, kind, reasons, after, PORTION)
        if len(hurried) < PORTION:
            return
        after = max(hurried)
