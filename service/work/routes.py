"""The officers' desk over HTTP: what waits, who has taken it, second reviews, and what one leaves to others."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from domain.actor import Post
from service.security import allow
from service.web import Me, Now, Once, Today, Tx, answered
from service.work.commands import looking_again, taking
from service.work.commands.taking import LOOKS
from service.work.queries import approvals, due, waiting
from service.work.queries.waiting import Chosen
from service.work.schemas import (
    ApprovalsView,
    Kind,
    LeasesView,
    LeaseView,
    NewRecusal,
    NewSecondFinding,
    NewTaking,
    RecusedView,
    SummaryView,
    WorkList,
)

Short = Annotated[str | None, QueryParameter(max_length=40)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]


@get("/api/work", guards=[allow(*LOOKS)])
async def list_work(
    *,
    tx: Tx,
    me: Me,
    now: Now,
    kind: FromQuery[Kind | None] = None,
    district: Short = None,
    status: Short = None,
    why: Short = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> WorkList:
    """What waits for me of one kind, by the day on which it is due."""
    return await waiting.work(tx, me, Chosen(kind, district, status, why), cursor, limit, now)


@get("/api/work/summary", guards=[allow(*LOOKS)])
async def show_summary(tx: Tx, me: Me, today: Today) -> SummaryView:
    """How much waits in my district, is due today, and is late."""
    return await due.summary(tx, me, today)


@post("/api/work/next", guards=[allow(*LOOKS)], status_code=200)
async def take_next(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewTaking]
) -> Response[LeasesView]:
    """Take the next so many; nobody else gets them for some minutes."""
    return answered(await once(tx, LeasesView, lambda: taking.take_next(tx, me, data, today, now)), 200)


@post("/api/claims/{claim_id:uuid}/lease", guards=[allow(*LOOKS)], status_code=200)
async def take_one(tx: Tx, me: Me, today: Today, now: Now, claim_id: FromPath[UUID]) -> LeaseView:
    """Take this claim, or for longer."""
    return await taking.take_one(tx, me, claim_id, today, now)


@post("/api/claims/{claim_id:uuid}/lease/return", guards=[allow(*LOOKS)], status_code=200)
async def return_one(tx: Tx, me: Me, claim_id: FromPath[UUID]) -> LeaseView:
    """Give it back before its time is over."""
    return await taking.return_one(tx, me, claim_id)


@post("/api/claims/{claim_id:uuid}/recuse", guards=[allow(*LOOKS)])
async def recuse(
    tx: Tx, me: Me, now: Now, once: Once, claim_id: FromPath[UUID], data: JSONBody[NewRecusal]
) -> Response[RecusedView]:
    """Leave this claim to others, for good."""
    return answered(await once(tx, RecusedView, lambda: taking.recuse(tx, me, claim_id, data, now)))


@get("/api/claims/{claim_id:uuid}/approvals", guards=[allow(*LOOKS, Post.NOTICE_PUBLISHER, Post.AUDITOR)])
async def list_approvals(tx: Tx, me: Me, claim_id: FromPath[UUID]) -> ApprovalsView:
    """Its approvals: what was drawn by which seed, and what another person found."""
    return await approvals.approvals_of(tx, me, claim_id)


@post("/api/claims/{claim_id:uuid}/second-review", guards=[allow(Post.SECOND_REVIEWER)], status_code=200)
async def look_again(
    tx: Tx, me: Me, now: Now, once: Once, claim_id: FromPath[UUID], data: JSONBody[NewSecondFinding]
) -> Response[ApprovalsView]:
    """Confirm or overturn an approval, as another person than those before."""
    effect = once(tx, ApprovalsView, lambda: looking_again.look_again(tx, me, claim_id, data, now))
    return answered(await effect, 200)


ROUTES = [
    list_work,
    show_summary,
    take_next,
    take_one,
    return_one,
    recuse,
    list_approvals,
    look_again,
]
