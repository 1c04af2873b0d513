"""What people do on pages, one form an act: what was typed, the feature's own command, and what came of it."""

import hashlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeVar
from uuid import UUID

from litestar import Request
from litestar.datastructures import UploadFile

from domain.actor import Actor, Post
from domain.errors import Invalid, NotFound
from domain.money import Fen, parse_yuan
from domain.period import parse_date
from domain.step_up import Decision
from service.database import Tx
from service.idempotency import Once
from service.pages import forms
from service.pages.forms import Fault, Typed
from service.wording import wording, words

T = TypeVar("T")

_Request = Request[Any, Any, Any]
Refused = Callable[[Tx, Callable[[], Awaitable[Any]]], Awaitable[list[Fault]]]
#: Of one form: a hundred billion yuan.
AMOUNT_FEN_MAX = 10**13
#: Of a box for a file, beside which stands what was read of it before.
_BESIDE = "_file"


@dataclass(frozen=True)
class Told:
    """Who says what on a form, and when."""

    tx: Tx
    me: Actor
    today: date
    now: datetime
    typed: Typed

    def text(self, field: str) -> str:
        return self.typed.get(field, "")

    def must(self, field: str) -> str:
        """What was typed. Invalid `value.missing`."""
        if not self.text(field):
            raise Invalid("value.missing", field)
        return self.text(field)


@dataclass(frozen=True)
class Asked(Told):
    """Finance's: what is done to which `subject` of the address."""

    subject: str

    @property
    def id(self) -> UUID:
        """NotFound for an address without one."""
        return uuid_of(self.subject)

    def yes(self, field: str) -> bool:
        """Invalid `value.missing` where neither button was pressed."""
        if self.text(field) not in {"yes", "no"}:
            raise Invalid("value.missing", "form")
        return self.text(field) == "yes"

    def day(self, field: str) -> date:
        """What a box for a day held. Invalid `value.missing`, or what `parse_date` says."""
        return parse_date(self.must(field), field)

    def amount(self, field: str, cap_fen: Fen = AMOUNT_FEN_MAX) -> Fen:
        """Fen of what was typed in yuan. Invalid `value.missing`, or what `parse_yuan` says."""
        return parse_yuan(self.must(field), cap_fen=cap_fen, field=field)

    def evidence(self, field: str = "evidence") -> str:
        """SHA-256 of the document that was chosen. Invalid `evidence.missing`."""
        if not self.text(field):
            raise Invalid("evidence.missing", field)
        return self.text(field)


def uuid_of(text: str) -> UUID:
    """The id in an address; NotFound `page.not_found` for what is none."""
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("page.not_found") from None


@dataclass(frozen=True)
class Act:
    """`shown` gives what the form says, `back` among it: where one came from; NotFound for a foreign subject.
    `do` is the command, `view` what it answers, `told` the code that says it was done, `needs` the fields that must
    not be left empty; `decision` is what it is where the password and a code go with it, and `about` what it is about
    (None: the subject of the address)."""

    posts: tuple[Post, ...]
    view: Any
    shown: Callable[[Asked], Awaitable[dict[str, Any]]]
    do: Callable[[Asked], Awaitable[Any]]
    told: str
    needs: tuple[str, ...] = ()
    decision: Decision | None = None
    about: Callable[[Asked], Awaitable[UUID]] | None = None


async def uploaded(request: _Request, field: str) -> tuple[bytes, str]:
    """The bytes of a file that was chosen, and its name. Invalid `file.missing`."""
    file = (await request.form()).get(field)
    if not isinstance(file, UploadFile) or not file.filename:
        raise Invalid("file.missing", field)
    await file.seek(0)
    return await file.read(), file.filename


async def typed_of(request: _Request) -> dict[str, str]:
    """Field → what was typed; of the files that were chosen their SHA-256, for the files themselves are not kept."""
    typed, chosen = await forms.typed(request), defaultdict[str, list[str]](list)
    for field, value in (await request.form()).multi_items():
        if isinstance(value, UploadFile) and value.filename:
            await value.seek(0)
            if content := await value.read():
                chosen[field.removesuffix(_BESIDE)].append(hashlib.sha256(content).hexdigest())
    return typed | {field: " ".join(digests) for field, digests in chosen.items()}


async def done_once(
    request: _Request,
    tx: Tx,
    me: Actor,
    typed: Typed,
    view: type[T],
    effect: Callable[[], Awaitable[T]],
    refused: Refused = forms.refused,
) -> tuple[list[T], list[Fault]]:
    """What came of it, once however often the form is sent; or else everything that is wrong, and nothing done."""
    done = list[T]()

    async def run() -> None:
        done.append((await _once(request, me, typed)(tx, view, effect)).view)

    return done, await refused(tx, run)


async def was_done(request: _Request, tx: Tx, me: Actor, typed: Typed) -> bool:
    """Whether this very form was taken before: pressed twice, its code serves the first time alone."""
    return await _once(request, me, typed).ran(tx)


def _once(request: _Request, me: Actor, typed: Typed) -> Once:
    return forms.once_of(request, me, typed, typed.get("once", ""))


def codes(kind: str, but: Mapping[str, Any] | frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    """The codes of a list in the wording, each with its words."""
    known = (code.removeprefix(f"{kind}.") for code in wording() if code.startswith(f"{kind}."))
    return [(code, words(f"{kind}.{code}")) for code in known if code not in but]
