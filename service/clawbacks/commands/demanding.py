"""A clawback is demanded by letter with a term; then waived by law, or enforced by order: each by two persons."""

from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.schema import Table

from domain.actor import Actor, Post
from domain.clawback import (
    CLAWBACK_LIFECYCLE,
    TERM_DAYS,
    ClawbackAction,
    ClawbackStatus,
    check_not_appealed,
    check_term_over,
    check_two_persons,
)
from domain.errors import Conflict, Invalid
from domain.period import parse_date
from domain.step_up import Decision
from domain.text import plain_words, public_words
from service.access.commands import proven
from service.claims.queries.barring import must_be_impartial
from service.clawbacks.queries.views import clawback_view, lock_clawback
from service.clawbacks.schemas import ClawbackView, NewDemand, NewEnforcement, NewWaiver, NewWaiverAnswer
from service.clawbacks.tables import (
    ClawbackAppealRow,
    ClawbackEnforcementRow,
    ClawbackRow,
    ClawbackTermRow,
    ClawbackWaiverRow,
)
from service.clock import business_day
from service.database import Tx
from service.jobs import owe
from service.journal import By, move, record
from service.policies.queries import parameters
from service.queue import Job

OFFICERS = (Post.MAKER, Post.CHECKER, Post.RELEASER)

_CLAWBACKS = cast(Table, ClawbackRow.__table__)


async def demand(tx: Tx, me: Actor, clawback_id: UUID, new: NewDemand, now: datetime) -> ClawbackView:
    """Say by which letter the claimant of my district is to pay back, within the days of `clawback_term_days`; they
    are told.

    NotFound `clawback.not_found`; Forbidden as `must_be_impartial`; Conflict `wrong_status`; Invalid `words.…`.
    """
    await _mine(tx, me, clawback_id)
    changes = {"letter_number": plain_words(new.letter_number, "letter_number", most=60)}
    action, today = ClawbackAction.DEMAND, business_day(now)
    await move(tx, _CLAWBACKS, CLAWBACK_LIFECYCLE, action, clawback_id, _by(me, now), changes=changes)
    days = (await parameters(tx, today)).get("clawback_term_days", TERM_DAYS)
    due_on = today + timedelta(days=days)
    await tx.execute(insert(ClawbackTermRow).values(clawback_id=clawback_id, due_on=due_on))
    return await clawback_view(tx, clawback_id)


async def propose_waiver(tx: Tx, me: Actor, clawback_id: UUID, new: NewWaiver, now: datetime) -> ClawbackView:
    """Name the law by which it is not to be asked for; another person decides.

    As `demand`; Conflict `clawback.waiver_open` while one is to be decided.
    """
    found = await _mine(tx, me, clawback_id)
    CLAWBACK_LIFECYCLE.after(ClawbackStatus(found.status), ClawbackAction.WAIVE)
    law, note = plain_words(new.law, "law"), public_words(new.note, "note")
    if await open_waiver(tx, clawback_id) is not None:
        raise Conflict("clawback.waiver_open")
    await put_waiver(tx, me, clawback_id, law, note, _by(me, now))
    return await clawback_view(tx, clawback_id)


async def put_waiver(tx: Tx, me: Actor, clawback_id: UUID, law: str, note: str, by: By) -> None:
    """Propose that a clawback, which is locked and has no waiver open, is waived."""
    who = {"proposed_by": me.user_id, "proposed_person": me.person_id, "proposed_at": by.at}
    about = {"id": uuid4(), "clawback_id": clawback_id, "law": law, "note": note}
    await tx.execute(insert(ClawbackWaiverRow).values(**about, **who))
    await record(tx, "clawback_waiver", [clawback_id], "propose", by, [{"law": law}], reason=note)


async def open_waiver(tx: Tx, clawback_id: UUID) -> Any:
    """The waiver that waits for another person; None where none does."""
    return await _open(tx, ClawbackWaiverRow, clawback_id)


async def answer_waiver(tx: Tx, me: Actor, clawback_id: UUID, new: NewWaiverAnswer, now: datetime) -> ClawbackView:
    """Another person grants the waiver that was proposed, or declines it and says why: whoever is asked to pay reads
    it. What another ground gives is looked at again.

    As `demand`; Forbidden `clawback.same_person`; Conflict `clawback.no_waiver`; to grant it, what `proven`
    refuses.
    """
    found, grant = await _mine(tx, me, clawback_id), new.grant
    answer = public_words(new.answer, "answer") if new.answer.strip() or not grant else ""
    waiver = await open_waiver(tx, clawback_id)
    if waiver is None:
        raise Conflict("clawback.no_waiver")
    check_two_persons(waiver.proposed_person, me.person_id)
    if grant:
        await proven(tx, me, Decision.WAIVER, clawback_id, now)
    row, by = ClawbackWaiverRow, _by(me, now)
    who = {"answered_by": me.user_id, "answered_person": me.person_id, "answered_at": now}
    await tx.execute(update(row).where(row.id == waiver.id).values(granted=grant, answer_text=answer, **who))
    action, noted = "grant" if grant else "decline", {"law": waiver.law, "granted": grant}
    await record(tx, "clawback_waiver", [clawback_id], action, by, [noted], reason=answer)
    if grant:
        await move(tx, _CLAWBACKS, CLAWBACK_LIFECYCLE, ClawbackAction.WAIVE, clawback_id, by, reason=waiver.law)
        await owe(tx, Job.RAISE_CLAWBACK, found.claim_id)
    return await clawback_view(tx, clawback_id)


async def propose_enforcement(
    tx: Tx, me: Actor, clawback_id: UUID, new: NewEnforcement, now: datetime
) -> ClawbackView:
    """Name the order by which it is enforced, after its term is over; another person decides.

    As `demand`; Invalid `date.in_future`; Conflict `clawback.not_over`, `clawback.enforcement_open`,
    `clawback.appealed`, `clawback.appeal_granted`.
    """
    found, today = await _mine(tx, me, clawback_id), business_day(now)
    CLAWBACK_LIFECYCLE.after(ClawbackStatus(found.status), ClawbackAction.ENFORCE)
    order, on = plain_words(new.order_number, "order_number", most=60), parse_date(new.ordered_on, "ordered_on")
    if on > today:
        raise Invalid("date.in_future", field="ordered_on")
    due_on = select(ClawbackTermRow.due_on).where(ClawbackTermRow.clawback_id == clawback_id)
    check_term_over((await tx.execute(due_on)).scalar_one(), on)
    appeal = select(ClawbackAppealRow.granted).where(ClawbackAppealRow.clawback_id == clawback_id)
    appealed = (await tx.execute(appeal)).one_or_none()
    check_not_appealed(appealed is not None, appealed.granted if appealed else None)
    if await _open(tx, ClawbackEnforcementRow, clawback_id) is not None:
        raise Conflict("clawback.enforcement_open")
    who = {"proposed_by": me.user_id, "proposed_person": me.person_id, "proposed_at": now}
    about = {"id": uuid4(), "clawback_id": clawback_id, "order_number": order, "ordered_on": on}
    await tx.execute(insert(ClawbackEnforcementRow).values(**about, **who))
    noted = {"order_number": order, "ordered_on": on.isoformat()}
    await record(tx, "clawback_enforcement", [clawback_id], "propose", _by(me, now), [noted])
    return await clawback_view(tx, clawback_id)


async def answer_enforcement(tx: Tx, me: Actor, clawback_id: UUID, *, grant: bool, now: datetime) -> ClawbackView:
    """Another person has it enforced by the order that was named, or not.

    As `demand`; Forbidden `clawback.same_person`; Conflict `clawback.no_enforcement`; to have it
    enforced, what `proven` refuses.
    """
    await _mine(tx, me, clawback_id)
    proposed = await _open(tx, ClawbackEnforcementRow, clawback_id)
    if proposed is None:
        raise Conflict("clawback.no_enforcement")
    check_two_persons(proposed.proposed_person, me.person_id)
    if grant:
        await proven(tx, me, Decision.ENFORCEMENT, clawback_id, now)
    row, by, order = ClawbackEnforcementRow, _by(me, now), proposed.order_number
    who = {"answered_by": me.user_id, "answered_person": me.person_id, "answered_at": now}
    await tx.execute(update(row).where(row.id == proposed.id).values(granted=grant, **who))
    action = "grant" if grant else "decline"
    noted = {"order_number": order, "granted": grant}
    await record(tx, "clawback_enforcement", [clawback_id], action, by, [noted])
    if grant:
        await move(tx, _CLAWBACKS, CLAWBACK_LIFECYCLE, ClawbackAction.ENFORCE, clawback_id, by, reason=order)
    return await clawback_view(tx, clawback_id)


async def _mine(tx: Tx, me: Actor, clawback_id: UUID) -> Any:
    me.must_hold(*OFFICERS)
    found = await lock_clawback(tx, me, clawback_id)
    await must_be_impartial(tx, me, found.claim_id)
    return found


async def _open(tx: Tx, row: type[ClawbackWaiverRow] | type[ClawbackEnforcementRow], clawback_id: UUID) -> Any:
    """What waits for another person's answer."""
    asked = select(row.__table__).where(row.clawback_id == clawback_id, row.answered_at.is_(None))
    return (await tx.execute(asked)).one_or_none()


def _by(me: Actor, now: datetime) -> By:
    return By.actor(me, next(post for post in OFFICERS if me.holds(post)), now)
