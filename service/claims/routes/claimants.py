"""A claimant's numbers over HTTP, for whoever says why they need them."""

from uuid import UUID

from litestar import post
from litestar.params import FromPath, JSONBody

from service.claims.commands import unmasking
from service.claims.schemas import ClaimantView, NewUnmasking
from service.security import allow
from service.web import Me, Now, Today, Tx


@post("/api/claims/{claim_id:uuid}/unmask", guards=[allow(*unmasking.UNMASKERS)], status_code=200)
async def unmask(
    tx: Tx, me: Me, today: Today, now: Now, claim_id: FromPath[UUID], data: JSONBody[NewUnmasking]
) -> ClaimantView:
    """Name, number and telephone of the claimant of a claim of my district in clear; that I asked is kept."""
    return await unmasking.unmask(tx, me, claim_id, data, today, now)


ROUTES = [unmask]
