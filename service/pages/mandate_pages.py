"""A trainee takes a mandate back on a page, once however often it is pressed."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Request, Response

from domain.actor import Actor
from service.batches.commands import revoke
from service.batches.schemas import RevokedView
from service.claims.schemas import NewNote
from service.database import Tx
from service.pages import forms, trainee
from service.pages.forms import Fault, Typed
from service.pages.rendering import private
from service.web import as_wanted

_Request = Request[Any, Any, Any]


async def revoking(
    request: _Request, tx: Tx, me: Actor, mandate_id: UUID, today: date, typed: Typed, faults: list[Fault]
) -> Response[bytes]:
    """The form; NotFound `mandate.not_found`."""
    view, status = await trainee.mandate(tx, me, mandate_id), 422 if faults else 200
    page = {"mandate": view, "typed": typed, "faults": faults, "once": uuid4(), "back": "/me/mandates"}
    return private(request, "trainee/revoke.html", today, status=status, **page)


async def revoked(
    request: _Request, tx: Tx, me: Actor, mandate_id: UUID, today: date, now: datetime
) -> Response[Any]:
    """Take it back; the form again where that is refused."""
    typed = await forms.typed(request)
    once = forms.once_of(request, me, typed, forms.key_of(typed))

    async def take_back() -> None:
        new = as_wanted({"note": typed.get("note", "")}, NewNote)
        await once(tx, RevokedView, lambda: revoke(tx, me, mandate_id, new.note, today, now))

    if faults := await forms.refused(tx, take_back):
        # the journal calls a note the reason
        faults = [("note" if field == "reason" else field, said) for field, said in faults]
        return await revoking(request, tx, me, mandate_id, today, typed, faults)
    return forms.see("/me/mandates", "revoked")
