"""申诉: the institution's clerk appeals once and in time; a person who had no part in the penalty answers."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from domain.actor import Actor, Post
from domain.errors import Invalid, NotFound
from domain.penalty import (
    PENALTY_LIFECYCLE,
    EventKind,
    InFlight,
    PenaltyAction,
    PenaltyStatus,
    must_be_another,
    must_be_in_time,
)
from domain.period import parse_date
from domain.text import public_words
from service.clock import business_day
from service.database import Tx
from service.institutions import commands as institutions
from service.jobs import owe
from service.journal import By, move
from service.oversight.commands.crediting import add_event
from service.oversight.commands.penalties import locked
from service.oversight.queries.penalties import penalty_view
from service.oversight.schemas import NewAppeal, NewAppealAnswer, PenaltyView
from service.oversight.tables import PenaltyRow
from service.queue import Job


async def appeal(tx: Tx, me: Actor, penalty_id: UUID, new: NewAppeal, today: date, now: datetime) -> PenaltyView:
    """Its own institution's clerk appeals; the penalty holds meanwhile.

    NotFound `penalty.not_found`; Conflict `penalty.appeal_late` (last), `wrong_status`; Invalid `words.empty`,
    `text.personal_number`.
    """
    me.must_hold(Post.CLERK)
    reason, row = public_words(new.reason, "reason"), PenaltyRow
    asked = select(row.status, row.appeal_until).where(row.id == penalty_id, row.institution_id == me.institution_id)
    found = (await tx.execute(asked.with_for_update())).one_or_none()
    if found is None or found.status in (PenaltyStatus.PROPOSED, PenaltyStatus.DROPPED):
        raise NotFound("penalty.not_found")
    PENALTY_LIFECYCLE.after(PenaltyStatus(found.status), PenaltyAction.APPEAL)
    must_be_in_time(today, found.appeal_until)
    changes = {
        "appealed_by": me.user_id,
        "appealed_person": me.person_id,
        "appealed_on": today,
        "appeal_reason": reason,
    }
    by = By.actor(me, Post.CLERK, now)
    await move(tx, row.__table__, PENALTY_LIFECYCLE, PenaltyAction.APPEAL, penalty_id, by, changes=changes)
    return await penalty_view(tx, me, penalty_id)


async def answer(
    tx: Tx, me: Actor, penalty_id: UUID, new: NewAppealAnswer, today: date, now: datetime
) -> PenaltyView:
    """A third person of the city upholds the penalty, or grants the appeal: what it stops is lifted from a day on,
    not before today. A credit event tells so, dated as the proposal: points come back into the year that lacks them.

    NotFound `penalty.not_found`; Forbidden `penalty.same_person`, `city_only`; Conflict `wrong_status`; Invalid
    `penalty.lift_in_past`, `penalty.lift_late` (last), `penalty.document`, `words.empty`, `text.personal_number`.
    """
    penalty, text = await locked(tx, me, penalty_id), public_words(new.answer, "answer")
    me.must_serve_the_city()
    action = PenaltyAction.GRANT if new.granted else PenaltyAction.UPHOLD
    PENALTY_LIFECYCLE.after(PenaltyStatus(penalty.status), action)
    must_be_another(me.person_id, penalty.proposed_person, penalty.decided_person)
    changes: dict[str, Any] = {
        "answered_by": me.user_id,
        "answered_person": me.person_id,
        "answered_on": today,
        "answer": text,
    }
    if new.granted:
        changes |= await _lift(tx, me, penalty, new, text, today, now)
    by = By.actor(me, Post.INSTITUTION_OFFICER, now)
    await move(tx, PenaltyRow.__table__, PENALTY_LIFECYCLE, action, penalty_id, by, changes=changes)
    if new.granted and penalty.claims_in_flight == InFlight.HOLD:
        await owe(tx, Job.HOLD_CLAIMS, penalty_id)
    return await penalty_view(tx, me, penalty_id)


async def _lift(
    tx: Tx, me: Actor, penalty: Any, new: NewAppealAnswer, text: str, today: date, now: datetime
) -> dict[str, Any]:
    if new.document_sha256 is None:
        raise Invalid("penalty.document", "document_sha256")
    told = {
        "kind": str(EventKind.APPEAL_GRANTED),
        "points": new.points,
        "happened_on": business_day(penalty.proposed_at),
        "words": text,
        "document_sha256": new.document_sha256,
        "penalty_id": penalty.id,
    }
    await add_event(tx, me, penalty.institution_id, told, now)
    first = parse_date(new.lifted_on, "lifted_on") if new.lifted_on else today
    if first < today:
        raise Invalid("penalty.lift_in_past", "lifted_on")
    if penalty.last is not None and first > penalty.last:
        raise Invalid("penalty.lift_late", "lifted_on", last=penalty.last.isoformat())
    if penalty.sanction_id is None:
        return {}
    await institutions.lift(tx, me, penalty.sanction_id, first, text, now)
    return {"lifted_on": first}
