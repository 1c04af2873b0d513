"""Find persons by what they said, and read what was sealed."""

from uuid import UUID

from sqlalchemy import func, or_, select, tuple_

from domain.identity import NationalId
from service.crypto import keyring
from service.database import Tx
from service.people.tables import PersonBlindIndexRow, PersonRow


async def find_person(tx: Tx, id_number: NationalId) -> UUID | None:
    """The person with this number under any known key, or whom they were merged into."""
    index = PersonBlindIndexRow
    pairs = keyring().blind_indexes("person", id_number.number).items()
    found = await tx.execute(
        select(func.coalesce(PersonRow.merged_into, PersonRow.id))
        .join(index, index.person_id == PersonRow.id)
        .where(or_(*(tuple_(index.key_id, index.index) == tuple_(key, value) for key, value in pairs)))
        .limit(1)
    )
    return found.scalar_one_or_none()


async def name_of(tx: Tx, person_id: UUID) -> str:
    """The person's name in clear; the caller must have a reason to read it."""
    sealed = await tx.execute(select(PersonRow.name_sealed).where(PersonRow.id == person_id))
    return keyring().open(sealed.scalar_one(), person_id)


async def lock_person(tx: Tx, person_id: UUID) -> str:
    """Lock the person's row before facts about their claims are read (promise 20), and answer their name."""
    locked = select(PersonRow.name_sealed).where(PersonRow.id == person_id).with_for_update(key_share=True)
    return keyring().open((await tx.execute(locked)).scalar_one(), person_id)
