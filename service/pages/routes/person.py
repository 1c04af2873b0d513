"""What a trainee keeps an eye on: who acts for me, what I complained of, what is held about me."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from domain.actor import Post
from service.pages import complaint_pages, demand_pages, mandate_pages, my_data, trainee
from service.pages.demand_pages import MINE
from service.pages.rendering import private
from service.security import allow
from service.web import Me, Now, StrictRequest, Today, Tx

_MINE = [allow(Post.TRAINEE)]
_Page = Response[bytes]


@get("/me/mandates", guards=_MINE, include_in_schema=False)
async def mandates(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """Who may claim for me, and what they did."""
    return private(request, "trainee/mandates.html", today, **await trainee.mandates_page(tx, me), back="/me")


@get("/me/mandates/{mandate_id:uuid}/revoke", guards=_MINE, include_in_schema=False)
async def revoke_page(request: StrictRequest, tx: Tx, me: Me, today: Today, mandate_id: FromPath[UUID]) -> _Page:
    """What taking it back means."""
    return await mandate_pages.revoking(request, tx, me, mandate_id, today, {}, [])


@post("/me/mandates/{mandate_id:uuid}/revoke", guards=_MINE, include_in_schema=False, status_code=303)
async def revoke(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, mandate_id: FromPath[UUID]
) -> Response[Any]:
    """Take it back."""
    return await mandate_pages.revoked(request, tx, me, mandate_id, today, now)


@get("/me/demands/{clawback_id:uuid}/appeal", guards=_MINE, include_in_schema=False)
async def appeal_page(request: StrictRequest, tx: Tx, me: Me, today: Today, clawback_id: FromPath[UUID]) -> _Page:
    """Why it is not to be paid back."""
    return await demand_pages.form_shown(MINE, request, tx, me, clawback_id, today)


@post("/me/demands/{clawback_id:uuid}/appeal", guards=_MINE, include_in_schema=False, status_code=303)
async def appeal(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, clawback_id: FromPath[UUID]
) -> Response[Any]:
    """Have it looked at again."""
    return await demand_pages.appealed(MINE, request, tx, me, clawback_id, today, now)


@get("/me/complaints", guards=_MINE, include_in_schema=False)
async def complaints(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """What I complained of, and the answers."""
    return await complaint_pages.mine(request, tx, me, today)


@get("/me/data", guards=_MINE, include_in_schema=False)
async def data(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """What is held about me, and who looked."""
    return await my_data.shown(request, tx, me, today, [])


@post("/me/data/file", guards=_MINE, include_in_schema=False, status_code=200)
async def data_file(request: StrictRequest, today: Today, now: Now) -> Response[Any]:
    """All of it, whole, for who gives their password again."""
    return await my_data.downloaded(request, request.user, today, now)


@post("/me/data/drafts", guards=_MINE, include_in_schema=False, status_code=303)
async def drop_drafts(tx: Tx, me: Me) -> Response[Any]:
    """Delete what I began and did not send."""
    return await my_data.drafts_dropped(tx, me)


ROUTES = [data, data_file, drop_drafts, mandates, revoke_page, revoke, appeal_page, appeal, complaints]
