"""What is demanded back of a claimant, as the claimant reads it."""

from datetime import date
from uuid import UUID

from sqlalchemy import select

from domain.actor import Actor
from domain.batch import AttemptStatus
from domain.clawback import OPEN, ClawbackAction, ClawbackStatus
from service.batches.tables import AttemptRow, BatchRow
from service.claims.queries.refusals import ways_outside
from service.claims.tables import ClaimRow
from service.clawbacks.queries.appealed import appeals_against
from service.clawbacks.queries.views import clawback_views
from service.clawbacks.schemas import DemandView
from service.clawbacks.tables import ClawbackRow
from service.database import Tx
from service.journal import JournalRow

#: Of a person's few claims.
_DEMANDS_MAX = 50


async def my_demands(tx: Tx, me: Actor, today: date, claim_id: UUID | None = None) -> list[DemandView]:
    """What was demanded back of my claims, or of one of them, the latest first; what nobody has demanded yet, and
    what another was paid in my place, is not asked of me."""
    row, claim, journal = ClawbackRow, ClaimRow, JournalRow
    account = (
        select(BatchRow.debit_account)
        .join(AttemptRow, AttemptRow.batch_id == BatchRow.id)
        .where(AttemptRow.claim_id == claim.id, AttemptRow.status == AttemptStatus.DONE)
        .order_by(AttemptRow.id)
        .limit(1)
        .scalar_subquery()
    )
    asked = (
        select(row.id, journal.at, account.label("account"))
        .join(claim, claim.id == row.claim_id)
        .join(journal, (journal.subject_id == row.id) & (journal.subject_kind == "clawback"))
        .where(journal.action == str(ClawbackAction.DEMAND))
        .where(claim.person_id == me.person_id, claim.payee_institution_id.is_(None))
        .order_by(journal.id.desc())
        .limit(_DEMANDS_MAX)
    )
    rows = (await tx.execute(asked.where(claim.id == claim_id) if claim_id else asked)).all()
    views = await clawback_views(tx, [each.id for each in rows])
    ways = await ways_outside(tx, [each.at for each in rows])
    appeals = await appeals_against(tx, list(views), today)
    return [
        DemandView(
            clawback=views[each.id],
            open=_is_open(views[each.id].status),
            left_fen=views[each.id].amount_fen - views[each.id].repaid_fen,
            demanded_at=each.at,
            account=each.account or "",
            remedies=ways[each.at],
            appeal=appeals.get(each.id),
        )
        for each in rows
    ]


def _is_open(status: ClawbackStatus) -> bool:
    return status in OPEN or status is ClawbackStatus.ENFORCED
