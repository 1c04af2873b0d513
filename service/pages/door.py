"""Filing on a page: who is turned away by the rules is counted, as over the API."""

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

from domain.claim import Channel
from domain.errors import Conflict, Ineligible
from service.claims.commands.filing import count_door_refusal
from service.database import Tx
from service.pages import forms
from service.pages.forms import Fault


async def filed(tx: Tx, channel: Channel, today: date, effect: Callable[[], Awaitable[Any]]) -> list[Fault]:
    """As `forms.refused`: what was wrong where it was not filed, and then nothing of it is done but the count."""
    turned_away = list[str]()

    async def file() -> None:
        try:
            await effect()
        except (Conflict, Ineligible) as refusal:
            turned_away.append(refusal.code)
            raise

    faults = await forms.refused(tx, file)
    for code in turned_away:
        await count_door_refusal(tx, code, channel, today)
    return faults
