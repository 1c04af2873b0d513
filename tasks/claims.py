"""The sweeps that keep the filing figures short to read, end claims that nobody corrected in time, and forget what
was typed and not sent."""

from service.access.commands import forget_brakes, forget_forms
from service.claims.commands import drafts
from service.claims.commands.sending_back import lapse_portion
from service.claims.commands.tally import fold_tally as fold
from service.clock import now, today
from service.database import transaction
from service.queue import Sweep
from tasks.runtime import sweep

#: Changes folded in one transaction.
_FOLDED_MAX = 10_000


@sweep(Sweep.FOLD_TALLY)
async def fold_tally() -> None:
    """Fold what was appended, a transaction a portion; what comes meanwhile is left for the next time."""
    more = True
    while more:
        async with transaction() as tx:
            more = await fold(tx, _FOLDED_MAX) == _FOLDED_MAX


@sweep(Sweep.LAPSE_SENT_BACK)
async def lapse_sent_back() -> None:
    """Let claims lapse whose day for corrections is past, a transaction a portion."""
    more = True
    while more:
        async with transaction() as tx:
            more = await lapse_portion(tx, today(), now())


@sweep(Sweep.FORGET_DRAFTS)
async def forget_drafts() -> None:
    """Forget what somebody began to fill in and did not touch for a week, what nobody came back to send after their
    session ended, and wrong passwords of the past."""
    async with transaction() as tx:
        await drafts.forget_drafts(tx, now())
        await forget_forms(tx)
        await forget_brakes(tx)
