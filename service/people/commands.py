"""Bring persons and accounts into the database: sealed, and found again by blind index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sqlalchemy import and_, func, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.account import BankAccount
from domain.errors import Invalid
from domain.identity import NationalId, PersonName, Phone, same_name
from service.crypto import keyring
from service.database import Tx, relation
from service.people.queries import Known, find_people
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
    columns = ("id", "name_sealed", "id_number_sealed", "phone_sealed")
    made = await tx.execute(
        insert(PersonRow)
        .from_select(
            list(columns),
            select(*(new_ones.c[name] for name in columns)).join(first, first.c.person_id == new_ones.c.id),
        )
        .returning(PersonRow.id)
    )
    return set(made.scalars())


async def ensure_account(tx: Tx, person_id: UUID, account: BankAccount) -> UUID:
    """The person's account with this number, made when unknown."""
    return (await ensure_accounts(tx, [(person_id, account)]))[0]


async def ensure_accounts(tx: Tx, owned: Sequence[tuple[UUID, BankAccount]]) -> list[UUID]:
    """Each person's account with this number, made when unknown, in order; one statement unless others race."""
    if not owned:
        return []
    wanted = relation([_account(person_id, account) for person_id, account in owned], AccountRow)
    made = (
        upsert(AccountRow)
        .from_select(
            [name for name in wanted.c.keys() if name != "n"],  # noqa: SIM118 (columns, not a dict)
            select(*(column for name, column in wanted.c.items() if name != "n")),
        )
        .on_conflict_do_nothing()
        .returning(*(AccountRow.__table__.c[name] for name in ("id", *_IDENTITY)))
        .cte("made")
    )
    known = AccountRow.__table__.alias("known")
    same = [and_(*(wanted.c[name] == one.c[name] for name in _IDENTITY)) for one in (made, known)]
    asked = (
        select(func.coalesce(made.c.id, known.c.id))
        .select_from(wanted)
        .outerjoin(made, same[0])
        .outerjoin(known, same[1])
        .order_by(wanted.c.n)
    )
    found = list((await tx.execute(asked)).scalars())
    # what another has made since this statement began, the next one sees
    return found if None not in found else list((await tx.execute(asked)).scalars())


_IDENTITY = ("person_id", "number_index", "bank_code")


def _account(person_id: UUID, account: BankAccount) -> dict[str, object]:
    keys, account_id = keyring(), uuid4()
    return {
        "id": account_id,
        "person_id": person_id,
        "holder_sealed": keys.seal(account.holder.text, account_id),
        "number_sealed": keys.seal(account.number, account_id),
        "number_index": keys.blind_index("account", account.number),
        "tail": account.number[-4:],
        "bank_code": account.bank_code,
    }
