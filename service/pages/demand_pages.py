"""Who is asked to pay back says on a page why not, once however often it is pressed."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Request, Response

from domain.actor import Actor
from domain.errors import NotFound
from service.clawbacks.commands.appealing import appeal_clawback
from service.clawbacks.queries.mine import my_demands
from service.clawbacks.schemas import ClawbackAppealView, DemandView, NewClawbackAppeal
from service.database import Tx
from service.pages import forms
from service.pages.forms import Fault, Typed
from service.pages.rendering import private
from service.web import as_wanted

_Request = Request[Any, Any, Any]


async def form_shown(
    request: _Request, tx: Tx, me: Actor, clawback_id: UUID, today: date, typed: Typed, faults: list[Fault]
) -> Response[bytes]:
    """The form; NotFound `clawback.not_found` for what is not demanded of me."""
    demand = await _mine(tx, me, clawback_id, today)
    page = {"demand": demand, "typed": typed, "faults": faults, "once": uuid4()}
    page["back"] = f"/me/claims/{demand.clawback.claim_id}"
    return private(request, "trainee/appeal_demand.html", today, status=422 if faults else 200, **page)


async def appealed(
    request: _Request, tx: Tx, me: Actor, clawback_id: UUID, today: date, now: datetime
) -> Response[Any]:
    """Appeal, and go back to the claim; the form again where that is refused."""
    typed, demand = await forms.typed(request), await _mine(tx, me, clawback_id, today)
    once = forms.once_of(request, me, typed, forms.key_of(typed))

    async def take() -> None:
        new = as_wanted({"reason": typed.get("reason", "")}, NewClawbackAppeal)
        await once(tx, ClawbackAppealView, lambda: appeal_clawback(tx, me, clawback_id, new, today, now))

    if faults := await forms.refused(tx, take):
        return await form_shown(request, tx, me, clawback_id, today, typed, faults)
    return forms.see(f"/me/claims/{demand.clawback.claim_id}", "demand_appealed")


async def _mine(tx: Tx, me: Actor, clawback_id: UUID, today: date) -> DemandView:
    demands = await my_demands(tx, me, today)
    found = next((each for each in demands if each.clawback.id == clawback_id), None)
    if found is None:
        raise NotFound("clawback.not_found")
    return found
