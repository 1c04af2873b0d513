"""Bring persons and accounts into the database: sealed, and found again by blind index."""

from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy import insert, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.account import BankAccount
from domain.errors import Invalid
from domain.identity import NationalId, PersonName, Phone, same_name
from service.crypto import keyring
from service.database import Tx
from service.people.queries import find_person, name_of
from service.people.tables import AccountRow, PersonBlindIndexRow, PersonRow


@dataclass(frozen=True)
class NewPerson:
    """A person as somebody named them; parsed, not yet known to be who they say."""

    name: PersonName
    id_number: NationalId
    phone: Phone | None = field(default=None)


async def ensure_person(tx: Tx, new: NewPerson, field_prefix: str = "") -> UUID:
    """The person with this id number, made when unknown.

    Invalid `person.name_differs` when the number is known under another name.
    """
    found = await find_person(tx, new.id_number)
    if found is None:
        found = await _make(tx, new) or await find_person(tx, new.id_number)
        assert found is not None, "the index row that kept ours out is committed"
    if not same_name(await name_of(tx, found), new.name.text):
        raise Invalid("person.name_differs", field=f"{field_prefix}name")
    return found


async def _make(tx: Tx, new: NewPerson) -> UUID | None:
    """One statement: the person only where the blind index was free; None when another was quicker."""
    keys, person_id = keyring(), uuid4()
    index = keys.blind_index("person", new.id_number.number)
    first = (
        upsert(PersonBlindIndexRow)
        .values(key_id=keys.current, index=index, person_id=person_id)
        .on_conflict_do_nothing()
        .returning(PersonBlindIndexRow.person_id)
        .cte("first")
    )
    sealed = {
        "name_sealed": keys.seal(new.name.text, person_id),
        "id_number_sealed": keys.seal(new.id_number.number, person_id),
        "phone_sealed": keys.seal(new.phone.number, person_id) if new.phone else None,
    }
    columns = PersonRow.__table__.c
    made = await tx.execute(
        insert(PersonRow)
        .from_select(
            ["id", *sealed],
            select(first.c.person_id, *(literal(value, columns[name].type) for name, value in sealed.items())),
        )
        .returning(PersonRow.id)
    )
    return made.scalar_one_or_none()


async def ensure_account(tx: Tx, person_id: UUID, account: BankAccount) -> UUID:
    """The person's account with this number, made when unknown."""
    keys, account_id = keyring(), uuid4()
    index = keys.blind_index("account", account.number)
    made = await tx.execute(
        upsert(AccountRow)
        .values(
            id=account_id,
            person_id=person_id,
            holder_sealed=keys.seal(account.holder.text, account_id),
            number_sealed=keys.seal(account.number, account_id),
            number_index=index,
            tail=account.number[-4:],
            bank_code=account.bank_code,
        )
        .on_conflict_do_nothing()
        .returning(AccountRow.id)
    )
    if (found := made.scalar_one_or_none()) is not None:
        return found
    known = select(AccountRow.id).where(
        AccountRow.person_id == person_id, AccountRow.number_index == index, AccountRow.bank_code == account.bank_code
    )
    return (await tx.execute(known)).scalar_one()
