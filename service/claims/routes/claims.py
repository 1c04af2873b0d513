"""Mandates and claims over HTTP."""

from collections.abc import Awaitable
from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from domain.actor import Post
from domain.claim import Channel
from domain.errors import Conflict, Ineligible
from domain.standard import WORKS_ON_STANDARDS
from service.claims.commands import (
    allowances,
    appeals,
    approving,
    correcting,
    counter,
    filing,
    mandates,
    mending,
    objections,
    project_places,
    review,
    sending_back,
)
from service.claims.commands.holds import HOLDERS
from service.claims.queries import affected, care, otherwise, views
from service.claims.queries import appeals as asked_to_review
from service.claims.queries import mandates as mandate_queries
from service.claims.queries import objections as raised
from service.claims.schemas import (
    AffectedView,
    AppealList,
    AppealView,
    ApprovedView,
    ClaimsView,
    ClaimView,
    CountsView,
    DecisionView,
    HoldList,
    MandateList,
    MandateView,
    NewAllowance,
    NewAppeal,
    NewAppealAnswer,
    NewApproval,
    NewApprovalPreview,
    NewClaim,
    NewCorrection,
    NewCounterClaim,
    NewFinding,
    NewMandate,
    NewMending,
    NewNote,
    NewObjection,
    NewOtherwise,
    NewPlace,
    NewRefusal,
    NewSendBack,
    ObjectionList,
    ObjectionView,
    OtherwiseView,
    PreviewView,
)
from service.database import transaction
from service.idempotency import Answer
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


@get("/api/mandates", guards=[allow(Post.TRAINEE, Post.CLERK)])
async def list_mandates(tx: Tx, me: Me, cursor: FromQuery[UUID | None] = None, limit: Limit = 50) -> MandateList:
    """The mandates in my name, or those of my institution."""
    return await mandate_queries.list_mandates(tx, me, cursor, limit)


@post("/api/claims/check", guards=[allow(Post.TRAINEE, Post.CLERK)], status_code=200)
async def check_claim(tx: Tx, me: Me, today: Today, data: JSONBody[NewClaim]) -> DecisionView:
    """What would be decided now, with every rule's outcome; nothing is stored."""
    return await filing.check_claim(tx, me, data, today)


@post("/api/claims", guards=[allow(Post.TRAINEE, Post.CLERK)])
async def file_claim(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewClaim]
) -> Response[ClaimView]:
    """File a claim for myself, or as a clerk for a trainee with a mandate."""
    locked = filing.lock_claimant(me, data)
    effect = once.beginning_with(
        locked, tx, ClaimView, lambda found: filing.file_claim(tx, me, data, today, now, found)
    )
    return await _or_counted(effect, filing.channel_of(me, data), today)


async def _or_counted(effect: Awaitable[Answer[ClaimView]], channel: Channel, today: date) -> Response[ClaimView]:
    """The answer; where somebody is turned away, that is counted in a transaction of its own."""
    try:
        return answered(await effect)
    except (Conflict, Ineligible) as refusal:
        async with transaction() as own:  # the request's is rolled back with the refusal
            await filing.count_door_refusal(own, refusal.code, channel, today)
        raise


@post("/api/claims/counter", guards=[allow(Post.ACCEPTOR)])
async def file_at_counter(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewCounterClaim]
) -> Response[ClaimView]:
    """Key a claim in for somebody who stands at my counter."""
    effect = once(tx, ClaimView, lambda: counter.file_at_counter(tx, me, data, today, now))
    return await _or_counted(effect, Channel.INDIVIDUAL, today)


@post("/api/claims/allowances", guards=[allow(Post.TRAINEE)])
async def file_allowance(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewAllowance]
) -> Response[ClaimView]:
    """Claim the cost of living (生活费补贴) for the days of a class that I attended."""
    effect = once(tx, ClaimView, lambda: allowances.file_allowance(tx, me, data, today, now))
    return await _or_counted(effect, Channel.INDIVIDUAL, today)


@post("/api/projects/{project_id:uuid}/claims", guards=[allow(Post.CLERK)])
async def file_place(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, project_id: FromPath[UUID], data: JSONBody[NewPlace]
) -> Response[ClaimView]:
    """Claim one person's place in a procured project of my institution, which is paid."""
    effect = once(tx, ClaimView, lambda: project_places.file_place(tx, me, project_id, data, today, now))
    return await _or_counted(effect, Channel.INSTITUTION, today)


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


@post("/api/claims/{claim_id:uuid}/send-back", guards=[allow(Post.REVIEWER)], status_code=200)
async def send_back(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, claim_id: FromPath[UUID], data: JSONBody[NewSendBack]
) -> Response[ClaimView]:
    """Send one claim of my district back, with everything that is wrong with it."""
    effect = once(tx, ClaimView, lambda: sending_back.send_back(tx, me, claim_id, data, today, now))
    return answered(await effect, 200)


@post("/api/claims/{claim_id:uuid}/correct", guards=[allow(Post.TRAINEE, Post.CLERK)], status_code=200)
async def correct_claim(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, claim_id: FromPath[UUID], data: JSONBody[NewCorrection]
) -> Response[ClaimView]:
    """Mend what my claim, or one my institution filed, was sent back for; it is decided again."""
    effect = once(tx, ClaimView, lambda: correcting.correct_claim(tx, me, claim_id, data, today, now))
    return answered(await effect, 200)


@post("/api/claims/{claim_id:uuid}/account", guards=[allow(Post.TRAINEE, Post.CLERK)], status_code=200)
async def mend_account(
    tx: Tx, me: Me, now: Now, once: Once, claim_id: FromPath[UUID], data: JSONBody[NewMending]
) -> Response[ClaimView]:
    """Name another account for a claim whose money did not arrive; it is paid with the next batch."""
    return answered(await once(tx, ClaimView, lambda: mending.mend_account(tx, me, claim_id, data, now)), 200)


@post("/api/claims/{claim_id:uuid}/retry", guards=[allow(Post.MAKER)], status_code=200)
async def try_again(
    tx: Tx, me: Me, now: Now, once: Once, claim_id: FromPath[UUID], data: JSONBody[NewNote]
) -> Response[ClaimView]:
    """Let a payment of my district be made again that failed for a passing reason."""
    return answered(await once(tx, ClaimView, lambda: mending.try_again(tx, me, claim_id, data.note, now)), 200)


@post("/api/claims/{claim_id:uuid}/object", guards=[allow(Post.TRAINEE)])
async def object_to(
    tx: Tx, me: Me, now: Now, once: Once, claim_id: FromPath[UUID], data: JSONBody[NewObjection]
) -> Response[ObjectionView]:
    """Object to a paid claim that an institution filed in my name: I took its mandate back, or never gave it."""
    return answered(await once(tx, ObjectionView, lambda: objections.object_to(tx, me, claim_id, data, now)))


@get("/api/objections", guards=[allow(Post.TRAINEE, Post.REVIEWER, Post.AUDITOR)])
async def list_objections(
    tx: Tx, me: Me, closed: FromQuery[bool] = False, cursor: FromQuery[UUID | None] = None, limit: Limit = 50
) -> ObjectionList:
    """The open objections (or the closed ones) that I raised, or that my district looks into."""
    return await raised.list_objections(tx, me, cursor, limit, closed=closed)


@post("/api/objections/{objection_id:uuid}/close", guards=[allow(Post.REVIEWER)], status_code=200)
async def close_objection(
    tx: Tx, me: Me, now: Now, once: Once, objection_id: FromPath[UUID], data: JSONBody[NewFinding]
) -> Response[ObjectionView]:
    """Say what the review of an objection found. Upheld, what was paid is owed back."""
    effect = once(tx, ObjectionView, lambda: objections.close_objection(tx, me, objection_id, data, now))
    return answered(await effect, 200)


@post("/api/claims/{claim_id:uuid}/appeal", guards=[allow(Post.TRAINEE, Post.CLERK)])
async def appeal(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, claim_id: FromPath[UUID], data: JSONBody[NewAppeal]
) -> Response[AppealView]:
    """Ask, once, that the refusal of a claim is looked at again by somebody else."""
    return answered(await once(tx, AppealView, lambda: appeals.appeal(tx, me, claim_id, data, today, now)))


@get("/api/appeals", guards=[allow(Post.TRAINEE, Post.CLERK, Post.REVIEWER, Post.AUDITOR)])
async def list_appeals(
    *,
    tx: Tx,
    me: Me,
    today: Today,
    closed: FromQuery[bool] = False,
    cursor: FromQuery[UUID | None] = None,
    limit: Limit = 50,
) -> AppealList:
    """The open appeals (or the answered ones) over my claims, or in the district I work for."""
    return await asked_to_review.list_appeals(tx, me, today, cursor, limit, closed=closed)


@post("/api/appeals/{appeal_id:uuid}/answer", guards=[allow(Post.REVIEWER)], status_code=200)
async def answer_appeal(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, appeal_id: FromPath[UUID], data: JSONBody[NewAppealAnswer]
) -> Response[AppealView]:
    """Answer an appeal, as another person than who refused: granted, the claim is in review again."""
    effect = once(tx, AppealView, lambda: appeals.answer_appeal(tx, me, appeal_id, data, today, now))
    return answered(await effect, 200)


@get("/api/holds", guards=[allow(*HOLDERS, Post.MAKER, Post.RELEASER, Post.AUDITOR)])
async def list_holds(tx: Tx, me: Me, cursor: FromQuery[UUID | None] = None, limit: Limit = 50) -> HoldList:
    """The claims of my district that are held."""
    return await care.list_holds(tx, me, cursor, limit)


@post("/api/claims/{claim_id:uuid}/refuse", guards=[allow(Post.REVIEWER)], status_code=200)
async def refuse_claim(tx: Tx, me: Me, now: Now, claim_id: FromPath[UUID], data: JSONBody[NewRefusal]) -> ClaimView:
    """Refuse one claim of my district, with reasons from the list."""
    return await review.refuse_claim(tx, me, claim_id, data, now)


@post("/api/claims/approve", guards=[allow(Post.REVIEWER)], status_code=200)
async def approve_set(tx: Tx, me: Me, now: Now, data: JSONBody[NewApproval]) -> ApprovedView:
    """Approve a filtered set of my district's claims."""
    return await approving.approve_set(tx, me, data, now)


@post("/api/claims/approve/preview", guards=[allow(Post.REVIEWER)], status_code=200)
async def preview_set(tx: Tx, me: Me, now: Now, data: JSONBody[NewApprovalPreview]) -> PreviewView:
    """What approving that set would do now; nothing changes."""
    return await approving.preview(tx, me, data, now)


@get(
    "/api/standards/sets/{set_id:uuid}/affected",
    guards=[allow(*WORKS_ON_STANDARDS)],
)
async def list_affected(tx: Tx, me: Me, set_id: FromPath[UUID], after: FromQuery[UUID | None] = None) -> AffectedView:
    """The claims to which a set of standards would give another amount, with the supplement or recovery due."""
    return await affected.affected_by(tx, me, set_id, after)


@post(
    "/api/policies/otherwise",
    guards=[allow(Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER, Post.AUDITOR)],
    status_code=200,
)
async def list_otherwise(tx: Tx, me: Me, data: JSONBody[NewOtherwise]) -> OtherwiseView:
    """The claims that another value of a parameter would have decided otherwise; nothing changes."""
    return await otherwise.decided_otherwise(tx, me, data)


ROUTES = [
    list_affected,
    list_otherwise,
    record_mandate,
    list_mandates,
    check_claim,
    file_claim,
    file_at_counter,
    file_allowance,
    file_place,
    list_claims,
    count_claims,
    show_claim,
    send_back,
    correct_claim,
    mend_account,
    try_again,
    object_to,
    list_objections,
    close_objection,
    appeal,
    list_appeals,
    answer_appeal,
    list_holds,
    refuse_claim,
    approve_set,
    preview_set,
]
