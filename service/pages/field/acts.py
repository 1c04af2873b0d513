"""What an officer's page shows, and the one command that its form runs once, however often it is sent."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, Generic, TypeVar
from uuid import UUID, uuid4

from litestar import Request, Response

from domain.actor import Actor, Post
from domain.errors import Invalid, Malformed, NotFound
from domain.institution import Stop
from service.database import Tx
from service.pages import forms
from service.pages.acts import Told, done_once, typed_of
from service.pages.forms import Fault
from service.pages.rendering import private
from service.training.queries.views import STAFF
from service.wording import words

T = TypeVar("T")

_Request = Request[Any, Any, Any]
_OFFICER, _AUDITOR = Post.INSTITUTION_OFFICER, Post.AUDITOR
#: Name, address, and who may go there; nobody is offered more than six.
_DOORS = (
    ("开班", "/desk/classes", STAFF),
    ("巡查", "/patrols", STAFF),
    ("机构", "/desk/institutions", (_OFFICER, _AUDITOR)),
    ("投诉", "/desk/complaints", (_OFFICER,)),
    ("惩戒", "/desk/penalties", (_OFFICER, _AUDITOR, Post.EVALUATOR)),
    ("遴选", "/desk/selections", (_OFFICER, _AUDITOR, Post.ASSESSOR)),
    ("实地检查", "/inspections", (Post.INSPECTOR,)),
    ("年度评估", "/desk/evaluations", (Post.EVALUATOR,)),
)
_DOORS_MOST = 6
_WHERE = {
    Post.INSTITUTION_OFFICER: "机构管理",
    Post.INSPECTOR: "检查",
    Post.ASSESSOR: "评分",
    Post.EVALUATOR: "第三方评估",
}
#: What is not there although somebody typed it: it is said beside its field, and not by a page of its own.
_TYPED = MappingProxyType({"oversight.no_institution": "institution", "patrol.other_district": "district"})


@dataclass(frozen=True)
class Said(Told):
    """Who asks or says what, of which thing (`of`) and which part of it."""

    request: _Request
    of: UUID | None = None
    part: UUID | None = None

    @property
    def id(self) -> UUID:
        assert self.of is not None, "the address of this page names what it is about"
        return self.of

    @property
    def part_id(self) -> UUID:
        assert self.part is not None, "the address of this page names a part"
        return self.part

    def day(self, field: str) -> str:
        """As three boxes say it; for whoever parses dates. Invalid `value.missing`."""
        return forms.day_typed(self.typed, field) or self.must(field)

    def later_day(self, field: str) -> str | None:
        """One that may be left open."""
        return forms.day_typed(self.typed, field) or None

    def whole(self, field: str) -> int:
        """A whole number, perhaps with a sign. Invalid `value.missing`, `value.form`."""
        text = self.must(field).replace("−", "-")
        digits = text.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 12):
            raise Invalid("value.form", field)
        return int(text)

    def year(self) -> int | None:
        """A year that is named; None for none, and for what is no year of ours."""
        text = self.text("year")
        fits = text.isascii() and text.isdigit() and len(text) == 4 and "2000" <= text <= "2100"
        return int(text) if fits else None

    def cursor(self) -> UUID | None:
        """The last one seen of the page before. Malformed for what is none."""
        try:
            return UUID(self.text("after")) if self.text("after") else None
        except ValueError:
            raise Malformed("value.form", "after") from None

    def fingerprint(self, field: str) -> str:
        """SHA-256 of the file that was chosen. Invalid `value.missing`."""
        return self.must(field)


@dataclass(frozen=True)
class Act(Generic[T]):
    """A page with a form: what it shows, what the form does, and where one is led then, and told `told.…`.

    `fields`: the ids that the page has; what is wrong elsewhere is said of the form as a whole.
    """

    template: str
    shows: Callable[[Said], Awaitable[Mapping[str, Any]]]
    does: Callable[[Said], Awaitable[T]]
    view: type[T]
    goes: Callable[[Said, T], str]
    told: str
    fields: frozenset[str] = frozenset()


def doors_of(me: Actor) -> list[tuple[str, str]]:
    """Where one may go, by one's posts."""
    return [(name, address) for name, address, posts in _DOORS if me.holds(*posts)][:_DOORS_MOST]


def desk(request: _Request, template: str, today: date, me: Actor, **given: Any) -> Response[bytes]:
    """A page in the frame of whoever asks."""
    where = next((_WHERE[post] for post in _WHERE if me.holds(post)), "查看")
    held = frozenset(map(str, me.posts))
    stops = {str(each): words(f"stops.{each}") for each in Stop}
    frame = {"doors": doors_of(me), "desk": where, "posts": held, "city": me.district is None, "stop_names": stops}
    return private(request, template, today, **{"typed": {}, "faults": [], "once": uuid4(), **frame, **given})


async def shown(
    act: Act[Any],
    request: _Request,
    tx: Tx,
    me: Actor,
    today: date,
    now: datetime,
    of: UUID | None = None,
    part: UUID | None = None,
) -> Response[bytes]:
    """The page, its form filled with what the address says. NotFound for what is not mine to see."""
    given = {name: value[:200] for name, value in request.query_params.items() if isinstance(value, str)}
    return await page_of(act, Said(tx, me, today, now, given, request, of, part))


async def done(
    act: Act[T],
    request: _Request,
    tx: Tx,
    me: Actor,
    today: date,
    now: datetime,
    of: UUID | None = None,
    part: UUID | None = None,
) -> Response[Any]:
    """Do it and go on; the page again, with what was typed and what is wrong, where it is refused."""
    said = Said(tx, me, today, now, await typed_of(request), request, of, part)
    views, faults = await done_once(request, tx, me, said.typed, act.view, lambda: _told_beside(act, said))
    if faults:
        return await page_of(act, said, faults)
    return forms.see(_with(act.goes(said, views[0]), act.told))


async def page_of(act: Act[Any], said: Said, faults: list[Fault] | None = None, **more: Any) -> Response[bytes]:
    """The page of an act as it stands now."""
    here = [(_place(field, act.fields), text) for field, text in faults or []]
    given = {"typed": said.typed, "faults": here, "status": 422 if here else 200}
    return desk(said.request, act.template, said.today, said.me, **{**given, **await act.shows(said), **more})


async def _told_beside(act: Act[T], said: Said) -> T:
    try:
        return await act.does(said)
    except NotFound as refusal:
        field = _TYPED.get(refusal.code)
        if field is None:
            raise
        raise Invalid(refusal.code, field, **refusal.facts) from None


def _place(field: str, known: frozenset[str]) -> str:
    """Where the page has this field: `criteria_0_name` stands in `criteria`."""
    found = [each for each in known if field == each or field.startswith(f"{each}_")]
    return max(found, key=len, default="form")


def _with(address: str, told: str) -> str:
    """The address with what to tell, whatever it asks for already."""
    if not told:
        return address
    return f"{address}{'&' if '?' in address else '?'}told={told}"
