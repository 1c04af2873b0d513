"""复核: ask that a refusal is looked at again; another reviewer answers, and may bring the claim back."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, insert, select, update

from domain.actor import Actor, Post
from domain.appeal import Answer, check_in_time, in_the_way
from domain.claim import CLAIM_LIFECYCLE, ClaimAction, ClaimKind, ClaimStatus
from domain.eligibility import decide
from domain.errors import Conflict, Forbidden, NotFound
from domain.remedy import RemedyKind
from domain.text import public_words
from service.catalog.tables import CatalogItemRow
from service.claims.commands.moves import move_claim
from service.claims.queries.again import asked_again
from service.claims.queries.appeals import appeal_view
from service.claims.queries.barring import must_be_impartial
from service.claims.queries.care import claimed_by, in_district
from service.claims.queries.facts import facts_for
from service.claims.queries.refusals import last_refusal, ways_against
from service.claims.schemas import AppealView, NewAppeal, NewAppealAnswer
from service.claims.tables import ClaimAppealRow, ClaimRow
from service.database import Tx
from service.jobs import owe
from service.journal import By, JournalRow, record
from service.people.queries import lock_person
from service.policies.queries import deadline
from service.queue import Job

#: Answer → the action that the journal names.
_ACTIONS = {Answer.GRANTED: "grant", Answer.DENIED: "deny", Answer.MOOT: "moot"}


async def appeal(tx: Tx, me: Actor, claim_id: UUID, new: NewAppeal, today: date, now: datetime) -> AppealView:
    """The claimant, or the institution that filed, asks that a refusal is looked at again: once for each refusal.

    NotFound `claim.not_found`; Invalid `words.…`; Conflict `wrong_status` unless it is refused, `appeal.too_late`,
    `appeal.standing`, `policy.missing`.
    """
    reason, claim = public_words(new.reason, "reason"), ClaimRow
    mine = select(claim.status, claim.person_id).where(claim.id == claim_id, claimed_by(me))
    found = (await tx.execute(mine.with_for_update())).one_or_none()
    if found is None:
        raise NotFound("claim.not_found")
    CLAIM_LIFECYCLE.after(ClaimStatus(found.status), ClaimAction.REINSTATE)
    refusal = await last_refusal(tx, claim_id)
    assert refusal is not None, "a claim is refused by somebody or by the rules"
    last = next(each.last for each in await ways_against(tx, refusal.on) if each.kind is RemedyKind.REVIEW)
    if last is not None:
        check_in_time(last, today)
    row = ClaimAppealRow
    if (await tx.execute(select(row.id).where(row.refusal_id == refusal.id))).first():
        raise Conflict("appeal.standing")
    due = await deadline(tx, "claim_appeal_working_days", today)
    appeal_id = uuid4()
    raised = {"appealed_by": me.user_id, "appealed_person": me.person_id, "appealed_at": now}
    what = {"claim_id": claim_id, "refusal_id": refusal.id, "reason": reason, "due_on": due.on}
    await tx.execute(insert(row).values(id=appeal_id, **what, **raised))
    by = By.actor(me, Post.TRAINEE if found.person_id == me.person_id else Post.CLERK, now)
    noted = {"claim_id": str(claim_id), "refusal_id": refusal.id, "due_on": due.on.isoformat()}
    await record(tx, "claim_appeal", [appeal_id], "appeal", by, [noted], reason=reason)
    return await appeal_view(tx, appeal_id, today)


async def answer_appeal(
    tx: Tx, me: Actor, appeal_id: UUID, new: NewAppealAnswer, today: date, now: datetime
) -> AppealView:
    """Another reviewer of the claim's district than who refused it answers. Granted, the claim is in review again,
    unless other claims of the person stand in its way by now: then it ends moot, and says so.

    NotFound `appeal.not_found`; Invalid `words.…`; Forbidden as `must_be_impartial`,
    `appeal.same_person`; Conflict `appeal.answered`.
    """
    me.must_hold(Post.REVIEWER)
    words_of_answer = public_words(new.answer, "answer")
    of = await _locked(tx, me, appeal_id)
    if me.person_id == of.appealed_person:
        raise Forbidden("claim.own")
    await must_be_impartial(tx, me, of.claim_id)
    if me.person_id == of.refused_by:
        raise Forbidden("appeal.same_person")
    if of.answered_at is not None:
        raise Conflict("appeal.answered")
    rules = await _in_the_way(tx, of.claim_id) if new.grant else []
    answer = (Answer.MOOT if rules else Answer.GRANTED) if new.grant else Answer.DENIED
    ended = {"answer": str(answer), "answer_text": words_of_answer, "in_the_way": rules}
    who = {"answered_by": me.user_id, "answered_person": me.person_id, "answered_at": now}
    await tx.execute(update(ClaimAppealRow).where(ClaimAppealRow.id == appeal_id).values(**ended, **who))
    by, noted = By.actor(me, Post.REVIEWER, now), {"answer": str(answer), "in_the_way": rules}
    await record(tx, "claim_appeal", [appeal_id], _ACTIONS[answer], by, [noted], reason=words_of_answer)
    if answer is Answer.GRANTED:
        await move_claim(tx, ClaimAction.REINSTATE, of.claim_id, by)
        if of.kind == ClaimKind.TRAINING:
            await owe(tx, Job.RECHECK_CERTIFICATE, of.claim_id)  # one that the rules refused was never asked about
    return await appeal_view(tx, appeal_id, today)


async def _locked(tx: Tx, me: Actor, appeal_id: UUID) -> Row[Any]:
    """The appeal with its claim: the claimant first, as filing locks them, so that nothing of theirs is filed
    meanwhile (promise 20)."""
    row, claim = ClaimAppealRow, ClaimRow
    here = select(claim.person_id).join(row, row.claim_id == claim.id).where(row.id == appeal_id, in_district(me))
    person_id = (await tx.execute(here)).scalar_one_or_none()
    if person_id is None:
        raise NotFound("appeal.not_found")
    await lock_person(tx, person_id)
    asked = (
        select(row.__table__, claim.person_id, claim.kind, JournalRow.actor_person_id.label("refused_by"))
        .join(claim, claim.id == row.claim_id)
        .join(JournalRow, JournalRow.id == row.refusal_id)
        .where(row.id == appeal_id)
    )
    return (await tx.execute(asked.with_for_update(of=(row, claim)))).one()


async def _in_the_way(tx: Tx, claim_id: UUID) -> list[str]:
    """By which rules other claims keep the claim out today."""
    claim = ClaimRow
    asked = select(claim.__table__, CatalogItemRow.code).join(CatalogItemRow).where(claim.id == claim_id)
    row = (await tx.execute(asked)).one()
    (facts,) = await facts_for(tx, [asked_again(row)], row.filed_on)
    return in_the_way(decide(facts))
