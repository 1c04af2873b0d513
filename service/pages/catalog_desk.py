"""The desk of the catalog and of standards: which doors are open to whom, and how its forms are answered."""

import hashlib
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from litestar import Request, Response
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.response import Redirect

from domain.actor import Actor, Post
from domain.errors import Invalid
from domain.standard import WORKS_ON_STANDARDS
from service.idempotency import Once
from service.pages import forms
from service.pages.forms import Fault, Typed
from service.pages.rendering import private
from service.web import Me, Now, StrictRequest, Today, Tx

#: Who sees drafts, proposals and what is proposed to change in policies.
CATALOG = (Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER, Post.AUDITOR)
_DOORS = (
    ("目录", "/catalog-desk", CATALOG),
    ("区县建议", "/catalog-desk/proposals", CATALOG),
    ("补贴标准", "/catalog-desk/standards", WORKS_ON_STANDARDS),
    ("标准评估", "/catalog-desk/reviews", WORKS_ON_STANDARDS),
    ("测算", "/catalog-desk/what-if", WORKS_ON_STANDARDS),
    ("政策参数", "/catalog-desk/policies", CATALOG),
    ("比对名单", "/catalog-desk/registers", CATALOG),
)
#: The marks that a row may bear, as they are chosen.
TAGS = (("L", "绿色职业"), ("S", "数字职业"), ("L/S", "绿色和数字职业"))
_NOTHING: Typed = {}
_Page = Response[Any]


@dataclass(frozen=True)
class Visit:
    """Somebody at the desk: what they ask for, and in whose name."""

    request: Request[Any, Any, Any]
    tx: Tx
    me: Actor
    today: date
    now: datetime

    def shown(
        self, template: str, typed: Typed = _NOTHING, faults: Sequence[Fault] = (), **given: Any
    ) -> Response[bytes]:
        """A page of the desk; with `faults` it is the form again, with what was typed."""
        frame = {
            "doors": [(name, address) for name, address, posts in _DOORS if self.me.holds(*posts)],
            "typed": typed,
            "faults": [(_there(field, typed), text) for field, text in faults],
            "once": typed.get("once") or uuid4(),
        }
        status = 422 if faults else 200
        return private(self.request, f"catalog_desk/{template}.html", self.today, status=status, **frame, **given)

    async def typed(self) -> dict[str, str]:
        """The fields of the form that was sent."""
        return await forms.typed(self.request)

    async def file(self, field: str = "file") -> tuple[str, bytes]:
        """Name and bytes of a file that was sent along. Invalid `value.missing` without one."""
        found = (await self.request.form()).get(field)
        data = await found.read() if isinstance(found, UploadFile) else b""
        if not data:
            raise Invalid("value.missing", field)
        assert isinstance(found, UploadFile)
        return found.filename, data

    async def fingerprint(self, field: str = "document") -> str:
        """SHA-256 of a document that stays with whoever sends it."""
        return hashlib.sha256((await self.file(field))[1]).hexdigest()

    def once(self, typed: Typed) -> Once:
        """However often this form is sent, its effect comes once."""
        return forms.once_of(self.request, self.me, typed, typed.get("once", "")[:100])

    async def does(
        self,
        effect: Callable[[], Awaitable[Any]],
        then: Callable[[], str],
        told: str,
        again: Callable[[Sequence[Fault]], Awaitable[_Page]],
    ) -> _Page:
        """Have it done and go on to `then`, which says what was done; or the page `again`, with what is wrong."""
        faults = await forms.refused(self.tx, effect)
        return await again(faults) if faults else told_at(then(), told)


async def visit_of_desk(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Visit:
    """Whoever asks for a page of the desk."""
    return Visit(request, tx, me, today, now)


AtDesk = NamedDependency[Visit]


def _there(field: str, typed: Typed) -> str:
    """The field as a place of the page; the page itself where the form has no such field."""
    fields = {*typed, "file", "document"} - {"once"}
    short = field.removeprefix("item_").removeprefix("samples_0_")
    return next((each for each in (field, short) if each in fields), "main")


def told_at(address: str, told: str, **query: Any) -> _Page:
    """303 to an address, which says what was done, and keeps what was asked for."""
    asked = {name: value for name, value in query.items() if value}
    return Redirect(f"{address}?{urlencode({**asked, 'told': told})}", status_code=303)


def number(text: str) -> int | str | None:
    """What was typed as a number, for the schema to judge; None where nothing was."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else text or None


def chosen(typed: Typed, field: str, options: Container[str]) -> str:
    """What was chosen. Invalid `value.missing`, `value.unknown`."""
    found = typed.get(field, "")
    if found not in options:
        raise Invalid("value.unknown" if found else "value.missing", field)
    return found


def identifier(text: str) -> UUID | str | None:
    """The same for what a list of choices gives."""
    try:
        return UUID(text)
    except ValueError:
        return text or None


def pick(typed: Typed, *names: str) -> dict[str, str]:
    """Those fields, empty where they were not sent."""
    return {name: typed.get(name, "") for name in names}


def sliced(rows: Sequence[Any], first: int, size: int) -> dict[str, Any]:
    """A page of what is at hand: `rows`, which they are, and where the next begins."""
    shown = rows[first : first + size]
    following = first + size if first + size < len(rows) else None
    return {"rows": shown, "first": first + 1, "last": first + len(shown), "of": len(rows), "next": following}
