"""Closes the days of accounts whose statements are in."""

from service.clock import now, today
from service.database import transaction
from service.queue import Sweep
from service.statements.commands.closing import accounts_to_close, close_what_can_be
from tasks.runtime import sweep


@sweep(Sweep.CLOSE_DAYS)
async def close_days() -> None:
    """Each account by itself, and nothing where nothing can be closed."""
    async with transaction() as tx:
        accounts = await accounts_to_close(tx, today())
    for account in accounts:
        async with transaction() as tx:
            await close_what_can_be(tx, account, now())
