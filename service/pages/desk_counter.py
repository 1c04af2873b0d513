"""At the counter: an acceptor keys in a claim for somebody who is present, from their papers."""

from datetime import date, datetime
from typing import Any
from uuid import uuid4

from litestar import Request, Response

from domain.actor import Actor
from domain.claim import Channel
from domain.errors import DomainError
from service.access.queries import claimable_districts
from service.catalog.queries.published import catalog_on
from service.claims.commands.counter import file_at_counter
from service.claims.schemas import ClaimView, NewClaim, NewCounterClaim, NewTrainee
from service.database import Tx
from service.pages import door, filing_form, forms
from service.pages.desk import shown
from service.pages.filing_form import Filled
from service.pages.forms import Fault, Typed

_Request = Request[Any, Any, Any]
#: Fields of the page, besides those of the steps in which people file for themselves.
_FIELDS = (
    *("trainee_name", "trainee_id_number", "trainee_phone", "district", "group_code", "group_proof_number"),
    *("group_valid_from", "place_link", "item", "level", "certificate_number", "certificate_issued_on"),
    *("training_started_on", "account_number", "account_bank_code"),
)
#: What the API calls otherwise.
_NAMED = {"item_code": "item", "account_holder": "trainee_name", "group_proof_kind": "group_code"}


async def counter(request: _Request, tx: Tx, me: Actor, today: date) -> Response[bytes]:
    """An empty form."""
    return await _page(request, tx, me, today, {}, [])


async def filed(request: _Request, tx: Tx, me: Actor, today: date, now: datetime) -> Response[Any]:
    """File it, and a new form for the next one; the form with everything that is wrong where it is refused."""
    typed = await forms.typed(request)
    typed = {**typed, **({"district": me.district} if me.district else {})}
    filled = await _filled(tx, typed, today)
    if filled.faults:
        return await _page(request, tx, me, today, typed, filled.faults)
    trainee = NewTrainee(
        typed.get("trainee_name", ""), typed.get("trainee_id_number", ""), typed.get("trainee_phone") or None
    )
    new = NewCounterClaim(**{name: getattr(filled.new, name) for name in NewClaim.__struct_fields__}, trainee=trainee)

    async def file() -> None:
        once = forms.once_of(request, me, typed, typed.get("once") or str(uuid4()))
        await once(tx, ClaimView, lambda: file_at_counter(tx, me, new, today, now))

    if faults := await door.filed(tx, Channel.INDIVIDUAL, today, file):
        return await _page(request, tx, me, today, typed, faults)
    return forms.see("/desk/counter", "counter_filed")


async def _filled(tx: Tx, typed: Typed, today: date) -> Filled:
    try:
        items = (await catalog_on(tx, today)).items
    except DomainError:
        items = []
    return filing_form.filled(typed, items, typed.get("trainee_name", ""))


async def _page(
    request: _Request, tx: Tx, me: Actor, today: date, typed: Typed, faults: list[Fault]
) -> Response[bytes]:
    items = (await catalog_on(tx, today)).items
    placed = [(_NAMED.get(field, field), said) for field, said in faults]
    refused = bool(placed) and all(field not in _FIELDS for field, _ in placed)
    return await shown(
        request,
        tx,
        me,
        "counter",
        today,
        "/desk/counter",
        status=409 if refused else 422 if faults else 200,
        faults=[(field if field in _FIELDS else "form", said) for field, said in placed],
        typed=typed,
        districts=[] if me.district else await claimable_districts(tx),
        names=sorted({row.name for row in items if row.code}),
        once=uuid4(),
        **filing_form.choices(),
    )
