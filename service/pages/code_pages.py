"""A signer enrols a telephone for one-time codes on a page: the secret is shown once, and counts when confirmed."""

from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from litestar import Request, Response

from domain.actor import Actor
from domain.errors import DomainError, Forbidden
from service.access.commands import confirm_factor, enrol
from service.access.queries import factor_since
from service.access.schemas import FactorCode
from service.database import Tx, transaction
from service.pages import forms, homes
from service.pages.forms import Fault
from service.pages.rendering import private
from service.web import as_wanted
from service.wording import words

_Request = Request[Any, Any, Any]


async def shown(request: _Request, tx: Tx, me: Actor, today: date, faults: list[Fault]) -> Response[bytes]:
    """Whether codes of a telephone of mine count already, and how to begin."""
    standing, since = await factor_since(tx, me)
    page: dict[str, Any] = {
        "standing": standing,
        "since": since,
        "uri": "",
        "groups": [],
        "typed": {},
        "home": homes.of(me),
    }
    status = 422 if faults else 200
    return private(request, "session/code.html", today, status=status, faults=faults, **page)


async def enrolled(request: _Request, me: Actor, today: date, now: datetime) -> Response[bytes]:
    """The new secret, on this page and never again; no transaction is open while the password is proven."""
    typed = await forms.typed(request)
    try:
        view = await enrol(me, typed.get("password", ""), now)
    except DomainError as refusal:
        code = "password.wrong" if isinstance(refusal, Forbidden) else refusal.code
        async with transaction() as tx:
            return await shown(request, tx, me, today, [("password", words(code, refusal.facts))])
    secret = parse_qs(urlsplit(view.uri).query)["secret"][0]
    groups = [secret[at : at + 4] for at in range(0, len(secret), 4)]
    page: dict[str, Any] = {
        "standing": False,
        "since": now,
        "uri": view.uri,
        "groups": groups,
        "typed": {},
        "home": homes.of(me),
    }
    return private(request, "session/code.html", today, **page)


async def confirmed(request: _Request, tx: Tx, me: Actor, today: date, now: datetime) -> Response[Any]:
    """The telephone shows the right codes; back to what is to be signed."""
    typed = await forms.typed(request)
    code = typed.get("code", "").replace(" ", "")
    try:
        async with tx.begin_nested():
            await confirm_factor(tx, me, as_wanted({"code": code}, FactorCode).code, now)
    except DomainError as refusal:
        return await shown(request, tx, me, today, [("code", words(refusal.code, refusal.facts))])
    except ValueError:
        return await shown(request, tx, me, today, [("code", words("step_up.six_digits"))])
    return forms.see("/account/code", "code_confirmed")
