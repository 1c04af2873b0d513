"""What persons decide on one claim: approve, refuse, withdraw."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, or_, select

from domain.actor import Actor, Post
from domain.claim import ClaimAction, ClaimKind, ClaimStatus
from domain.errors import Conflict, Invalid, NotFound
from service.claims.commands.drawing import draw
from service.claims.commands.leases import give_back
from service.claims.commands.moves import move_claim
from service.claims.queries.barring import must_not_be_barred
from service.claims.queries.care import held_among, in_district
from service.claims.queries.kinds import stands_alone
from service.claims.queries.views import claim_view, visible_to
from service.claims.schemas import ClaimView, NewRefusal
from service.claims.tables import ClaimRow, ClaimTallyDeltaRow
from service.clock import business_day
from service.database import Tx
from service.journal import By
from service.wording import wording


async def approve_claim(tx: Tx, me: Actor, claim_id: UUID, note: str, now: datetime) -> ClaimView:
    """A reviewer of the claim's district approves it, and its money is held from now on. Whether another person must
    look at it again is drawn.

    Conflict `claim.held`, `fund.insufficient`, `fund.none`, `allowance.alone`; otherwise as `must_be_reviewable`.
    """
    await must_be_reviewable(tx, me, claim_id, now)
    if await held_among(tx, [claim_id]):
        raise Conflict("claim.held")
    if await stands_alone(tx, claim_id):
        raise Conflict("allowance.alone")
    by = By.actor(me, Post.REVIEWER, now)
    await move_claim(tx, ClaimAction.APPROVE, claim_id, by, reason=note)
    await draw(tx, me, [claim_id], business_day(now), now)
    await give_back(tx, [claim_id])
    return await claim_view(tx, me, claim_id)


async def refuse_claim(tx: Tx, me: Actor, claim_id: UUID, refusal: NewRefusal, now: datetime) -> ClaimView:
    """A reviewer refuses, with at least one reason from the list."""
    unknown = [code for code in refusal.reasons if f"reason.{code}" not in wording()]
    if not refusal.reasons or unknown:
        raise Invalid("refusal.reasons", field="reasons", unknown=unknown)
    await must_be_reviewable(tx, me, claim_id, now)
    await _must_be_checked(tx, claim_id)
    by = By.actor(me, Post.REVIEWER, now)
    reason = " ".join([*refusal.reasons, refusal.note]).strip()
    await move_claim(tx, ClaimAction.REFUSE, claim_id, by, reason=reason)
    await give_back(tx, [claim_id])
    return await claim_view(tx, me, claim_id)


async def withdraw_claim(tx: Tx, me: Actor, claim_id: UUID, note: str, now: datetime) -> ClaimView:
    """The trainee withdraws their claim, or the institution the one it filed; it leaves the figures of its day.
    Conflict `supplement.not_withdrawn`: nobody filed it."""
    claim = ClaimRow
    mine = [claim.person_id == me.person_id]
    if me.holds(Post.CLERK):
        mine.append(claim.institution_id == me.institution_id)
    row = (await tx.execute(select(ClaimRow.__table__).where(claim.id == claim_id, or_(*mine)))).one_or_none()
    if row is None:
        raise NotFound("claim.not_found")
    if row.kind == ClaimKind.SUPPLEMENT:
        raise Conflict("supplement.not_withdrawn")
    post = Post.TRAINEE if row.person_id == me.person_id else Post.CLERK
    by = By.actor(me, post, now)
    await move_claim(tx, ClaimAction.WITHDRAW, claim_id, by, reason=note)
    await tx.execute(
        insert(ClaimTallyDeltaRow).values(
            filed_on=row.filed_on,
            district=row.district,
            list_kind=row.list_kind,
            industry=row.industry,
            level=row.level,
            channel=row.channel,
            count=-1,
            amount_fen=-row.amount_fen,
        )
    )
    return await claim_view(tx, me, claim_id)


async def must_be_reviewable(tx: Tx, me: Actor, claim_id: UUID, now: datetime) -> None:
    """NotFound outside of the reviewer's district; otherwise as `must_not_be_barred`."""
    claim = ClaimRow
    here = select(claim.id).where(claim.id == claim_id, visible_to(me), in_district(me))
    if (await tx.execute(here)).first() is None:
        raise NotFound("claim.not_found")
    await must_not_be_barred(tx, me, Post.REVIEWER, claim_id, now)


async def _must_be_checked(tx: Tx, claim_id: UUID) -> None:
    """The lifecycle lets a filed claim be refused, by the rules alone: an officer waits for the registry's answer."""
    status = (await tx.execute(select(ClaimRow.status).where(ClaimRow.id == claim_id))).scalar_one()
    if status == ClaimStatus.FILED:
        raise Conflict("wrong_status", noun="claim", status=status, action=str(ClaimAction.REFUSE))
