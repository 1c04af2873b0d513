"""Filling in a claim, step by step: what is typed is kept, what is wrong is said, the last step files."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Request, Response

from domain.actor import Actor
from domain.claim import Channel
from domain.errors import NotFound
from service.claims.commands import drafts, filing
from service.claims.queries.drafts import my_draft
from service.database import Tx
from service.idempotency import Once
from service.pages import door, forms, trainee
from service.pages.filing_form import STEPS
from service.pages.forms import Typed
from service.pages.rendering import private

_Request = Request[Any, Any, Any]


def address(draft_id: UUID | None, step: str) -> str:
    """Where a step of a draft stands; the first of none is the beginning."""
    return f"/me/claims/draft/{draft_id}/{step}" if draft_id else "/me/claims/new"


async def shown(
    request: _Request, tx: Tx, me: Actor, draft_id: UUID | None, step: str, today: date
) -> Response[bytes]:
    """A step as it was left. Whoever comes too early is shown the first step that is not right."""
    typed = (await my_draft(tx, me, draft_id)).typed if draft_id else {}
    page = await trainee.step(tx, me, step, typed, today)
    early = next((each for each in STEPS[: STEPS.index(step)] if page["filled"].faults_in(each)), None)
    if early:
        return forms.see(address(draft_id, early))
    return private(request, f"trainee/draft_{step}.html", today, **page, **_frame(draft_id, step))


async def kept(
    request: _Request, tx: Tx, me: Actor, draft_id: UUID | None, step: str, today: date, now: datetime
) -> Response[Any]:
    """Keep what this step typed, right or wrong, and go on to the next when it is right."""
    before, told = (await my_draft(tx, me, draft_id)).typed if draft_id else {}, await forms.typed(request)
    once = forms.once_of(request, me, told, forms.key_of(told))
    typed = {**before, **{field: text for field, text in told.items() if field != "once"}}

    async def begin() -> str:
        return str(await drafts.begin_draft(tx, me, typed, now))

    if draft_id:
        await drafts.keep_draft(tx, me, draft_id, typed, now)
    else:
        draft_id = UUID((await once(tx, str, begin)).view)
    page = await trainee.step(tx, me, step, typed, today, sent=True)
    faults = page["filled"].faults_in(step)
    if not faults and step == "certificate" and await _refuses(tx, me, page, typed, today):
        return private(request, f"trainee/draft_{step}.html", today, **page, **_frame(draft_id, step))
    if not faults:
        return forms.see(address(draft_id, STEPS[STEPS.index(step) + 1]))
    return private(request, f"trainee/draft_{step}.html", today, status=422, **page, **_frame(draft_id, step, faults))


async def _refuses(tx: Tx, me: Actor, page: dict[str, Any], typed: Typed, today: date) -> bool:
    """Whether the rules refuse it already, and the claimant has not said that they want a formal answer."""
    if page["filled"].faults or typed.get("insist") == "yes":
        return False
    page["decision"] = await trainee.decided(tx, me, page["filled"], today)
    return page["decision"] is not None and not page["decision"].eligible


async def filed(request: _Request, tx: Tx, me: Actor, draft_id: UUID, today: date, now: datetime) -> Response[Any]:
    """File what the draft holds, once however often the form is sent, and forget the draft."""
    once = forms.once_of(request, me, {}, "file")
    try:
        typed = (await my_draft(tx, me, draft_id)).typed
    except NotFound as gone:
        return forms.see(f"/me/claims/{await _filed_before(tx, once, gone)}", "filed")
    page = await trainee.step(tx, me, "check", typed, today)
    if page["filled"].faults:
        return forms.see(address(draft_id, page["filled"].step_to_mend or STEPS[0]))
    new, filed_as = page["filled"].new, list[str]()

    async def file() -> str:
        claim = await filing.file_claim(tx, me, new, today, now)
        await drafts.drop_draft(tx, me, draft_id)
        return str(claim.id)

    async def file_once() -> None:
        filed_as.append((await once(tx, str, file)).view)

    if faults := await door.filed(tx, Channel.INDIVIDUAL, today, file_once):
        frame = _frame(draft_id, "check", faults)
        return private(request, "trainee/draft_check.html", today, status=409, **page, **frame)
    return forms.see(f"/me/claims/{filed_as[0]}", "filed")


async def _filed_before(tx: Tx, once: Once, gone: NotFound) -> str:
    """The claim that this draft became when the form was sent before."""

    async def nothing() -> str:
        raise gone

    return (await once(tx, str, nothing)).view


def _frame(draft_id: UUID | None, step: str, faults: list[forms.Fault] | None = None) -> dict[str, Any]:
    place = STEPS.index(step)
    back = address(draft_id, STEPS[place - 1]) if place else "/me"
    return {"once": uuid4(), "steps": STEPS, "action": address(draft_id, step), "back": back, "faults": faults or []}
