"""Editions as editors and publishers work on them: where each stands, what stops it, its life."""

from asyncio import to_thread
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Response

from domain.actor import Post
from domain.catalog.edition import IN_FORCE, EditionStatus, Publishing, calendar_faults
from service.catalog.commands import importing, publishing
from service.catalog.queries import editing as drafts
from service.catalog.queries.announcing import announcement
from service.catalog.queries.editions import edition_view, editions
from service.catalog.queries.obstacles import obstacles
from service.catalog.schemas import EditionView, NewConsultation, NewEdition, NewPublication
from service.gateways.catalog_files import read_catalog
from service.pages.catalog_desk import Visit, identifier, number, pick
from service.pages.forms import Fault, Typed
from service.web import as_wanted
from service.wording import words

_Page = Response[Any]
_NONE: Typed = {}
_CHANGES_SHOWN = 10
TONES = {
    EditionStatus.DRAFT: "amber",
    EditionStatus.IN_CONSULTATION: "blue",
    EditionStatus.APPROVED: "blue",
    EditionStatus.PUBLISHED: "green",
    EditionStatus.SUPERSEDED: "",
}
_STOPS = (EditionStatus.DRAFT, EditionStatus.IN_CONSULTATION, EditionStatus.APPROVED, EditionStatus.PUBLISHED)
_FIELDS_OF_DAYS = ("first", "last")


def at(edition_id: UUID, page: str = "") -> str:
    """Where a page of an edition stands."""
    return f"/catalog-desk/editions/{edition_id}{'/' if page else ''}{page}"


def may_edit(visit: Visit) -> bool:
    """Whether the buttons of an editor of the city are shown; the commands decide."""
    return visit.me.holds(Post.CATALOG_EDITOR) and visit.me.district is None


def may_publish(visit: Visit) -> bool:
    """The same for a publisher."""
    return visit.me.holds(Post.CATALOG_PUBLISHER) and visit.me.district is None


async def desk(visit: Visit) -> _Page:
    """Every edition, and how far each that is not published is."""
    found = (await editions(visit.tx, drafts=True)).editions
    waiting = [each for each in found if each.status not in IN_FORCE]
    left = {each.id: sum(await drafts.open_findings(visit.tx, each.id)) for each in waiting}
    published = [each for each in found if each.status in IN_FORCE]
    given: dict[str, Any] = {"waiting": waiting, "published": published, "left": left, "tones": TONES}
    return visit.shown("editions", may_edit=may_edit(visit), **given)


async def copy_page(visit: Visit, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """The form to begin with an edition that is published."""
    published = (await editions(visit.tx, drafts=False)).editions
    options = [(str(each.id), named(each)) for each in published]
    return visit.shown("edition_copy", typed, faults, options=options)


async def copy(visit: Visit) -> _Page:
    """Begin a draft as a copy."""
    typed, made = await visit.typed(), list[EditionView]()

    async def effect() -> None:
        told: dict[str, Any] = {"copy_of": str(identifier(typed.get("copy_of", "")) or "")}
        told |= {"year": number(typed.get("year", "")), "revision": number(typed.get("revision", ""))}
        new = as_wanted({**told, "replace": typed.get("replace") == "yes"}, NewEdition)
        once = visit.once(typed)
        answer = await once(visit.tx, EditionView, lambda: importing.copy_draft(visit.tx, visit.me, new, visit.now))
        made.append(answer.view)

    return await visit.does(
        effect, lambda: at(made[0].id), "draft_begun", lambda faults: copy_page(visit, typed, faults)
    )


async def upload_page(visit: Visit, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """The form to begin with a file."""
    return visit.shown("edition_upload", typed, faults)


async def upload(visit: Visit) -> _Page:
    """Begin a draft with what a file holds; it is read by a process of its own."""
    typed, made = await visit.typed(), list[EditionView]()

    async def effect() -> None:
        about = {"copy_of": str(UUID(int=0)), "year": number(typed.get("year", ""))}
        said = as_wanted({**about, "revision": number(typed.get("revision", ""))}, NewEdition)
        name, data = await visit.file()
        published = await to_thread(read_catalog, data, name)
        source, replace = typed.get("source", ""), typed.get("replace") == "yes"
        upload = importing.Upload(said.year, said.revision, source, data, published, replace)
        once = visit.once(typed)
        answer = await once(
            visit.tx, EditionView, lambda: importing.import_draft(visit.tx, visit.me, upload, visit.now)
        )
        made.append(answer.view)

    return await visit.does(
        effect, lambda: at(made[0].id), "draft_begun", lambda faults: upload_page(visit, typed, faults)
    )


def named(edition: EditionView) -> str:
    """An edition as people call it."""
    revised = f"（第 {edition.revision} 次调整）" if edition.revision else ""
    return f"{edition.year} 年目录{revised}"


async def frame_of(visit: Visit, edition_id: UUID) -> dict[str, Any]:
    """What every page of an edition shows above."""
    view = await edition_view(visit.tx, edition_id)
    left = sum(await drafts.open_findings(visit.tx, edition_id)) if view.status not in IN_FORCE else 0
    base = at(edition_id)
    frame = {"edition": view, "name": named(view), "base": base, "left": left, "tones": TONES}
    return {**frame, "may_edit": may_edit(visit), "may_publish": may_publish(visit)}


async def edition(visit: Visit, edition_id: UUID, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """Where an edition stands, what stops it, and what was done to it."""
    given = await frame_of(visit, edition_id)
    view: EditionView = given["edition"]
    given["stops"] = _stops(view.status)
    given["obstacles"] = await obstacles(visit.tx, visit.me, view, visit.today)
    given["changes"] = (await drafts.draft_page(visit.tx, edition_id, 0, 1)).changes[:_CHANGES_SHOWN]
    given["done"] = {each: words(f"item_change.{each}") for each in ("added", "corrected", "removed")}
    given["announced"] = ""
    if view.status in IN_FORCE:
        base = str(visit.request.base_url).rstrip("/")
        given["announced"] = (await announcement(visit.tx, edition_id, base)).text
    return visit.shown("edition", typed, faults, tab="", **given)


def _stops(status: str) -> list[tuple[str, str]]:
    """The four stops of an edition: (name, done, now or todo)."""
    stands = EditionStatus.PUBLISHED if status in IN_FORCE else EditionStatus(status)
    there = _STOPS.index(stands)
    states = ["done"] * there + ["done" if stands == _STOPS[-1] else "now"] + ["todo"] * (len(_STOPS) - there - 1)
    return [(words(f"stage_of_edition.{stop}"), state) for stop, state in zip(_STOPS, states, strict=True)]


async def consult(visit: Visit, edition_id: UUID) -> _Page:
    """Lay it open for opinions."""
    typed = await visit.typed()

    async def effect() -> None:
        new = as_wanted(pick(typed, *_FIELDS_OF_DAYS), NewConsultation)
        await publishing.consult(visit.tx, visit.me, edition_id, new, visit.today, visit.now)

    return await visit.does(
        effect, lambda: at(edition_id), "consulted", lambda faults: edition(visit, edition_id, typed, faults)
    )


async def reopen(visit: Visit, edition_id: UUID) -> _Page:
    """Make it a draft again."""
    typed = await visit.typed()

    async def effect() -> None:
        await publishing.reopen(visit.tx, visit.me, edition_id, typed.get("reason", ""), visit.now)

    return await visit.does(
        effect, lambda: at(edition_id), "reopened", lambda faults: edition(visit, edition_id, typed, faults)
    )


async def publish_page(visit: Visit, edition_id: UUID, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """What stops it, and the two signatures of another person: approve, publish."""
    given = await frame_of(visit, edition_id)
    view: EditionView = given["edition"]
    given["obstacles"] = await obstacles(visit.tx, visit.me, view, visit.today)
    given["off_season"] = bool(list(calendar_faults(Publishing(view.year, view.revision, visit.today))))
    typed = typed or {"first_day": visit.today.isoformat()}
    return visit.shown("edition_publish", typed, faults, tab="publish", **given)


async def approve(visit: Visit, edition_id: UUID) -> _Page:
    """Approve what others put together."""
    typed = await visit.typed()

    async def effect() -> None:
        reason = typed.get("reason", "")
        await publishing.approve(visit.tx, visit.me, edition_id, reason, visit.today, visit.now)

    then = at(edition_id, "publish")
    return await visit.does(
        effect, lambda: then, "edition_approved", lambda faults: publish_page(visit, edition_id, typed, faults)
    )


async def publish(visit: Visit, edition_id: UUID) -> _Page:
    """Put it in force."""
    typed = await visit.typed()

    async def effect() -> None:
        told = {"first": typed.get("first_day", ""), "override": typed.get("override", "")}
        new = as_wanted(told, NewPublication)
        await publishing.publish(visit.tx, visit.me, edition_id, new, visit.today, visit.now)

    async def again(faults: Sequence[Fault]) -> _Page:
        placed = [("first_day" if field == "first" else field, text) for field, text in faults]
        return await publish_page(visit, edition_id, typed, placed)

    return await visit.does(effect, lambda: at(edition_id), "edition_published", again)
