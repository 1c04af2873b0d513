"""Rounds of selection that my institution may apply to: its documents, its application, and taking that back."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response

from domain.errors import DomainError, Invalid
from domain.level import level_named
from domain.selection import APPLICATION_LIFECYCLE, ApplicationAction, ApplicationStatus, RoundStatus
from service.catalog.queries.published import catalog_on
from service.gateways.file_store import FILE_BYTES_MAX
from service.institutions.commands import applying
from service.institutions.queries import selection
from service.institutions.queries.registry import record_of
from service.institutions.schemas import ApplicationView, DocumentView, NewApplication, RoundView
from service.pages import forms
from service.pages.forms import Fault, Typed
from service.pages.institution.frame import mine
from service.pages.institution.visit import Visit, placed
from service.web import as_wanted
from service.wording import words

SELECTIONS = "/institution/selections"
#: By the end of a file's name; whether it is that is looked at where it is handed in.
_TYPES = {"pdf": "application/pdf", "jpg": "image/jpeg", "jpeg": "image/jpeg", "png": "image/png"}
_TONES = {"announced": "blue", "in_publicity": "amber"} | {
    "filed": "blue",
    "nominated": "amber",
    "admitted": "green",
    "not_admitted": "red",
}
#: A field of the page → its label, before what is wrong with it.
_LABELS: Mapping[str, str] = {"scopes": "想教想评的", "documents": "材料", "name": "材料名称", "file": "文件"}


async def listed(visit: Visit) -> Response[bytes]:
    """The latest rounds, with what my institution applied for."""
    rounds = (await selection.rounds(visit.tx)).rounds
    applied = _latest(await selection.applications_of_mine(visit.tx, visit.me))
    kind = (await mine(visit.tx, visit.me)).kind
    return await visit.shown("selections", rounds=rounds, applied=applied, kind=kind, tones=_TONES)


async def one(visit: Visit, round_id: UUID) -> Response[bytes]:
    """A round, and the forms of it. NotFound `selection.none`."""
    return await _page(visit, round_id, {}, [])


async def handed_in(visit: Visit, round_id: UUID) -> Response[Any]:
    """Keep a document, to be named in applications."""
    await selection.round_view(visit.tx, round_id)
    typed = await visit.typed()

    async def hand_in() -> DocumentView:
        if not typed.get("name"):
            raise Invalid("value.missing", "name")
        sent = await forms.file_of(visit.request, "file")
        about = visit.institution_id, typed["name"], _TYPES.get(sent.kind, ""), sent.data, visit.now
        return await applying.hand_in_document(visit.tx, visit.me, *about)

    _, faults = await visit.does(typed, DocumentView, hand_in)
    if faults:
        return await _page(visit, round_id, typed, [("file" if of == "body" else of, said) for of, said in faults])
    return forms.see(f"{SELECTIONS}/{round_id}", "document_handed_in")


async def applied(visit: Visit, round_id: UUID) -> Response[Any]:
    """Apply for my institution."""
    typed = await visit.typed()

    async def apply() -> ApplicationView:
        told = {"scopes": await _scopes(visit, typed), "documents": _documents(typed)}
        new = as_wanted(told, NewApplication)
        return await applying.apply(visit.tx, visit.me, round_id, new, visit.today, visit.now)

    _, faults = await visit.does(typed, ApplicationView, apply)
    if faults:
        return await _page(visit, round_id, typed, [_at(field, said) for field, said in faults])
    return forms.see(f"{SELECTIONS}/{round_id}", "applied")


async def withdrawn(visit: Visit, application_id: UUID) -> Response[Any]:
    """Take my institution's application back. NotFound `selection.no_application`."""
    typed = await visit.typed()
    round_id = (await selection.application_view(visit.tx, visit.me, application_id)).round_id

    async def withdraw() -> ApplicationView:
        return await applying.withdraw(visit.tx, visit.me, application_id, visit.now)

    _, faults = await visit.does(typed, ApplicationView, withdraw)
    if faults:
        return await _page(visit, round_id, typed, faults)
    return forms.see(f"{SELECTIONS}/{round_id}", "application_withdrawn")


async def _scopes(visit: Visit, typed: Typed) -> list[dict[str, Any]]:
    """One occupation a line, by its name or code, and its levels; what is unknown is told where it is read."""
    codes = {name: code for code, name in (await _occupations(visit)).items()}
    found = []
    for line in filter(None, map(str.strip, typed.get("scopes", "").splitlines())):
        occupation, *levels = line.replace("、", " ").replace("，", " ").replace(",", " ").split() or [line]
        found.append({"occupation": codes.get(occupation, occupation)[:40], "levels": list(map(_level, levels))})
    return found


def _level(text: str) -> str:
    try:
        return level_named(text).code
    except Invalid:
        return text[:40]


def _documents(typed: Typed) -> list[str]:
    return [name.removeprefix("document_") for name, said in typed.items() if name.startswith("document_") and said]


def _at(field: str, said: str) -> Fault:
    """`scopes_1_levels` is of the second line."""
    of, _, rest = field.partition("_")
    number = rest.partition("_")[0]
    if of == "scopes" and number.isdigit():
        return of, f"第 {int(number) + 1} 行：{said}"
    return of, said


async def _occupations(visit: Visit) -> dict[str, str]:
    """Code → name, by today's catalog."""
    try:
        return {row.code: row.name for row in (await catalog_on(visit.tx, visit.today)).items if row.code}
    except DomainError:
        return {}


def _latest(found: list[ApplicationView]) -> dict[UUID, ApplicationView]:
    """By round: my institution's, of which one is alive at a time; the last that was taken back where none is."""
    return {
        each.round_id: each for each in sorted(found, key=lambda each: each.status != ApplicationStatus.WITHDRAWN)
    }


async def _page(visit: Visit, round_id: UUID, typed: Typed, faults: list[Fault]) -> Response[bytes]:
    view: RoundView = await selection.round_view(visit.tx, round_id)
    record = await record_of(visit.tx, visit.me, visit.institution_id, visit.today)
    found = (await selection.applications(visit.tx, visit.me, round_id)).applications
    application = _latest(found).get(round_id)
    days = view.applications
    return await visit.shown(
        "selection",
        typed,
        placed(faults, _LABELS),
        round=view,
        application=application,
        kinds=[words(f"institution_kind.{each}") for each in view.kinds],
        fits=record.institution.kind in view.kinds,
        open=view.status == RoundStatus.ANNOUNCED and days.first <= visit.today <= (days.last or visit.today),
        stands=application is not None and application.status != ApplicationStatus.WITHDRAWN,
        may_withdraw=application is not None and _may_withdraw(application),
        documents=record.documents,
        occupations=await _occupations(visit),
        tones=_TONES,
        bytes_max=FILE_BYTES_MAX,
    )


def _may_withdraw(view: ApplicationView) -> bool:
    return (ApplicationStatus(view.status), ApplicationAction.WITHDRAW) in APPLICATION_LIFECYCLE.moves
