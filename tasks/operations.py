"""Watches over what needs a person, and says so: in the log each time, to operators once on a working day."""

from domain.message import DIGEST_FROM_HOUR
from service.clock import SHANGHAI, now, today
from service.database import transaction
from service.logs import log
from service.messages import commands as messages
from service.operations.queries.desk import desk
from service.queue import Sweep
from service.settings import settings
from tasks.runtime import sweep


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
