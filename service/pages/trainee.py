"""What a trainee's pages are made of, read through the features' queries."""

from datetime import date
from typing import Any
from uuid import UUID

from domain.actor import Actor
from domain.batch import AttemptStatus
from domain.claim import ClaimStatus
from domain.errors import DomainError
from service.access.queries import claimable_districts, district_names
from service.batches.queries import live_attempt
from service.catalog.queries.published import catalog_on
from service.claims.commands.filing import check_claim
from service.claims.queries import drafts, mandates, views
from service.claims.queries.moves import steps_of
from service.claims.schemas import DecisionView
from service.database import Tx
from service.offers.queries import my_offers
from service.pages import filing_form, stages
from service.pages.filing_form import Filled
from service.pages.forms import Typed
from service.people.queries import name_of

#: The last ones; a person has a handful in a lifetime.
_CLAIMS_MAX = 100


async def home(tx: Tx, me: Actor, today: date) -> dict[str, Any]:
    """What waits for me first, then my claims, the newest first, and who acts for me."""
    found = await views.claims_page(tx, me, status=None, district=None, cursor=None, limit=_CLAIMS_MAX)
    claims = [(each, stages.stage_of(each)) for each in reversed(found.claims)]
    offered = (await my_offers(tx, me, today)).offers
    return {
        "name": await name_of(tx, me.person_id),
        "offers": [each for each in offered if each.status == "open"],
        "waiting": [(each, stage) for each, stage in claims if each.status in {"sent_back", "bounced"}],
        "claims": claims,
        "drafts": await drafts.my_drafts(tx, me),
        "mandates": (await mandates.list_mandates(tx, me, None, _CLAIMS_MAX)).mandates,
    }


async def claim(tx: Tx, me: Actor, claim_id: UUID) -> dict[str, Any]:
    """One claim and how far it is; NotFound `claim.not_found`."""
    view = await views.claim_view(tx, me, claim_id)
    paying = await live_attempt(tx, claim_id)
    attempt = AttemptStatus(paying.status) if paying else None
    status, supplement = ClaimStatus(view.status), view.supplement_of is not None
    return {
        "claim": view,
        "stage": stages.stage_of(view, attempt, view.to_do.due_on if view.to_do else None),
        "stops": stages.stops_of(status, await steps_of(tx, claim_id), supplement=supplement),
        "may_withdraw": stages.may_withdraw(status, attempt, supplement=supplement),
        "district": (await district_names(tx)).get(view.district, view.district),
    }


async def step(tx: Tx, me: Actor, step_name: str, typed: Typed, today: date) -> dict[str, Any]:
    """One step of filling in a claim: what was typed, what one chooses from, and what one would get so far."""
    holder = await name_of(tx, me.person_id)
    items = (await catalog_on(tx, today)).items
    filled = filing_form.filled(typed, items, holder, with_card=step_name == "check")
    shown: dict[str, Any] = {
        "step": step_name,
        "typed": typed,
        "filled": filled,
        "holder": holder,
        "districts": await claimable_districts(tx),
        "names": sorted({row.name for row in items if row.code}),
        "decision": None,
        **filing_form.choices(),
    }
    if step_name in {"account", "check"} and not filled.faults:
        shown["decision"] = await decided(tx, me, filled, today)
    return shown


async def decided(tx: Tx, me: Actor, filled: Filled, today: date) -> DecisionView | None:
    """What the rules say of it now; None where they cannot be asked (no such item, no such district)."""
    try:
        return await check_claim(tx, me, filled.new, today)
    except DomainError:
        return None
