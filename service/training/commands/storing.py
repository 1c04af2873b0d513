"""Write what was decided of a class: its own row, its people, its sessions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import delete, func, insert, update

from domain.eligibility.outcome import Decision
from domain.training import Facts, Session
from service.database import Tx
from service.training.queries.plans import Member, Plan, during
from service.training.tables import ClassRow, PlaceRow, SessionRow, TeacherRow


def columns_of(plan: Plan, facts: Facts) -> dict[str, Any]:
    """What a class's row says of a plan that was granted; a plan that is filed again, or changed, replaces it."""
    assert facts.item_id is not None, "a class that is granted has an item"
    return {
        "site": plan.site.name,
        "address": plan.site.address,
        "item_id": UUID(facts.item_id),
        "occupation": facts.occupation,
        "level": facts.level,
        "standard_id": standard_of(facts),
        "planned_hours": plan.planned_hours,
        "first": facts.starts_on,
        "last": facts.ends_on,
        "filed_on": plan.filed_on,
    }


def standard_of(facts: Facts) -> UUID:
    assert facts.standard is not None, "a class that is granted has a standard"
    return UUID(facts.standard.id)


def stored_decision(facts: Facts, decision: Decision) -> dict[str, Any]:
    """What is kept of a decision: its facts, from which it can be made again, and what failed (nothing)."""
    rules = {each.rule: each.version for each in decision.outcomes}
    made = {"rules_version": decision.rules_version, "rules": rules, "failed": decision.failed}
    return {"facts": msgspec.to_builtins(facts), **made}


async def keep_decision(tx: Tx, class_id: UUID, facts: Facts, decision: Decision, **more: Any) -> None:
    kept = stored_decision(facts, decision)
    await tx.execute(update(ClassRow).where(ClassRow.id == class_id).values(decision=kept, **more))


async def store_teachers(tx: Tx, class_id: UUID, teachers: Sequence[Member], known: int = 0) -> None:
    """Those beyond the `known` first."""
    new = list(enumerate(teachers, 1))[known:]
    if new:
        await tx.execute(insert(TeacherRow), _rows(class_id, "n", new))


async def store_roster(tx: Tx, class_id: UUID, trainees: Sequence[Member]) -> None:
    await tx.execute(insert(PlaceRow), _rows(class_id, "line", list(enumerate(trainees, 1))))


def _rows(class_id: UUID, place: str, members: Sequence[tuple[int, Member]]) -> list[Mapping[str, Any]]:
    return [{"class_id": class_id, place: n, "person_id": each.person_id} for n, each in members]


async def store_sessions(
    tx: Tx, class_id: UUID, plan: Plan, rooms: Sequence[UUID | None], begun: Sequence[Session] = ()
) -> None:
    """All sessions but those that have begun, which are there."""
    rows = [
        {
            "id": uuid4(),
            "class_id": class_id,
            "teacher_id": plan.teachers[each.teacher - 1].person_id,
            "room_id": room,
            "during": during(each),
            "hours": each.hours,
        }
        for each, room in zip(plan.sessions, rooms, strict=True)
        if each not in begun
    ]
    if rows:
        await tx.execute(insert(SessionRow), rows)


async def clear_roster(tx: Tx, class_id: UUID) -> None:
    await tx.execute(delete(PlaceRow).where(PlaceRow.class_id == class_id))


async def clear_sessions(tx: Tx, class_id: UUID, after: datetime | None = None) -> None:
    """All of them, or those that begin after an instant."""
    row = SessionRow
    asked = delete(row).where(row.class_id == class_id)
    await tx.execute(asked if after is None else asked.where(func.lower(row.during) > after))


async def clear(tx: Tx, class_id: UUID) -> None:
    """What was planned, so that it can be planned anew."""
    await clear_sessions(tx, class_id)
    await clear_roster(tx, class_id)
    await tx.execute(delete(TeacherRow).where(TeacherRow.class_id == class_id))
