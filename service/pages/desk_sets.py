"""Approving many at once: looked at first, then decided over just what was shown."""

from datetime import date, datetime
from typing import Any
from uuid import uuid4

from litestar import Request, Response

from domain.actor import Actor
from domain.errors import Conflict
from service.claims.commands.approving import APPROVE_MAX, approve_set, preview
from service.claims.schemas import ApprovedView, NewApproval, NewApprovalPreview, PreviewView, ShownSet
from service.database import Tx
from service.funds.queries import funds_view
from service.pages import forms
from service.pages.desk import shown
from service.pages.forms import Fault, Typed
from service.web import as_wanted

_Request = Request[Any, Any, Any]
#: So many are looked at together unless somebody says otherwise.
_LIMIT = 500


async def looked_at(
    request: _Request, tx: Tx, me: Actor, filed_to: str, limit: str, today: date, now: datetime
) -> Response[bytes]:
    """What approving the set would do now; nothing changes."""
    return await _page(request, tx, me, {"filed_to": filed_to, "limit": limit}, today, now, [])


async def approved(request: _Request, tx: Tx, me: Actor, today: date, now: datetime) -> Response[Any]:
    """Approve what was shown, all of it or nothing."""
    typed = await forms.typed(request)

    async def decide() -> None:
        once = forms.once_of(request, me, typed, typed.get("once") or str(uuid4()))
        told = {name: _number(typed.get(name, "")) for name in ("count", "sum_fen")}
        seen = as_wanted({**told, "hash": typed.get("hash", "")}, ShownSet)
        new = NewApproval("verified", typed.get("filed_to") or None, _number(typed.get("limit", "")), seen)
        await once(tx, ApprovedView, lambda: approve_set(tx, me, new, now))

    if faults := await forms.refused(tx, decide):
        return await _page(request, tx, me, typed, today, now, faults)
    return forms.see("/desk/claims/set", "set_approved")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Conflict("busy")  # nobody types these: the page was not sent as it was shown
    return int(text)


async def _page(
    request: _Request, tx: Tx, me: Actor, typed: Typed, today: date, now: datetime, faults: list[Fault]
) -> Response[bytes]:
    """Where the choice itself is wrong, the form alone."""
    found = list[PreviewView]()

    async def look() -> None:
        limit = typed.get("limit") or str(_LIMIT)
        fits = limit.isascii() and limit.isdigit() and len(limit) <= len(str(APPROVE_MAX))
        chosen = NewApprovalPreview("verified", typed.get("filed_to") or None, int(limit) if fits else 0)
        found.append(await preview(tx, me, chosen, now))

    wrong = await forms.refused(tx, look)
    return await shown(
        request,
        tx,
        me,
        "set",
        today,
        "/desk/claims/set",
        status=409 if faults else 422 if wrong else 200,
        faults=[(field if field in {"filed_to", "limit"} else "form", said) for field, said in faults or wrong],
        found=found[0] if found else None,
        # what was typed by hand stays; what was shown is shown anew
        typed={"limit": str(_LIMIT), **{key: typed[key] for key in ("filed_to", "limit") if typed.get(key)}},
        funds=(await funds_view(tx, me, today.year, now)).positions,
        most=APPROVE_MAX,
        once=uuid4(),
    )
