"""Procured projects that my institution holds under contract: what was reached, places taken, one person's place."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from litestar import Response

from domain.claim import Channel
from domain.errors import Invalid
from domain.faults import Faults
from service.claims.commands.project_places import file_place
from service.claims.queries.kinds import Taken, taken_of
from service.claims.schemas import ClaimView, NewPlace, NewTrainee
from service.gateways.file_store import FILE_BYTES_MAX
from service.pages import filing_form, forms
from service.pages.forms import Fault, Typed
from service.pages.institution.visit import Visit, placed
from service.projects import commands, queries
from service.projects.schemas import NewResult, ProjectView
from service.web import as_wanted

PROJECTS = "/institution/projects"
_PROJECTS_A_PAGE = 50
#: A field of the page → its label, before what is wrong with it.
_LABELS: Mapping[str, str] = {
    "reached_on": "统计到哪天",
    "employment_percent": "就业率",
    "evidence_sha256": "依据",
    "trainee_name": "姓名",
    "trainee_id_number": "身份证号",
    "trainee_phone": "手机号",
    "group_code": "人员类别和证明",
    "group_proof_number": "证明编号",
    "group_valid_from": "证明从哪天起有效",
    "place_link": "和济南的联系",
}
_NAMED = {"group_proof_kind": "group_code"}


async def listed(visit: Visit, cursor: UUID | None) -> Response[bytes]:
    """A page of the contracts, with the places that are taken."""
    found = await queries.list_projects(visit.tx, visit.me, cursor, _PROJECTS_A_PAGE)
    taken = await taken_of(visit.tx, [each.id for each in found.projects])
    projects = [(each, taken.get(each.id, Taken())) for each in found.projects]
    return await visit.shown("projects", projects=projects, next=found.next, later=cursor is not None)


async def one(visit: Visit, project_id: UUID) -> Response[bytes]:
    """One of them, with its forms. NotFound `project.not_found`."""
    return await _page(visit, project_id, {}, [])


async def reached(visit: Visit, project_id: UUID) -> Response[Any]:
    """Say what was reached; the evidence is kept as a fingerprint."""
    typed = await visit.typed()

    async def reach() -> ProjectView:
        told = {
            "reached_on": forms.day_typed(typed, "reached_on"),
            "employment_percent": _percent(typed.get("employment_percent", "")),
            "evidence_sha256": typed.get("evidence_sha256", ""),
        }
        faults = Faults()
        for field in (name for name, value in told.items() if value == ""):
            faults.tell("value.missing", field)
        faults.raise_all()
        new = as_wanted(told, NewResult)
        return await commands.record_result(visit.tx, visit.me, project_id, new, visit.today, visit.now)

    _, faults = await visit.does(typed, ProjectView, reach)
    if faults:
        return await _page(visit, project_id, typed, faults)
    return forms.see(f"{PROJECTS}/{project_id}", "project_reached")


async def place_claimed(visit: Visit, project_id: UUID) -> Response[Any]:
    """Claim one person's place, and show the claim."""
    typed = await visit.typed()
    name, id_number, phone = (typed.get(f"trainee_{part}", "") for part in ("name", "id_number", "phone"))
    who = NewTrainee(name, id_number, phone or None)
    new = NewPlace(who, filing_form.group_typed(typed), filing_form.place_link_typed(typed))

    async def file() -> ClaimView:
        return await file_place(visit.tx, visit.me, project_id, new, visit.today, visit.now)

    filed, faults = await visit.files(typed, Channel.INSTITUTION, file)
    if faults:
        return await _page(visit, project_id, typed, faults)
    return forms.see(f"/institution/claims/{filed[0].id}", "filed")


def _percent(text: str) -> int | str:
    """A whole number of a hundred, empty where nothing was typed. Invalid `value.form`."""
    digits = text.removesuffix("%").removesuffix("％").strip()
    if digits and not (digits.isascii() and digits.isdigit() and len(digits) <= 3):
        raise Invalid("value.form", "employment_percent")
    return int(digits) if digits else ""


async def _page(visit: Visit, project_id: UUID, typed: Typed, faults: list[Fault]) -> Response[bytes]:
    view = await queries.project_view(visit.tx, visit.me, project_id)
    return await visit.shown(
        "project",
        typed,
        placed([(_NAMED.get(field, field), said) for field, said in faults], _LABELS),
        project=view,
        taken=(await taken_of(visit.tx, [project_id])).get(project_id, Taken()),
        price_fen=(await queries.contracted(visit.tx, visit.me, project_id)).price_fen,
        bytes_max=FILE_BYTES_MAX,
        **filing_form.choices(),
    )
