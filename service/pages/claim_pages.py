"""What a claimant can do about a claim or an offer: a form each, which is shown again with what is wrong in it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Request, Response

from domain.actor import Actor
from domain.claim import Channel
from domain.errors import NotFound
from domain.faults import Faults
from domain.objection import Ground
from service.batches.commands import withdraw
from service.claims.commands.appeals import appeal
from service.claims.commands.correcting import correct_claim
from service.claims.commands.mending import mend_account
from service.claims.commands.objections import object_to
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimView, NewAccount, NewAppeal, NewCorrection, NewMending, NewNote, NewObjection
from service.clawbacks.commands.amounts import appeal_amount
from service.clawbacks.schemas import NewAmountAppeal
from service.database import Tx
from service.offers.commands import confirm_offer, decline_offer
from service.offers.queries import my_offer
from service.offers.schemas import NewConfirmation
from service.pages import door, filing_form, forms
from service.pages.forms import Fault, Typed
from service.pages.rendering import private
from service.people.queries import name_of
from service.web import as_wanted
from service.wording import words

_Request = Request[Any, Any, Any]


@dataclass(frozen=True)
class _Said:
    """Who says what of which claim, and when."""

    tx: Tx
    me: Actor
    claim_id: UUID
    typed: Typed
    today: date
    now: datetime


async def _withdraw(said: _Said) -> None:
    new = as_wanted({"note": said.typed.get("note", "")}, NewNote)
    await withdraw(said.tx, said.me, said.claim_id, new.note, said.now)


async def _appeal(said: _Said) -> None:
    new = as_wanted({"reason": said.typed.get("reason", "")}, NewAppeal)
    await appeal(said.tx, said.me, said.claim_id, new, said.today, said.now)


async def _new_account(said: _Said) -> None:
    account = await _account(said.tx, said.me, said.typed)
    await mend_account(said.tx, said.me, said.claim_id, NewMending(account), said.now)


async def _correct(said: _Said) -> None:
    """Only what is in question stands in the form."""
    typed, asked = said.typed, await _asked(said)
    new = NewCorrection(
        level=typed.get("level") if "level" in asked else None,
        certificate_number=typed.get("certificate_number") if "certificate_number" in asked else None,
        certificate_issued_on=_day(typed, "certificate_issued_on", asked),
        training_started_on=_day(typed, "training_started_on", asked),
        account=await _account(said.tx, said.me, typed) if "account" in asked else None,
        item_code=typed.get("item_code") if "item_code" in asked else None,
    )
    await correct_claim(said.tx, said.me, said.claim_id, new, said.today, said.now)


async def _object(said: _Said) -> None:
    """What is missing is told at once."""
    faults, told = Faults(), {field: said.typed.get(field, "") for field in ("ground", "reason")}
    for field in (name for name, text in told.items() if not text):
        faults.tell("value.missing", field)
    faults.raise_all()
    await object_to(said.tx, said.me, said.claim_id, as_wanted(told, NewObjection), said.now)


async def _appeal_amount(said: _Said) -> None:
    new = as_wanted({"reason": said.typed.get("reason", "")}, NewAmountAppeal)
    await appeal_amount(said.tx, said.me, said.claim_id, new, said.today, said.now)


async def _asked(said: _Said) -> set[str]:
    view = await claim_view(said.tx, said.me, said.claim_id)
    return {str(each.field) for each in view.to_do.faults} if view.to_do else set()


def _day(typed: Typed, field: str, asked: set[str]) -> str | None:
    return forms.day_typed(typed, field) if field in asked else None


async def _account(tx: Tx, me: Actor, typed: Typed) -> NewAccount:
    return filing_form.account_typed(typed, await name_of(tx, me.person_id))


#: By the last part of the address: what it does.
_ACTS: Mapping[str, Callable[[_Said], Awaitable[None]]] = {
    "withdraw": _withdraw,
    "appeal": _appeal,
    "account": _new_account,
    "correct": _correct,
    "object": _object,
    "appeal-amount": _appeal_amount,
}


async def shown(request: _Request, tx: Tx, me: Actor, claim_id: UUID, act: str, today: date) -> Response[bytes]:
    """The form of an act; NotFound for a claim that is not mine, and for acts there are none of."""
    if act not in _ACTS:
        raise NotFound("page.not_found")
    return await _form(request, tx, me, claim_id, act, today, {}, [])


async def done(
    request: _Request, tx: Tx, me: Actor, claim_id: UUID, act: str, today: date, now: datetime
) -> Response[Any]:
    """Do it and go back to the claim; the form again, with what was typed, where it is refused."""
    if act not in _ACTS:
        raise NotFound("page.not_found")
    typed = await forms.typed(request)
    said = _Said(tx, me, claim_id, typed, today, now)
    once = forms.once_of(request, me, typed, forms.key_of(typed))
    if faults := await forms.refused(tx, lambda: once(tx, type(None), lambda: _ACTS[act](said))):
        return await _form(request, tx, me, claim_id, act, today, typed, faults)
    return forms.see(f"/me/claims/{claim_id}", act.replace("-", "_"))


async def _form(
    request: _Request, tx: Tx, me: Actor, claim_id: UUID, act: str, today: date, typed: Typed, faults: list[Fault]
) -> Response[bytes]:
    claim: ClaimView = await claim_view(tx, me, claim_id)
    return private(
        request,
        f"trainee/{act.replace('-', '_')}.html",
        today,
        status=422 if faults else 200,
        claim=claim,
        once=uuid4(),
        grounds=[(str(each), words(f"ground.{each}")) for each in Ground],
        typed=typed,
        faults=faults,
        back=f"/me/claims/{claim_id}",
        holder=await name_of(tx, me.person_id),
        **filing_form.choices(),
    )


async def offer_shown(request: _Request, tx: Tx, me: Actor, offer_id: UUID, today: date) -> Response[bytes]:
    """What was prepared; NotFound `offer.not_found`."""
    return await _offer(request, tx, me, offer_id, today, {}, [])


async def offer_answered(
    request: _Request, tx: Tx, me: Actor, offer_id: UUID, today: date, now: datetime
) -> Response[Any]:
    """Confirmed: to the claim that was filed. Declined: home, which says so."""
    typed = await forms.typed(request)
    once, filed = forms.once_of(request, me, typed, forms.key_of(typed)), list[str]()

    async def answer() -> str:
        if typed.get("answer") == "decline":
            await decline_offer(tx, me, offer_id, today, now)
            return ""
        account, truth = await _account(tx, me, typed), typed.get("truth") == "yes"
        new = NewConfirmation(account, truth, typed.get("district") or None)
        confirmed = await confirm_offer(tx, me, offer_id, new, today, now)
        return str(confirmed.claim.id)

    async def answer_once() -> None:
        filed.append((await once(tx, str, answer)).view)

    declined = typed.get("answer") == "decline"
    refused = forms.refused(tx, answer_once) if declined else door.filed(tx, Channel.INDIVIDUAL, today, answer_once)
    if faults := await refused:
        return await _offer(request, tx, me, offer_id, today, typed, faults)
    return forms.see(f"/me/claims/{filed[0]}", "filed") if filed[0] else forms.see("/me", "declined")


async def _offer(
    request: _Request, tx: Tx, me: Actor, offer_id: UUID, today: date, typed: Typed, faults: list[Fault]
) -> Response[bytes]:
    return private(
        request,
        "trainee/offer.html",
        today,
        status=422 if faults else 200,
        offer=await my_offer(tx, me, offer_id, today),
        once=uuid4(),
        typed=typed,
        faults=faults,
        back="/me",
        holder=await name_of(tx, me.person_id),
        **filing_form.choices(),
    )
