"""Who is asked to pay back says on a page why not, once however often it is pressed."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Request, Response

from domain.actor import Actor
from service.clawbacks.commands.appealing import appeal_clawback
from service.clawbacks.queries.mine import my_demand
from service.clawbacks.schemas import ClawbackAppealView, DemandView, NewClawbackAppeal
from service.database import Tx
from service.pages import forms
from service.pages.forms import Fault, Typed
from service.pages.rendering import private
from service.web import as_wanted

_Request = Request[Any, Any, Any]


@dataclass(frozen=True)
class Payer:
    """Of whom it is demanded: `finds` what is theirs alone, `shows` them the form of an appeal in their frame (with
    what it is given), under the address `demands_at`; `stands` is the page on which they read of it."""

    finds: Callable[[Tx, Actor, UUID, date], Awaitable[DemandView]]
    shows: Callable[[_Request, Tx, Actor, date, dict[str, Any]], Awaitable[Response[bytes]]]
    demands_at: str
    stands: Callable[[DemandView], str]


async def _shown_to_me(request: _Request, tx: Tx, me: Actor, today: date, given: dict[str, Any]) -> Response[bytes]:
    return private(request, "trainee/appeal_demand.html", today, **given)


MINE = Payer(my_demand, _shown_to_me, "/me/demands", lambda demand: f"/me/claims/{demand.clawback.claim_id}")


async def form_shown(
    payer: Payer,
    request: _Request,
    tx: Tx,
    me: Actor,
    clawback_id: UUID,
    today: date,
    typed: Typed | None = None,
    faults: list[Fault] | None = None,
) -> Response[bytes]:
    """The form; NotFound `clawback.not_found` for what is not demanded of this payer."""
    demand = await payer.finds(tx, me, clawback_id, today)
    form = {"typed": typed or {}, "faults": faults or [], "once": uuid4(), "status": 422 if faults else 200}
    about = {"demand": demand, "demands_at": payer.demands_at, "back": payer.stands(demand)}
    return await payer.shows(request, tx, me, today, {**form, **about})


async def appealed(
    payer: Payer, request: _Request, tx: Tx, me: Actor, clawback_id: UUID, today: date, now: datetime
) -> Response[Any]:
    """Appeal, and go back to where it stands; the form again where that is refused."""
    typed, demand = await forms.typed(request), await payer.finds(tx, me, clawback_id, today)
    once = forms.once_of(request, me, typed, forms.key_of(typed))

    async def take() -> None:
        new = as_wanted({"reason": typed.get("reason", "")}, NewClawbackAppeal)
        await once(tx, ClawbackAppealView, lambda: appeal_clawback(tx, me, clawback_id, new, today, now))

    if faults := await forms.refused(tx, take):
        return await form_shown(payer, request, tx, me, clawback_id, today, typed, faults)
    return forms.see(payer.stands(demand), "demand_appealed")
