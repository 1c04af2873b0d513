"""Every act of finance's pages: its form, and what comes of it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Request, Response

from domain.actor import Actor
from domain.errors import NotFound
from service.access.commands import asked_for
from service.database import Tx, transaction
from service.pages import forms, money, money_bank, money_batches, money_funds, money_owed
from service.pages.acts import Act, Asked, done_once, typed_of, was_done
from service.pages.forms import Fault
from service.pages.proving import proven_by
from service.security import digest, must_be_signed_in
from service.wording import words

_Request = Request[Any, Any, Any]
ACTS = {**money_batches.ACTS, **money_bank.ACTS, **money_owed.ACTS, **money_funds.ACTS}


def posts() -> list[Any]:
    """Whoever may do any of it; each act asks for its own."""
    return sorted({post for act in ACTS.values() for post in act.posts})


async def shown(
    request: _Request, tx: Tx, me: Actor, name: str, subject: str, today: date, now: datetime
) -> Response[bytes]:
    """The form of an act. NotFound where there is no such act or subject; Forbidden `post_missing`."""
    act, typed = _act(name, me), dict(request.query_params.items())
    return await _form(request, name, act, Asked(tx, me, today, now, typed, subject), [])


async def done(request: _Request, me: Actor, name: str, subject: str, today: date, now: datetime) -> Response[Any]:
    """Do it, once however often the form is sent; the form again, as it was typed, where it is refused. No
    transaction is open while the password is proven."""
    act, typed = _act(name, me), await typed_of(request)
    async with transaction() as tx:
        asked = Asked(tx, me, today, now, typed, subject)
        about = await act.shown(asked)
        faults = [(field, words("value.missing")) for field in act.needs if not asked.text(field)]
        proves = None if faults else await _what_to_prove(act, asked)
    if proves is not None and act.decision is not None:
        me, faults = await proven_by(request, me, act.decision, proves, typed, now)
    async with transaction() as tx:
        await must_be_signed_in(tx, digest(request.auth))
        asked = Asked(tx, me, today, now, typed, subject)
        if not faults or await was_done(request, tx, me, typed):
            _, faults = await done_once(request, tx, me, typed, act.view, lambda: act.do(asked))
        if faults:
            return await _form(request, name, act, asked, faults)
    return forms.see(about["back"], act.told)


async def _what_to_prove(act: Act, asked: Asked) -> UUID | None:
    """What the password and the code are asked for; None where they are not."""
    if act.decision is None or _declines(asked) or not await asked_for(asked.tx, asked.now):
        return None
    return await act.about(asked) if act.about else asked.id


def _act(name: str, me: Actor) -> Act:
    if name not in ACTS:
        raise NotFound("page.not_found")
    me.must_hold(*ACTS[name].posts)
    return ACTS[name]


def _declines(asked: Asked) -> bool:
    """Saying no stops money: that asks for nothing."""
    return "no" in {asked.text("grant"), asked.text("confirm")}


async def _form(request: _Request, name: str, act: Act, asked: Asked, faults: list[Fault]) -> Response[bytes]:
    proof = act.decision is not None and await asked_for(asked.tx, asked.now)
    about = {"typed": asked.typed, "faults": faults, "once": uuid4(), "proof": proof, **await act.shown(asked)}
    return money.page(
        request,
        f"acts/{name}",
        asked.today,
        asked.me,
        status=422 if faults else 200,
        action=f"/finance/acts/{name}/{asked.subject}",
        **about,
    )
