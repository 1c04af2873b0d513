"""Public notices: published by an officer, read by anybody while they are open, and objected to."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.exceptions import ClientException
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from domain.actor import Post
from service.notices import commands, queries
from service.notices.schemas import (
    NewNotice,
    NewNoticeAnswer,
    NewNoticeObjection,
    NoticeObjectionList,
    NoticeObjectionReceipt,
    NoticeObjectionState,
    NoticePageView,
    OpenNoticesView,
    PublishedView,
)
from service.security import PUBLIC, allow
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered

Limit = Annotated[int, QueryParameter(ge=1, le=queries.PAGE_MAX)]


@post("/api/notices", guards=[allow(Post.NOTICE_PUBLISHER)])
async def publish_notice(tx: Tx, me: Me, today: Today, now: Now, data: JSONBody[NewNotice]) -> PublishedView:
    """Publish every approved claim of my district."""
    return await commands.publish_notice(tx, me, today, now)


@get("/api/notices", opt={PUBLIC: True})
async def open_notices(tx: Tx, today: Today) -> OpenNoticesView:
    """The notices that are open today."""
    return OpenNoticesView(await queries.open_notices(tx, today))


@get("/api/notices/{notice_id:uuid}", opt={PUBLIC: True})
async def notice_page(
    tx: Tx,
    today: Today,
    notice_id: FromPath[UUID],
    cursor: FromQuery[UUID | None] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=queries.PAGE_MAX)] = queries.PAGE_MAX,
) -> NoticePageView:
    """A page of a notice's masked lines; 410 once its period is over."""
    page = await queries.notice_page(tx, notice_id, today, cursor, limit)
    if page is None:
        raise ClientException(status_code=410)
    return page


@post("/api/notices/{notice_id:uuid}/objections", opt={PUBLIC: True})
async def object_to(
    *,
    request: StrictRequest,
    tx: Tx,
    today: Today,
    now: Now,
    notice_id: FromPath[UUID],
    data: JSONBody[NewNoticeObjection],
) -> NoticeObjectionReceipt:
    """Object to a line of a notice, or to all of it, while it stands; by the id one reads the answer."""
    return await commands.object_to(tx, request.user, notice_id, data, today, now)


@get("/api/notice-objections/{objection_id:uuid}", opt={PUBLIC: True})
async def objection(tx: Tx, today: Today, objection_id: FromPath[UUID]) -> NoticeObjectionState:
    """How far an objection is, for whoever has its number."""
    return await queries.objection_state(tx, objection_id, today)


@get("/api/notice-objections", guards=[allow(Post.NOTICE_PUBLISHER)])
async def objections(
    tx: Tx,
    me: Me,
    today: Today,
    cursor: FromQuery[UUID | None] = None,
    limit: Limit = 50,
    closed: FromQuery[bool] = False,
    number: Annotated[str, QueryParameter(max_length=40)] = "",
) -> NoticeObjectionList:
    """Objections to the notices of my district: what waits, due first, or what was answered; or just one."""
    return await queries.list_objections(tx, me, today, cursor, limit, closed=closed, number=number)


@post("/api/notice-objections/{objection_id:uuid}/answer", guards=[allow(Post.NOTICE_PUBLISHER)], status_code=200)
async def answer_objection(
    *,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    once: Once,
    objection_id: FromPath[UUID],
    data: JSONBody[NewNoticeAnswer],
) -> Response[NoticeObjectionState]:
    """Answer an objection, once: upheld, the claim is reviewed again."""
    return answered(
        await once(
            tx, NoticeObjectionState, lambda: commands.answer_objection(tx, me, objection_id, data, today, now)
        ),
        200,
    )


ROUTES = [publish_notice, open_notices, notice_page, object_to, objection, objections, answer_objection]
