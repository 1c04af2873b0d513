"""How far a roster is, told each time it has come further, to whoever keeps listening."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from domain.actor import Actor
from domain.roster import ROSTER_LIFECYCLE
from service.claims.queries.rosters import roster_view
from service.claims.schemas import RosterView
from service.database import transaction

_PAUSE_SECONDS = 1.0
#: Browsers ask again by themselves: nobody is listened to for longer than that, so that a session that ended, or a
#: server that stops, is not outlived for long.
_LOOKS_MAX = 60


async def progress(me: Actor, roster_id: UUID) -> AsyncIterator[RosterView]:
    """The roster as it is, then whenever it has changed, until nothing more comes. NotFound `roster.not_found`.

    Each look is a transaction of its own: none is open while nothing happens.
    """
    seen = None
    for _ in range(_LOOKS_MAX):
        async with transaction() as tx:
            view = await roster_view(tx, me, roster_id)
        if view != seen:
            yield view
        if view.status in ROSTER_LIFECYCLE.final():
            return
        seen = view
        await asyncio.sleep(_PAUSE_SECONDS)
