"""复核 of a demand: somebody else looks at it again for whoever is asked to pay; meanwhile nothing is enforced."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import exists, insert, select, text, update

from domain.actor import Actor, Post
from domain.clawback import (
    CLAWBACK_LIFECYCLE,
    ClawbackAction,
    ClawbackStatus,
    check_another_answers,
    check_may_appeal,
)
from domain.errors import Conflict, Forbidden, NotFound
from domain.text import public_words
from service.claims.queries.barring import must_be_impartial
from service.claims.tables import ClaimRow
from service.clawbacks.commands.demanding import open_waiver, put_waiver
from service.clawbacks.queries.appealed import appeal_view, demanded_from
from service.clawbacks.queries.views import lock_clawback
from service.clawbacks.schemas import ClawbackAppealView, NewClawbackAnswer, NewClawbackAppeal
from service.clawbacks.tables import ClawbackAppealRow, ClawbackRow, ClawbackTermRow
from service.database import Tx
from service.journal import By, record
from service.policies.queries import deadline
from service.wording import words

_RAISERS = text("""
    SELECT coalesce(me.merged_into, me.id) AS human, ARRAY(SELECT raisers_of(:clawback)) AS raisers
      FROM people me WHERE me.id = :me
""")


async def appeal_clawback(
    tx: Tx, me: Actor, clawback_id: UUID, new: NewClawbackAppeal, today: date, now: datetime
) -> ClawbackAppealView:
    """Who was paid and is asked to pay back (the claimant, or the institution that was paid) says once why not.

    NotFound `clawback.not_found`; Invalid `words.…`; Conflict `clawback_appeal.not_demanded`, `appeal.too_late`
    after the term, `clawback_appeal.standing`, `policy.missing`.
    """
    reason, row, appeal = public_words(new.reason, "reason"), ClawbackRow, ClawbackAppealRow
    asked = select(row.status, ClaimRow.person_id).join(ClaimRow, ClaimRow.id == row.claim_id)
    mine = asked.where(row.id == clawback_id, demanded_from(me))
    found = (await tx.execute(mine.with_for_update(of=row))).one_or_none()
    if found is None:
        raise NotFound("clawback.not_found")
    term = select(ClawbackTermRow.due_on).where(ClawbackTermRow.clawback_id == clawback_id)
    check_may_appeal(ClawbackStatus(found.status), (await tx.execute(term)).scalar_one_or_none(), today)
    if (await tx.execute(select(exists().where(appeal.clawback_id == clawback_id)))).scalar_one():
        raise Conflict("clawback_appeal.standing")
    due, appeal_id = await deadline(tx, "claim_appeal_working_days", today), uuid4()
    who = {"appealed_by": me.user_id, "appealed_person": me.person_id, "appealed_at": now}
    about = {"id": appeal_id, "clawback_id": clawback_id, "reason": reason, "due_on": due.on}
    await tx.execute(insert(appeal).values(**about, **who))
    by = By.actor(me, Post.TRAINEE if found.person_id == me.person_id else Post.CLERK, now)
    noted = {"clawback_id": str(clawback_id), "due_on": due.on.isoformat()}
    await record(tx, "clawback_appeal", [appeal_id], "appeal", by, [noted], reason=reason)
    return await appeal_view(tx, appeal_id, today)


async def answer_clawback_appeal(
    tx: Tx, me: Actor, appeal_id: UUID, new: NewClawbackAnswer, today: date, now: datetime
) -> ClawbackAppealView:
    """Another reviewer of the district than who had it raised answers. Granted, it is proposed to be waived, which
    another person who looks after the money decides, and is enforced no more.

    NotFound `clawback_appeal.not_found`; Invalid `words.…`; Forbidden `claim.own`, as `must_be_impartial`,
    `clawback_appeal.same_person`; Conflict `appeal.answered`.
    """
    me.must_hold(Post.REVIEWER)
    answer, row = public_words(new.answer, "answer"), ClawbackAppealRow
    clawback_id = (await tx.execute(select(row.clawback_id).where(row.id == appeal_id))).scalar_one_or_none()
    if clawback_id is None:
        raise NotFound("clawback_appeal.not_found")
    clawback = await lock_clawback(tx, me, clawback_id)
    appeal = (await tx.execute(select(row.__table__).where(row.id == appeal_id).with_for_update())).one()
    if me.person_id == appeal.appealed_person:
        raise Forbidden("claim.own")
    await must_be_impartial(tx, me, clawback.claim_id)
    await _answered_by_another(tx, me, clawback_id)
    if appeal.answered_at is not None:
        raise Conflict("appeal.answered")
    who = {"answered_by": me.user_id, "answered_person": me.person_id, "answered_at": now}
    ended = {"granted": new.grant, "answer_text": answer}
    await tx.execute(update(row).where(row.id == appeal_id).values(**ended, **who))
    by, action = By.actor(me, Post.REVIEWER, now), "grant" if new.grant else "deny"
    await record(tx, "clawback_appeal", [appeal_id], action, by, [{"granted": new.grant}], reason=answer)
    if new.grant and await _may_be_waived(tx, clawback_id, clawback):
        await put_waiver(tx, me, clawback_id, words("clawback_appeal.law"), answer, by)
    return await appeal_view(tx, appeal_id, today)


async def _may_be_waived(tx: Tx, clawback_id: UUID, clawback: Any) -> bool:
    """Not once it came back whole meanwhile, nor while somebody has proposed it already."""
    waivable = CLAWBACK_LIFECYCLE.sources(ClawbackAction.WAIVE)
    return ClawbackStatus(clawback.status) in waivable and await open_waiver(tx, clawback_id) is None


async def _answered_by_another(tx: Tx, me: Actor, clawback_id: UUID) -> None:
    """Than whoever raised it, upheld the objection or proposed the correction that it follows from. Two ids of one
    human are one person."""
    found = (await tx.execute(_RAISERS, {"clawback": clawback_id, "me": me.person_id})).one()
    check_another_answers(found.raisers, found.human)
