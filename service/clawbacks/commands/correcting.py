"""更正: what a published set of standards changes for claims that were paid is owed, or owed back, by two persons."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select, update

from domain.actor import Actor, Post
from domain.clawback import Cause, check_two_persons, spread
from domain.errors import Conflict, Forbidden, NotFound
from domain.step_up import Decision
from domain.text import public_words
from service.access.commands import proven
from service.claims.queries.barring import impartial_to
from service.claims.tables import ClaimRow
from service.clawbacks.commands.raising import raise_clawbacks
from service.clawbacks.commands.supplementing import Owing, owe_supplements
from service.clawbacks.queries.corrections import Changes, Line, changes_of, correction_view, district_of
from service.clawbacks.queries.paid import left_of
from service.clawbacks.schemas import CorrectionShown, CorrectionView, NewCorrection, NewCorrectionAnswer
from service.clawbacks.tables import AmountCorrectionLineRow, AmountCorrectionRow
from service.database import Tx
from service.journal import By, record


async def propose_correction(tx: Tx, me: Actor, new: NewCorrection, now: datetime) -> CorrectionView:
    """Propose what was shown of a set for my district; another person confirms it.

    Refusals as `changes_of`, `district_of`; Invalid `words.…`; Conflict `amount_correction.changed`,
    `amount_correction.nothing`, `amount_correction.open` while one of this set waits; Forbidden
    `amount_correction.not_impartial` where a claim is the officer's own, a relative's, or one they left to others.
    """
    me.must_hold(Post.REVIEWER)
    note, district, row = public_words(new.note, "note"), district_of(me), AmountCorrectionRow
    waiting = select(row.id).where(row.set_id == new.set_id, row.district == district, row.answered_at.is_(None))
    if (await tx.execute(waiting)).first():
        raise Conflict("amount_correction.open")
    found = await changes_of(tx, district, new.set_id)
    _must_be_shown(found, new.shown)
    if not found.lines:
        raise Conflict("amount_correction.nothing")
    await _must_be_impartial(tx, me, found.lines)
    correction_id, shown = uuid4(), _columns(found.shown)
    who = {"proposed_by": me.user_id, "proposed_person": me.person_id, "proposed_at": now}
    own = {"id": correction_id, "set_id": new.set_id, "district": district, "note": note}
    await tx.execute(insert(row).values(**own, **shown, **who))
    await tx.execute(
        insert(AmountCorrectionLineRow), [{"correction_id": correction_id, **vars(line)} for line in found.lines]
    )
    by = By.actor(me, Post.REVIEWER, now)
    noted = {"set_id": str(new.set_id), **shown}
    await record(tx, "amount_correction", [correction_id], "propose", by, [noted], reason=note)
    return await correction_view(tx, correction_id)


async def answer_correction(
    tx: Tx, me: Actor, correction_id: UUID, new: NewCorrectionAnswer, now: datetime
) -> CorrectionView:
    """Another reviewer of the district confirms it, if it is still as it was shown: what is more is owed, what is
    less is owed back. Or they decline it.

    NotFound `amount_correction.not_found`; Forbidden `clawback.same_person`, `amount_correction.not_impartial`;
    Conflict `amount_correction.answered`, `amount_correction.changed` (decline it, and propose what is so now);
    to confirm it, what `proven` refuses.
    """
    me.must_hold(Post.REVIEWER)
    of, row = await _locked(tx, me, correction_id), AmountCorrectionRow
    check_two_persons(of.proposed_person, me.person_id)
    if of.answered_at is not None:
        raise Conflict("amount_correction.answered")
    lines: Sequence[Line] = []
    if new.grant:
        lines = await _as_proposed(tx, of, new.shown)
        await _must_be_impartial(tx, me, lines)
        await proven(tx, me, Decision.CORRECTION, correction_id, now)
    who = {"answered_by": me.user_id, "answered_person": me.person_id, "answered_at": now}
    await tx.execute(update(row).where(row.id == correction_id).values(granted=new.grant, **who))
    by, action = By.actor(me, Post.REVIEWER, now), "grant" if new.grant else "decline"
    await record(tx, "amount_correction", [correction_id], action, by, [{"granted": new.grant}], reason=of.note)
    await _settle(tx, correction_id, lines, of.note, by)
    return await correction_view(tx, correction_id)


async def _settle(tx: Tx, correction_id: UUID, lines: Sequence[Line], why: str, by: By) -> None:
    more = [line for line in lines if line.difference > 0]
    owing = [Owing(each.claim_id, each.right_fen, each.paid_fen, correction_id=correction_id) for each in more]
    await owe_supplements(tx, owing, why, by)
    less = {line.claim_id: -line.difference for line in lines if line.difference < 0}
    wanted = {
        payment: fen
        for claim_id, left in (await left_of(tx, list(less))).items()
        for payment, fen in spread(less[claim_id], left)
    }
    grounds = dict.fromkeys(wanted, correction_id)
    raised = await raise_clawbacks(tx, list(wanted), Cause.STANDARDS, by, grounds=grounds, wanted=wanted, note=why)
    if len(raised) != len(wanted):
        raise Conflict("amount_correction.changed")  # one that an officer raised by hand stands in its way


async def _as_proposed(tx: Tx, of: Any, shown: CorrectionShown) -> Sequence[Line]:
    """The lines, whose claims are locked, where nothing has changed since they were shown."""
    line, claim = AmountCorrectionLineRow, ClaimRow
    these = select(line.claim_id).where(line.correction_id == of.id)
    await tx.execute(select(claim.id).where(claim.id.in_(these)).order_by(claim.id).with_for_update())
    found = await changes_of(tx, of.district, of.set_id)
    _must_be_shown(found, shown)
    if found.shown.content_hash != of.content_hash:
        raise Conflict("amount_correction.changed")
    return found.lines


async def _must_be_impartial(tx: Tx, me: Actor, lines: Sequence[Line]) -> None:
    if not await impartial_to(tx, me, [line.claim_id for line in lines]):
        raise Forbidden("amount_correction.not_impartial")


def _must_be_shown(found: Changes, shown: CorrectionShown) -> None:
    if found.shown != shown:
        raise Conflict("amount_correction.changed")


def _columns(shown: CorrectionShown) -> dict[str, Any]:
    counted = {"more_count": shown.more_count, "less_count": shown.less_count}
    return {**counted, "more_fen": shown.more_fen, "less_fen": shown.less_fen, "content_hash": shown.content_hash}


async def _locked(tx: Tx, me: Actor, correction_id: UUID) -> Any:
    row = AmountCorrectionRow.__table__
    mine = select(row).where(row.c.id == correction_id, row.c.district == district_of(me))
    found = (await tx.execute(mine.with_for_update())).one_or_none()
    if found is None:
        raise NotFound("amount_correction.not_found")
    return found
