"""What of a clawback has come back, and the lines of statements it came by."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from domain.actor import Actor
from domain.clawback import clawback_number
from domain.errors import NotFound
from domain.money import format_yuan
from service.batches.queries import live_attempt, locked_batch
from service.claims.queries.care import in_district
from service.claims.tables import ClaimRow
from service.clawbacks.schemas import RepaymentList, RepaymentProposalView, RepaymentView
from service.clawbacks.tables import ClawbackRow, RepaymentProposalRow, RepaymentRow
from service.database import Tx
from service.statements.tables import StatementLineRow, StatementRow


@dataclass(frozen=True)
class Credit:
    """A line of a statement that brings money, locked. `waiting`: it carries a clawback's number, and is not looked
    at yet."""

    id: UUID
    amount_fen: int
    district: str
    serial: int | None
    waiting: bool


@dataclass(frozen=True)
class Repayable:
    """A clawback that is locked, after its batch and its claim. `left_fen`: not come back yet."""

    id: UUID
    claim_id: UUID
    claim_status: str
    district: str
    status: str
    amount_fen: int
    repaid_fen: int

    @property
    def left_fen(self) -> int:
        return self.amount_fen - self.repaid_fen


async def credit(tx: Tx, line_id: UUID) -> Credit:
    """The line, locked."""
    line, statement = StatementLineRow, StatementRow
    asked = (
        select(line.id, line.amount_fen, statement.district, line.clawback_serial, line.verdict)
        .join(statement, statement.id == line.statement_id)
        .where(line.id == line_id)
        .with_for_update(of=line)
    )
    row = (await tx.execute(asked)).one()
    return Credit(row.id, row.amount_fen, row.district, row.clawback_serial, row.verdict == "waiting")


async def lock_repayable(tx: Tx, serial: int, district: str | None) -> Repayable | None:
    """The clawback with this serial in the district (None: in any), with its batch and claim; None: there is none.

    The batch first, as whatever changes a batch or its claims does, so that money which comes back from the bank
    meanwhile waits.
    """
    row, claim = ClawbackRow, ClaimRow
    asked = select(row.id, row.claim_id, claim.district).join(claim, claim.id == row.claim_id)
    found = (await tx.execute(asked.where(row.serial == serial))).one_or_none()
    if found is None or (district is not None and found.district != district):
        return None
    attempt = await live_attempt(tx, found.claim_id)
    if attempt is not None:
        await locked_batch(tx, attempt.batch_id)
    locked = select(claim.status).where(claim.id == found.claim_id).with_for_update(key_share=True)
    claim_status = (await tx.execute(locked)).scalar_one()
    now = (
        await tx.execute(select(row.status, row.amount_fen).where(row.id == found.id).with_for_update(key_share=True))
    ).one()
    repaid = await repaid_fen(tx, found.id)
    return Repayable(found.id, found.claim_id, claim_status, found.district, now.status, now.amount_fen, repaid)


async def repaid_fen(tx: Tx, clawback_id: UUID) -> int:
    """How much of a clawback has come back (the database's own sum, whatever it came by)."""
    return int((await tx.execute(select(func.clawback_repaid_fen(clawback_id)))).scalar_one())


async def open_proposal(tx: Tx, line_id: UUID) -> Row[*tuple[Any, ...]] | None:
    """What is proposed for a line, with the serial of its clawback; None where nothing is."""
    row, clawback = RepaymentProposalRow, ClawbackRow
    asked = select(
        *(row.id, row.clawback_id, row.amount_fen, row.note, row.proposed_person, clawback.serial, clawback.claim_id)
    ).join(clawback, clawback.id == row.clawback_id)
    return (await tx.execute(asked.where(row.line_id == line_id, row.answered_at.is_(None)))).one_or_none()


async def proposal_view(tx: Tx, proposal_id: UUID) -> RepaymentProposalView:
    """What one person said of a line, and another may have answered."""
    row, clawback = RepaymentProposalRow, ClawbackRow
    asked = select(row.id, row.line_id, row.amount_fen, row.note, row.proposed_at, row.granted, clawback.serial)
    found = (await tx.execute(asked.join(clawback).where(row.id == proposal_id))).one()
    return RepaymentProposalView(
        id=found.id,
        line_id=found.line_id,
        number=clawback_number(found.serial),
        amount_fen=found.amount_fen,
        amount=format_yuan(found.amount_fen),
        note=found.note,
        proposed_at=found.proposed_at,
        granted=found.granted,
    )


async def waiting_proposal(tx: Tx, line_id: UUID) -> RepaymentProposalView | None:
    """What is proposed for a line that the caller may see, and waits for another person; None where nothing is."""
    found = await open_proposal(tx, line_id)
    return await proposal_view(tx, found.id) if found else None


async def list_repayments(tx: Tx, me: Actor, clawback_id: UUID) -> RepaymentList:
    """What came back of a clawback of my district, with its lines. NotFound `clawback.not_found`."""
    row, claim = ClawbackRow, ClaimRow
    asked = select(row.amount_fen, row.serial).join(claim, claim.id == row.claim_id)
    found = (await tx.execute(asked.where(row.id == clawback_id, in_district(me)))).one_or_none()
    if found is None:
        raise NotFound("clawback.not_found")
    views = (await repayments_of(tx, [clawback_id])).get(clawback_id, [])
    repaid = await repaid_fen(tx, clawback_id)
    return RepaymentList(clawback_number(found.serial), found.amount_fen, repaid, found.amount_fen - repaid, views)


async def repayments_of(tx: Tx, clawback_ids: Sequence[UUID]) -> dict[UUID, list[RepaymentView]]:
    """What came back by lines of statements, by clawback; of clawbacks that the caller may see."""
    part, line, found = RepaymentRow, StatementLineRow, dict[UUID, list[RepaymentView]]()
    parts = await tx.execute(
        select(*(part.clawback_id, part.line_id, part.amount_fen, line.booked_on, part.proposal_id, part.counted_at))
        .join(line, line.id == part.line_id)
        .where(part.clawback_id.in_(clawback_ids))
        .order_by(line.booked_on, part.counted_at, line.line_no, part.id)
    )
    for each in parts:
        amount, by_hand = format_yuan(each.amount_fen), each.proposal_id is not None
        view = RepaymentView(each.line_id, each.amount_fen, amount, each.booked_on, by_hand, each.counted_at)
        found.setdefault(each.clawback_id, []).append(view)
    return found
