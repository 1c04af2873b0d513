"""What operators' and auditors' pages are made of: health, owed work, the seal, the settings, the journal."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from litestar import Request, Response

from domain.actor import Actor, Post
from domain.errors import Conflict, Invalid, NotFound
from domain.period import parse_date
from service import clock
from service.access.queries import district_names
from service.audit import commands
from service.audit.queries import entries, owed
from service.audit.queries.entries import JournalFilter
from service.audit.queries.seal import longest, seal_head, touched
from service.database import Tx
from service.operations import commands as operations
from service.operations.queries.desk import STATEMENT, UNKNOWN, desk
from service.operations.queries.outside import outside
from service.operations.schemas import NewAsking, OutsideView
from service.pages import forms
from service.pages.acts import codes, done_once
from service.pages.forms import Fault, Typed, faults_of, see
from service.pages.journal_words import told
from service.pages.policy_pages import called, name_of
from service.pages.policy_pages import told as parameter_told
from service.pages.rendering import private
from service.policies.queries import policies_on
from service.queue import Outside
from service.reconciliation.queries.lines import odd_words
from service.settings import settings
from service.web import as_wanted
from service.wording import wording, words

_Request = Request[Any, Any, Any]
#: Work that is due for longer is work that nobody does.
LATE_SECONDS = 300
_ENTRIES_A_PAGE = 50
#: A longer journal is not held against its seal while somebody waits: `zhida audit verify` does it, every night.
CHECKED_ROWS_MAX = 100_000
_DOORS = (
    ("/operate", "运行", (Post.OPERATOR, Post.AUDITOR)),
    ("/operate/jobs", "后台作业", (Post.OPERATOR, Post.AUDITOR)),
    ("/operate/seals", "日志封存", (Post.OPERATOR, Post.AUDITOR)),
    ("/operate/settings", "设置", (Post.OPERATOR, Post.AUDITOR)),
    ("/journal", "日志", (Post.AUDITOR,)),
    ("/finance", "财务", (Post.AUDITOR,)),
)


def page(
    request: _Request, template: str, me: Actor, *, status: int = 200, desk_name: str = "运行维护", **given: Any
) -> Response[bytes]:
    """A page of the operators' desk, or an auditor's, with the doors of whoever asks."""
    doors = [(name, address) for address, name, posts in _DOORS if me.holds(*posts)]
    shown = {"doors": doors, "posts": me.posts, "desk": desk_name, **given}
    return private(request, f"{template}.html", clock.today(), status=status, **shown)


async def overview(
    request: _Request, tx: Tx, me: Actor, now: datetime, typed: Typed | None = None, faults: Sequence[Fault] = ()
) -> Response[bytes]:
    """Whether work is done, what needs a person, and since when; `typed` and `faults` where an act was refused."""
    shown = {**await _overview(tx, me, now), "typed": typed or {}, "faults": faults, "once": uuid4()}
    return page(request, "operate/overview", me, status=_refused_with(faults) if faults else 200, **shown)


def _refused_with(faults: Sequence[Fault]) -> int:
    return 409 if all(field == "form" for field, _ in faults) else 422


async def ask_now(request: _Request, tx: Tx, me: Actor, service: str, now: datetime) -> Response[Any]:
    """Have a service asked now; the page again where that is refused."""
    if service not in set(Outside):
        raise NotFound("page.not_found")
    typed = await forms.typed(request)

    async def effect() -> OutsideView:
        told = {"service": service, "reason": typed.get("reason", "")}
        return await operations.ask_now(tx, me, as_wanted(told, NewAsking), now)

    _, faults = await done_once(request, tx, me, typed, OutsideView, effect)
    if faults:
        named = [("form" if field == "form" else f"reason-{service}", said) for field, said in faults]
        return await overview(request, tx, me, now, {**typed, f"reason-{service}": typed.get("reason", "")}, named)
    return see("/operate", "asked_now")


async def _overview(tx: Tx, me: Actor, now: datetime) -> dict[str, Any]:
    queues, view = await owed.queues(tx), await desk(tx, me.district, now)
    return {
        "late": max((each.late_seconds for each in queues), default=0) > LATE_SECONDS,
        "queues": queues,
        "counts": await owed.job_counts(tx),
        "view": view,
        "districts": await district_names(tx),
        "exceptions": [(each, _kind_words(each.kind)) for each in view.exceptions],
        "outside": [each for each in (await outside(tx)).outside if each.standing != "closed"],
        "seal": await seal_head(tx),
        "now": now,
    }


def _kind_words(kind: str) -> str:
    if kind == UNKNOWN:
        return words("status.unknown")
    if not kind.startswith(STATEMENT):
        return odd_words(kind)
    name = kind.removeprefix(STATEMENT)
    return words(f"statement_odd.{name}") if f"statement_odd.{name}" in wording() else words("statement_odd.blocked")


async def jobs_page(request: _Request, tx: Tx, me: Actor, faults: list[Fault]) -> Response[bytes]:
    """Work that failed too often, with what was wrong the last time."""
    dead = [(each, words(f"by.{each.kind}")) for each in (await owed.dead_jobs(tx)).jobs]
    status = 409 if faults else 200
    return page(
        request, "operate/jobs", me, status=status, dead=dead, faults=faults, counts=await owed.job_counts(tx)
    )


async def again(request: _Request, tx: Tx, me: Actor, job_id: int, now: datetime) -> Response[Any]:
    """Have a dead job done again; who presses twice is told that it is done already."""
    try:
        await commands.do_again(tx, me, job_id, now)
    except Conflict as refusal:
        return await jobs_page(request, tx, me, [("form", words(refusal.code, refusal.facts))])
    return see("/operate/jobs", "job_again")


async def seal(tx: Tx, *, check: bool) -> dict[str, Any]:
    """The head of the chain; with `check` the whole journal is held against it, where it is not too long for that."""
    rows = await longest(tx)
    checked = check and rows <= CHECKED_ROWS_MAX
    return {
        "head": await seal_head(tx),
        "rows": rows,
        "too_long": rows > CHECKED_ROWS_MAX,
        "checked": checked,
        "broken": await touched(tx) if checked else None,
    }


async def in_force(tx: Tx) -> dict[str, Any]:
    """Settings of this process and policies of today; no secret among them."""
    known = settings()
    shown = [(words(f"setting.{name}"), _setting(name, getattr(known, name))) for name in _SETTINGS]
    policies, names = (await policies_on(tx, clock.today())).policies, await called(tx)
    return {
        "settings": [*shown, (words("setting.clock_offset"), words("setting.days", {"days": clock.offset().days}))],
        "policies": [(each, name_of(each.key), parameter_told(each.key, each.value, names)) for each in policies],
    }


#: Those that hold no secret; of addresses only whose they are.
_SETTINGS = (
    *("registry_url", "registry_calls_a_minute", "registry_silences_max", "bank_url", "sms_url", "metrics_token"),
    *("demo", "pool_size", "job_lease_seconds"),
)


def _setting(name: str, value: Any) -> str:
    if name.endswith("_url"):
        return urlsplit(value).hostname or words("setting.none")
    if name.endswith("_token") or isinstance(value, bool):
        return words("setting.on" if value else "setting.off")
    return str(value)


async def journal(tx: Tx, me: Actor, typed: Typed, cursor: int | None) -> dict[str, Any]:
    """A page of the journal with a filter; where the filter is wrong, what is wrong with it."""
    asked: Mapping[str, Any] = {name: typed.get(name, "") for name in ("kind", "subject", "post", "first", "last")}
    try:
        found, faults = await entries.list_entries(tx, me, _filter(asked), cursor, _ENTRIES_A_PAGE), list[Fault]()
    except Invalid as refusal:
        found, faults = None, faults_of([refusal])
    names = await district_names(tx) | await called(tx)
    return {
        "found": found,
        "faults": faults,
        "typed": asked,
        "kinds": sorted(((code, entries.kind_words(code)) for code, _ in codes("noun")), key=lambda each: each[1]),
        "by": [(str(each), words(f"post.{each}")) for each in Post],
        "seal": await seal_head(tx),
        "rows": [told(each, names) for each in found.entries] if found else [],
        "one": found is not None and bool(asked["kind"] and asked["subject"]),
    }


def _filter(asked: Typed) -> JournalFilter:
    """Invalid `uuid.form`, or what `parse_date` says."""
    days = {name: parse_date(asked[name], name) for name in ("first", "last") if asked[name]}
    return JournalFilter(asked["kind"] or None, entries.subject_of(asked["subject"]), asked["post"] or None, **days)
