"""Mandates and claims over HTTP."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from domain.actor import Post
from domain.errors import Conflict, Ineligible
from service.claims.commands import filing, mandates, review
from service.claims.queries import views
from service.claims.schemas import (
    ApprovedView,
    ClaimsView,
    ClaimView,
    CountsView,
    DecisionView,
    MandateView,
    NewApproval,
    NewClaim,
    NewMandate,
    NewNote,
    NewRefusal,
)
from service.database import transaction
from service.security import allow
from service.web import Me, Now, Once, Today, Tx, answered

Status = Annotated[str | None, QueryParameter(max_length=20)]
District = Annotated[str | None, QueryParameter(max_length=20)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]


@post("/api/mandates", guards=[allow(Post.CLERK)])
async def record_mandate(tx: Tx, me: Me, today: Today, data: JSONBody[NewMandate]) -> MandateView:
    """Record a trainee's signed mandate for my institution."""
    return await mandates.record_mandate(tx, me, data, today)


@post("/api/claims/check", guards=[allow(Post.TRAINEE, Post.CLERK)], status_code=200)
async def check_claim(tx: Tx, me: Me, today: Today, data: JSONBody[NewClaim]) -> DecisionView:
    """What would be decided now, with every rule's outcome; nothing is stored."""
    return await filing.check_claim(tx, me, data, today)


@post("/api/claims", guards=[allow(Post.TRAINEE, Post.CLERK)])
async def file_claim(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewClaim]
) -> Response[ClaimView]:
    """File a claim for myself, or as a clerk for a trainee with a mandate."""
    try:
        return answered(await once(tx, ClaimView, lambda: filing.file_claim(tx, me, data, today, now)))
    except (Conflict, Ineligible) as refusal:
        async with transaction() as own:  # this one is rolled back with the refusal
            await filing.count_door_refusal(own, refusal.code, filing.channel_of(me, data), today)
        raise


@get("/api/claims", guards=[allow()])
async def list_claims(
    tx: Tx, me: Me, status: Status = None, district: District = None, cursor: Cursor = None, limit: Limit = 50
) -> ClaimsView:
    """The claims I may see, oldest first."""
    return await views.claims_page(tx, me, status=status, district=district, cursor=cursor, limit=limit)


@get("/api/claims/counts", guards=[allow()])
async def count_claims(tx: Tx, me: Me) -> CountsView:
    """How many of the claims I may see stand where."""
    return await views.claim_counts(tx, me)


@get("/api/claims/{claim_id:uuid}", guards=[allow()])
async def show_claim(tx: Tx, me: Me, claim_id: FromPath[UUID]) -> ClaimView:
    """One claim with its decision."""
    return await views.claim_view(tx, me, claim_id)


@post("/api/claims/{claim_id:uuid}/withdraw", guards=[allow(Post.TRAINEE, Post.CLERK)], status_code=200)
async def withdraw_claim(tx: Tx, me: Me, now: Now, claim_id: FromPath[UUID], data: JSONBody[NewNote]) -> ClaimView:
    """Withdraw my claim, or one my institution filed."""
    return await review.withdraw_claim(tx, me, claim_id, data.note, now)


@post("/api/claims/{claim_id:uuid}/approve", guards=[allow(Post.REVIEWER)], status_code=200)
async def approve_claim(tx: Tx, me: Me, now: Now, claim_id: FromPath[UUID], data: JSONBody[NewNote]) -> ClaimView:
    """Approve one claim of my district."""
    return await review.approve_claim(tx, me, claim_id, data.note, now)


@post("/api/claims/{claim_id:uuid}/refuse", guards=[allow(Post.REVIEWER)], status_code=200)
async def refuse_claim(tx: Tx, me: Me, now: Now, claim_id: FromPath[UUID], data: JSONBody[NewRefusal]) -> ClaimView:
    """Refuse one claim of my district, with reasons from the list."""
    return await review.refuse_claim(tx, me, claim_id, data, now)


@post("/api/claims/approve", guards=[allow(Post.REVIEWER)], status_code=200)
async def approve_set(tx: Tx, me: Me, now: Now, data: JSONBody[NewApproval]) -> ApprovedView:
    """Approve a filtered set of my district's claims."""
    return await review.approve_set(tx, me, data, now)


ROUTES = [
    record_mandate,
    check_claim,
    file_claim,
    list_claims,
    count_claims,
    show_claim,
    withdraw_claim,
    approve_claim,
    refuse_claim,
    approve_set,
]
