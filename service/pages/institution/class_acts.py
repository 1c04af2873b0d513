"""Filing a class, filing it anew, changing what has not begun, a roster from a sheet, giving a class up."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Response

from domain.actor import Actor
from domain.errors import Invalid
from domain.level import LEVELS, Scheme
from service.access.queries import claimable_districts
from service.catalog.queries.published import catalog_on
from service.database import Tx
from service.gateways.class_roster_sheets import LIMITS, read_class_roster
from service.institutions.queries.registry import record_of
from service.pages import forms
from service.pages.forms import Fault, Typed
from service.pages.institution import class_form, classes
from service.pages.institution.class_form import LINES_LENGTH_MAX, PERSON_DEFAULTS, SESSION_DEFAULTS, Lines
from service.pages.institution.frame import Ask, mine, shown
from service.training.commands import filing, rosters
from service.training.queries.plans import stored_plan
from service.training.queries.views import class_view
from service.training.schemas import ClassView, NewChange, NewClass, NewClassReason
from service.web import as_wanted

CLASSES = "/institution/classes"


async def form(
    request: Ask,
    tx: Tx,
    me: Actor,
    today: date,
    now: datetime,
    class_id: UUID | None,
    typed: Typed | None = None,
    faults: list[Fault] | None = None,
) -> Response[bytes]:
    """The form of a new class, or of one that was sent back, filled in with what is no person's."""
    view = await class_view(tx, me, class_id, now) if class_id else None
    return await shown(
        request,
        tx,
        me,
        "class_form",
        today,
        status=422 if faults else 200,
        view=view,
        action=f"{CLASSES}/{class_id}/refile" if class_id else f"{CLASSES}/new",
        typed=typed or (_typed_of(view) if view else {}),
        faults=faults or [],
        once=uuid4(),
        bytes_max=LIMITS.file_bytes,
        **await _choices(tx, me, today),
    )


async def _choices(tx: Tx, me: Actor, today: date) -> dict[str, Any]:
    """Occupations in my institution's scope, levels, districts: (code, name) each."""
    scopes = (await record_of(tx, me, (await mine(tx, me)).id, today)).institution.scopes
    names = {row.code: row.name for row in (await catalog_on(tx, today)).items if row.code}
    items = sorted((names[each.occupation], each.occupation) for each in scopes if each.occupation in names)
    return {
        "items": [(code, f"{name} {code}") for name, code in items],
        "levels": [(each.code, each.name) for each in LEVELS.values() if each.scheme is not Scheme.PROJECT],
        "districts": await claimable_districts(tx),
    }


def _typed_of(view: ClassView) -> dict[str, str]:
    return {
        "level": view.level,
        "planned_hours": str(view.planned_hours),
        "site_name": view.site,
        "site_address": view.address,
        "site_district": view.district,
        "sessions": class_form.as_lines(view.sessions),
    }


async def filed(request: Ask, tx: Tx, me: Actor, today: date, now: datetime, class_id: UUID | None) -> Response[Any]:
    """File the class, or file it anew; the form again, with every reason at once, where it is not granted."""
    typed, lines = await forms.typed(request, LINES_LENGTH_MAX), dict[str, Lines]()
    sheet = await _sheet(request)
    views = list[ClassView]()

    async def file() -> None:
        lines.update(await _lines(typed, sheet))
        told = await _body(tx, me, typed, lines, class_id, now)
        class_form.must_be_well_formed(told, today)
        new = as_wanted(told, NewClass)
        once = forms.once_of(request, me, _with(typed, sheet), typed.get("once", ""))
        if class_id:
            answer = await once(tx, ClassView, lambda: filing.refile_class(tx, me, class_id, new, today, now))
        else:
            answer = await once(tx, ClassView, lambda: filing.file_class(tx, me, new, today, now))
        views.append(answer.view)

    if faults := class_form.placed(await forms.refused(tx, file), lines):
        return await form(request, tx, me, today, now, class_id, typed, faults)
    return forms.see(f"{CLASSES}/{views[0].id}", "class_filed")


async def _sheet(request: Ask) -> forms.Sent | None:
    try:
        return await forms.file_of(request, "sheet")
    except Invalid:
        return None


def _with(typed: Typed, sheet: forms.Sent | None) -> Typed:
    return {**typed, "sheet": sheet.sha256} if sheet else typed


async def _lines(typed: Typed, sheet: forms.Sent | None) -> Mapping[str, Lines]:
    """What was typed by lines; the trainees of the sheet where one was sent. Invalid as its reader."""
    found = {field: class_form.lines_of(typed, field) for field in ("sessions", "teachers", "trainees")}
    if sheet is not None:
        found["trainees"] = Lines.of_sheet(await to_thread(read_class_roster, sheet.data, f"roster.{sheet.kind}"))
    return found


async def _body(
    tx: Tx, me: Actor, typed: Typed, lines: Mapping[str, Lines], class_id: UUID | None, now: datetime
) -> dict[str, Any]:
    """A class as the API takes it. Filed anew, people who are not named again are those that it has."""
    body = {
        "item_code": typed.get("item_code", ""),
        "level": typed.get("level", ""),
        "planned_hours": class_form.count_of(typed.get("planned_hours", "")),
        "site": class_form.site_of(typed),
        "sessions": class_form.whole(lines["sessions"], SESSION_DEFAULTS),
        "teachers": class_form.whole(lines["teachers"], PERSON_DEFAULTS),
        "trainees": class_form.whole(lines["trainees"], PERSON_DEFAULTS),
    }
    if class_id is not None:
        await class_view(tx, me, class_id, now)  # or it is none of mine
        plan = await stored_plan(tx, class_id)
        for part, members in (("teachers", plan.teachers), ("trainees", plan.trainees)):
            body[part] = body[part] or [{"name": it.name, "id_number": it.id_number.number} for it in members]
        body["item_code"] = body["item_code"] or plan.item_code
    return body


async def change_form(
    request: Ask,
    tx: Tx,
    me: Actor,
    today: date,
    now: datetime,
    class_id: UUID,
    typed: Typed | None = None,
    faults: list[Fault] | None = None,
) -> Response[bytes]:
    """What has not begun, to be changed."""
    view = await class_view(tx, me, class_id, now)
    given = typed or {**_typed_of(view), "sessions": class_form.as_lines(_ahead(view))}
    page = {"view": view, "typed": given, "faults": faults or [], "once": uuid4()}
    return await shown(request, tx, me, "class_change", today, status=422 if faults else 200, **page)


def _ahead(view: ClassView) -> list[Any]:
    return [each for each in view.sessions if not each.begun]


async def changed(request: Ask, tx: Tx, me: Actor, today: date, now: datetime, class_id: UUID) -> Response[Any]:
    """Change what was typed otherwise than it is."""
    typed, lines = await forms.typed(request, LINES_LENGTH_MAX), dict[str, Lines]()
    view = await class_view(tx, me, class_id, now)

    async def change() -> None:
        lines.update(await _lines({**typed, "trainees": ""}, None))
        new = as_wanted(_otherwise(view, typed, lines), NewChange)
        once = forms.once_of(request, me, typed, typed.get("once", ""))
        await once(tx, ClassView, lambda: filing.change_class(tx, me, class_id, new, today, now))

    if faults := class_form.placed(await forms.refused(tx, change), lines):
        return await change_form(request, tx, me, today, now, class_id, typed, faults)
    return forms.see(f"{CLASSES}/{class_id}", "class_changed")


def _otherwise(view: ClassView, typed: Typed, lines: Mapping[str, Lines]) -> dict[str, Any]:
    """The parts of a change: what stands in the form as it was is none."""
    before, said = _typed_of(view), {"reason": typed.get("reason", "")}
    site = class_form.site_of({**typed, "site_district": view.district})
    parts: dict[str, Any] = {}
    if site != class_form.site_of(before):
        parts["site"] = site
    if lines["sessions"].cells and lines["sessions"] != Lines.of(
        class_form.as_lines(_ahead(view)), tuple(SESSION_DEFAULTS)
    ):
        parts["sessions"] = class_form.whole(lines["sessions"], SESSION_DEFAULTS)
    if lines["teachers"].cells:
        parts["teachers"] = class_form.whole(lines["teachers"], PERSON_DEFAULTS)
    return {**said, **parts}


_Effect = Callable[[Typed], Awaitable[ClassView]]


async def roster_changed(
    request: Ask, tx: Tx, me: Actor, today: date, now: datetime, class_id: UUID
) -> Response[Any]:
    """The people of a sheet take the place of the roster."""
    typed = await forms.typed(request)
    sheet = await _sheet(request)

    async def change() -> None:
        if sheet is None:
            raise Invalid("value.missing", "sheet")
        read = await to_thread(read_class_roster, sheet.data, f"roster.{sheet.kind}")
        reason, once = typed.get("reason", ""), forms.once_of(request, me, _with(typed, sheet), typed.get("once", ""))
        await once(tx, ClassView, lambda: rosters.change_roster(tx, me, class_id, read, reason, today, now))

    if faults := class_form.placed(await forms.refused(tx, change), {}):
        named = {**typed, "file": sheet.name if sheet else ""}
        return await classes.one(request, tx, me, today, now, class_id, named, faults)
    return forms.see(f"{CLASSES}/{class_id}", "roster_changed")


async def withdrawn(request: Ask, tx: Tx, me: Actor, today: date, now: datetime, class_id: UUID) -> Response[Any]:
    """Give a class up before it begins."""
    typed = await forms.typed(request)

    async def withdraw() -> None:
        new = as_wanted({"reason": typed.get("why", "")}, NewClassReason)
        once = forms.once_of(request, me, typed, typed.get("once", ""))
        await once(tx, ClassView, lambda: filing.withdraw_class(tx, me, class_id, new, now))

    if faults := await forms.refused(tx, withdraw):
        at_why = [("why" if field == "reason" else "form", message) for field, message in faults]
        return await classes.one(request, tx, me, today, now, class_id, typed, at_why)
    return forms.see(f"{CLASSES}/{class_id}", "class_withdrawn")
