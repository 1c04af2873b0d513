"""A trainee's own pages: what waits for me, filing in four steps, and what becomes of a claim."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from domain.actor import Post
from domain.errors import NotFound
from service.pages import claim_pages, filing_pages, trainee
from service.pages.filing_form import STEPS
from service.pages.rendering import private
from service.security import allow
from service.web import Me, Now, StrictRequest, Today, Tx

_MINE = [allow(Post.TRAINEE)]
_Page = Response[bytes]


@get("/me", guards=_MINE, include_in_schema=False)
async def home(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """What waits for me, and my claims."""
    return private(request, "trainee/home.html", today, **await trainee.home(tx, me, today))


@get("/me/claims/new", guards=_MINE, include_in_schema=False)
async def new_claim(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """The first step of a claim."""
    return await filing_pages.shown(request, tx, me, None, STEPS[0], today)


@post("/me/claims/new", guards=_MINE, include_in_schema=False, status_code=303)
async def begin(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Begin a draft."""
    return await filing_pages.kept(request, tx, me, None, STEPS[0], today, now)


@get("/me/claims/draft/{draft_id:uuid}/{step:str}", guards=_MINE, include_in_schema=False)
async def draft_step(
    request: StrictRequest, tx: Tx, me: Me, today: Today, draft_id: FromPath[UUID], step: FromPath[str]
) -> _Page:
    """A step as it was left."""
    return await filing_pages.shown(request, tx, me, draft_id, _step(step), today)


@post("/me/claims/draft/{draft_id:uuid}/{step:str}", guards=_MINE, include_in_schema=False, status_code=303)
async def keep_step(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, draft_id: FromPath[UUID], step: FromPath[str]
) -> Response[Any]:
    """Keep a step and go on; the last one files."""
    if _step(step) == STEPS[-1]:
        return await filing_pages.filed(request, tx, me, draft_id, today, now)
    return await filing_pages.kept(request, tx, me, draft_id, step, today, now)


@get("/me/claims/{claim_id:uuid}", guards=_MINE, include_in_schema=False)
async def claim(request: StrictRequest, tx: Tx, me: Me, today: Today, claim_id: FromPath[UUID]) -> _Page:
    """How far my claim is."""
    return private(request, "trainee/claim.html", today, **await trainee.claim(tx, me, claim_id, today), back="/me")


@get("/me/claims/{claim_id:uuid}/{act:str}", guards=_MINE, include_in_schema=False)
async def act_page(
    request: StrictRequest, tx: Tx, me: Me, today: Today, claim_id: FromPath[UUID], act: FromPath[str]
) -> _Page:
    """The form of something that I can do about my claim."""
    return await claim_pages.shown(request, tx, me, claim_id, act, today)


@post("/me/claims/{claim_id:uuid}/{act:str}", guards=_MINE, include_in_schema=False, status_code=303)
async def do_act(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, claim_id: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """Do it, or say what is wrong."""
    return await claim_pages.done(request, tx, me, claim_id, act, today, now)


@get("/me/offers/{offer_id:uuid}", guards=_MINE, include_in_schema=False)
async def offer(request: StrictRequest, tx: Tx, me: Me, today: Today, offer_id: FromPath[UUID]) -> _Page:
    """What was prepared for me, to be confirmed in one step."""
    return await claim_pages.offer_shown(request, tx, me, offer_id, today)


@post("/me/offers/{offer_id:uuid}", guards=_MINE, include_in_schema=False, status_code=303)
async def answer_offer(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, offer_id: FromPath[UUID]
) -> Response[Any]:
    """Confirm it, or decline."""
    return await claim_pages.offer_answered(request, tx, me, offer_id, today, now)


def _step(step: str) -> str:
    if step not in STEPS:
        raise NotFound("page.not_found")
    return step


ROUTES = [home, new_claim, begin, draft_step, keep_step, claim, act_page, do_act, offer, answer_offer]
