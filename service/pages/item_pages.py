"""The rows of an edition: listed, corrected, added, removed; beside another edition, and beside a source."""

from asyncio import to_thread
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Response

from domain.catalog.difference import Change
from domain.catalog.edition import EDITABLE, IN_FORCE
from domain.catalog.sources import SourceKind
from domain.errors import NotFound
from domain.period import parse_date
from service.catalog.commands import editing, proposing
from service.catalog.queries import editing as drafts
from service.catalog.queries import proposals as kept
from service.catalog.queries.differences import difference_of
from service.catalog.queries.editions import edition_view, editions, items_of_edition
from service.catalog.schemas import DraftItemView, EditionView, NewItem, SourceView
from service.gateways.catalog_files import read_catalog
from service.gateways.sheet_files import CSV_TYPE
from service.pages.catalog_desk import TAGS, Visit, chosen, number, pick, sliced
from service.pages.edition_pages import TONES, at, may_edit, may_publish, named
from service.pages.editions_pages import as_file, key_of
from service.pages.finding_pages import on_to_the_next
from service.pages.forms import Fault, Typed
from service.web import as_wanted, private_file
from service.wording import words

_Page = Response[Any]
_NONE: Typed = {}
_ROWS_A_PAGE = 100
_CHANGES = [str(each) for each in Change]
_BESIDE = ("missing", "named_otherwise", "unsupported")
#: What is different in a row, of each kind of change.
_DIFFERS = {"renamed": "name", "recoded": "code", "relisted": "list", "retagged": "tag", "reclassed": "industry"}


async def _frame(visit: Visit, edition_id: UUID, tab: str) -> dict[str, Any]:
    view = await edition_view(visit.tx, edition_id)
    left = sum(await drafts.open_findings(visit.tx, edition_id)) if view.status not in IN_FORCE else 0
    frame = {"edition": view, "name": named(view), "base": at(edition_id), "left": left, "tones": TONES, "tab": tab}
    can = may_edit(visit) and view.status in EDITABLE
    return {**frame, "may_edit": may_edit(visit), "may_publish": may_publish(visit), "can_change": can}


async def items(visit: Visit, edition_id: UUID, text: str, after: int) -> _Page:
    """Rows by page, found by a part of the name or the beginning of the code."""
    given = await _frame(visit, edition_id, "items")
    found = await drafts.draft_page(visit.tx, edition_id, after, _ROWS_A_PAGE + 1, text.strip())
    rows = found.items[:_ROWS_A_PAGE]
    following = rows[-1].place if len(found.items) > _ROWS_A_PAGE else None
    return visit.shown("items", **given, rows=rows, next=following, text=text, after=after)


async def item_page(
    visit: Visit, edition_id: UUID, item_id: UUID | None, typed: Typed = _NONE, faults: Sequence[Fault] = ()
) -> _Page:
    """The form of one row, or of a new one."""
    given = await _frame(visit, edition_id, "items")
    row = await drafts.item_of(visit.tx, edition_id, item_id) if item_id else None
    known = await items_of_edition(visit.tx, edition_id)
    given |= {name: list(dict.fromkeys(getattr(each, name) for each in known)) for name in ("list_name", "industry")}
    filled = typed or (_as_typed(row) if row else _NONE)
    return visit.shown("item", filled, faults, **given, row=row, tags=TAGS)


def _as_typed(row: DraftItemView) -> dict[str, str]:
    values = {name: getattr(row, name) or "" for name in ("list_name", "code", "name", "tag", "industry")}
    return {**values, "serial": row.serial}


def new_item(typed: Typed) -> NewItem:
    """The row that was typed."""
    told: dict[str, Any] = pick(typed, "list_name", "name", "industry", "reason", "tag")
    told |= {"code": typed.get("code") or None, "serial": number(typed.get("serial", ""))}
    return as_wanted(told, NewItem)  # type: ignore[no-any-return]


async def add(visit: Visit, edition_id: UUID) -> _Page:
    """Put a row into a draft."""
    typed = await visit.typed()

    async def effect() -> None:
        new = new_item(typed)
        once = visit.once(typed)
        add_it = editing.add_item
        await once(visit.tx, DraftItemView, lambda: add_it(visit.tx, visit.me, edition_id, new, visit.now))

    return await visit.does(
        effect,
        lambda: at(edition_id, "items"),
        "item_added",
        lambda faults: item_page(visit, edition_id, None, typed, faults),
    )


async def correct(visit: Visit, edition_id: UUID, item_id: UUID) -> _Page:
    """Give a row other values; from a finding, on to the next of them."""
    typed = await visit.typed()

    async def effect() -> None:
        await editing.correct_item(visit.tx, visit.me, edition_id, item_id, new_item(typed), visit.now)

    answer = await visit.does(
        effect,
        lambda: at(edition_id, "items"),
        "item_corrected",
        lambda faults: item_page(visit, edition_id, item_id, typed, faults),
    )
    done = answer.status_code == 303 and typed.get("back") == "findings"
    return on_to_the_next(edition_id, typed, "item_corrected") if done else answer


async def remove(visit: Visit, edition_id: UUID, item_id: UUID) -> _Page:
    """Take a row out of a draft."""
    typed = await visit.typed()

    async def effect() -> None:
        await editing.remove_item(visit.tx, visit.me, edition_id, item_id, typed.get("why", ""), visit.now)

    async def again(faults: Sequence[Fault]) -> _Page:
        row = await drafts.item_of(visit.tx, edition_id, item_id)
        placed = [("why" if field == "reason" else field, text) for field, text in faults]
        return await item_page(visit, edition_id, item_id, {**_as_typed(row), **typed}, placed)

    return await visit.does(effect, lambda: at(edition_id, "items"), "item_removed", again)


# ---- beside something else


async def difference(visit: Visit, edition_id: UUID, against: UUID | None, kind: str, first: int) -> _Page:
    """What this edition changes against one that is published: the latest other one where none is named."""
    given = await _frame(visit, edition_id, "diff")
    others, other = await _others(visit, edition_id, against)
    given |= {"others": [(str(each.id), named(each)) for each in others], "other": other, "kinds": []}
    if other:
        found = await difference_of(visit.tx, other.id, edition_id)
        counts = {each: len(getattr(found, each)) for each in _CHANGES}
        at_hand = kind if counts.get(kind) else next((each for each in _CHANGES if counts[each]), "")
        given["kinds"] = [
            (each, words(f"change.{each}", {"count": count})) for each, count in counts.items() if count
        ]
        given |= {"kind": at_hand, "differs": _DIFFERS.get(at_hand, ""), "other_name": named(other)}
        given["page"] = sliced(getattr(found, at_hand, []), first, _ROWS_A_PAGE)
    return visit.shown("edition_diff", **given)


async def _others(
    visit: Visit, edition_id: UUID, against: UUID | None
) -> tuple[list[EditionView], EditionView | None]:
    """The published editions beside this one, and which of them it is held against: the latest where none is named.
    NotFound `edition.none`."""
    others = [each for each in (await editions(visit.tx, drafts=False)).editions if each.id != edition_id]
    other = next((each for each in others if against in (None, each.id)), None)
    if against and other is None:
        raise NotFound("edition.none")
    return others, other


async def difference_file(visit: Visit, edition_id: UUID, against: UUID | None) -> Response[bytes]:
    """All of it as CSV. NotFound `edition.none`, also where there is nothing to be held against."""
    view = await edition_view(visit.tx, edition_id)
    _, other = await _others(visit, edition_id, against)
    if other is None:
        raise NotFound("edition.none")
    name, content = as_file(key_of(other), key_of(view), await difference_of(visit.tx, other.id, edition_id))
    return private_file(content, CSV_TYPE, name)


async def beside(visit: Visit, edition_id: UUID, source_id: UUID, kind: str, first: int) -> _Page:
    """What a source asks for and the edition lacks, and the reverse."""
    given = await _frame(visit, edition_id, "diff")
    found = await kept.compared_with_source(visit.tx, edition_id, source_id)
    counts = {each: len(getattr(found, each)) for each in _BESIDE}
    at_hand = kind if kind in counts else next((each for each in _BESIDE if counts[each]), _BESIDE[0])
    given["kinds"] = [(each, words(f"beside.{each}", {"count": count})) for each, count in counts.items()]
    page = sliced(getattr(found, at_hand), first, _ROWS_A_PAGE)
    return visit.shown("edition_beside", **given, source=found.source, kind=at_hand, page=page)


async def sources(visit: Visit, typed: Typed = _NONE, faults: Sequence[Fault] = ()) -> _Page:
    """The lists that the city was given, each to be laid beside a draft; and the form to hand one in."""
    found = (await editions(visit.tx, drafts=True)).editions
    beside_which = [(at(each.id), named(each)) for each in found if each.status not in IN_FORCE] or [
        (at(each.id), named(each)) for each in found[:1]
    ]
    kinds = [(str(each), words(f"source_kind.{each}")) for each in SourceKind]
    given = {"sources": (await kept.sources(visit.tx)).sources, "editions": beside_which, "kinds": kinds}
    return visit.shown("sources", typed, faults, may_edit=may_edit(visit), **given)


async def take_source(visit: Visit) -> _Page:
    """Keep a list that the city was given."""
    typed = await visit.typed()

    async def effect() -> None:
        kind = SourceKind(chosen(typed, "kind", set(SourceKind)))
        day = parse_date(typed.get("dated_on", ""), "dated_on")
        name, data = await visit.file()
        published = await to_thread(read_catalog, data, name)
        about = kind, typed.get("name", ""), day
        once, take = visit.once(typed), proposing.take_source
        await once(visit.tx, SourceView, lambda: take(visit.tx, visit.me, *about, published, data, visit.now))

    return await visit.does(
        effect, lambda: "/catalog-desk/sources", "source_taken", lambda faults: sources(visit, typed, faults)
    )
