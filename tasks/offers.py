"""Offers are prepared from results and from the registry's files, and end when nobody can confirm them any more."""

from uuid import UUID

from service.clock import now, today
from service.database import transaction
from service.offers.commands import expire_portion, prepare_from_files, prepare_portion
from service.offers.queries import BEGINNING, NOBODY, Place
from service.queue import Sweep
from tasks.runtime import sweep


@sweep(Sweep.PREPARE_OFFERS)
async def prepare_offers() -> None:
    """Look at every certificate that nobody claims for, in results and in the registry's files, a transaction a
    portion."""
    result: Place | None = BEGINNING
    while result is not None:
        async with transaction() as tx:
            result = await prepare_portion(tx, result, today(), now())
    entry: UUID | None = NOBODY
    while entry is not None:
        async with transaction() as tx:
            entry = await prepare_from_files(tx, entry, today(), now())


@sweep(Sweep.EXPIRE_OFFERS)
async def expire_offers() -> None:
    """A transaction a portion."""
    more = True
    while more:
        async with transaction() as tx:
            more = await expire_portion(tx, today(), now())
