"""Which money a claim would be held from if it were approved now."""

from datetime import date
from uuid import UUID

from sqlalchemy import and_, select

from domain.fund import fund_of
from service.claims.schemas import ClaimMoney
from service.claims.tables import ClaimRow
from service.database import Tx
from service.funds.queries import fund_policy
from service.funds.tables import FundRow, PositionRow


async def money_for(tx: Tx, claim_id: UUID, today: date) -> ClaimMoney | None:
    """None where its district has no position in the fund. Nothing is locked: what is free may be gone in a moment.
    Conflict `policy.missing`; whether the asker may see the claim is the caller's to ask."""
    claim, position, policy = ClaimRow, PositionRow, await fund_policy(tx, today)
    of = (await tx.execute(select(claim.district, claim.group_code).where(claim.id == claim_id))).one()
    here = and_(position.district == of.district, position.year == today.year)
    asked = (
        select(FundRow.name, position.free_fen)
        .join(FundRow, FundRow.code == position.fund)
        .where(here, position.fund == fund_of(policy, of.group_code))
    )
    row = (await tx.execute(asked)).one_or_none()
    return ClaimMoney(row.name, row.free_fen) if row else None
