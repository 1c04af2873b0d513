"""The sweep that takes down notices whose period is over."""

from service.clock import now, today
from service.database import transaction
from service.notices.commands import close_portion
from service.queue import Sweep
from tasks.runtime import sweep

#: Transactions of one sweep; the rest is left to the next.
_PORTIONS_MAX = 100


@sweep(Sweep.CLOSE_NOTICES)
async def close_notices() -> None:
    """Clear the claims of closed notices, a transaction a portion; doubled or broken off, the next goes on."""
    for _ in range(_PORTIONS_MAX):
        async with transaction() as tx:
            if not await close_portion(tx, today(), now()):
                return
