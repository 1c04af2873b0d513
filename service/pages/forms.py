"""Forms as browsers send them: read as text, kept as typed, and every fault said beside its field."""

import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePath
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from litestar import Request, Response
from litestar.datastructures import UploadFile
from litestar.exceptions import ValidationException
from litestar.response import Redirect

from domain.actor import Actor
from domain.errors import Conflict, Forbidden, Ineligible, Invalid, Throttled
from domain.period import parse_date
from domain.personal_number import holds_personal_number
from domain.text import half_width
from service.access.commands.kept_forms import SECRETS
from service.database import Tx
from service.gateways.headed_sheets import one_form
from service.idempotency import Once
from service.problems import malformed_places
from service.wording import in_chinese, words

#: Longer than anything that a field may hold; what is longer is cut, and then is no longer what it should be.
TEXT_LENGTH_MAX = 2_000
#: Of a file's name as it is shown; its end tells the kind.
_NAME_LENGTH_MAX = 80
#: What a form takes beside its file: the other fields, and what stands between them.
BESIDE_A_FILE = 1024 * 1024
_DAY_DIGITS = len("20260302")
#: What our forms were given, with which of several on a page it is; a draft is filed once, whatever is sent.
_KEY = re.compile(r"file|(?:[a-z_]{1,30}-)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:-([a-z0-9_-]{1,60}))?")
_TOKEN = "_csrf_token"  # noqa: S105 (the name of a field)

Typed = Mapping[str, str]
Fault = tuple[str, str]


async def typed(request: Request[Any, Any, Any], at_most: int = TEXT_LENGTH_MAX) -> dict[str, str]:
    """Field → text, without blanks around it; files and what cannot be text are left out. `at_most`: characters of a
    field, where one holds many lines."""
    form = await request.form()
    return {name: _text(value, at_most) for name, value in form.items() if isinstance(value, str) and name != _TOKEN}


def _text(value: str, at_most: int) -> str:
    """As it can be stored: without NUL, and without halves of characters."""
    return value[:at_most].replace("\0", "").encode("utf-8", "ignore").decode().strip()


@dataclass(frozen=True)
class Sent:
    """A file that was chosen; `name` as the sender calls it, for nothing but to be shown."""

    name: str
    data: bytes = field(repr=False)

    @property
    def kind(self) -> str:
        """What its name says that it is, such as `xlsx`."""
        return PurePath(self.name).suffix.lower().removeprefix(".")

    @property
    def told(self) -> str:
        """Its name as it may stand in an address, which is logged: none where it holds a number of a person."""
        return "" if holds_personal_number(self.name) else self.name

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


async def file_of(request: Request[Any, Any, Any], name: str) -> Sent:
    """The file of a field. Invalid `value.missing` where none was chosen."""
    chosen = (await request.form()).get(name)
    if not isinstance(chosen, UploadFile) or not chosen.filename:
        raise Invalid("value.missing", name)
    await chosen.seek(0)
    shown = "".join(each for each in _text(chosen.filename, _NAME_LENGTH_MAX * 4) if each.isprintable())
    return Sent(shown[-_NAME_LENGTH_MAX:], await chosen.read())


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


def key_of(typed: Typed) -> str:
    """What a form was given when it was shown: pressed twice, it is taken once. Nobody types it, so what is no such
    key (a number of a person, say) is not kept."""
    try:
        return str(UUID(typed.get("once", "")))
    except ValueError:
        return str(uuid4())


def day_written(text: str, field: str) -> date:
    """A day in any usual form, year first: 2026-3-2, 2026.3.2, 2026/3/2, 20260302, 2026年3月2日, in either width,
    with blanks. What `parse_date` says of any other."""
    plain = "".join(half_width(text).split())
    if plain.isascii() and plain.isdigit() and len(plain) == _DAY_DIGITS:
        plain = f"{plain[:4]}-{plain[4:6]}-{plain[6:]}"
    return parse_date(one_form(plain), field)


def once_of(request: Request[Any, Any, Any], me: Actor, given: Typed, key: str) -> Once:
    """Sent twice, a form is taken once: `key` names what is done, the fields what was said.

    What proves who somebody is says nothing of what is done, and is left out. A key that no form of ours has (a
    number of a person, what an index has no room for) is kept nowhere: it names nothing that was done before.
    """
    secret = SECRETS if "password" in given else ()  # elsewhere a code is one of a list
    told = urlencode(sorted((name, text) for name, text in given.items() if name not in secret))
    ours = _KEY.fullmatch(key)
    fits = ours is not None and not holds_personal_number(ours[1] or "")
    route = f"{request.method} {request.url.path}"
    return Once(me.user_id, route, key if fits else str(uuid4()), told.encode())


def see(address: str, told: str = "") -> Response[Any]:
    """303 to another page, which says what was done by a code of `told.…`."""
    return Redirect(f"{address}?told={told}" if told else address, status_code=303)


async def refused(tx: Tx, effect: Callable[[], Awaitable[Any]]) -> list[Fault]:
    """Run `effect`; what was wrong with the form where it was refused, and then nothing of it is done. What it stores
    is in Chinese, what was wrong is said in the language of the page."""
    try:
        with in_chinese():
            async with tx.begin_nested():
                await effect()
    except Invalid as refusal:
        return faults_of((refusal, *refusal.others))
    except Ineligible as refusal:
        outcomes = refusal.facts["decision"]["outcomes"]
        return [("form", words(each["code"], each["facts"])) for each in outcomes if each["outcome"] == "failed"]
    except ValidationException as refusal:
        return [(field_id(field), words(code)) for field, code in malformed_places(refusal)]
    except (Conflict, Forbidden, Throttled) as refusal:
        return [("form", words(refusal.code, refusal.facts))]
    return []
