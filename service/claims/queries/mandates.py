"""Mandates as their two sides see them: the trainee in whose name they are, the institution they were given to."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select

from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.identity import mask_name
from service.claims.schemas import MandateList, MandateView
from service.claims.tables import ClaimRow, MandateRevocationRow, MandateRow
from service.crypto import keyring
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.people.tables import PersonRow


async def list_mandates(tx: Tx, me: Actor, cursor: UUID | None, limit: int) -> MandateList:
    """A page of the mandates in my name, and of those my institution holds; `cursor` is the last one seen."""
    mandate = MandateRow
    asked = _mine(me).order_by(mandate.id).limit(limit + 1)
    rows = (await tx.execute(asked.where(mandate.id > cursor) if cursor else asked)).all()
    return MandateList([_view(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


async def mandate_of(tx: Tx, me: Actor, mandate_id: UUID) -> MandateView:
    """One of them. NotFound `mandate.not_found`."""
    found = (await tx.execute(_mine(me).where(MandateRow.id == mandate_id))).one_or_none()
    if found is None:
        raise NotFound("mandate.not_found")
    return _view(found)


def _mine(me: Actor) -> Select[*tuple[Any, ...]]:
    mandate, revocation = MandateRow, MandateRevocationRow
    mine: list[ColumnElement[bool]] = [mandate.person_id == me.person_id]
    if me.holds(Post.CLERK) and me.institution_id is not None:
        mine.append(mandate.institution_id == me.institution_id)
    return (
        select(
            *(mandate.id, mandate.person_id, PersonRow.name_sealed, InstitutionRow.name, revocation.revoked_on),
            func.lower(mandate.in_force).label("first"),
            (func.upper(mandate.in_force) - 1).label("last"),
        )
        .join(PersonRow, PersonRow.id == mandate.person_id)
        .join(InstitutionRow, InstitutionRow.id == mandate.institution_id)
        .outerjoin(revocation, revocation.mandate_id == mandate.id)
        .where(or_(*mine))
    )


async def claims_under_mine(tx: Tx, me: Actor) -> dict[UUID, list[UUID]]:
    """The claims that were filed in my name under each mandate, in order."""
    claim, found = ClaimRow, defaultdict[UUID, list[UUID]](list)
    mine = (claim.person_id == me.person_id, claim.mandate_id.is_not(None))
    for mandate_id, claim_id in await tx.execute(select(claim.mandate_id, claim.id).where(*mine).order_by(claim.id)):
        if mandate_id is not None:
            found[mandate_id].append(claim_id)
    return dict(found)


def _view(row: Any) -> MandateView:
    trainee = mask_name(keyring().open(row.name_sealed, row.person_id))
    return MandateView(row.id, trainee, row.first, row.last, row.name, row.revoked_on)
