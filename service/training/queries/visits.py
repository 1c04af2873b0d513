"""Who went where: officers of patrols and inspections, for those who may see these."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain.actor import Actor
from domain.identity import mask_name
from service.crypto import keyring
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.people.tables import PersonRow
from service.training.schemas.patrols import ThereView
from service.training.tables import InspectionOfficerRow, PatrolOfficerRow


async def officers_of_patrol(tx: Tx, me: Actor, patrol_id: UUID) -> list[ThereView]:
    """In the order in which they joined."""
    return await _there(tx, me, PatrolOfficerRow, PatrolOfficerRow.patrol_id == patrol_id)


async def officers_of_inspection(tx: Tx, me: Actor, inspection_id: UUID) -> list[ThereView]:
    """In the order in which they joined."""
    return await _there(tx, me, InspectionOfficerRow, InspectionOfficerRow.inspection_id == inspection_id)


async def joined_patrols(tx: Tx, me: Actor, among: Collection[UUID]) -> set[UUID]:
    """Those of `among` that I joined."""
    row = PatrolOfficerRow
    asked = select(row.patrol_id).where(row.person_id == me.person_id, row.patrol_id.in_(among))
    return set((await tx.execute(asked)).scalars())


async def names_of_institutions(tx: Tx, ids: Collection[UUID]) -> dict[UUID, str]:
    """Id → name."""
    row = InstitutionRow
    return {each.id: each.name for each in await tx.execute(select(row.id, row.name).where(row.id.in_(ids)))}


async def _there(tx: Tx, me: Actor, row: Any, where: Any) -> list[ThereView]:
    person = PersonRow
    asked = select(person.id, person.name_sealed, row.joined_at).join(row, row.person_id == person.id).where(where)
    found = await tx.execute(asked.order_by(row.joined_at, person.id))
    return [
        ThereView(mask_name(keyring().open(name, id_)), id_ == me.person_id, joined_at)
        for id_, name, joined_at in found
    ]
