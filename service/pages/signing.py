"""Finance signs on a page: the password and a code first, then the signature under what was shown."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from litestar import Request, Response

from domain.actor import Actor, StepUp
from domain.batch import BatchStatus, Step
from domain.errors import Conflict, Forbidden
from service.access.commands import prove
from service.access.schemas import NamedSignature, NewStepUp
from service.batches import commands, queries
from service.batches.schemas import BatchFilter, BatchView, NewBatch, NewRelease, Rejection, Shown
from service.database import Tx, transaction
from service.pages import finance, forms
from service.pages.forms import Fault, Typed
from service.pages.rendering import private
from service.security import digest
from service.web import as_wanted
from service.wording import words

_Request = Request[Any, Any, Any]
_STEPS = {"submit": Step.ASSEMBLE, "check": Step.CHECK, "release": Step.RELEASE}


async def opened(request: _Request, tx: Tx, me: Actor, today: date, now: datetime) -> Response[Any]:
    """Open a batch of a fund's claims; once, however often the form is sent."""
    typed = await forms.typed(request)
    views = list[BatchView]()

    async def open_it() -> None:
        once = forms.once_of(request, me, typed, typed.get("once", ""))
        new = NewBatch(typed.get("fund", ""), BatchFilter())
        answer = await once(tx, BatchView, lambda: commands.open_batch(tx, me, new, today, now))
        views.append(answer.view)

    if faults := await forms.refused(tx, open_it):
        page = await finance.desk(tx, me, None)
        return private(request, "finance/batches.html", today, status=409, faults=faults, **page)
    return forms.see(f"/finance/batches/{views[0].id}", "batch_opened")


async def signed(request: _Request, tx: Tx, me: Actor, batch_id: UUID, today: date, now: datetime) -> Response[Any]:
    """Prove who I am, and sign what was shown; the batch again, with what is wrong, where that is refused."""
    typed = await forms.typed(request)
    status = (await queries.find_batch(tx, me, batch_id)).status
    act, _ = finance.ACTS.get(BatchStatus(status), ("", None))
    if not act:
        return await _again(request, tx, me, batch_id, today, typed, [("form", words("batch.nothing_to_sign"))])
    me_proven, faults = await _proven(request, me, batch_id, act, typed, now)
    faults = faults or await _noted(
        tx, me, batch_id, act, now, lambda: _sign(request, tx, me_proven, batch_id, act, typed, today, now)
    )
    if faults:
        return await _again(request, tx, me, batch_id, today, typed, faults)
    return forms.see(f"/finance/batches/{batch_id}", "signed")


async def rejected(request: _Request, tx: Tx, me: Actor, batch_id: UUID, today: date, now: datetime) -> Response[Any]:
    """Say no to what was put before me, with a reason from the list."""
    typed = await forms.typed(request)
    rejection = Rejection(typed.get("reason", ""), typed.get("note", ""))
    if faults := await forms.refused(tx, lambda: commands.reject_batch(tx, me, batch_id, rejection, now)):
        return await _again(request, tx, me, batch_id, today, typed, faults)
    return forms.see(f"/finance/batches/{batch_id}", "rejected")


async def _proven(
    request: _Request, me: Actor, batch_id: UUID, act: str, typed: Typed, now: datetime
) -> tuple[Actor, list[Fault]]:
    """The signer with the proof that goes with this signature alone, or what is wrong with password and code."""
    session, code = digest(request.auth), typed.get("code", "").replace(" ", "")
    if len(code) != 6 or not (code.isascii() and code.isdigit()):
        return me, [("code", words("step_up.six_digits"))]
    named = [NamedSignature(f"batch.{_STEPS[act]}", batch_id)]
    try:
        view = await prove(me, session, NewStepUp(typed.get("password", ""), code, named), now)
    except Forbidden as refusal:
        return me, [("code", words(refusal.code, refusal.facts))]
    return replace(me, step_up=StepUp(session, digest(view.token))), []


async def _sign(
    request: _Request, tx: Tx, me: Actor, batch_id: UUID, act: str, typed: Typed, today: date, now: datetime
) -> None:
    shown = {
        "content_hash": typed.get("content_hash", ""),
        "line_count": _number(typed, "line_count"),
        "sum_fen": _number(typed, "sum_fen"),
    }
    once = forms.once_of(request, me, typed, f"{act}-{typed.get('once', '')}")
    if act == "release":
        transferred_on = forms.day_of(typed, "transferred_on")
        told = {**shown, "voucher": typed.get("voucher", ""), "transferred_on": transferred_on.isoformat()}
        release = as_wanted(told, NewRelease)
        await once(tx, BatchView, lambda: commands.release_batch(tx, me, batch_id, release, today, now))
        return
    what = as_wanted(shown, Shown)
    sign = commands.submit_batch if act == "submit" else commands.check_batch
    await once(tx, BatchView, lambda: sign(tx, me, batch_id, what, now))


def _number(typed: Typed, field: str) -> int:
    text = typed.get(field, "")
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise Conflict("busy")  # nobody types these: the page was not sent as it was shown
    return int(text)


async def _noted(
    tx: Tx, me: Actor, batch_id: UUID, act: str, now: datetime, effect: Callable[[], Awaitable[None]]
) -> list[Fault]:
    """As `forms.refused`; whom the rules do not let sign is in the journal besides."""
    codes = list[str]()

    async def watched() -> None:
        try:
            await effect()
        except Forbidden as refusal:
            codes.append(refusal.code)
            raise

    faults = await forms.refused(tx, watched)
    for code in codes:
        async with transaction() as own:
            await commands.note_refusal(own, me, batch_id, _STEPS[act], code, now)
    return faults


async def _again(
    request: _Request, tx: Tx, me: Actor, batch_id: UUID, today: date, typed: Typed, faults: list[Fault]
) -> Response[bytes]:
    page = await finance.batch(tx, me, batch_id, None, {**typed, "once": ""})
    return private(request, "finance/batch.html", today, status=409, faults=faults, **page)
