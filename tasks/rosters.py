"""Rosters: read in a process of little means, then filed portion by portion."""

import asyncio
from uuid import UUID

from domain.errors import Invalid
from service.claims.commands.roster_lines import file_portion
from service.claims.commands.rosters import put_up, read, reject_roster
from service.claims.queries.rosters import upload_of
from service.clock import now
from service.database import transaction
from service.queue import Job
from tasks.runtime import Owed, alone, job

#: While one portion is with the database, another is read and decided.
_PORTIONS_AT_ONCE = 2


@job(Job.IMPORT_ROSTER)
async def import_rosters(owed: Owed) -> None:
    """Each file by itself; one that is no roster is rejected, and that is the end of its job."""
    for each in owed.jobs:
        own = Owed([each], owed.postponed)
        async with alone(f"read {each.subject}") as free:
            if free:
                await _import(own, each.subject)
            else:
                own.postpone(each.subject, "roster.being_read")


async def _import(owed: Owed, roster_id: UUID) -> None:
    async with transaction() as tx:
        upload = await upload_of(tx, roster_id)
    roster, refusal = None, None
    try:
        roster = await asyncio.to_thread(read, *upload) if upload else None
    except Invalid as unreadable:
        refusal = unreadable
    async with owed.settle() as (tx, still_owed):
        if still_owed and refusal:
            await reject_roster(tx, roster_id, refusal, now())
        elif still_owed and roster:
            await put_up(tx, roster_id, roster, now())


@job(Job.FILE_ROSTER)
async def file_portions(owed: Owed) -> None:
    """Each portion in a transaction of its own: killed between two, the rest is still owed."""
    free = asyncio.Semaphore(_PORTIONS_AT_ONCE)

    async def file(own: Owed) -> None:
        async with free, own.settle() as (tx, still_owed):
            for portion_id in still_owed:
                await file_portion(tx, portion_id, now())

    ended = await asyncio.gather(*(file(Owed([each])) for each in owed.jobs), return_exceptions=True)
    for failure in filter(None, ended):  # only now: the other portion came to its own end
        raise failure
