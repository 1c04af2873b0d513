"""Finance signs on a page: the password and a code first, then the signature under what was shown."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from litestar import Request, Response

from domain.actor import Actor
from domain.batch import BatchAction, BatchStatus
from domain.errors import Forbidden
from service.access.commands import asked_for
from service.batches import commands, queries
from service.batches.schemas import BatchView, NewBatch, NewRelease, Rejection, Shown
from service.database import Tx, transaction
from service.idempotency import Once
from service.pages import finance, forms, money
from service.pages.acts import Asked
from service.pages.forms import Fault
from service.pages.money_batches import number_typed
from service.pages.proving import proven_by
from service.security import digest, must_be_signed_in
from service.web import as_wanted
from service.wording import words

_Request = Request[Any, Any, Any]


async def opened(request: _Request, tx: Tx, me: Actor, today: date, now: datetime) -> Response[Any]:
    """Open a batch of a fund's claims; once, however often the form is sent."""
    typed = await forms.typed(request)
    views = list[BatchView]()

    async def open_it() -> None:
        once = forms.once_of(request, me, typed, typed.get("once", ""))
        filtered = finance.filter_typed(typed)
        new = NewBatch(typed.get("fund", ""), filtered, district=typed.get("district") or None)
        answer = await once(tx, BatchView, lambda: commands.open_batch(tx, me, new, today, now))
        views.append(answer.view)

    if faults := await forms.refused(tx, open_it):
        page = await finance.due(tx, me, typed, faults)
        return money.page(request, "new_batch", today, me, status=409, **page)
    return forms.see(f"/finance/batches/{views[0].id}", "batch_opened")


async def signed(request: _Request, me: Actor, batch_id: UUID, today: date, now: datetime) -> Response[Any]:
    """Prove who I am, and sign what was shown; the batch again, with what is wrong, where that is refused. No
    transaction is open while the password is proven: the proof is of one signature, and the command asks again
    whether the batch waits for that one."""
    typed = await forms.typed(request)
    async with transaction() as tx:
        asked = Asked(tx, me, today, now, typed, str(batch_id))
        if before := await _signed_before(request, asked):
            return _told_of(before)
        signing = commands.SIGNINGS.get((await queries.find_batch(tx, me, batch_id)).status)
        if signing is None:
            return await _again(request, asked, [("form", words("batch.nothing_to_sign"))])
        proves = await asked_for(tx, now)
    faults, views = list[Fault](), list[BatchView]()
    if proves:
        me, faults = await proven_by(request, me, f"batch.{signing.step}", batch_id, typed, now)
    async with transaction() as tx:
        await must_be_signed_in(tx, digest(request.auth))
        asked = Asked(tx, me, today, now, typed, str(batch_id))
        if not faults:
            faults = await _noted(asked, signing, lambda: _sign(request, asked, signing, views))
        elif before := await _signed_before(request, asked):  # pressed twice, its code serves the first time alone
            return _told_of(before)
        if faults:
            return await _again(request, asked, faults)
    return _told_of(views[0])


def _told_of(batch: BatchView) -> Response[Any]:
    left = batch.status in {BatchStatus.FROZEN, BatchStatus.DISSOLVED}  # lines left before anybody signed
    return forms.see(f"/finance/batches/{batch.id}", "lines_left" if left else "signed")


async def _signed_before(request: _Request, asked: Asked) -> BatchView | None:
    """What the batch was once this very form had been taken; None where it has not been."""
    for signing in commands.SIGNINGS.values():
        once = _once(request, asked, signing)
        if await once.ran(asked.tx):
            return await once.told(asked.tx, BatchView)
    return None


async def rejected(request: _Request, tx: Tx, me: Actor, batch_id: UUID, today: date, now: datetime) -> Response[Any]:
    """Say no to what was put before me, with a reason from the list."""
    typed = await forms.typed(request)

    async def reject() -> None:
        told = {"code": typed.get("reason", ""), "note": typed.get("note", "")}
        await commands.reject_batch(tx, me, batch_id, as_wanted(told, Rejection), now)

    if faults := [("reason" if field == "code" else field, said) for field, said in await forms.refused(tx, reject)]:
        return await _again(request, Asked(tx, me, today, now, typed, str(batch_id)), faults)
    return forms.see(f"/finance/batches/{batch_id}", "rejected")


async def file_taken(tx: Tx, me: Actor, batch_id: UUID, now: datetime) -> tuple[bytes, str, str]:
    """The bytes of the file that I took out, its media type and its name. Refusals: `find_file`, `open_file`."""
    about = await queries.find_file(tx, me, batch_id)
    return (await commands.open_file(tx, me, batch_id, now)).data, about.media_type, about.name


async def _sign(request: _Request, asked: Asked, signing: commands.Signing, views: list[BatchView]) -> None:
    """Under what was shown; what the batch is then goes to `views`."""
    tx, me, typed = asked.tx, asked.me, asked.typed
    shown = {
        "content_hash": typed.get("content_hash", ""),
        "line_count": number_typed(typed.get("line_count", "")),
        "sum_fen": number_typed(typed.get("sum_fen", "")),
    }
    once = _once(request, asked, signing)
    if signing.action == BatchAction.RELEASE:
        transferred_on = forms.day_of(typed, "transferred_on")
        told = {**shown, "voucher": typed.get("voucher", ""), "transferred_on": transferred_on.isoformat()}
        release = as_wanted(told, NewRelease)
        answer = await once(
            tx, BatchView, lambda: commands.release_batch(tx, me, asked.id, release, asked.today, asked.now)
        )
    else:
        what = as_wanted(shown, Shown)
        sign = commands.submit_batch if signing.action == BatchAction.SUBMIT else commands.check_batch
        answer = await once(tx, BatchView, lambda: sign(tx, me, asked.id, what, asked.now))
    views.append(answer.view)


def _once(request: _Request, asked: Asked, signing: commands.Signing) -> Once:
    return forms.once_of(request, asked.me, asked.typed, f"{signing.action}-{asked.text('once')}")


async def _noted(asked: Asked, signing: commands.Signing, effect: Callable[[], Awaitable[None]]) -> list[Fault]:
    """As `forms.refused`; whom the rules do not let sign is in the journal besides."""
    refusals = list[str]()

    async def watched() -> None:
        try:
            await effect()
        except Forbidden as refusal:
            refusals.append(refusal.code)
            raise

    faults = await forms.refused(asked.tx, watched)
    for code in refusals:
        async with transaction() as own:
            await commands.note_refusal(own, asked.me, asked.id, signing.step, code, asked.now)
    return faults


async def _again(request: _Request, asked: Asked, faults: list[Fault]) -> Response[bytes]:
    asked = replace(asked, typed={**asked.typed, "once": ""})
    page = await finance.batch(asked, None, faults)
    return money.page(request, "batch", asked.today, asked.me, status=409, **page)
