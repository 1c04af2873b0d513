"""Who signs or decides on a page proves it there: the password and a code, for just what the form is about."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from litestar import Request

from domain.actor import Actor, StepUp
from domain.errors import Forbidden
from service.access.commands import prove
from service.access.schemas import NamedSignature, NewStepUp
from service.pages.forms import Fault, Typed
from service.security import digest
from service.wording import words

_Request = Request[Any, Any, Any]


async def proven_by(
    request: _Request, me: Actor, purpose: str, subject: UUID, typed: Typed, now: datetime
) -> tuple[Actor, list[Fault]]:
    """Me with the proof that goes with this alone, or what is wrong with password and code."""
    session, code = digest(request.auth), typed.get("code", "").replace(" ", "")
    if len(code) != 6 or not (code.isascii() and code.isdigit()):
        return me, [("code", words("step_up.six_digits"))]
    named = [NamedSignature(purpose, subject)]
    try:
        view = await prove(me, session, NewStepUp(typed.get("password", ""), code, named), now)
    except Forbidden as refusal:
        return me, [("code", words(refusal.code, refusal.facts))]
    return replace(me, step_up=StepUp(session, digest(view.token))), []
