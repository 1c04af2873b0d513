"""What persons decide on a claim: approve, refuse, withdraw."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, insert, literal, or_, select

from domain.actor import Actor, Post, Scope, excluded_with
from domain.claim import ClaimAction, ClaimStatus
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from domain.period import parse_date
from service.access.tables import UserRow
from service.claims.commands.moves import affordable, move_claim, move_claims
from service.claims.queries.care import held, held_among
from service.claims.queries.views import claim_view, visible_to
from service.claims.schemas import ApprovedView, ClaimView, NewApproval, NewRefusal
from service.claims.tables import ClaimRow, ClaimTallyDeltaRow
from service.database import Tx
from service.journal import By, acted_on
from service.wording import wording

APPROVE_MAX = 2_000


async def approve_claim(tx: Tx, me: Actor, claim_id: UUID, note: str, now: datetime) -> ClaimView:
    """A reviewer of the claim's district approves it, and its money is held from now on.

    Conflict `claim.held`, `fund.insufficient`, `fund.none`; otherwise as `must_be_reviewable`.
    """
    await must_be_reviewable(tx, me, claim_id)
    if await held_among(tx, [claim_id]):
        raise Conflict("claim.held")
    by = By.actor(me, Post.REVIEWER, now)
    await move_claim(tx, ClaimAction.APPROVE, claim_id, by, reason=note)
    return await claim_view(tx, me, claim_id)


async def approve_set(tx: Tx, me: Actor, chosen: NewApproval, now: datetime) -> ApprovedView:
    """Approve the oldest of my district's claims that fit, at most `limit`, for which its funds last; those I may not
    approve, and those that are held, stay.

    `left` is how many would fit again: the next call takes them, but for those that wait for money (`unfunded`).
    """
    if not 1 <= chosen.limit <= APPROVE_MAX:
        raise Invalid("limit.range", field="limit", most=APPROVE_MAX)
    if chosen.status != ClaimStatus.VERIFIED:
        raise Invalid("approve.only_verified", field="status")
    fitting = select(ClaimRow.id).where(
        ClaimRow.status == chosen.status,
        ClaimRow.district == me.district if me.district else literal(True),
        ~_own(me),
        ~held(),
    )
    if chosen.filed_to:
        fitting = fitting.where(ClaimRow.filed_on <= parse_date(chosen.filed_to, "filed_to"))
    ordered = fitting.order_by(ClaimRow.filed_on, ClaimRow.id)
    ids = list((await tx.execute(ordered.limit(chosen.limit))).scalars())
    barred = await acted_on(tx, "claim", ids, me.person_id, excluded_with(Post.REVIEWER, Scope.CLAIM))
    free = [each for each in ids if each not in barred]
    by = By.actor(me, Post.REVIEWER, now)
    funded, unfunded = await affordable(tx, free, by)
    moved = await move_claims(tx, ClaimAction.APPROVE, funded, by)
    left = (await tx.execute(ordered.limit(APPROVE_MAX))).all()
    return ApprovedView(len(moved), len(left), unfunded)


async def refuse_claim(tx: Tx, me: Actor, claim_id: UUID, refusal: NewRefusal, now: datetime) -> ClaimView:
    """A reviewer refuses, with at least one reason from the list."""
    unknown = [code for code in refusal.reasons if f"reason.{code}" not in wording()]
    if not refusal.reasons or unknown:
        raise Invalid("refusal.reasons", field="reasons", unknown=unknown)
    await must_be_reviewable(tx, me, claim_id)
    await _must_be_checked(tx, claim_id)
    by = By.actor(me, Post.REVIEWER, now)
    reason = " ".join([*refusal.reasons, refusal.note]).strip()
    await move_claim(tx, ClaimAction.REFUSE, claim_id, by, reason=reason)
    return await claim_view(tx, me, claim_id)


async def withdraw_claim(tx: Tx, me: Actor, claim_id: UUID, note: str, now: datetime) -> ClaimView:
    """The trainee withdraws their claim, or the institution the one it filed; it leaves the figures of its day."""
    claim = ClaimRow
    mine = [claim.person_id == me.person_id]
    if me.holds(Post.CLERK):
        mine.append(claim.institution_id == me.institution_id)
    row = (await tx.execute(select(ClaimRow.__table__).where(claim.id == claim_id, or_(*mine)))).one_or_none()
    if row is None:
        raise NotFound("claim.not_found")
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


def _own(me: Actor) -> ColumnElement[bool]:
    """A claim for oneself, or one that any user of the same person filed."""
    same_person = select(UserRow.id).where(UserRow.person_id == me.person_id)
    return or_(ClaimRow.person_id == me.person_id, ClaimRow.filed_by.in_(same_person))


async def must_be_reviewable(tx: Tx, me: Actor, claim_id: UUID) -> None:
    """NotFound outside of the reviewer's district; Forbidden for a claim of one's own or one acted on before."""
    asked = select(_own(me)).where(ClaimRow.id == claim_id, visible_to(me))
    if me.district:
        asked = asked.where(ClaimRow.district == me.district)
    own = (await tx.execute(asked)).scalar_one_or_none()
    if own is None:
        raise NotFound("claim.not_found")
    if own:
        raise Forbidden("claim.own")
    if await acted_on(tx, "claim", [claim_id], me.person_id, excluded_with(Post.REVIEWER, Scope.CLAIM)):
        raise Forbidden("post.excluded")


async def _must_be_checked(tx: Tx, claim_id: UUID) -> None:
    """The lifecycle lets a filed claim be refused, by the rules alone: an officer waits for the registry's answer."""
    status = (await tx.execute(select(ClaimRow.status).where(ClaimRow.id == claim_id))).scalar_one()
    if status == ClaimStatus.FILED:
        raise Conflict("wrong_status", noun="claim", status=status, action=str(ClaimAction.REFUSE))
