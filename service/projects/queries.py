"""Procured projects that one may see: of one's institution as a clerk, of one's district as its staff."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, false, select
from sqlalchemy.orm import aliased

from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.money import Fen
from service.catalog.tables import CatalogItemRow
from service.database import Tx, period_of
from service.institutions.tables import InstitutionRow
from service.projects.schemas import ProjectList, ProjectView, ResultView
from service.projects.tables import ProjectResultRow, ProjectRow
from service.standards.queries.projects import AskedProject, price_project

#: Who of the staff reads contracts.
READERS = (Post.INSTITUTION_OFFICER, Post.REVIEWER, Post.AUDITOR)


def visible_to(me: Actor) -> ColumnElement[bool]:
    """Promise 15."""
    if me.holds(Post.CLERK):
        return ProjectRow.institution_id == me.institution_id
    if not me.holds(*READERS):
        return false()
    return ProjectRow.district == me.district if me.district else ProjectRow.id.is_not(None)


def _projects() -> Select[*tuple[Any, ...]]:
    """With the latest result of each."""
    row, result = ProjectRow, ProjectResultRow
    any_ = aliased(result)
    reached = select(any_.id).where(any_.project_id == row.id).order_by(any_.recorded_at.desc(), any_.id)
    latest = reached.limit(1).correlate(row).scalar_subquery()
    return (
        select(
            *(row.id, row.institution_id, row.district, row.contract_number, row.in_force, row.places, row.cap_fen),
            *(row.place_fen, row.document_sha256, row.confirmed_at, row.proposed_person, row.item_id),
            *(CatalogItemRow.name.label("item"), InstitutionRow.name.label("contractor")),
            *(result.id.label("result_id"), result.reached_on, result.employment_percent, result.evidence_sha256),
        )
        .join(CatalogItemRow, CatalogItemRow.id == row.item_id)
        .join(InstitutionRow, InstitutionRow.id == row.institution_id)
        .outerjoin(result, result.id == latest)
    )


async def project_row(tx: Tx, me: Actor, project_id: UUID) -> Row[*tuple[Any, ...]]:
    """NotFound `project.not_found` where it is not there, or not for `me`."""
    asked = _projects().where(ProjectRow.id == project_id, visible_to(me))
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("project.not_found")
    return found


async def project_view(tx: Tx, me: Actor, project_id: UUID) -> ProjectView:
    return _view(await project_row(tx, me, project_id))


async def list_projects(tx: Tx, me: Actor, cursor: UUID | None, limit: int) -> ProjectList:
    """A page; `cursor` is the last one seen."""
    asked = _projects().where(visible_to(me)).order_by(ProjectRow.id).limit(limit + 1)
    rows = (await tx.execute(asked.where(ProjectRow.id > cursor) if cursor else asked)).all()
    return ProjectList([_view(each) for each in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


def _view(row: Row[*tuple[Any, ...]]) -> ProjectView:
    days, result = period_of(row.in_force), None
    assert days.last is not None, "a contract ends"
    if row.result_id is not None:
        result = ResultView(row.result_id, row.reached_on, row.employment_percent, row.evidence_sha256)
    return ProjectView(
        *(row.id, row.item, row.contractor, row.district, row.contract_number, days.first, days.last, row.places),
        *(row.cap_fen, row.place_fen, row.document_sha256, row.confirmed_at is not None, result),
    )


@dataclass(frozen=True)
class Contracted:
    """A project as claims draw on it. `price_fen`: what a place is worth by the latest result and the standards of
    the contract's first day, at most what was agreed; None without a result or a price."""

    id: UUID
    institution_id: UUID
    contractor: str
    district: str
    item: str
    first: date
    result_id: UUID | None
    reached_on: date | None
    price_fen: Fen | None


async def contracted(tx: Tx, me: Actor, project_id: UUID) -> Contracted:
    """NotFound `project.not_found`."""
    row = await project_row(tx, me, project_id)
    first, price = row.in_force.lower, None
    if row.result_id is not None:
        asked = AskedProject.read(row.item, first, heads=1, employment_percent=row.employment_percent)
        amount_fen = (await price_project(tx, asked)).amount_fen
        price = None if amount_fen is None else min(amount_fen, row.place_fen)
    return Contracted(
        *(row.id, row.institution_id, row.contractor, row.district, row.item, first),
        *(row.result_id, row.reached_on, price),
    )
