"""Offers are prepared from results, and end when nobody can confirm them any more."""

from service.clock import now, today
from service.database import transaction
from service.offers.commands import expire_portion, prepare_portion
from service.offers.queries import BEGINNING, Place
from service.queue import Sweep
from tasks.runtime import sweep


@sweep(Sweep.PREPARE_OFFERS)
async def prepare_offers() -> None:
    """Look at every result with a certificate that nobody claims for, a transaction a portion."""
    after: Place | None = BEGINNING
    while after is not None:
        async with transaction() as tx:
            after = await prepare_portion(tx, after, today(), now())


@sweep(Sweep.EXPIRE_OFFERS)
async def expire_offers() -> None:
    """A transaction a portion."""
    more = True
    while more:
        async with transaction() as tx:
            more = await expire_portion(tx, today(), now())
