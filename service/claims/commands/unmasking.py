"""显示完整信息: whoever needs a claimant's numbers says why, and sees them for some minutes; the journal keeps it."""

from datetime import datetime
from uuid import UUID

from domain.actor import Actor, Post
from domain.errors import Invalid
from service.claims.queries.barring import must_be_impartial
from service.claims.queries.care import lock_for_officer
from service.claims.queries.claimants import IN_CLEAR_FOR, UNMASKED
from service.claims.schemas import NewUnmasking, UnmaskedView
from service.database import Tx
from service.journal import By, record
from service.wording import wording

#: Who works on a claim with the person, or on what the person says.
UNMASKERS = (Post.ACCEPTOR, Post.REVIEWER, Post.SECOND_REVIEWER)


async def unmask(tx: Tx, me: Actor, claim_id: UUID, new: NewUnmasking, now: datetime) -> UnmaskedView:
    """From now on I see the claimant in clear, for some minutes. What is answered holds nothing of a person, so that
    it may be kept. Invalid `unmasking.why` for a reason that is not of the list; NotFound; Forbidden as
    `must_be_impartial`."""
    me.must_hold(*UNMASKERS)
    if f"unmask.{new.why}" not in wording():
        raise Invalid("unmasking.why", field="why")
    await lock_for_officer(tx, me, claim_id)
    await must_be_impartial(tx, me, claim_id)
    by = By.actor(me, next(post for post in UNMASKERS if me.holds(post)), now)
    await record(tx, UNMASKED, [claim_id], "unmask", by, [{"why": new.why}], reason=new.why)
    return UnmaskedView(claim_id, now + IN_CLEAR_FOR)
