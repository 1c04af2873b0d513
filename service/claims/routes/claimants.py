"""Who claims over HTTP: masked, or in clear for whoever said why they need it."""

from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody

from service.claims.commands import unmasking
from service.claims.queries.claimants import claimant_view
from service.claims.schemas import ClaimantView, NewUnmasking, UnmaskedView
from service.security import allow
from service.web import Me, Now, Once, Today, Tx, answered

_UNMASKERS = [allow(*unmasking.UNMASKERS)]


@get("/api/claims/{claim_id:uuid}/claimant", guards=_UNMASKERS)
async def show_claimant(tx: Tx, me: Me, today: Today, now: Now, claim_id: FromPath[UUID]) -> ClaimantView:
    """Who claims: masked, unless I said a few minutes ago why I need to see it."""
    return await claimant_view(tx, me, claim_id, today, now)


@post("/api/claims/{claim_id:uuid}/unmask", guards=_UNMASKERS, status_code=200)
async def unmask(
    tx: Tx, me: Me, now: Now, once: Once, claim_id: FromPath[UUID], data: JSONBody[NewUnmasking]
) -> Response[UnmaskedView]:
    """See the claimant of a claim of my district in clear for some minutes; that I asked, and why, is kept."""
    return answered(await once(tx, UnmaskedView, lambda: unmasking.unmask(tx, me, claim_id, data, now)), 200)


ROUTES = [show_claimant, unmask]
