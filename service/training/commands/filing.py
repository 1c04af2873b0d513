"""File a class, file it again after it was sent back, change what has not begun, withdraw it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import insert, select

from domain.actor import Actor, Post
from domain.eligibility.outcome import Decision
from domain.errors import Conflict, Forbidden, Ineligible, Invalid, NotFound
from domain.text import public_words
from domain.training import CLASS_LIFECYCLE, ClassAction, ClassStatus, Facts, Session, decide
from service.access.tables import DistrictRow
from service.clock import business_day
from service.database import Tx
from service.funds import commands as funds
from service.journal import By, move, record
from service.training.commands import storing
from service.training.commands.gathering import (
    gather,
    lock_people,
    must_be_different,
    repeated_lines,
    rooms_of,
)
from service.training.commands.reading import ReadChange, ReadClass, read_change, read_class
from service.training.queries.estimates import estimate
from service.training.queries.facts import facts_of
from service.training.queries.plans import Plan, has_begun, stored_plan
from service.training.queries.views import class_view, visible_to
from service.training.schemas import ClassDecisionView, ClassView, NewChange, NewClass, NewClassReason
from service.training.tables import ClassRow

_CLASSES = ClassRow.__table__


async def file_class(tx: Tx, me: Actor, new: NewClass, today: date, now: datetime) -> ClassView:
    """A clerk files a class of their institution. Invalid with everything that is malformed; Ineligible
    `class.ineligible` with every reason of every rule; then nothing is stored."""
    by = _clerk(me, now)
    plan = await _planned(tx, me, read_class(new, today), today)
    facts, decision, rooms = await granted(tx, plan)
    class_id, status = uuid4(), str(CLASS_LIFECYCLE.first)
    columns = {"institution_id": plan.institution_id, "district": plan.site.district}
    columns |= storing.columns_of(plan, facts)
    after = {name: value if isinstance(value, int) else str(value) for name, value in columns.items()}
    await record(tx, "class", [class_id], "file", by, [{"status": status, **after}])
    filed = {"status": status, "filed_at": now, "filed_by": me.user_id}
    kept = storing.stored_decision(facts, decision)
    await tx.execute(insert(ClassRow).values(id=class_id, decision=kept, **columns, **filed))
    await _store(tx, class_id, plan, rooms)
    return await class_view(tx, me, class_id, now)


async def refile_class(tx: Tx, me: Actor, class_id: UUID, new: NewClass, today: date, now: datetime) -> ClassView:
    """A class that was sent back is filed anew, as a whole, as of today. NotFound `class.not_found`; Conflict
    `wrong_status`; Invalid and Ineligible as `file_class`, and `class.other_district`."""
    by, status = _clerk(me, now), await lock_class(tx, me, class_id)
    CLASS_LIFECYCLE.after(status, ClassAction.REFILE)
    before = await stored_plan(tx, class_id)
    plan = await _planned(tx, me, read_class(new, today), today)
    _must_stay_in(before.site.district, plan.site.district)
    facts, decision, rooms = await granted(tx, plan, class_id)
    changes = storing.columns_of(plan, facts)
    await move(tx, _CLASSES, CLASS_LIFECYCLE, ClassAction.REFILE, class_id, by, changes=changes)
    await storing.keep_decision(tx, class_id, facts, decision, filed_at=now, filed_by=me.user_id)
    await storing.clear(tx, class_id)
    await _store(tx, class_id, plan, rooms)
    await _note_change(tx, class_id, "refile", by, before, plan)
    return await class_view(tx, me, class_id, now)


async def change_class(tx: Tx, me: Actor, class_id: UUID, new: NewChange, today: date, now: datetime) -> ClassView:
    """Other sessions, teachers, another site or roster, before they happen; the rules hold for the whole class.

    An approved class that has not begun goes back to the district where the site is another or people are new; it
    keeps its number, and what was set aside for it is free; otherwise that becomes what its places need. Another
    first day is so many working days away as for whoever files today.

    Conflict `class.begun` for the roster of a class that began, `fund.insufficient` where its places cost more than
    is free; Invalid `class.session_begun` for a session that would begin before now. Otherwise as `refile_class`.
    """
    by, status = _clerk(me, now), await lock_class(tx, me, class_id)
    CLASS_LIFECYCLE.after(status, ClassAction.CHANGE)
    before = await stored_plan(tx, class_id)
    read = read_change(new, len(before.teachers), today)
    # what nobody approved has not happened, whatever the day
    begun = [each for each in before.sessions if has_begun(each, now)] if status != ClassStatus.FILED else []
    if new.trainees and (begun or status == ClassStatus.RUNNING):
        raise Conflict("class.begun")
    plan = await _changed(tx, before, begun, read, today, now)
    facts, decision, rooms = await granted(tx, plan, class_id, begun)
    decided_again = status == ClassStatus.APPROVED and not begun and _is_new(before, plan)
    action = ClassAction.REPLAN if decided_again else ClassAction.CHANGE
    if action is ClassAction.REPLAN:
        await funds.give_back(tx, class_id, by)
    elif status == ClassStatus.APPROVED and not begun:
        estimate_fen = await estimate(tx, plan, facts)
        await funds.adjust(tx, class_id, plan.site.district, estimate_fen, business_day(now), by)
    changes = {name: value for name, value in storing.columns_of(plan, facts).items() if name != "filed_on"}
    await move(tx, _CLASSES, CLASS_LIFECYCLE, action, class_id, by, reason=read.reason, changes=changes)
    await storing.keep_decision(tx, class_id, facts, decision)
    await storing.clear_sessions(tx, class_id, after=now if begun else None)
    if new.trainees:
        await storing.clear_roster(tx, class_id)
        await storing.store_roster(tx, class_id, plan.trainees)
    await storing.store_teachers(tx, class_id, plan.teachers, len(before.teachers))
    await storing.store_sessions(tx, class_id, plan, rooms, begun)
    await _note_change(tx, class_id, action, by, before, plan, read.reason)
    return await class_view(tx, me, class_id, now)


async def withdraw_class(tx: Tx, me: Actor, class_id: UUID, new: NewClassReason, now: datetime) -> ClassView:
    """The institution gives a class up before it begins: its people and rooms are free. NotFound `class.not_found`;
    Conflict `class.begun`, `wrong_status`."""
    by, status = _clerk(me, now), await lock_class(tx, me, class_id)
    CLASS_LIFECYCLE.after(status, ClassAction.WITHDRAW)
    sessions = (await stored_plan(tx, class_id)).sessions
    if status == ClassStatus.APPROVED and any(has_begun(each, now) for each in sessions):
        raise Conflict("class.begun")
    reason = public_words(new.reason, "reason")
    await funds.give_back(tx, class_id, by)
    await move(tx, _CLASSES, CLASS_LIFECYCLE, ClassAction.WITHDRAW, class_id, by, reason=reason)
    return await class_view(tx, me, class_id, now)


class Granted(NamedTuple):
    """`rooms` are those of the sessions, in order; None for one that has begun."""

    facts: Facts
    decision: Decision
    rooms: Sequence[UUID | None]


async def granted(tx: Tx, plan: Plan, excluding: UUID | None = None, begun: Sequence[Session] = ()) -> Granted:
    """What the rules grant, with the plan's people and rooms locked from now on; Ineligible `class.ineligible` with
    the whole decision otherwise. `excluding` is the class itself where it is stored."""
    await lock_people(tx, plan.people)
    rooms = await rooms_of(tx, plan, begun)
    facts = await facts_of(tx, plan, rooms, excluding)
    decision = decide(facts)
    if not decision.eligible:
        raise Ineligible("class.ineligible", decision=msgspec.to_builtins(ClassDecisionView.of(decision)))
    return Granted(facts, decision, rooms)


async def lock_class(tx: Tx, me: Actor, class_id: UUID) -> ClassStatus:
    """The status of a class that `me` may see, and that nobody else moves meanwhile; NotFound `class.not_found`."""
    row = ClassRow
    # not FOR UPDATE: whoever approves one of its claims holds the money, and notes there which class it is of
    asked = select(row.status).where(row.id == class_id, visible_to(me)).with_for_update(key_share=True)
    status = (await tx.execute(asked)).scalar_one_or_none()
    if status is None:
        raise NotFound("class.not_found")
    return ClassStatus(status)


def _clerk(me: Actor, now: datetime) -> By:
    me.must_hold(Post.CLERK)
    if me.institution_id is None:
        raise Forbidden("post_missing", posts=[Post.CLERK])
    return By.actor(me, Post.CLERK, now)


async def _planned(tx: Tx, me: Actor, read: ReadClass, today: date) -> Plan:
    assert me.institution_id is not None, "a clerk belongs to an institution"
    await _must_be_a_district(tx, read.site.district)
    teachers, trainees = await gather(tx, read.people)
    return Plan(
        institution_id=me.institution_id,
        filed_on=today,
        item_code=read.item_code,
        level=read.level.code,
        planned_hours=read.planned_hours,
        site=read.site,
        teachers=teachers,
        sessions=read.sessions,
        trainees=trainees,
        repeated=repeated_lines(trainees),
    )


async def _must_be_a_district(tx: Tx, code: str) -> None:
    row = DistrictRow
    known = select(row.code).where(row.code == code, row.kind != "city")
    if (await tx.execute(known)).first() is None:
        raise Invalid("district.unknown", "site.district")


def _must_stay_in(district: str, named: str) -> None:
    """Its officers have it: a class for another district is another class."""
    if named != district:
        raise Invalid("class.other_district", "site.district")


async def _changed(
    tx: Tx, before: Plan, begun: Sequence[Session], read: ReadChange, today: date, now: datetime
) -> Plan:
    """The plan with what was read in the place of what it replaces."""
    if read.site is not None:
        _must_stay_in(before.site.district, read.site.district)
    ahead = [each for each in before.sessions if each not in begun] if read.sessions is None else read.sessions
    for n, each in enumerate(ahead, 1):
        if has_begun(each, now):
            raise Invalid("class.session_begun", f"sessions.{n}")
    added, trainees = await gather(tx, read.people)
    teachers = (*before.teachers, *added)
    must_be_different([each.person_id for each in teachers])
    plan = replace(
        before,
        changed_on=today,
        site=read.site or before.site,
        teachers=teachers,
        sessions=(*begun, *ahead),
        trainees=trainees or before.trainees,
        repeated=repeated_lines(trainees),
    )
    return replace(plan, start_moved=plan.starts_on != before.starts_on)


def _is_new(before: Plan, plan: Plan) -> bool:
    """Whether it brings what the district has not seen: another site, a trainee or a teacher. Whoever only leaves is
    none of them."""
    taught, taught_before = ({each.person_id for each in of.trainees} for of in (plan, before))
    return plan.site != before.site or len(plan.teachers) > len(before.teachers) or bool(taught - taught_before)


async def _store(tx: Tx, class_id: UUID, plan: Plan, rooms: Sequence[UUID | None]) -> None:
    await storing.store_teachers(tx, class_id, plan.teachers)
    await storing.store_roster(tx, class_id, plan.trainees)
    await storing.store_sessions(tx, class_id, plan, rooms)


async def _note_change(
    tx: Tx, class_id: UUID, action: str, by: By, before: Plan, after: Plan, reason: str = ""
) -> None:
    """What was planned and what is planned now, as far as it differs; people by their ids."""
    was, now = _told(before), _told(after)
    parts = [part for part in now if was[part] != now[part]]
    changed, replaced = ({part: told[part] for part in parts} for told in (now, was))
    await record(tx, "class_change", [class_id], action, by, [changed], reason, [replaced])


def _told(plan: Plan) -> dict[str, Any]:
    return {
        "site": [plan.site.name, plan.site.address],
        "sessions": msgspec.to_builtins(sorted(plan.sessions, key=lambda each: (each.day, each.begins))),
        "teachers": [str(each.person_id) for each in plan.teachers],
        "roster": [str(each.person_id) for each in plan.trainees],
    }
