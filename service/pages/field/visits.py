"""Patrols and first inspections as those see them who go there, with a phone in their hand."""

from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from litestar import Request, Response
from litestar.datastructures import UploadFile

from domain.actor import Actor, Post
from domain.errors import Invalid
from domain.faults import Faults
from domain.period import Period
from domain.text import must_hold_no_personal_number
from domain.training import OFFICERS_LEAST, InspectionResult, PatrolKind, PatrolResult
from domain.training.patrol import OFFICERS_OF
from service.access.commands import forget_form, put_aside
from service.access.queries import claimable_districts, district_names, kept_form
from service.database import Tx
from service.institutions.queries.registry import desk_page
from service.pages import forms
from service.pages.acts import done_once, typed_of
from service.pages.field import acts
from service.pages.field.acts import Act, Said
from service.pages.forms import Fault
from service.training.commands import inspecting, patrols
from service.training.queries import coverage, inspections, visits
from service.training.queries import patrols as seen
from service.training.queries.views import class_view
from service.training.schemas import InspectionView, NewInspection, NewResult
from service.training.schemas.patrols import DrawView, NewDraw, NewPatrolResult, PatrolView
from service.web import as_wanted
from service.wording import words

_COVERED_DAYS = 30
_FOUND_MOST = 10
#: Signs of what was found, as it is kept.
_FOUND_LENGTH_MAX = 500
#: One question a card; what was answered begins the words of what was found.
_ASKED_ON_PATROL = ("timetable", "teacher", "people", "marks", "equipment", "fees")
_ASKED_ON_INSPECTION = ("licence", "rooms", "equipment", "teachers", "safety", "fees")
_ANSWERS = ("fits", "not", "none")
_PLACE, _PHOTOS = "where", "photos"
MINE, ALL, OVERDUE = "mine", "all", "overdue"
#: The button by which answers are put aside; and what is no answer.
ASIDE = "aside"
_NO_ANSWERS = frozenset({"act", "once", _PHOTOS})


def _patrol_cards() -> list[tuple[str, str]]:
    return [(f"q_{name}", words(f"patrol_question.{name}")) for name in _ASKED_ON_PATROL]


def _inspection_cards() -> list[tuple[str, str]]:
    return [(f"q_{name}", words(f"inspection_question.{name}")) for name in _ASKED_ON_INSPECTION]


def _found(said: Said, cards: list[tuple[str, str]], needed: tuple[str, ...]) -> str:
    """Place, answers and own words as one text. Invalid for everything that was not answered: `answer.missing`
    (question), `value.missing` for what else is `needed`; `text.personal_number`, `words.too_long` (limit)."""
    answers, faults = [], Faults()
    for name, question in cards:
        if said.text(name) not in _ANSWERS:
            faults.tell("answer.missing", name, question=question)
        answers.append(f"{question}：{words(f'answer.{said.text(name)}')}")
    for name in needed:
        if not said.text(name):
            faults.tell("value.missing", name)
    faults.raise_all()
    for name in (_PLACE, "note"):
        must_hold_no_personal_number(said.text(name), name)
    own = [said.text("note")] if said.text("note") else []
    place = [f"{words('answer.where')}：{said.text(_PLACE)}"] if said.text(_PLACE) else []
    found = "；".join([*place, *answers, *own])
    if (over := len(found) - _FOUND_LENGTH_MAX) > 0:
        longest = max((_PLACE, "note"), key=lambda name: len(said.text(name)))
        raise Invalid("words.too_long", longest, limit=len(said.text(longest)) - over)
    return found


def _answers() -> list[tuple[str, str]]:
    return [(each, words(f"answer.{each}")) for each in _ANSWERS]


# ---- patrols


async def list_patrols(said: Said) -> dict[str, Any]:
    """Mine, all of my district, or those whose result is late; and how many classes were looked at lately."""
    which = said.text("which") or (MINE if said.me.holds(Post.INSPECTOR) else ALL)
    found = (await seen.patrols(said.tx, said.me, None, which == OVERDUE, said.today)).patrols
    mine = await visits.joined_patrols(said.tx, said.me, [each.id for each in found])
    period = Period(said.today - timedelta(days=_COVERED_DAYS - 1), said.today)
    return {
        "which": which,
        "patrols": [each for each in found if which != MINE or each.id in mine],
        "mine": mine,
        "covered": await coverage.coverage(said.tx, said.me, period, said.now),
        "covered_days": _COVERED_DAYS,
        "may_draw": said.me.holds(*patrols.PATROLS),
        "kinds": [(str(each), words(f"patrol_kind.{each}")) for each in PatrolKind],
        "districts": await claimable_districts(said.tx) if said.me.district is None else [],
    }


async def _draw(said: Said) -> DrawView:
    told: dict[str, Any] = {"day": said.day("day"), "count": said.whole("count"), "kind": said.text("kind")}
    new = as_wanted({**told, "district": said.text("district") or None}, NewDraw)
    return await patrols.draw_patrols(said.tx, said.me, new, said.today, said.now)


DRAW = Act(
    "field/patrols.html",
    list_patrols,
    _draw,
    DrawView,
    lambda _, view: f"/patrols/draws/{view.id}",
    "patrols_drawn",
    frozenset({"day", "count", "kind", "district"}),
)


async def draw(said: Said) -> dict[str, Any]:
    """A draw as it can be made again. NotFound `patrol.no_draw`."""
    view = await seen.draw_view(said.tx, said.me, said.id)
    listed = (await seen.patrols(said.tx, said.me, view.day, False, said.today)).patrols
    drawn = {(each.class_id, each.begins): each for each in listed if each.draw_id == view.id}
    return {
        "draw": view,
        "drawn": sorted(drawn.values(), key=lambda each: (each.begins, each.institution)),
        "weight": sum(each.weight for each in view.candidates),
        "district": (await district_names(said.tx)).get(view.district or "", "全市"),
        "back": "/patrols",
    }


async def _patrol(said: Said) -> dict[str, Any]:
    """One patrol, and what I can do there now. NotFound `patrol.not_found`."""
    view = await seen.patrol_view(said.tx, said.me, said.id, said.now)
    there = await visits.officers_of_patrol(said.tx, said.me, said.id)
    of = await class_view(said.tx, said.me, view.class_id, said.now)
    return {
        "patrol": view,
        "of": of,
        "there": there,
        "least": OFFICERS_OF[view.kind],
        "mine": any(each.mine for each in there),
        "may_go": said.me.holds(*patrols.PATROLS) and view.result is None,
        "cards": _patrol_cards(),
        "answers": _answers(),
        "results": [(str(each), words(f"patrol_result.{each}")) for each in PatrolResult],
        "typed": await _answered(said, _at_patrol(said, None), {_PLACE: f"{of.site}，{of.address}"}),
        "back": "/patrols",
    }


async def _join_patrol(said: Said) -> PatrolView:
    return await patrols.join_patrol(said.tx, said.me, said.id, said.now)


async def _record_patrol(said: Said) -> PatrolView:
    findings = _found(said, _patrol_cards(), ("headcount", "result"))
    told = {"result": said.text("result"), "headcount": said.whole("headcount"), "findings": findings}
    new = as_wanted(told, NewPatrolResult)
    for file in await _photos_of(said):
        await _hand_in(said, file)
    return await patrols.record_result(said.tx, said.me, said.id, new, said.today, said.now)


async def _photos_of(said: Said) -> list[UploadFile]:
    chosen = (await said.request.form()).getall(_PHOTOS, [])
    return [each for each in chosen if isinstance(each, UploadFile) and each.filename]


async def _hand_in(said: Said, file: UploadFile) -> None:
    """Empty ones are none. As `hand_in_evidence`, Invalid for `photos`."""
    await file.seek(0)
    if content := await file.read():
        try:
            await patrols.hand_in_evidence(said.tx, said.me, said.id, file.content_type, content, said.now)
        except Invalid as refusal:
            raise Invalid(refusal.code, _PHOTOS, **refusal.facts) from None


def _at_patrol(said: Said, _: Any) -> str:
    return f"/patrols/{said.id}"


_PATROL_FIELDS = frozenset({_PHOTOS, _PLACE, "headcount", "note", "result", *(f"q_{n}" for n in _ASKED_ON_PATROL)})
JOIN_PATROL = Act("field/patrol.html", _patrol, _join_patrol, PatrolView, _at_patrol, "joined")
RECORD_PATROL = Act(
    "field/patrol.html", _patrol, _record_patrol, PatrolView, _at_patrol, "result_told", _PATROL_FIELDS
)


async def told(
    act: Act[Any], request: Request[Any, Any, Any], tx: Tx, me: Actor, today: date, now: datetime, of: UUID
) -> Response[Any]:
    """What was found, with photos, once however often it is sent. What is put aside, or not taken, is kept: photos
    for good, answers for a while, so that the page has them again whichever way one comes back to it. NotFound for
    what is not mine to see."""
    said = Said(tx, me, today, now, await typed_of(request), request, of)
    here, faults = act.goes(said, None), list[Fault]()
    if said.text("act") == ASIDE:
        await act.shows(said)  # nothing is kept of what is not theirs to see
    else:
        _, faults = await done_once(request, tx, me, said.typed, act.view, lambda: act.does(said))
        if not faults:
            await forget_form(tx, me, here)
            return forms.see(here, act.told)
    for file in await _photos_of(said):
        faults += await forms.refused(tx, partial(_hand_in, said, file))
    answers = {name: text for name, text in said.typed.items() if name not in _NO_ANSWERS}
    if not await put_aside(tx, me, here, answers) and not faults:
        faults = [("form", words("answers.not_kept"))]
    if faults:
        return await acts.page_of(act, said, list(dict.fromkeys(faults)))
    return forms.see(here, "answers_kept")


async def _answered(said: Said, here: str, standing: dict[str, str]) -> dict[str, str]:
    """What stands in the form: as it was sent, else as I put it aside, else as it begins."""
    return {**standing, **(await kept_form(said.tx, said.me, here) or {}), **said.typed}


# ---- inspections before a first class


async def list_inspections(said: Said) -> dict[str, Any]:
    """The latest of my district; and, for an inspector, institutions by name of which one can be begun."""
    found = (await inspections.inspections(said.tx, said.me, None)).inspections
    sought = said.text("q")[:60]
    known = await desk_page(said.tx, said.me, sought, said.today, "", _FOUND_MOST) if sought else None
    return {
        "inspections": found,
        "names": await visits.names_of_institutions(said.tx, {each.institution_id for each in found}),
        "q": sought,
        "known": known.institutions if known else [],
        "may_open": said.me.holds(Post.INSPECTOR),
    }


async def _open(said: Said) -> InspectionView:
    new = as_wanted({"institution_id": said.text("institution_id")}, NewInspection)
    return await inspecting.open_inspection(said.tx, said.me, new, said.now)


async def _inspection(said: Said) -> dict[str, Any]:
    """One inspection, and what I can do there now. NotFound `inspection.not_found`."""
    view = await inspections.inspection_view(said.tx, said.me, said.id)
    there = await visits.officers_of_inspection(said.tx, said.me, said.id)
    names = await visits.names_of_institutions(said.tx, [view.institution_id])
    return {
        "inspection": view,
        "name": names[view.institution_id],
        "there": there,
        "least": OFFICERS_LEAST,
        "mine": any(each.mine for each in there),
        "may_go": said.me.holds(Post.INSPECTOR) and view.result is None,
        "cards": _inspection_cards(),
        "answers": _answers(),
        "results": [(str(each), words(f"patrol_result.{each}")) for each in InspectionResult],
        "typed": await _answered(said, _at_inspection(said, None), _boxes(said.today)),
        "back": "/inspections",
    }


def _boxes(day: date) -> dict[str, str]:
    return {"inspected_on_y": str(day.year), "inspected_on_m": str(day.month), "inspected_on_d": str(day.day)}


async def _join_inspection(said: Said) -> InspectionView:
    return await inspecting.join_inspection(said.tx, said.me, said.id, said.now)


async def _record_inspection(said: Said) -> InspectionView:
    note = _found(said, _inspection_cards(), ("result",))
    given = {"result": said.text("result"), "inspected_on": said.day("inspected_on"), "note": note}
    new = as_wanted(given, NewResult)
    return await inspecting.record_result(said.tx, said.me, said.id, new, said.today, said.now)


def _at_inspection(said: Said, _: Any) -> str:
    return f"/inspections/{said.id}"


_INSPECTION_FIELDS = frozenset({_PLACE, "inspected_on", "note", "result", *(f"q_{n}" for n in _ASKED_ON_INSPECTION)})
OPEN = Act(
    "field/inspections.html",
    list_inspections,
    _open,
    InspectionView,
    lambda _, view: f"/inspections/{view.id}",
    "inspection_opened",
)
JOIN_INSPECTION = Act(
    "field/inspection.html", _inspection, _join_inspection, InspectionView, _at_inspection, "joined"
)
RECORD_INSPECTION = Act(
    "field/inspection.html",
    _inspection,
    _record_inspection,
    InspectionView,
    _at_inspection,
    "result_told",
    _INSPECTION_FIELDS,
)
