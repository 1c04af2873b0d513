"""Inspections, as officers of the district see them, the auditor, and, once they are over, the institution itself."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, literal, select

from domain.actor import Actor, Post
from domain.errors import NotFound
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.training.schemas import InspectionsView, InspectionView
from service.training.tables import InspectionOfficerRow, InspectionRow

#: The latest inspections that are listed.
INSPECTIONS_MAX = 200


def in_reach(me: Actor) -> ColumnElement[bool]:
    """Which institutions' inspections `me` works on or reads: one's own institution's, one's district's."""
    if me.holds(Post.CLERK):
        return InstitutionRow.id == me.institution_id
    return InstitutionRow.district == me.district if me.district else literal(True)


def _seen(me: Actor) -> ColumnElement[bool]:
    """That somebody is about to look is for those to know who go there."""
    return and_(in_reach(me), InspectionRow.result.is_not(None)) if me.holds(Post.CLERK) else in_reach(me)


async def inspection_view(tx: Tx, me: Actor, inspection_id: UUID) -> InspectionView:
    """NotFound `inspection.not_found`."""
    found = await _views(tx, me, InspectionRow.id == inspection_id)
    if not found:
        raise NotFound("inspection.not_found")
    return found[0]


async def inspections(tx: Tx, me: Actor, institution_id: UUID | None) -> InspectionsView:
    """The latest, newest first; those of one institution."""
    where = [InspectionRow.institution_id == institution_id] if institution_id else []
    return InspectionsView(await _views(tx, me, *where))


async def _views(tx: Tx, me: Actor, *where: ColumnElement[bool]) -> list[InspectionView]:
    row, officer = InspectionRow, InspectionOfficerRow
    joined = select(func.count()).where(officer.inspection_id == row.id).correlate(row).scalar_subquery()
    found = await tx.execute(
        select(row.id, row.institution_id, joined, row.result, row.inspected_on, row.note)
        .join(InstitutionRow, InstitutionRow.id == row.institution_id)
        .where(_seen(me), *where)
        .order_by(row.opened_at.desc(), row.id)
        .limit(INSPECTIONS_MAX)
    )
    return [InspectionView(*each) for each in found]
