"""What is to be known of the body that assesses: how it stands, what it is filed for, whom it is tied to."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, or_, select
from sqlalchemy.orm import aliased

from domain.assessment import Body, organisation_of
from service.assessments.schemas import AffiliationsView, AffiliationView
from service.assessments.tables import AffiliationRow
from service.database import Tx, period_of
from service.institutions.queries import scope_on, standings
from service.institutions.tables import InstitutionRow


async def body_on(tx: Tx, body_id: UUID, trainer_id: UUID, occupation: str, day: date) -> Body:
    """The body on the day of an assessment of those whom the trainer taught."""
    row = InstitutionRow
    asked = select(row.id, row.credit_code).where(row.id.in_([body_id, trainer_id]))
    codes = dict((await tx.execute(asked)).all())
    levels = (await scope_on(tx, body_id, day)).get(occupation, frozenset())
    return Body(
        standing=(await standings(tx, [body_id], day))[body_id].standing,
        levels=levels,
        trains=organisation_of(codes[body_id]) == organisation_of(codes[trainer_id]),
        affiliated=await _tied(tx, body_id, trainer_id, day),
    )


async def _tied(tx: Tx, one: UUID, other: UUID, day: date) -> bool:
    row, (first, second) = AffiliationRow, sorted((one, other))
    asked = select(row.id).where(row.one_id == first, row.other_id == second, row.days.contains(day))
    return (await tx.execute(asked)).first() is not None


async def affiliations(tx: Tx, institution_id: UUID | None) -> AffiliationsView:
    """Those of an institution, or all, the latest declared first."""
    row, one, other = AffiliationRow, aliased(InstitutionRow), aliased(InstitutionRow)
    asked = (
        select(row.id, row.one_id, one.name.label("one_name"), row.other_id, other.name.label("other_name"))
        .add_columns(row.days, row.source)
        .join(one, one.id == row.one_id)
        .join(other, other.id == row.other_id)
        .order_by(row.declared_at.desc(), row.id)
    )
    if institution_id is not None:
        asked = asked.where(or_(row.one_id == institution_id, row.other_id == institution_id))
    return AffiliationsView([_affiliation(each) for each in await tx.execute(asked)])


def _affiliation(found: Row[Any]) -> AffiliationView:
    days = period_of(found.days)
    told = (found.id, found.one_id, found.one_name, found.other_id, found.other_name)
    return AffiliationView(*told, days.first, days.last, found.source)
