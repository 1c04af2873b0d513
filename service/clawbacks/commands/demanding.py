"""A clawback is demanded by letter, or waived by law: by two persons who name it."""

from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update
from sqlalchemy.schema import Table

from domain.actor import Actor, Post
from domain.clawback import CLAWBACK_LIFECYCLE, ClawbackAction, ClawbackStatus, check_two_persons
from domain.errors import Conflict
from domain.text import plain_words, public_words
from service.claims.queries.barring import must_be_impartial
from service.clawbacks.queries.views import clawback_view, lock_clawback
from service.clawbacks.schemas import ClawbackView, NewDemand, NewWaiver
from service.clawbacks.tables import ClawbackRow, ClawbackWaiverRow
from service.database import Tx
from service.jobs import owe
from service.journal import By, move, record
from service.queue import Job

OFFICERS = (Post.MAKER, Post.CHECKER, Post.RELEASER)

_CLAWBACKS = cast(Table, ClawbackRow.__table__)


async def demand(tx: Tx, me: Actor, clawback_id: UUID, new: NewDemand, now: datetime) -> ClawbackView:
    """Say by which letter the claimant of my district is to pay back; they are told.

    NotFound `clawback.not_found`; Forbidden as `must_be_impartial`; Conflict `wrong_status`; Invalid `words.…`.
    """
    await _mine(tx, me, clawback_id)
    changes = {"letter_number": plain_words(new.letter_number, "letter_number", most=60)}
    action = ClawbackAction.DEMAND
    await move(tx, _CLAWBACKS, CLAWBACK_LIFECYCLE, action, clawback_id, _by(me, now), changes=changes)
    return await clawback_view(tx, clawback_id)


async def propose_waiver(tx: Tx, me: Actor, clawback_id: UUID, new: NewWaiver, now: datetime) -> ClawbackView:
    """Name the law by which it is not to be asked for; another person decides.

    As `demand`; Conflict `clawback.waiver_open` while one is to be decided.
    """
    found = await _mine(tx, me, clawback_id)
    CLAWBACK_LIFECYCLE.after(ClawbackStatus(found.status), ClawbackAction.WAIVE)
    law, note = plain_words(new.law, "law"), public_words(new.note, "note")
    if await _open_waiver(tx, clawback_id) is not None:
        raise Conflict("clawback.waiver_open")
    who = {"proposed_by": me.user_id, "proposed_person": me.person_id, "proposed_at": now}
    about = {"id": uuid4(), "clawback_id": clawback_id, "law": law, "note": note}
    await tx.execute(insert(ClawbackWaiverRow).values(**about, **who))
    await record(tx, "clawback_waiver", [clawback_id], "propose", _by(me, now), [{"law": law}], reason=note)
    return await clawback_view(tx, clawback_id)


async def answer_waiver(tx: Tx, me: Actor, clawback_id: UUID, *, grant: bool, now: datetime) -> ClawbackView:
    """Another person grants the waiver that was proposed, or does not. What another ground gives is looked at again.

    As `demand`; Forbidden `clawback.same_person`; Conflict `clawback.no_waiver`.
    """
    found = await _mine(tx, me, clawback_id)
    waiver = await _open_waiver(tx, clawback_id)
    if waiver is None:
        raise Conflict("clawback.no_waiver")
    check_two_persons(waiver.proposed_person, me.person_id)
    row, by = ClawbackWaiverRow, _by(me, now)
    who = {"answered_by": me.user_id, "answered_person": me.person_id, "answered_at": now}
    await tx.execute(update(row).where(row.id == waiver.id).values(granted=grant, **who))
    action = "grant" if grant else "decline"
    await record(tx, "clawback_waiver", [clawback_id], action, by, [{"law": waiver.law, "granted": grant}])
    if grant:
        await move(tx, _CLAWBACKS, CLAWBACK_LIFECYCLE, ClawbackAction.WAIVE, clawback_id, by, reason=waiver.law)
        await owe(tx, Job.RAISE_CLAWBACK, found.claim_id)
    return await clawback_view(tx, clawback_id)


async def _mine(tx: Tx, me: Actor, clawback_id: UUID) -> Any:
    me.must_hold(*OFFICERS)
    found = await lock_clawback(tx, me, clawback_id)
    await must_be_impartial(tx, me, found.claim_id)
    return found


async def _open_waiver(tx: Tx, clawback_id: UUID) -> Any:
    row = ClawbackWaiverRow
    asked = select(row.id, row.law, row.proposed_person).where(row.clawback_id == clawback_id)
    return (await tx.execute(asked.where(row.answered_at.is_(None)))).one_or_none()


def _by(me: Actor, now: datetime) -> By:
    return By.actor(me, next(post for post in OFFICERS if me.holds(post)), now)
