"""Bring persons and accounts into the database: sealed, and found again by blind index."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.account import BankAccount
from domain.errors import Invalid
from domain.faults import Faults
from domain.identity import NationalId, PersonName, Phone, same_name
from service.crypto import keyring
from service.database import Tx, fetch, relation, types_of, unnested
from service.people.queries import Known, find_people
from service.people.tables import AccountRow, PersonBlindIndexRow, PersonRow

#: The kind of blind index by which equal telephones are found.
_PHONE = "phone"


@dataclass(frozen=True)
class NewPerson:
    """A person as somebody named them; parsed, not yet known to be who they say."""

    name: PersonName
    id_number: NationalId
    phone: Phone | None = field(default=None)


def read_person(
    name: str, id_number: str, phone: str | None, today: date, faults: Faults, field_prefix: str = ""
) -> NewPerson:
    """Parse who is named; what is malformed stands in `faults`."""
    return NewPerson(
        faults.read(PersonName.parse, name, field=f"{field_prefix}name"),
        faults.read(NationalId.parse, id_number, field=f"{field_prefix}id_number", today=today),
        faults.read(Phone.parse, phone, field=f"{field_prefix}phone") if phone else None,
    )


async def ensure_person(tx: Tx, new: NewPerson, field_prefix: str = "") -> UUID:
    """The person with this id number, made when unknown.

    Invalid `person.name_differs` when the number is known under another name.
    """
    found = await find_people(tx, [new.id_number])
    if not found:
        person_id = uuid4()
        if await make_people(tx, {person_id: new}):
            return person_id
        found = await find_people(tx, [new.id_number])  # another was quicker
    known = found[new.id_number.number]
    must_be_named(known, new, f"{field_prefix}name")
    return known.id


def must_be_named(known: Known, new: NewPerson, field_: str) -> None:
    """Invalid `person.name_differs` when the number is known under another name."""
    if not same_name(known.name, new.name.text):
        raise Invalid("person.name_differs", field=field_)


async def make_people(tx: Tx, people: Mapping[UUID, NewPerson]) -> set[UUID]:
    """Make those whose number is not taken, under the ids they are given; the ids that were made.

    One statement: a person only where the blind index was free. In order of the index, so that two who make the same
    people wait for each other and not around each other.
    """
    if not people:
        return set()
    keys = keyring()
    rows = [
        {
            "id": person_id,
            "key_id": keys.current,
            "index": keys.blind_index("person", new.id_number.number),
            "name_sealed": keys.seal(new.name.text, person_id),
            "id_number_sealed": keys.seal(new.id_number.number, person_id),
            "phone_sealed": keys.seal(new.phone.number, person_id) if new.phone else None,
            "phone_index": keys.blind_index(_PHONE, new.phone.number) if new.phone else None,
        }
        for person_id, new in people.items()
    ]
    new_ones = relation(sorted(rows, key=lambda row: row["index"]), PersonRow, PersonBlindIndexRow)
    first = (
        upsert(PersonBlindIndexRow)
        .from_select(
            ["key_id", "index", "person_id"],
            select(new_ones.c.key_id, new_ones.c.index, new_ones.c.id).order_by(new_ones.c.n),
        )
        .on_conflict_do_nothing()
        .returning(PersonBlindIndexRow.person_id)
        .cte("first")
    )
    columns = ("id", "name_sealed", "id_number_sealed", "phone_sealed", "phone_index")
    made = await tx.execute(
        insert(PersonRow)
        .from_select(
            list(columns),
            select(*(new_ones.c[name] for name in columns)).join(first, first.c.person_id == new_ones.c.id),
        )
        .returning(PersonRow.id)
    )
    return set(made.scalars())


async def index_phones(tx: Tx, limit: int) -> int:
    """Compute the blind index of telephones that were sealed before there was one, at most `limit`; how many."""
    row, keys = PersonRow, keyring()
    asked = select(row.id, row.phone_sealed).where(row.phone_sealed.is_not(None), row.phone_index.is_(None))
    found = (await tx.execute(asked.limit(limit).with_for_update(skip_locked=True))).all()
    if found:
        opened = [
            {"id": id_, "phone_index": keys.blind_index(_PHONE, keys.open(sealed or b"", id_))}
            for id_, sealed in found
        ]
        computed = relation(opened, row)
        await tx.execute(update(row).where(row.id == computed.c.id).values(phone_index=computed.c.phone_index))
    return len(found)


#: An account as a statement is given it; `account_id` is its id where it is new, or where nothing else of it is
#: given: then it is there already.
ACCOUNT = {
    "account_id": "UUID",
    **types_of(AccountRow, "person_id", "holder_sealed", "number_sealed", "number_index", "tail", "bank_code"),
}
#: Parts of a statement over a relation `given` of accounts and `n`: `account` has the id of each by `n`; NULL for one
#: that another has made since the statement began.
ENSURE_ACCOUNTS = """
    made AS (
        INSERT INTO accounts (id, person_id, holder_sealed, number_sealed, number_index, tail, bank_code)
        SELECT account_id, person_id, holder_sealed, number_sealed, number_index, tail, bank_code
          FROM given WHERE number_sealed IS NOT NULL ORDER BY n
        ON CONFLICT DO NOTHING
        RETURNING id, person_id, number_index, bank_code
    ), account AS (
        SELECT n, coalesce(made.id, known.id,
                           CASE WHEN given.number_sealed IS NULL THEN given.account_id END) AS id
          FROM given
          LEFT JOIN made USING (person_id, number_index, bank_code)
          LEFT JOIN accounts known USING (person_id, number_index, bank_code)
    )
"""
_ENSURE_ACCOUNT = f"""
    WITH given AS (SELECT * FROM {unnested(ACCOUNT)}), {ENSURE_ACCOUNTS} SELECT id FROM account
"""  # noqa: S608 (our own constants)


async def ensure_account(tx: Tx, person_id: UUID, account: BankAccount) -> UUID:
    """The person's account with this number, made when unknown."""
    arrays = [[value] for value in sealed_account(person_id, account).values()]
    found = await fetch(tx, _ENSURE_ACCOUNT, *arrays)
    if found[0]["id"] is None:  # what another has made since that statement began, the next one sees
        found = await fetch(tx, _ENSURE_ACCOUNT, *arrays)
    return cast(UUID, found[0]["id"])


def account_there(account_id: UUID | None, tail: str) -> dict[str, object]:
    """The values of `ACCOUNT` for one that is in the database; its person is the claim's."""
    unknown = dict.fromkeys(ACCOUNT.keys() - {"person_id"})
    return {**unknown, "account_id": account_id, "tail": tail}


def sealed_account(person_id: UUID, account: BankAccount) -> dict[str, object]:
    """The values of `ACCOUNT`, in order: sealed, and found again by blind index."""
    keys, account_id = keyring(), uuid4()
    return {
        "account_id": account_id,
        "person_id": person_id,
        "holder_sealed": keys.seal(account.holder.text, account_id),
        "number_sealed": keys.seal(account.number, account_id),
        "number_index": keys.blind_index("account", account.number),
        "tail": account.number[-4:],
        "bank_code": account.bank_code,
    }
