"""What is demanded back of my institution: why, until when, what came back of it, and its appeal."""

from datetime import date
from typing import Any
from uuid import UUID

from litestar import Response

from domain.actor import Actor
from service.claims.queries.views import claim_view
from service.clawbacks.queries.mine import our_demand
from service.database import Tx
from service.pages import demand_pages
from service.pages.demand_pages import Payer
from service.pages.institution.frame import Ask, shown
from service.pages.institution.visit import Visit

DEMANDS = "/institution/demands"


async def _form(request: Ask, tx: Tx, me: Actor, today: date, given: dict[str, Any]) -> Response[bytes]:
    return await shown(request, tx, me, "appeal_demand", today, **given)


_OURS = Payer(our_demand, _form, DEMANDS, lambda demand: f"{DEMANDS}/{demand.clawback.id}")


async def one(clerk: Visit, clawback_id: UUID) -> Response[bytes]:
    """One of them, and the claim that it was paid for. NotFound `clawback.not_found`."""
    demand = await our_demand(clerk.tx, clerk.me, clawback_id, clerk.today)
    claim = await claim_view(clerk.tx, clerk.me, demand.clawback.claim_id)
    return await clerk.shown("demand", demand=demand, claim=claim)


async def appeal_form(clerk: Visit, clawback_id: UUID) -> Response[bytes]:
    """Why it is not to be paid back. NotFound `clawback.not_found`."""
    return await demand_pages.form_shown(_OURS, clerk.request, clerk.tx, clerk.me, clawback_id, clerk.today)


async def appealed(clerk: Visit, clawback_id: UUID) -> Response[Any]:
    """Have it looked at again. NotFound `clawback.not_found`."""
    asked = (_OURS, clerk.request, clerk.tx, clerk.me, clawback_id, clerk.today, clerk.now)
    return await demand_pages.appealed(*asked)
