"""What a trainee's pages are made of, read through the features' queries."""

from datetime import date
from typing import Any
from uuid import UUID

from domain.actor import Actor
from domain.batch import AttemptStatus
from domain.claim import Channel, ClaimStatus
from domain.errors import DomainError, NotFound
from domain.objection import Finding
from domain.offer import OfferStatus
from service.access.queries import claimable_districts, district_names
from service.batches.queries import live_attempt
from service.catalog.queries.published import catalog_on
from service.claims.commands.filing import check_claim
from service.claims.queries import drafts, mandates, views
from service.claims.queries.appeals import list_appeals
from service.claims.queries.moves import steps_of
from service.claims.queries.objections import list_objections
from service.claims.schemas import ClaimView, DecisionView, MandateView
from service.clawbacks.queries import amounts
from service.clawbacks.queries.mine import my_demands
from service.database import Tx
from service.notices.queries import answered_by
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
    objected = await answered_by(tx, [each.id for each in found.claims if each.status == ClaimStatus.NOTICED])
    claims = [(each, stages.stage_of(each, objected=objected.get(each.id))) for each in reversed(found.claims)]
    offered = (await my_offers(tx, me, today)).offers
    return {
        "name": await name_of(tx, me.person_id),
        "offers": [each for each in offered if each.status == OfferStatus.OFFERED],
        "waiting": [(each, stage) for each, stage in claims if each.status in {"sent_back", "bounced"}],
        "claims": claims,
        "drafts": await drafts.my_drafts(tx, me),
        "mandates": (await mandates.list_mandates(tx, me, None, _CLAIMS_MAX)).mandates,
        "demands": [each for each in await my_demands(tx, me, today) if each.open],
    }


async def mandates_page(tx: Tx, me: Actor) -> dict[str, Any]:
    """Who acts for me, the last first, and what they filed in my name."""
    found = await views.claims_page(tx, me, status=None, district=None, cursor=None, limit=_CLAIMS_MAX)
    claims = {each.id: (each, stages.stage_of(each)) for each in found.claims}
    under = await mandates.claims_under_mine(tx, me)
    given = (await mandates.list_mandates(tx, me, None, _CLAIMS_MAX)).mandates
    given = sorted(given, key=lambda each: (each.revoked_on is None, each.valid_to), reverse=True)
    return {
        "mandates": [
            (each, [claims[claim_id] for claim_id in under.get(each.id, []) if claim_id in claims]) for each in given
        ]
    }


async def mandate(tx: Tx, me: Actor, mandate_id: UUID) -> MandateView:
    """One of mine; NotFound `mandate.not_found`."""
    given = (await mandates.list_mandates(tx, me, None, _CLAIMS_MAX)).mandates
    found = next((each for each in given if each.id == mandate_id), None)
    if found is None:
        raise NotFound("mandate.not_found")
    return found


async def _after_deciding(tx: Tx, me: Actor, view: ClaimView, today: date) -> dict[str, Any]:
    """What was said against a claim that was decided or paid, what came of it, and what is demanded back."""
    said: dict[str, Any] = {"objections": [], "appeals": [], "demands": [], "may_object": False, "may_appeal": False}
    if view.status == ClaimStatus.REFUSED:
        pages = [await list_appeals(tx, me, today, None, _CLAIMS_MAX, closed=over) for over in (False, True)]
        said["appeals"] = [each for page in pages for each in page.appeals if each.claim_id == view.id]
    elif view.status in {ClaimStatus.PAID, ClaimStatus.RECOVERED}:
        said["demands"] = await my_demands(tx, me, today, view.id)
        heard = [await list_objections(tx, me, None, _CLAIMS_MAX, closed=over) for over in (False, True)]
        said["objections"] = [each for page in heard for each in page.objections if each.claim_id == view.id]
        asked = [
            await amounts.list_appeals(tx, me, today, None, _CLAIMS_MAX, closed=closed) for closed in (False, True)
        ]
        said["appeals"] = [each for page in asked for each in page.appeals if each.claim_id == view.id]
        paid = view.status == ClaimStatus.PAID
        stands = any(each.finding in {None, Finding.UPHELD} for each in said["objections"])
        said["may_object"] = paid and view.channel == Channel.INSTITUTION and not stands
        said["may_appeal"] = paid and view.supplement_of is None and not said["appeals"]
    return said


async def claim(tx: Tx, me: Actor, claim_id: UUID, today: date) -> dict[str, Any]:
    """One claim and how far it is; NotFound `claim.not_found`."""
    view = await views.claim_view(tx, me, claim_id)
    paying = await live_attempt(tx, claim_id)
    attempt = AttemptStatus(paying.status) if paying else None
    status, supplement = ClaimStatus(view.status), view.supplement_of is not None
    objected = (await answered_by(tx, [claim_id])).get(claim_id) if status is ClaimStatus.NOTICED else None
    due_on = view.to_do.due_on if view.to_do else None
    return {
        "claim": view,
        "stage": stages.stage_of(view, attempt, due_on, objected=objected),
        "stops": stages.stops_of(status, await steps_of(tx, claim_id), supplement=supplement),
        "may_withdraw": stages.may_withdraw(status, attempt, supplement=supplement),
        "district": (await district_names(tx)).get(view.district, view.district),
        **await _after_deciding(tx, me, view, today),
    }


async def step(tx: Tx, me: Actor, step_name: str, typed: Typed, today: date, *, sent: bool = False) -> dict[str, Any]:
    """One step of filling in a claim: what was typed, what one chooses from, and what one would get so far.

    `sent`: it was filled in, so that its card counts.
    """
    holder = await name_of(tx, me.person_id)
    items = (await catalog_on(tx, today)).items
    filled = filing_form.filled(
        typed, items, holder, with_card=step_name == "check" or (sent and step_name == "account")
    )
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
