"""追回 is raised: by what the service finds, by an appeal, or by an officer who names the cause."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, or_, select, text

from domain.actor import Actor, Post
from domain.claim import ClaimAction, ClaimStatus
from domain.clawback import BY_HAND, CLAWBACK_LIFECYCLE, OPEN, Cause, owed_back
from domain.errors import Conflict, Invalid, NotFound
from domain.money import Fen
from domain.text import public_words
from service.batches.commands import take_out
from service.claims.commands.moves import move_claims
from service.claims.queries.barring import must_be_impartial
from service.claims.queries.care import in_district
from service.claims.tables import ClaimRow
from service.clawbacks.queries.grounds import grounds_of
from service.clawbacks.queries.paid import following
from service.clawbacks.queries.views import clawback_view
from service.clawbacks.schemas import ClawbackView, NewClawback
from service.clawbacks.tables import ClawbackRow
from service.database import Tx
from service.jobs import owe
from service.journal import By, record
from service.queue import Job

# Also of those that were waived, what had come back before.
_STANDS = text("""
    SELECT k.claim_id, sum(clawback_stands_fen(k)) FROM clawbacks k
     WHERE k.claim_id = ANY (CAST(:claims AS uuid[])) GROUP BY k.claim_id
""")


async def raise_what_stands(tx: Tx, claim_ids: Sequence[UUID], now: datetime) -> list[UUID]:
    """Raise what is owed back for grounds that stand; a claim that waits in a batch for its money is taken out, and
    is before an officer. Answered are claims whose money is with the bank: what becomes of it decides."""
    by = By(str(Job.RAISE_CLAWBACK), now)
    grounds = await grounds_of(tx, claim_ids)
    revoked = [each.claim_id for each in grounds if each.cause is Cause.REVOCATION]
    in_flight = [each for each in revoked if not await _stopped(tx, each, by, "batch.revoked")]
    await move_claims(tx, ClaimAction.QUESTION, revoked, by, reason="registry.revoked")
    for cause in sorted({each.cause for each in grounds}):
        owing = {each.claim_id: each.id for each in grounds if each.cause is cause}
        await raise_clawbacks(tx, list(owing), cause, by, grounds=owing)
    return sorted({*in_flight, *await _follow(tx, claim_ids, by)})


async def _follow(tx: Tx, claim_ids: Sequence[UUID], by: By) -> list[UUID]:
    """Supplements of claims that are no more, or are owed back wholly, are owed back where they were paid, and end
    where they were not. Answered are the claims of those that are with the bank."""
    claim, in_flight = ClaimRow, []
    await tx.execute(select(claim.id).where(claim.id.in_(claim_ids)).order_by(claim.id).with_for_update())
    for each in await following(tx, claim_ids):
        if not await _stopped(tx, each.id, by, "batch.supplement_ended"):
            in_flight.append(each.claim_id)
        await move_claims(tx, ClaimAction.WITHDRAW, [each.id], by, reason="supplement.ended")
        grounds = {each.id: each.ground_id}
        await raise_clawbacks(tx, [each.id], Cause(each.cause), by, grounds=grounds, note=each.note)
    return in_flight


async def _stopped(tx: Tx, claim_id: UUID, by: By, reason: str) -> bool:
    """Whether the claim is in no batch, or out of it by now; one that is paid waits for nothing either."""
    status = select(ClaimRow.status).where(ClaimRow.id == claim_id)
    if (await tx.execute(status)).scalar_one() != ClaimStatus.BATCHED:
        return True
    try:
        await take_out(tx, claim_id, by, reason)
    except Conflict as refusal:
        if refusal.code != "claim.past_no_return":
            raise
        return False
    return True


async def raise_clawbacks(
    tx: Tx,
    claim_ids: Sequence[UUID],
    cause: Cause,
    by: By,
    *,
    grounds: Mapping[UUID, UUID] | None = None,
    wanted: Mapping[UUID, Fen] | None = None,
    note: str = "",
) -> list[UUID]:
    """Raise what is owed back of paid claims (of each that is in `wanted` so much, of the others all of it); the new
    clawbacks.

    A claim that is not paid, of which the cause is open or this ground was raised before, or of which everything is
    asked back already, is passed by: whoever comes twice finds nothing to do.
    """
    claim, grounds, wanted = ClaimRow, grounds or {}, wanted or {}
    asked = select(claim.id, claim.amount_fen).where(claim.id.in_(claim_ids), claim.status == ClaimStatus.PAID)
    paid = {row.id: row.amount_fen for row in await tx.execute(asked.order_by(claim.id).with_for_update())}
    known, asked_back = (
        await _raised_before(tx, list(paid), cause, list(grounds.values())),
        await _sums(tx, list(paid)),
    )
    rows: list[dict[str, Any]] = []
    for claim_id in sorted(paid.keys() - known):
        amount_fen = owed_back(paid[claim_id], asked_back.get(claim_id, 0), wanted.get(claim_id))
        if amount_fen > 0:
            owing = {"claim_id": claim_id, "cause": str(cause), "ground_id": grounds.get(claim_id)}
            rows.append({"id": uuid4(), **owing, "amount_fen": amount_fen, "note": note})
    if rows:
        status = {"status": str(CLAWBACK_LIFECYCLE.first)}
        noted = [{**status, "claim_id": str(row["claim_id"]), "cause": str(cause)} for row in rows]
        amounts = [{"amount_fen": row["amount_fen"]} for row in rows]
        # before the rows: their guard looks for it
        told = [{**one, **other} for one, other in zip(noted, amounts, strict=True)]
        await record(tx, "clawback", [row["id"] for row in rows], "raise", by, told, reason=note)
        who = {"raised_by": by.user_id, "raised_person": by.person_id, "raised_at": by.at}
        await tx.execute(insert(ClawbackRow), [{**row, **status, **who} for row in rows])
    return [row["id"] for row in rows]


async def raise_by_hand(tx: Tx, me: Actor, new: NewClawback, now: datetime) -> ClawbackView:
    """An officer says why a claim of their district is owed back.

    Invalid `clawback.cause` for one that the service finds itself, `words.…`; NotFound `claim.not_found`; Forbidden
    as `must_be_impartial`; Conflict `clawback.nothing`.
    """
    me.must_hold(Post.REVIEWER)
    if new.cause not in BY_HAND:
        raise Invalid("clawback.cause", field="cause")
    note = public_words(new.note, "note")
    asked = select(ClaimRow.id).where(ClaimRow.id == new.claim_id, in_district(me)).with_for_update()
    if (await tx.execute(asked)).one_or_none() is None:
        raise NotFound("claim.not_found")
    await must_be_impartial(tx, me, new.claim_id)
    by = By.actor(me, Post.REVIEWER, now)
    wanted = {} if new.amount_fen is None else {new.claim_id: new.amount_fen}
    raised = await raise_clawbacks(tx, [new.claim_id], new.cause, by, wanted=wanted, note=note)
    if not raised:
        raise Conflict("clawback.nothing")
    if await following(tx, [new.claim_id]):
        await owe(tx, Job.RAISE_CLAWBACK, new.claim_id)
    return await clawback_view(tx, raised[0])


async def _raised_before(tx: Tx, claim_ids: list[UUID], cause: Cause, grounds: list[UUID]) -> set[UUID]:
    row = ClawbackRow
    same = or_(row.status.in_([str(each) for each in OPEN]), row.ground_id.in_(grounds))
    asked = select(row.claim_id).where(row.claim_id.in_(claim_ids), row.cause == str(cause), same)
    return set((await tx.execute(asked)).scalars())


async def _sums(tx: Tx, claim_ids: list[UUID]) -> dict[UUID, int]:
    rows = await tx.execute(_STANDS, {"claims": claim_ids})
    return {claim_id: int(fen) for claim_id, fen in rows}
