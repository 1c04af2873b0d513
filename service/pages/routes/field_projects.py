"""Procured projects on officers' desks."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from domain.actor import Post
from service.pages.field import acts, projects
from service.projects.queries import READERS
from service.security import allow
from service.web import Me, Now, StrictRequest, Today, Tx

_OFFICER = [allow(Post.INSTITUTION_OFFICER)]
_FORM: dict[str, Any] = {"include_in_schema": False, "status_code": 303}


@get("/desk/projects", guards=[allow(*READERS)], include_in_schema=False)
async def listed(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """Contracts of my district."""
    return await acts.shown(projects.CONFIRM, request, tx, me, today, now)


@get("/desk/projects/new", guards=_OFFICER, include_in_schema=False)
async def new_project(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """The form of a contract."""
    return await acts.shown(projects.PROPOSE, request, tx, me, today, now)


@post("/desk/projects/new", guards=_OFFICER, **_FORM)
async def propose(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Record a contract."""
    return await acts.done(projects.PROPOSE, request, tx, me, today, now)


@post("/desk/projects/{project_id:uuid}/confirm", guards=_OFFICER, **_FORM)
async def confirm(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, project_id: FromPath[UUID]
) -> Response[Any]:
    """Confirm what another recorded."""
    return await acts.done(projects.CONFIRM, request, tx, me, today, now, project_id)


ROUTES = [listed, new_project, propose, confirm]
