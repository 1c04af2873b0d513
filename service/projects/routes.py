"""Procured projects over HTTP; claims on them are filed under `/api/projects/{id}/claims`."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from domain.actor import Post
from service.projects import commands, queries
from service.projects.schemas import NewProject, NewResult, ProjectList, ProjectView
from service.security import allow
from service.web import Me, Now, Once, Today, Tx, answered

Limit = Annotated[int, QueryParameter(ge=1, le=200)]


@post("/api/projects", guards=[allow(Post.INSTITUTION_OFFICER)])
async def propose_project(tx: Tx, me: Me, now: Now, once: Once, data: JSONBody[NewProject]) -> Response[ProjectView]:
    """Record a contract over a project (项目制) with an institution of my district."""
    return answered(await once(tx, ProjectView, lambda: commands.propose_project(tx, me, data, now)))


@post("/api/projects/{project_id:uuid}/confirm", guards=[allow(Post.INSTITUTION_OFFICER)], status_code=200)
async def confirm_project(tx: Tx, me: Me, now: Now, project_id: FromPath[UUID]) -> ProjectView:
    """Confirm, as another person, a contract that was recorded."""
    return await commands.confirm_project(tx, me, project_id, now)


@post("/api/projects/{project_id:uuid}/results", guards=[allow(Post.CLERK)])
async def record_result(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, project_id: FromPath[UUID], data: JSONBody[NewResult]
) -> Response[ProjectView]:
    """Say what my institution's project reached, with the hash of the evidence."""
    effect = once(tx, ProjectView, lambda: commands.record_result(tx, me, project_id, data, today, now))
    return answered(await effect)


@get("/api/projects", guards=[allow(Post.CLERK, *queries.READERS)])
async def list_projects(tx: Tx, me: Me, cursor: FromQuery[UUID | None] = None, limit: Limit = 50) -> ProjectList:
    """The procured projects of my institution, or of my district."""
    return await queries.list_projects(tx, me, cursor, limit)


ROUTES = [propose_project, confirm_project, record_result, list_projects]
