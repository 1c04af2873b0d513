"""Two persons say what became of a payment of which the bank cannot tell; nothing is ever sent again instead."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, insert, select, update

from domain.actor import Actor, Post
from domain.batch import BATCH_LIFECYCLE, AttemptAction, AttemptStatus, BatchAction
from domain.claim import ClaimAction
from domain.errors import Conflict, Forbidden
from domain.reconciliation import DECIDED_NOT_PAID
from domain.step_up import Decision
from service.access.commands import proven
from service.batches.commands.moves import BATCHES, move_attempts, move_claims
from service.batches.queries import Batch, last_resent_at, locked_batch
from service.database import Tx
from service.journal import By, move_all, record
from service.reconciliation.commands.returns import settle_batch
from service.reconciliation.queries import attempt_of_reference, open_count
from service.reconciliation.schemas import AttemptDecisionView, NewAttemptDecision, Outcome
from service.reconciliation.tables import AttemptDecisionRow

DECIDERS = (Post.MAKER, Post.CHECKER, Post.RELEASER)


async def decide_attempt(
    tx: Tx, me: Actor, reference: str, new: NewAttemptDecision, now: datetime
) -> AttemptDecisionView:
    """Say on a document's evidence whether an unknown payment of my district was made, or confirm what another said.

    Only when a second person says the same on the same document does anything move; whoever says something else
    replaces what was said, and that waits for a second person again. What was said before the file was resent is
    replaced as well: the bank's word was about the time before. NotFound `attempt.not_found`; Forbidden
    `claim.own`, `attempt.same_person`; Conflict `attempt.not_unknown`; and what `proven` refuses, of either.
    """
    me.must_hold(*DECIDERS)
    found = await attempt_of_reference(tx, me, reference)
    batch = await locked_batch(tx, found.batch_id, me)
    attempt = await attempt_of_reference(tx, me, reference)
    if attempt.person_id == me.person_id:
        raise Forbidden("claim.own")
    if attempt.status != AttemptStatus.UNKNOWN:
        raise Conflict("attempt.not_unknown", status=attempt.status)
    by = By.actor(me, next(post for post in DECIDERS if me.holds(post)), now)
    await proven(tx, me, Decision.FATE, attempt.id, now)
    said = await _open(tx, attempt.id)
    again_at = await last_resent_at(tx, batch.id)
    overtaken = said is not None and again_at is not None and again_at >= said.proposed_at
    if said is None or overtaken or (said.outcome, said.evidence_sha256) != (new.outcome, new.evidence_sha256):
        await _propose(tx, me, attempt.id, said, new, by)
        return AttemptDecisionView(reference, new.outcome, decided=False, replaced=said is not None)
    if said.proposed_person == me.person_id:
        raise Forbidden("attempt.same_person")
    await _confirm(tx, me, attempt.id, said.id, new, by)
    await _settle(tx, batch, attempt, new.outcome, by)
    return AttemptDecisionView(reference, new.outcome, decided=True)


async def _open(tx: Tx, attempt_id: UUID) -> Row[*tuple[Any, ...]] | None:
    row = AttemptDecisionRow
    asked = select(*(row.id, row.outcome, row.evidence_sha256, row.proposed_person, row.proposed_at))
    return (await tx.execute(asked.where(row.attempt_id == attempt_id, row.closed_at.is_(None)))).one_or_none()


async def _propose(
    tx: Tx, me: Actor, attempt_id: UUID, said: Row[*tuple[Any, ...]] | None, new: NewAttemptDecision, by: By
) -> None:
    row = AttemptDecisionRow
    if said is not None:
        await tx.execute(update(row).where(row.id == said.id).values(closed_at=by.at))
    told = {"outcome": new.outcome, "evidence_sha256": new.evidence_sha256, "note": new.note}
    who = {"proposed_by": me.user_id, "proposed_person": me.person_id, "proposed_at": by.at}
    await tx.execute(insert(row).values(id=uuid4(), attempt_id=attempt_id, **told, **who))
    await record(tx, "attempt_decision", [attempt_id], "propose", by, [told], reason=new.note)


async def _confirm(tx: Tx, me: Actor, attempt_id: UUID, decision_id: UUID, new: NewAttemptDecision, by: By) -> None:
    row = AttemptDecisionRow
    confirmed = {"confirmed_by": me.user_id, "confirmed_person": me.person_id, "closed_at": by.at}
    await tx.execute(update(row).where(row.id == decision_id).values(**confirmed))
    noted = {"outcome": new.outcome, "evidence_sha256": new.evidence_sha256}
    await record(tx, "attempt_decision", [attempt_id], "confirm", by, [noted], reason=new.note)


async def _settle(tx: Tx, batch: Batch, attempt: Row[*tuple[Any, ...]], outcome: Outcome, by: By) -> None:
    """The attempt and its claim; a batch whose file the bank never took, and of which nothing was paid, is missed."""
    paid = outcome == "paid"
    action, claim_action = (
        (AttemptAction.SUCCEED, ClaimAction.PAY) if paid else (AttemptAction.FAIL, ClaimAction.BOUNCE)
    )
    failure = "" if paid else DECIDED_NOT_PAID
    await move_attempts(tx, action, [attempt.id], by, reason=f"decided:{outcome}", changes={"failure": failure})
    await move_claims(tx, claim_action, [attempt.claim_id], by, reason=failure)
    await settle_batch(tx, batch, paid, by)
    if await open_count(tx, batch.id) == 0:
        await move_all(tx, BATCHES, BATCH_LIFECYCLE, BatchAction.MISS, [batch.id], by, reason=f"decided:{outcome}")
