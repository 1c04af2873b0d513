"""A clawback comes back in parts: by lines of statements that carry its number, or that two persons know it by."""

from datetime import datetime
from typing import cast
from uuid import UUID, uuid4

from sqlalchemy import insert, update
from sqlalchemy.schema import Table

from domain.actor import Actor, Post
from domain.claim import ClaimAction, ClaimStatus
from domain.clawback import CLAWBACK_LIFECYCLE, REPAYABLE, check_two_persons, repaying, serial_in
from domain.errors import Conflict, Invalid, NotFound
from domain.statement import Oddity
from domain.step_up import Decision
from domain.text import public_words
from service.access.commands import proven
from service.claims.commands.moves import move_claims
from service.claims.queries.barring import must_be_impartial
from service.clawbacks.queries.repayments import (
    Credit,
    Repayable,
    credit,
    lock_repayable,
    open_proposal,
    proposal_view,
)
from service.clawbacks.schemas import NewRepayment, RepaymentProposalView
from service.clawbacks.tables import ClawbackRow, RepaymentProposalRow, RepaymentRow
from service.database import Tx
from service.funds.commands import repay
from service.journal import By, move, record
from service.queue import Job
from service.statements.commands.resolving import REPAID, resolve
from service.statements.queries.statements import exception_of
from service.statements.tables import StatementLineRow

OFFICERS = (Post.MAKER, Post.CHECKER, Post.RELEASER)
_CLAWBACKS = cast(Table, ClawbackRow.__table__)


async def settle_by_number(tx: Tx, line_id: UUID, now: datetime) -> None:
    """Count a line that carries a clawback's number, once; what does not fit is an exception for a person: no such
    clawback in the district, one that is not demanded or has ended or whose payment the bank gave back, more money
    than is left."""
    line = await credit(tx, line_id)
    if not line.waiting or line.serial is None:
        return
    owing, by = await lock_repayable(tx, line.serial, line.district), By(str(Job.SETTLE_REPAYMENT), now)
    oddity, expected_fen = _oddity(line, owing)
    await _say(tx, line.id, oddity, expected_fen)
    if oddity is None and owing is not None:
        await _count(tx, owing, line, line.amount_fen, by)


async def propose_repayment(
    tx: Tx, me: Actor, line_id: UUID, new: NewRepayment, now: datetime
) -> RepaymentProposalView:
    """Say that an exception of my district, a credit, repays a clawback (or `amount_fen` of it does); another person
    answers.

    NotFound `exception.not_found`, `clawback.not_found`; Invalid `clawback.number`, `words.…`; Forbidden as
    `must_be_impartial`; Conflict `exception.resolved`, `repayment.not_a_credit`, `repayment.proposed`,
    `clawback.overpaid`, `clawback.not_demanded`, `clawback.claim_not_paid` (the bank gave the payment back).
    """
    me.must_hold(*OFFICERS)
    serial, note = serial_in(new.number), public_words(new.note, "note")
    if serial is None:
        raise Invalid("clawback.number", field="number")
    line = await exception_of(tx, me, line_id)
    if line.resolved:
        raise Conflict("exception.resolved")
    if line.side != "credit" or new.amount_fen > line.amount_fen:
        raise Conflict("repayment.not_a_credit")
    if await open_proposal(tx, line_id) is not None:
        raise Conflict("repayment.proposed")
    owing = await _owing(tx, me, serial, line.district)
    repaying(owing.amount_fen, owing.repaid_fen, new.amount_fen)
    proposal_id, by = uuid4(), _by(me, now)
    who = {"proposed_by": me.user_id, "proposed_person": me.person_id, "proposed_at": now}
    about = {"line_id": line_id, "clawback_id": owing.id, "amount_fen": new.amount_fen, "note": note}
    await tx.execute(insert(RepaymentProposalRow).values(id=proposal_id, **about, **who))
    noted = {"line_id": str(line_id), "amount_fen": new.amount_fen}
    await record(tx, "clawback_repayment", [owing.id], "propose", by, [noted], reason=note)
    return await proposal_view(tx, proposal_id)


async def answer_repayment(tx: Tx, me: Actor, line_id: UUID, *, grant: bool, now: datetime) -> RepaymentProposalView:
    """Another person confirms what was proposed for a line, which then counts, or does not.

    As `propose_repayment`; Conflict `repayment.none`; Forbidden `clawback.same_person`, and to confirm it what
    `proven` refuses.
    """
    me.must_hold(*OFFICERS)
    line = await exception_of(tx, me, line_id)
    proposed = await open_proposal(tx, line_id)
    if proposed is None:
        raise Conflict("repayment.none")
    check_two_persons(proposed.proposed_person, me.person_id)
    if grant and line.resolved:
        raise Conflict("exception.resolved")
    by = _by(me, now)
    owing = await _owing(tx, me, proposed.serial, line.district) if grant else None
    if grant:
        await proven(tx, me, Decision.REPAYMENT, line_id, now)
    row = RepaymentProposalRow
    who = {"answered_by": me.user_id, "answered_person": me.person_id, "answered_at": now}
    await tx.execute(update(row).where(row.id == proposed.id).values(granted=grant, **who))
    noted = {"line_id": str(line_id), "granted": grant}
    await record(tx, "clawback_repayment", [proposed.clawback_id], "answer", by, [noted])
    if owing is not None:
        found = Credit(line_id, line.amount_fen, line.district, None, waiting=False)
        await _count(tx, owing, found, proposed.amount_fen, by, proposed.id)
        await resolve(tx, line_id, REPAID, "", me, by)
    return await proposal_view(tx, proposed.id)


def _oddity(line: Credit, owing: Repayable | None) -> tuple[Oddity | None, int | None]:
    if owing is None:
        return Oddity.NO_CLAWBACK, None
    if owing.status not in REPAYABLE or owing.claim_status != ClaimStatus.PAID:
        return Oddity.NOT_OPEN, None
    return (Oddity.OVERPAID, owing.left_fen) if line.amount_fen > owing.left_fen else (None, None)


async def _say(tx: Tx, line_id: UUID, oddity: Oddity | None, expected_fen: int | None) -> None:
    row = StatementLineRow
    odd = {"verdict": "exception", "owner": "", "exception": str(oddity), "expected_fen": expected_fen}
    said = update(row).where(row.id == line_id, row.verdict == "waiting")
    await tx.execute(said.values(**(odd if oddity else {"verdict": "owned"})))


async def _owing(tx: Tx, me: Actor, serial: int, district: str) -> Repayable:
    owing = await lock_repayable(tx, serial, district)
    if owing is None:
        raise NotFound("clawback.not_found")
    await must_be_impartial(tx, me, owing.claim_id)
    if owing.status not in REPAYABLE:
        raise Conflict("clawback.not_demanded")
    if owing.claim_status != ClaimStatus.PAID:
        raise Conflict("clawback.claim_not_paid")
    return owing


async def _count(
    tx: Tx, owing: Repayable, line: Credit, part_fen: int, by: By, proposal_id: UUID | None = None
) -> None:
    """The part, its money in the ledger, the clawback, and the claim once all that it was paid is back."""
    action = repaying(owing.amount_fen, owing.repaid_fen, part_fen)
    repayment_id = uuid4()
    about = {"clawback_id": owing.id, "line_id": line.id, "proposal_id": proposal_id, "amount_fen": part_fen}
    await tx.execute(insert(RepaymentRow).values(id=repayment_id, counted_at=by.at, **about))
    noted = {"line_id": str(line.id), "amount_fen": part_fen}
    await record(tx, "clawback_repayment", [owing.id], "count", by, [noted])
    all_back = await repay(tx, owing.claim_id, repayment_id, part_fen, by)
    await move(tx, _CLAWBACKS, CLAWBACK_LIFECYCLE, action, owing.id, by)
    if all_back:
        await move_claims(tx, ClaimAction.RECOVER, [owing.claim_id], by, reason="clawback.repaid")


def _by(me: Actor, now: datetime) -> By:
    return By.actor(me, next(post for post in OFFICERS if me.holds(post)), now)
