"""代领名册 on pages: a sheet goes in, what became of its lines comes out, and the sheet to mend goes back."""

from asyncio import to_thread
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from litestar import Response

from domain.actor import Actor
from domain.errors import Conflict, Invalid
from domain.roster import LineOutcome, RosterStatus
from domain.training import ClassStatus
from service.claims.commands import rosters
from service.claims.queries.roster_sheet import sheet_of
from service.claims.queries.rosters import roster_page, roster_view, rosters_page
from service.claims.schemas import RosterView
from service.database import Tx
from service.gateways.roster_sheets import LIMITS
from service.gateways.sheet_files import FILES, TYPES
from service.pages import forms
from service.pages.institution.frame import Ask, shown
from service.pages.rendering import private
from service.training.queries.views import classes_page
from service.web import private_file
from service.wording import wording, words

_ROSTERS_A_PAGE, _LINES_A_PAGE, _CLASSES_MAX = 30, 50, 100
#: Classes for whose trainees one may claim.
_TAUGHT = (ClassStatus.FINISHED, ClassStatus.RUNNING, ClassStatus.CLOSED)
_WORKING = frozenset({RosterStatus.RECEIVED, RosterStatus.FILING})
_TONES = {RosterStatus.FINISHED: "green", RosterStatus.REJECTED: "red"}
NEW = "/institution/rosters/new"


async def listed(request: Ask, tx: Tx, me: Actor, today: date, cursor: str | None) -> Response[bytes]:
    """My institution's rosters, newest first."""
    found = await rosters_page(tx, me, cursor=cursor, limit=_ROSTERS_A_PAGE)
    return await shown(request, tx, me, "rosters", today, found=found, tones=_TONES, later=cursor is not None)


async def form(request: Ask, tx: Tx, me: Actor, today: date) -> Response[bytes]:
    """Where a sheet is dropped; and why the last one was not taken, by a code in the address."""
    asked = request.query_params
    why = words(_refusal(asked.get("why", ""))) if asked.get("why") else ""
    return await shown(
        request,
        tx,
        me,
        "roster_new",
        today,
        why=why,
        file_name=asked.get("file", "")[:80],
        classes=await _classes(tx, me),
        typed={"class_number": asked.get("class_number", "")},
        once=uuid4(),
        bytes_max=LIMITS.file_bytes,
    )


def _refusal(code: str) -> str:
    """A code of what keeps a file or the number of its class from being taken; anything else is none of ours."""
    known = code in wording() and code.partition(".")[0] in {"file", "csv", "class_number", "roster_refused", "value"}
    return code if known else "file.unknown_kind"


async def _classes(tx: Tx, me: Actor) -> list[tuple[str, str]]:
    """(number, name) of the classes of my institution that a roster may be of."""
    found = []
    for status in _TAUGHT:
        page = await classes_page(tx, me, status=status, district=None, cursor=None, limit=_CLASSES_MAX)
        found += [(each.number, f"{each.number} {each.item_name}{each.level_name}") for each in page.classes]
    return found


async def taken(request: Ask, tx: Tx, me: Actor, today: date, now: datetime) -> Response[Any]:
    """Always 303: to the import of the file, which is the same for the same bytes, or back, saying why it is none.

    A script sends it to show how far it is, and follows to where the answer leads.
    """
    typed = await forms.typed(request)
    try:
        sent = await forms.file_of(request, "sheet")
    except Invalid as refusal:
        return _back(refusal.code, "")
    try:
        if sent.kind not in {*FILES, "xlsm"}:
            raise Invalid("file.unknown_kind", "sheet")
        await to_thread(rosters.look_at, sent.data, sent.kind)
        once = forms.once_of(request, me, {**typed, "sheet": sent.sha256}, typed.get("once", ""))
        number = typed.get("class_number") or None
        async with tx.begin_nested():
            answer = await once(
                tx, RosterView, lambda: rosters.receive_roster(tx, me, sent.data, sent.kind, today, now, number)
            )
    except Invalid as refusal:
        return _back(refusal.code, sent.told)
    except Conflict:
        return _back("roster_refused.other_class", sent.told)
    return forms.see(f"/institution/rosters/{answer.view.id}?{urlencode({'file': sent.told})}")


def _back(code: str, name: str) -> Response[Any]:
    return forms.see(f"{NEW}?{urlencode({'why': code, 'file': name})}")


async def one(request: Ask, tx: Tx, me: Actor, today: date, roster_id: UUID, after: int) -> Response[bytes]:
    """How far a roster is, and its lines to mend, by page. NotFound `roster.not_found`."""
    page = await roster_page(tx, me, roster_id, after=after, limit=_LINES_A_PAGE, outcome=LineOutcome.REFUSED)
    return await shown(
        request,
        tx,
        me,
        "roster",
        today,
        roster=page,
        working=page.status in _WORKING,
        alone=False,
        file_name=request.query_params.get("file", "")[:80],
        again=after > 0,
        once=uuid4(),
        bytes_max=LIMITS.file_bytes,
    )


async def progress(request: Ask, tx: Tx, me: Actor, today: date, roster_id: UUID) -> Response[bytes]:
    """The part of the page that says how far it is: it asks again by itself until the work is done."""
    view = await roster_view(tx, me, roster_id)
    part: dict[str, Any] = {"roster": view, "working": view.status in _WORKING, "alone": True}
    return private(request, "institution/_roster_progress.html", today, **part)


async def sheet_back(tx: Tx, me: Actor, roster_id: UUID) -> Response[bytes]:
    """My own sheet, of the lines to mend, with a column that says what."""
    file = await sheet_of(tx, me, roster_id, every=False, kind=None)
    return private_file(file.content, TYPES[file.kind], f"要改的行.{file.kind}")
