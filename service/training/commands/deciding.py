"""What officers of the district decide on a class, and what its days make of it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden
from domain.text import public_words
from domain.training import CLASS_LIFECYCLE, ClassAction, ClassStatus, class_number
from service.clock import business_day
from service.database import Tx
from service.funds import commands as funds
from service.journal import By, move, move_all
from service.training.commands.filing import granted, lock_class
from service.training.commands.storing import standard_of
from service.training.queries.estimates import estimate
from service.training.queries.plans import has_begun, stored_plan
from service.training.queries.views import class_view
from service.training.schemas import ClassView, NewClassReason
from service.training.tables import ClassRow, SerialRow

_CLASSES = ClassRow.__table__
#: Classes that start or finish in one transaction.
PORTION_MAX = 500


async def approve_class(tx: Tx, me: Actor, class_id: UUID, now: datetime) -> ClassView:
    """An officer of its district approves a class before it begins, and it is given its number, unless it has one
    from an approval before it was changed.

    The rules are asked once more, as of the day it was filed. NotFound `class.not_found`; Forbidden `class.own`;
    Conflict `class.begun`, `wrong_status`, and `fund.none`, `fund.insufficient` where the money for its places is not
    there to be set aside; Ineligible `class.ineligible`.
    """
    by = await _officer(tx, me, class_id, ClassAction.APPROVE, now)
    plan = await stored_plan(tx, class_id)
    if any(has_begun(each, now) for each in plan.sessions):
        raise Conflict("class.begun")
    facts = (await granted(tx, plan, class_id)).facts
    changes: dict[str, Any] = {"standard_id": standard_of(facts)}
    estimate_fen = await estimate(tx, plan, facts)
    await funds.set_aside(tx, class_id, plan.site.district, estimate_fen, business_day(now), by)
    if not await _has_number(tx, class_id):
        changes["number"] = await _next_number(tx, plan.site.district, plan.starts_on.year)
    await move(tx, _CLASSES, CLASS_LIFECYCLE, ClassAction.APPROVE, class_id, by, changes=changes)
    return await class_view(tx, me, class_id, now)


async def send_class_back(tx: Tx, me: Actor, class_id: UUID, new: NewClassReason, now: datetime) -> ClassView:
    """With everything that is to be mended, in words; its people and rooms stay taken. NotFound, Forbidden and
    Conflict `wrong_status` as `approve_class`."""
    return await _with_reason(tx, me, class_id, ClassAction.SEND_BACK, new, now)


async def deny_class(tx: Tx, me: Actor, class_id: UUID, new: NewClassReason, now: datetime) -> ClassView:
    """The class is not held: its people and rooms are free. As `send_class_back`."""
    return await _with_reason(tx, me, class_id, ClassAction.DENY, new, now)


async def close_class(tx: Tx, me: Actor, class_id: UUID, now: datetime) -> ClassView:
    """Nothing more is set aside for a class that is finished. As `send_class_back`."""
    by = await _officer(tx, me, class_id, ClassAction.CLOSE, now)
    await funds.give_back(tx, class_id, by)
    await move(tx, _CLASSES, CLASS_LIFECYCLE, ClassAction.CLOSE, class_id, by)
    return await class_view(tx, me, class_id, now)


async def advance(tx: Tx, today: date, by: By) -> int:
    """Approved classes run from their first day on, and are finished after their last; how many moved. What is beyond
    a portion is left to the next call."""
    row = ClassRow
    starting = row.status == ClassStatus.APPROVED, row.first <= today
    finishing = row.status == ClassStatus.RUNNING, row.last < today
    moved = 0
    for action, where in ((ClassAction.START, starting), (ClassAction.FINISH, finishing)):
        due = select(row.id).where(*where).order_by(row.first, row.id).limit(PORTION_MAX)
        ids = (await tx.execute(due)).scalars().all()
        moved += len(await move_all(tx, _CLASSES, CLASS_LIFECYCLE, action, ids, by)) if ids else 0
    return moved


async def _with_reason(
    tx: Tx, me: Actor, class_id: UUID, action: ClassAction, new: NewClassReason, now: datetime
) -> ClassView:
    by, reason = await _officer(tx, me, class_id, action, now), public_words(new.reason, "reason")
    await move(tx, _CLASSES, CLASS_LIFECYCLE, action, class_id, by, reason=reason)
    return await class_view(tx, me, class_id, now)


async def _officer(tx: Tx, me: Actor, class_id: UUID, action: ClassAction, now: datetime) -> By:
    """The class is locked. Forbidden `class.own` for whoever teaches or learns in it."""
    me.must_hold(Post.INSTITUTION_OFFICER)
    CLASS_LIFECYCLE.after(await lock_class(tx, me, class_id), action)
    if me.person_id in (await stored_plan(tx, class_id)).people:
        raise Forbidden("class.own")
    return By.actor(me, Post.INSTITUTION_OFFICER, now)


async def _has_number(tx: Tx, class_id: UUID) -> bool:
    row = ClassRow
    return (await tx.execute(select(row.number).where(row.id == class_id))).scalar_one() is not None


async def _next_number(tx: Tx, district: str, year: int) -> str:
    row = SerialRow
    new = upsert(row).values(district=district, year=year, last=1)
    counted = new.on_conflict_do_update(index_elements=["district", "year"], set_={"last": row.last + 1})
    serial = (await tx.execute(counted.returning(row.last))).scalar_one()
    return class_number(district, year, serial)
