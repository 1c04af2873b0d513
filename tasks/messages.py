"""Reads off the journal what people are to be told, reminds them, and hands messages to the gateway."""

from functools import cache

from domain.message import DIGEST_FROM_HOUR
from service.clock import SHANGHAI, now, today
from service.database import transaction
from service.gateways.asking import new_client
from service.gateways.sms import HttpGateway, MessageGateway
from service.messages import commands
from service.messages.queries import letters
from service.queue import Job, Sweep
from service.settings import settings
from tasks.runtime import Owed, job, sweep


@sweep(Sweep.TELL)
async def tell() -> None:
    """Make messages of what happened since; without a gateway nobody is told, and nothing is kept for later."""
    await read_journal(telling=bool(settings().sms_url))
    more = bool(settings().sms_url)
    while more:
        async with transaction() as tx:
            more = await commands.demand_portion(tx)


async def read_journal(*, telling: bool) -> None:
    async with transaction() as tx:
        reading = await commands.begin_reading(tx)
    after: int | None = reading.floor if telling else None
    while after is not None:
        async with transaction() as tx:
            after = await commands.tell_portion(tx, after)
    async with transaction() as tx:
        await commands.end_reading(tx, reading)


@sweep(Sweep.REMIND)
async def remind() -> None:
    """Remind those whose correction is missing and nearly due, once."""
    more = bool(settings().sms_url)
    while more:
        async with transaction() as tx:
            more = await commands.remind_portion(tx, today())


@sweep(Sweep.TELL_OFFERS)
async def tell_offers() -> None:
    """Tell people of what they are offered, once."""
    more = bool(settings().sms_url)
    while more:
        async with transaction() as tx:
            more = await commands.offer_portion(tx, today())


@sweep(Sweep.TELL_OFFICERS)
async def tell_officers() -> None:
    """Tell officers what is due, once on a working day, and not in the night."""
    if settings().sms_url and now().astimezone(SHANGHAI).hour >= DIGEST_FROM_HOUR:
        async with transaction() as tx:
            await commands.tell_officers(tx, today())


@cache
def _gateway() -> MessageGateway:
    """One client a worker process: its connections belong to that process's loop."""
    return HttpGateway(settings().sms_url, settings().sms_token, new_client())


@job(Job.SEND_MESSAGE)
async def send_messages(owed: Owed) -> None:
    """Hand the messages over; what the gateway said nothing about stays owed."""
    await send(owed, _gateway())


async def send(owed: Owed, gateway: MessageGateway) -> None:
    """Unavailable when the gateway gave no answer at all."""
    async with transaction() as tx:
        ready, without = await letters(tx, owed.subjects)
    reply = await gateway.send(ready) if ready else None
    sent = reply.taken if reply else frozenset()
    undeliverable = {**dict.fromkeys(without, "no_number"), **(reply.refused if reply else {})}
    for each in ready:
        if each.id not in sent and each.id not in undeliverable:
            owed.postpone(each.id, "sms.unanswered")
    async with owed.settle() as (tx, ids):
        still = set(ids)
        await commands.settle(
            tx, sent & still, {each: why for each, why in undeliverable.items() if each in still}, now()
        )
