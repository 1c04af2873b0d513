"""What is demanded back of whoever was paid, as they read it: a claimant, or an institution."""

from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, select

from domain.actor import Actor
from domain.batch import AttemptStatus
from domain.clawback import REPAYABLE, ClawbackAction
from domain.errors import NotFound
from service.batches.tables import AttemptRow, BatchRow
from service.claims.queries.refusals import ways_outside
from service.claims.tables import ClaimRow
from service.clawbacks.queries.appealed import appeals_against, paid_to_me, paid_to_us
from service.clawbacks.queries.repayments import repayments_of
from service.clawbacks.queries.views import clawback_views
from service.clawbacks.schemas import DemandView
from service.clawbacks.tables import ClawbackRow
from service.database import Tx
from service.journal import JournalRow

#: Of those that are listed, what is open first.
_DEMANDS_MAX = 100


async def my_demands(tx: Tx, me: Actor, today: date, claim_id: UUID | None = None) -> list[DemandView]:
    """What was demanded back of my claims, or of one of them; what nobody has demanded yet, and what another was
    paid in my place, is not asked of me."""
    return await _demands(tx, today, paid_to_me(me), *_over(claim_id))


async def my_demand(tx: Tx, me: Actor, clawback_id: UUID, today: date) -> DemandView:
    """One of them. NotFound `clawback.not_found`."""
    return _only(await _demands(tx, today, paid_to_me(me), ClawbackRow.id == clawback_id))


async def our_demands(tx: Tx, me: Actor, today: date, claim_id: UUID | None = None) -> list[DemandView]:
    """What was demanded back of the institution that I file for, as the one that was paid; what its trainees are to
    pay back is theirs to read."""
    return await _demands(tx, today, paid_to_us(me), *_over(claim_id))


async def our_demand(tx: Tx, me: Actor, clawback_id: UUID, today: date) -> DemandView:
    """One of them. NotFound `clawback.not_found`."""
    return _only(await _demands(tx, today, paid_to_us(me), ClawbackRow.id == clawback_id))


def _over(claim_id: UUID | None) -> list[ColumnElement[bool]]:
    return [ClaimRow.id == claim_id] if claim_id else []


def _only(found: list[DemandView]) -> DemandView:
    if not found:
        raise NotFound("clawback.not_found")
    return found[0]


async def _demands(tx: Tx, today: date, *where: ColumnElement[bool]) -> list[DemandView]:
    """What is open first, then the latest."""
    row, claim, journal = ClawbackRow, ClaimRow, JournalRow
    account = (
        select(BatchRow.debit_account)
        .join(AttemptRow, AttemptRow.batch_id == BatchRow.id)
        .where(AttemptRow.claim_id == claim.id, AttemptRow.status == AttemptStatus.DONE)
        .order_by(AttemptRow.id)
        .limit(1)
        .scalar_subquery()
    )
    over = row.status.not_in([str(each) for each in REPAYABLE])
    asked = (
        select(row.id, journal.at, account.label("account"))
        .join(claim, claim.id == row.claim_id)
        .join(journal, (journal.subject_id == row.id) & (journal.subject_kind == "clawback"))
        .where(journal.action == str(ClawbackAction.DEMAND), *where)
        .order_by(over, journal.id.desc())
        .limit(_DEMANDS_MAX)
    )
    if not (rows := (await tx.execute(asked)).all()):
        return []
    views = await clawback_views(tx, [each.id for each in rows])
    ways = await ways_outside(tx, [each.at for each in rows])
    appeals = await appeals_against(tx, list(views), today)
    came_back = await repayments_of(tx, list(views))
    return [
        DemandView(
            clawback=views[each.id],
            open=views[each.id].status in REPAYABLE,
            left_fen=views[each.id].amount_fen - views[each.id].repaid_fen,
            demanded_at=each.at,
            account=each.account or "",
            repayments=came_back.get(each.id, []),
            remedies=ways[each.at],
            appeal=appeals.get(each.id),
        )
        for each in rows
    ]
