"""Forms as browsers send them: read as text, kept as typed, and every fault said beside its field."""

import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response
from litestar.exceptions import ValidationException
from litestar.response import Redirect

from domain.actor import Actor
from domain.errors import Conflict, Forbidden, Ineligible, Invalid
from domain.period import parse_date
from domain.text import half_width
from service.database import Tx
from service.gateways.headed_sheets import one_form
from service.idempotency import Once
from service.problems import malformed_places
from service.wording import words

#: Longer than anything that a field may hold; what is longer is cut, and then is no longer what it should be.
TEXT_LENGTH_MAX = 2_000
_DAY_DIGITS = len("20260302")
_TOKEN = "_csrf_token"  # noqa: S105 (the name of a field)

Typed = Mapping[str, str]
Fault = tuple[str, str]


async def typed(request: Request[Any, Any, Any]) -> dict[str, str]:
    """Field → text, without blanks around it; files and what cannot be text are left out."""
    form = await request.form()
    return {name: _text(value) for name, value in form.items() if isinstance(value, str) and name != _TOKEN}


def _text(value: str) -> str:
    """As it can be stored: without NUL, and without halves of characters."""
    return value[:TEXT_LENGTH_MAX].replace("\0", "").encode("utf-8", "ignore").decode().strip()


def field_id(field: str) -> str:
    """A field of the API as a page names it: `account.number` is `account_number`."""
    return field.replace(".", "_")


def faults_of(refusals: Iterable[Invalid]) -> list[Fault]:
    """(field, message) of each, as the error summary and the field say them."""
    return [(field_id(each.field), words(each.code, each.facts)) for each in refusals]


def day_typed(given: Typed, field: str) -> str:
    """The three boxes of a date as one text, for whoever parses dates; empty when nothing was typed."""
    parts = [given.get(f"{field}_{part}", "") for part in "ymd"]
    return "-".join(part.zfill(2) for part in parts) if any(parts) else ""


def day_of(given: Typed, field: str) -> date:
    """The day that was typed. Invalid `value.missing`, or what `parse_date` says."""
    text = day_typed(given, field)
    if not text:
        raise Invalid("value.missing", field)
    return parse_date(text, field)


def day_written(text: str, field: str) -> date:
    """A day in any usual form, year first: 2026-3-2, 2026.3.2, 2026/3/2, 20260302, 2026年3月2日, in either width,
    with blanks. What `parse_date` says of any other."""
    plain = "".join(half_width(text).split())
    if plain.isascii() and plain.isdigit() and len(plain) == _DAY_DIGITS:
        plain = f"{plain[:4]}-{plain[4:6]}-{plain[6:]}"
    return parse_date(one_form(plain), field)


def once_of(request: Request[Any, Any, Any], me: Actor, given: Typed, key: str) -> Once:
    """Sent twice, a form is taken once: `key` names what is done, the fields what was said."""
    told = urlencode(sorted(given.items())).encode()
    return Once(me.user_id, f"{request.method} {request.url.path}", key, hashlib.sha256(told).digest())


def see(address: str, told: str = "") -> Response[Any]:
    """303 to another page, which says what was done by a code of `told.…`."""
    return Redirect(f"{address}?told={told}" if told else address, status_code=303)


async def refused(tx: Tx, effect: Callable[[], Awaitable[Any]]) -> list[Fault]:
    """Run `effect`; what was wrong with the form where it was refused, and then nothing of it is done."""
    try:
        async with tx.begin_nested():
            await effect()
    except Invalid as refusal:
        return faults_of((refusal, *refusal.others))
    except Ineligible as refusal:
        outcomes = refusal.facts["decision"]["outcomes"]
        return [("form", each["message"]) for each in outcomes if each["outcome"] == "failed"]
    except ValidationException as refusal:
        return [(field_id(field), words(code)) for field, code in malformed_places(refusal)]
    except (Conflict, Forbidden) as refusal:
        return [("form", words(refusal.code, refusal.facts))]
    return []
