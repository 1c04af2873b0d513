"""复核: another person confirms an approval, or overturns it; until then the claim is not published."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update

from domain.actor import Actor, Post
from domain.claim import CLAIM_LIFECYCLE, ClaimAction, ClaimStatus
from domain.errors import Conflict
from domain.second_review import SecondFinding, must_be_open
from domain.text import public_words
from service.claims.commands.leases import give_back
from service.claims.commands.moves import move_claim
from service.claims.queries.barring import must_not_be_barred
from service.claims.queries.care import lock_for_officer
from service.claims.tables import ClaimApprovalRow
from service.database import Tx
from service.journal import By, record
from service.work.queries.approvals import approvals_of
from service.work.schemas import ApprovalsView, NewSecondFinding


async def look_again(tx: Tx, me: Actor, claim_id: UUID, new: NewSecondFinding, now: datetime) -> ApprovalsView:
    """Confirmed, the claim may be published; overturned, it is in review again and its money is free, and its next
    approval is looked at again for certain.

    NotFound `claim.not_found`; refusals as for `must_not_be_barred`; Conflict `wrong_status`, `second_review.none`,
    `second_review.over`; Invalid `words.…`.
    """
    me.must_hold(Post.SECOND_REVIEWER)
    claim = await lock_for_officer(tx, me, claim_id)
    await must_not_be_barred(tx, me, Post.SECOND_REVIEWER, claim_id, now)
    row, by = ClaimApprovalRow, By.actor(me, Post.SECOND_REVIEWER, now)
    asked = select(row.id, row.why, row.finding).where(row.claim_id == claim_id).order_by(row.id.desc()).limit(1)
    last = (await tx.execute(asked)).one_or_none()
    if last is None or not last.why:
        raise Conflict("second_review.none")
    must_be_open(last.finding)
    CLAIM_LIFECYCLE.after(ClaimStatus(claim.status), ClaimAction.OVERTURN)
    overturned = new.finding is SecondFinding.OVERTURNED
    reason = public_words(new.reason, "reason") if overturned or new.reason else ""
    who = {"found_by": me.user_id, "found_person": me.person_id, "found_at": now}
    found = {"finding": str(new.finding), "finding_reason": reason}
    await tx.execute(update(row).where(row.id == last.id).values(**found, **who))
    if overturned:
        await move_claim(tx, ClaimAction.OVERTURN, claim_id, by, reason=reason)
    else:
        await record(tx, "claim", [claim_id], "confirm", by, [{}], reason=reason)
    await give_back(tx, [claim_id])
    return await approvals_of(tx, me, claim_id)
