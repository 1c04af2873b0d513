"""Find persons by what they said, and read what was sealed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import aliased

from domain.identity import NationalId, Phone
from service.crypto import keyring
from service.database import Tx, relation
from service.people.tables import AccountRow, PersonBlindIndexRow, PersonRow


@dataclass(frozen=True)
class Known:
    """A person in the database, with their name in clear."""

    id: UUID
    name: str


async def find_people(tx: Tx, id_numbers: Sequence[NationalId], *, lock: bool = False) -> dict[str, Known]:
    """Number → the person with it under any known key, or whom they were merged into; unknown numbers are left out.

    With `lock` their rows are locked, in order of id, before facts about their claims are read (promise 20).
    """
    if not id_numbers:
        return {}
    keys = keyring()
    asked = {
        (key_id, index): each.number
        for each in id_numbers
        for key_id, index in keys.blind_indexes("person", each.number).items()
    }
    sought = relation([{"key_id": key_id, "index": index} for key_id, index in asked], PersonBlindIndexRow)
    row, named, person = PersonBlindIndexRow, aliased(PersonRow), aliased(PersonRow)
    found = (
        select(row.key_id, row.index, person.id, person.name_sealed)
        .join(sought, and_(sought.c.key_id == row.key_id, sought.c.index == row.index))
        .join(named, named.id == row.person_id)
        .join(person, person.id == func.coalesce(named.merged_into, named.id))
        .order_by(person.id)
    )
    if lock:
        found = found.with_for_update(key_share=True, of=person)
    rows = await tx.execute(found)
    return {asked[key_id, index]: Known(id_, keys.open(name, id_)) for key_id, index, id_, name in rows}


async def name_of(tx: Tx, person_id: UUID) -> str:
    """The person's name in clear; the caller must have a reason to read it."""
    sealed = await tx.execute(select(PersonRow.name_sealed).where(PersonRow.id == person_id))
    return keyring().open(sealed.scalar_one(), person_id)


@dataclass(frozen=True)
class InClear:
    """What is held of a person, readable."""

    name: str = field(repr=False)
    number: NationalId
    phone: Phone | None


@dataclass(frozen=True)
class AccountInClear:
    number: str = field(repr=False)
    tail: str
    bank_code: str
    made_at: datetime


async def in_clear(tx: Tx, person_id: UUID) -> InClear:
    """The person in clear; the caller must have a reason to read it."""
    row, keys = PersonRow, keyring()
    asked = select(row.name_sealed, row.id_number_sealed, row.phone_sealed).where(row.id == person_id)
    name, number, phone = (await tx.execute(asked)).one()
    told = Phone(keys.open(phone, person_id)) if phone else None
    return InClear(keys.open(name, person_id), NationalId(keys.open(number, person_id)), told)


async def accounts_in_clear(tx: Tx, person_id: UUID) -> list[AccountInClear]:
    """The person's accounts, the oldest first; the caller must have a reason to read them."""
    row, keys = AccountRow, keyring()
    asked = select(row.id, row.number_sealed, row.tail, row.bank_code, row.made_at)
    rows = await tx.execute(asked.where(row.person_id == person_id).order_by(row.made_at, row.id))
    return [AccountInClear(keys.open(each.number_sealed, each.id), *each[2:]) for each in rows]


async def lock_person(tx: Tx, person_id: UUID) -> str:
    """Lock the person's row before facts about their claims are read (promise 20), and answer their name."""
    locked = select(PersonRow.name_sealed).where(PersonRow.id == person_id).with_for_update(key_share=True)
    return keyring().open((await tx.execute(locked)).scalar_one(), person_id)
