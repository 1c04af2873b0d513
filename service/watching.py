"""Tell a listener how something is, each time it has changed, until nothing more comes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from service.database import Tx, transaction

V = TypeVar("V")

_PAUSE_SECONDS = 1.0
#: Browsers ask again by themselves: nobody is listened to for longer than that, so that a session that ended, or a
#: server that stops, is not outlived for long.
_LOOKS_MAX = 60


async def watched(look: Callable[[Tx], Awaitable[V]], is_over: Callable[[V], bool]) -> AsyncIterator[V]:
    """What `look` sees, then again whenever it has changed; whatever it refuses is raised.

    Each look is a transaction of its own: none is open while nothing happens.
    """
    seen = None
    for _ in range(_LOOKS_MAX):
        async with transaction() as tx:
            view = await look(tx)
        if view != seen:
            yield view
        if is_over(view):
            return
        seen = view
        await asyncio.sleep(_PAUSE_SECONDS)
