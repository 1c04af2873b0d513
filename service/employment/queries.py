"""Contracts that one may see: of one's own enterprise, or in one's own name."""

from uuid import UUID

from sqlalchemy import false, or_, select

from domain.actor import Actor, Post
from domain.identity import mask_name
from service.crypto import keyring
from service.database import Tx, period_of
from service.employment.schemas import ContractList, ContractView
from service.employment.tables import EmploymentContractRow
from service.institutions.tables import InstitutionRow
from service.people.tables import PersonRow


async def list_contracts(tx: Tx, me: Actor, cursor: UUID | None, limit: int) -> ContractList:
    """A page of the contracts in my name, or of my enterprise; `cursor` is the last one seen."""
    row, person = EmploymentContractRow, PersonRow
    mine = [row.person_id == me.person_id if me.holds(Post.TRAINEE) else false()]
    if me.holds(Post.CLERK) and me.institution_id is not None:
        mine.append(row.institution_id == me.institution_id)
    asked = (
        select(row.id, row.person_id, row.signed_on, row.in_force, person.name_sealed, InstitutionRow.name)
        .join(person, person.id == row.person_id)
        .join(InstitutionRow, InstitutionRow.id == row.institution_id)
        .where(or_(*mine))
        .order_by(row.id)
        .limit(limit + 1)
    )
    rows = (await tx.execute(asked.where(row.id > cursor) if cursor else asked)).all()
    keys, shown = keyring(), []
    for each in rows[:limit]:
        days, name = period_of(each.in_force), keys.open(each.name_sealed, each.person_id)
        shown.append(ContractView(each.id, mask_name(name), each.name, each.signed_on, days.first, days.last))
    return ContractList(shown, rows[limit - 1].id if len(rows) > limit else None)
