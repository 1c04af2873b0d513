"""The approvals of a claim, with what was drawn for each and what another person found."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from domain.actor import Actor
from domain.errors import NotFound
from domain.second_review import SecondFinding, Why
from service.claims.queries.views import visible_to
from service.claims.tables import ClaimApprovalRow, ClaimRow
from service.database import Tx
from service.wording import words
from service.work.schemas import ApprovalsView, ApprovalView


async def approvals_of(tx: Tx, me: Actor, claim_id: UUID) -> ApprovalsView:
    """In their order. NotFound `claim.not_found` for a claim that is not `me`'s to see."""
    if (await tx.execute(select(ClaimRow.id).where(ClaimRow.id == claim_id, visible_to(me)))).first() is None:
        raise NotFound("claim.not_found")
    row = ClaimApprovalRow
    asked = select(row.__table__).where(row.claim_id == claim_id).order_by(row.id)
    return ApprovalsView(claim_id, [_view(each) for each in await tx.execute(asked)])


def _view(row: Row[Any]) -> ApprovalView:
    finding = SecondFinding(row.finding) if row.finding else None
    state = finding or ("open" if row.why else "not_asked")
    return ApprovalView(
        approved_at=row.approved_at,
        seed=row.seed.hex(),
        percent=row.percent,
        from_fen=row.from_fen,
        why=[Why(each) for each in row.why],
        why_names=[words(f"why.{each}") for each in row.why],
        finding=finding,
        message=words(f"second_review.{state}"),
        finding_reason=row.finding_reason,
        found_at=row.found_at,
    )
