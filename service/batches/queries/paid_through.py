"""What was paid on claims that an institution filed: to itself, and to its trainees, batch by batch."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select, tuple_

from domain.actor import Actor
from domain.batch import AttemptStatus
from service.batches.tables import AttemptRow, BatchRow, TreasuryTransferRow
from service.claims.queries.views import visible_to
from service.claims.tables import ClaimRow
from service.cursors import cursor_of, read_cursor
from service.database import Tx


@dataclass(frozen=True)
class PaidInBatch:
    """`transferred_on`: the day the money left the treasury; `own_fen` came to the institution itself."""

    number: str
    transferred_on: date | None
    count: int
    sum_fen: int
    own_fen: int


@dataclass(frozen=True)
class PaidPage:
    """`next` is the cursor of the page that follows; None on the last."""

    batches: list[PaidInBatch]
    next: str | None


async def paid_through(tx: Tx, me: Actor, cursor: str | None, limit: int) -> PaidPage:
    """A page of the batches in which my institution's claims were paid, the latest first."""
    attempt, batch, claim, transfer = AttemptRow, BatchRow, ClaimRow, TreasuryTransferRow
    own = func.sum(attempt.amount_fen).filter(claim.payee_institution_id == me.institution_id)
    asked = (
        select(
            *(batch.id, batch.number, batch.opened_at, transfer.transferred_on, func.count().label("paid")),
            func.sum(attempt.amount_fen).label("sum_fen"),
            func.coalesce(own, 0).label("own_fen"),
        )
        .select_from(claim)
        .join(attempt, attempt.claim_id == claim.id)
        .join(batch, batch.id == attempt.batch_id)
        .outerjoin(transfer, transfer.batch_id == batch.id)
        .where(claim.institution_id == me.institution_id, visible_to(me), attempt.status == AttemptStatus.DONE)
        .group_by(batch.id, batch.number, batch.opened_at, transfer.transferred_on)
        .order_by(batch.opened_at.desc(), batch.id.desc())
        .limit(limit + 1)
    )
    if cursor:
        asked = asked.where(tuple_(batch.opened_at, batch.id) < tuple_(*read_cursor(cursor)))
    rows = (await tx.execute(asked)).all()
    found = [
        PaidInBatch(each.number, each.transferred_on, each.paid, int(each.sum_fen), int(each.own_fen))
        for each in rows[:limit]
    ]
    more = rows[limit - 1] if len(rows) > limit else None
    return PaidPage(found, cursor_of(more.opened_at, more.id) if more else None)
