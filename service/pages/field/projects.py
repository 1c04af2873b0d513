"""Procured projects: contracts that one officer records and another confirms."""

from typing import Any

from domain.actor import Post
from domain.errors import Invalid
from service.pages.field.acts import Act, Said
from service.projects import commands, queries
from service.projects.schemas import NewProject, ProjectView
from service.web import as_wanted

_PROJECTS_A_PAGE = 50


async def _listed(said: Said) -> dict[str, Any]:
    """The contracts of my district."""
    found = await queries.list_projects(said.tx, said.me, said.cursor(), _PROJECTS_A_PAGE)
    return {"projects": found.projects, "next": found.next, "may": said.me.holds(Post.INSTITUTION_OFFICER)}


async def _confirm(said: Said) -> ProjectView:
    return await commands.confirm_project(said.tx, said.me, said.id, said.now)


CONFIRM = Act("field/projects.html", _listed, _confirm, ProjectView, lambda *_: "/desk/projects", "project_confirmed")


async def _form(_: Said) -> dict[str, Any]:
    return {}


def _fen(said: Said, field: str) -> int:
    """An amount that was typed in yuan. Invalid `value.missing`, `value.form`."""
    whole, _, cents = said.text(field).replace(",", "").partition(".")
    if not whole:
        raise Invalid("value.missing", field)
    if not (whole.isascii() and whole.isdigit() and len(whole) <= 11 and (cents or "00").isascii()):
        raise Invalid("value.form", field)
    if cents and not (cents.isdigit() and len(cents) <= 2):
        raise Invalid("value.form", field)
    return int(whole) * 100 + int(cents.ljust(2, "0"))


async def _propose(said: Said) -> ProjectView:
    told: dict[str, Any] = {
        "institution_id": said.text("institution_id"),
        "item": said.text("item"),
        "contract_number": said.text("contract_number"),
        "valid_from": said.day("valid_from"),
        "valid_to": said.day("valid_to"),
        "places": said.whole("places"),
        "cap_fen": _fen(said, "cap_fen"),
        "place_fen": _fen(said, "place_fen"),
        "document_sha256": said.fingerprint("document_sha256"),
    }
    return await commands.propose_project(said.tx, said.me, as_wanted(told, NewProject), said.now)


PROPOSE = Act(
    "field/project_new.html",
    _form,
    _propose,
    ProjectView,
    lambda *_: "/desk/projects",
    "project_recorded",
    frozenset(
        {
            *("item", "contract_number", "valid_from", "valid_to", "places", "cap_fen", "place_fen"),
            "document_sha256",
        }
    ),
)
