"""Bring the people and rooms of a class into the database, and lock them before the rules are asked.

In one order for everybody: people by id, then rooms by key. Whoever plans one of them at the same moment waits, and
then is told who came first.
"""

from collections.abc import Collection, Sequence
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.errors import Invalid
from domain.faults import Faults
from domain.training import RepeatedLine, Session
from service.database import Tx
from service.people.commands import NewPerson, make_people, must_be_named
from service.people.queries import Known, find_people
from service.people.tables import PersonRow
from service.training.commands.reading import ReadPeople
from service.training.queries.plans import Member, Plan
from service.training.tables import RoomRow


async def gather(tx: Tx, people: ReadPeople) -> tuple[tuple[Member, ...], tuple[Member, ...]]:
    """Teachers and trainees, made where they are unknown. Invalid `person.name_differs`, `class.teacher_twice`, each
    with its place."""
    everybody = [*people.teachers, *people.trainees]
    known = await _ensured(tx, everybody)
    faults = Faults()
    numbered = [("teachers", people.teachers), ("trainees", people.trainees)]
    for of, some in numbered:
        for n, each in enumerate(some, 1):
            faults.read(must_be_named, known[each.id_number.number], each, f"{of}.{n}.name")
    faults.read(must_be_different, [known[each.id_number.number].id for each in people.teachers])
    faults.raise_all()
    teachers, trainees = (
        tuple(Member(known[each.id_number.number].id, each.name.text, each.id_number) for each in some)
        for _, some in numbered
    )
    return teachers, trainees


async def _ensured(tx: Tx, people: Sequence[NewPerson]) -> dict[str, Known]:
    """Number → the person."""
    numbers = [each.id_number for each in people]
    known = await find_people(tx, numbers)
    missing = {each.id_number.number: each for each in people if each.id_number.number not in known}
    if not missing:
        return known
    await make_people(tx, {uuid4(): each for each in missing.values()})
    return await find_people(tx, numbers)  # another may have been quicker with some


def must_be_different(teachers: Sequence[UUID]) -> None:
    """Invalid `class.teacher_twice`: whoever teaches is named once."""
    for n, person_id in enumerate(teachers, 1):
        if person_id in teachers[: n - 1]:
            raise Invalid("class.teacher_twice", f"teachers.{n}", first=teachers.index(person_id) + 1)


def repeated_lines(trainees: Sequence[Member]) -> tuple[RepeatedLine, ...]:
    """Lines whose person stands in an earlier one."""
    first: dict[UUID, int] = {}
    lines = enumerate((each.person_id for each in trainees), 1)
    seen = [(line, first.setdefault(person_id, line)) for line, person_id in lines]
    return tuple(RepeatedLine(line, before) for line, before in seen if before != line)


async def lock_people(tx: Tx, people: Collection[UUID]) -> None:
    """The rows of people who are known, in order of id."""
    row = PersonRow
    await tx.execute(select(row.id).where(row.id.in_(people)).order_by(row.id).with_for_update(key_share=True))


async def rooms_of(tx: Tx, plan: Plan, begun: Sequence[Session] = ()) -> list[UUID | None]:
    """The room of each session, made where it is unknown, and locked; None for those that have begun, which may have
    been elsewhere."""
    row = RoomRow
    names = {plan.room_key(each): each.room for each in plan.sessions if each not in begun}
    ids: dict[str, UUID] = {}
    if names:
        new = upsert(row).values([{"id": uuid4(), "key": key, "name": name} for key, name in sorted(names.items())])
        named = new.on_conflict_do_update(index_elements=["key"], set_={"name": new.excluded.name})
        ids = {key: id_ for id_, key in await tx.execute(named.returning(row.id, row.key))}
    return [None if each in begun else ids[plan.room_key(each)] for each in plan.sessions]
