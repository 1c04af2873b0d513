"""复核 of an amount that was paid: the rules say what is right, another person than who approved says so."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from domain.actor import Actor, Post
from domain.appeal import check_in_time
from domain.claim import ClaimAction, ClaimKind, ClaimStatus
from domain.clawback import Cause, check_answer, spread
from domain.errors import Conflict, Forbidden, NotFound
from domain.remedy import RemedyKind
from domain.text import public_words
from service.claims.queries.barring import must_be_impartial
from service.claims.queries.care import claimed_by, in_district
from service.claims.queries.refusals import ways_against
from service.claims.tables import ClaimRow
from service.clawbacks.commands.raising import raise_clawbacks
from service.clawbacks.commands.supplementing import Owing, owe_supplements
from service.clawbacks.queries.amounts import appeal_view, due_now
from service.clawbacks.queries.paid import left_of, paid_of
from service.clawbacks.schemas import AmountAppealView, NewAmountAnswer, NewAmountAppeal
from service.clawbacks.tables import AmountAppealRow
from service.clock import SHANGHAI
from service.database import Tx
from service.journal import By, JournalRow, record
from service.policies.queries import deadline


async def appeal_amount(
    tx: Tx, me: Actor, claim_id: UUID, new: NewAmountAppeal, today: date, now: datetime
) -> AmountAppealView:
    """The claimant, or the institution that filed, asks once that the amount of a paid claim is looked at again.

    NotFound `claim.not_found`; Invalid `words.…`; Conflict `amount_appeal.not_paid`, `appeal.too_late`,
    `amount_appeal.of_supplement`, `amount_appeal.standing`, `policy.missing`.
    """
    reason, claim, row = public_words(new.reason, "reason"), ClaimRow, AmountAppealRow
    mine = select(claim.status, claim.kind, claim.person_id).where(claim.id == claim_id, claimed_by(me))
    found = (await tx.execute(mine.with_for_update())).one_or_none()
    if found is None:
        raise NotFound("claim.not_found")
    if found.kind == ClaimKind.SUPPLEMENT:
        raise Conflict("amount_appeal.of_supplement")
    if found.status != ClaimStatus.PAID:
        raise Conflict("amount_appeal.not_paid")
    paid_on = await _paid_on(tx, claim_id)
    last = next(each.last for each in await ways_against(tx, paid_on) if each.kind is RemedyKind.REVIEW)
    if last is not None:
        check_in_time(last, today)
    if (await tx.execute(select(row.id).where(row.claim_id == claim_id))).first():
        raise Conflict("amount_appeal.standing")
    due = await deadline(tx, "claim_appeal_working_days", today)
    appeal_id = uuid4()
    raised = {"appealed_by": me.user_id, "appealed_person": me.person_id, "appealed_at": now}
    await tx.execute(insert(row).values(id=appeal_id, claim_id=claim_id, reason=reason, due_on=due.on, **raised))
    by = By.actor(me, Post.TRAINEE if found.person_id == me.person_id else Post.CLERK, now)
    noted = {"claim_id": str(claim_id), "due_on": due.on.isoformat()}
    await record(tx, "amount_appeal", [appeal_id], "appeal", by, [noted], reason=reason)
    return await appeal_view(tx, appeal_id, today)


async def answer_amount(
    tx: Tx, me: Actor, appeal_id: UUID, new: NewAmountAnswer, today: date, now: datetime
) -> AmountAppealView:
    """Another reviewer of the district confirms what the rules and standards as corrected give. More than was paid
    is owed as a supplement, less is owed back.

    NotFound `amount_appeal.not_found`; Invalid `words.…`; Forbidden as `must_be_impartial`,
    `amount_appeal.same_person`; Conflict `appeal.answered`, `amount_appeal.not_paid`,
    `amount_appeal.no_standard`, `amount_appeal.changed`, `supplement.owed_back`, `supplement.underway`.
    """
    me.must_hold(Post.REVIEWER)
    answer, of = public_words(new.answer, "answer"), await _locked(tx, me, appeal_id)
    if me.person_id == of.appealed_person:
        raise Forbidden("claim.own")
    await must_be_impartial(tx, me, of.claim_id)
    if me.person_id in await _approvers(tx, of.claim_id):
        raise Forbidden("amount_appeal.same_person")
    if of.answered_at is not None:
        raise Conflict("appeal.answered")
    if of.status != ClaimStatus.PAID:
        raise Conflict("amount_appeal.not_paid")
    right_fen = (await due_now(tx, [of.claim_id]))[of.claim_id]
    paid = (await paid_of(tx, [of.claim_id]))[of.claim_id]
    difference = check_answer(paid, right_fen, new.right_fen)
    row, by = AmountAppealRow, By.actor(me, Post.REVIEWER, now)
    who = {"answered_by": me.user_id, "answered_person": me.person_id, "answered_at": now}
    ended = update(row).where(row.id == appeal_id).values(right_fen=right_fen, answer_text=answer, **who)
    await tx.execute(ended)
    noted = {"right_fen": right_fen, "paid_fen": paid.counts_fen}
    await record(tx, "amount_appeal", [appeal_id], "answer", by, [noted], reason=answer)
    if difference > 0:
        owing = Owing(of.claim_id, new.right_fen, paid.counts_fen, appeal_id=appeal_id)
        await owe_supplements(tx, [owing], answer, by)
    if difference < 0:
        wanted = dict(spread(-difference, (await left_of(tx, [of.claim_id]))[of.claim_id]))
        grounds = dict.fromkeys(wanted, appeal_id)
        await raise_clawbacks(tx, list(wanted), Cause.APPEAL, by, grounds=grounds, wanted=wanted, note=answer)
    return await appeal_view(tx, appeal_id, today)


async def _locked(tx: Tx, me: Actor, appeal_id: UUID) -> Any:
    row, claim = AmountAppealRow, ClaimRow
    asked = (
        select(
            *(row.claim_id, row.appealed_person, row.answered_at),
            *(claim.status, claim.amount_fen),
        )
        .join(claim, claim.id == row.claim_id)
        .where(row.id == appeal_id, in_district(me))
        .with_for_update(of=(row, claim))
    )
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("amount_appeal.not_found")
    return found


async def _approvers(tx: Tx, claim_id: UUID) -> set[UUID | None]:
    return set((await tx.execute(_journal(claim_id, ClaimAction.APPROVE, JournalRow.actor_person_id))).scalars())


async def _paid_on(tx: Tx, claim_id: UUID) -> date:
    """The day of the last payment: from there on the claimant knows the amount."""
    asked = _journal(claim_id, ClaimAction.PAY, JournalRow.at).order_by(JournalRow.id.desc()).limit(1)
    at: datetime = (await tx.execute(asked)).scalar_one()
    return at.astimezone(SHANGHAI).date()


def _journal(claim_id: UUID, action: ClaimAction, column: Any) -> Any:
    row = JournalRow
    return select(column).where(row.subject_kind == "claim", row.subject_id == claim_id, row.action == str(action))
