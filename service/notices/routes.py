"""Public notices: published by an officer, read by anybody while they are open."""

from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.exceptions import ClientException
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from domain.actor import Post
from service.notices import commands, queries
from service.notices.schemas import NewNotice, NoticePageView, OpenNoticesView, PublishedView
from service.security import PUBLIC, allow
from service.web import Me, Now, Today, Tx


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


ROUTES = [publish_notice, open_notices, notice_page]
