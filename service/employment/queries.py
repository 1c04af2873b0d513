"""Contracts that one may see: of one's own enterprise, or in one's own name."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, false, or_, select

from domain.actor import Actor, Post
from domain.errors import NotFound
from domain.identity import mask_name
from service.crypto import keyring
from service.database import Tx, period_of
from service.employment.schemas import ContractList, ContractView
from service.employment.tables import EmploymentContractRow
from service.institutions.tables import InstitutionRow
from service.people.tables import PersonRow


async def contract_of(tx: Tx, me: Actor, contract_id: UUID) -> ContractView:
    """One of them. NotFound `contract.not_found`."""
    found = (await tx.execute(_mine(me).where(EmploymentContractRow.id == contract_id))).one_or_none()
    if found is None:
        raise NotFound("contract.not_found")
    return _view(found)


async def list_contracts(tx: Tx, me: Actor, cursor: UUID | None, limit: int) -> ContractList:
    """A page of the contracts in my name, or of my enterprise; `cursor` is the last one seen."""
    row = EmploymentContractRow
    asked = _mine(me).order_by(row.id).limit(limit + 1)
    rows = (await tx.execute(asked.where(row.id > cursor) if cursor else asked)).all()
    return ContractList([_view(each) for each in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


def _mine(me: Actor) -> Select[*tuple[Any, ...]]:
    row, person = EmploymentContractRow, PersonRow
    mine = [row.person_id == me.person_id if me.holds(Post.TRAINEE) else false()]
    if me.holds(Post.CLERK) and me.institution_id is not None:
        mine.append(row.institution_id == me.institution_id)
    return (
        select(row.id, row.person_id, row.signed_on, row.in_force, person.name_sealed, InstitutionRow.name)
        .join(person, person.id == row.person_id)
        .join(InstitutionRow, InstitutionRow.id == row.institution_id)
        .where(or_(*mine))
    )


def _view(row: Any) -> ContractView:
    days, name = period_of(row.in_force), keyring().open(row.name_sealed, row.person_id)
    return ContractView(row.id, mask_name(name), row.name, row.signed_on, days.first, days.last)
