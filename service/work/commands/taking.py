"""领取, 退回, 回避: take what waits next, give it back, and leave a claim to others for good."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.claim import ClaimStatus
from domain.errors import Conflict, Invalid
from domain.text import public_words
from service.claims.commands.leases import give_back, lease_until, take
from service.claims.queries.barring import must_not_be_barred
from service.claims.queries.care import lock_for_officer
from service.claims.tables import ClaimRecusalRow
from service.database import Tx
from service.journal import By, record
from service.work.queries.kinds import SOURCES
from service.work.queries.waiting import Chosen, waiting
from service.work.schemas import Kind, LeasesView, LeaseView, NewRecusal, NewTaking, RecusedView

#: Who looks at a claim in which status, in which post.
LOOKS = (Post.REVIEWER, Post.SECOND_REVIEWER)
_LOOKED_AT = {
    ClaimStatus.VERIFIED: Post.REVIEWER,
    ClaimStatus.IN_REVIEW: Post.REVIEWER,
    ClaimStatus.APPROVED: Post.SECOND_REVIEWER,
}
#: Of these kinds there are no claims to take: each is answered once.
_NOT_TAKEN = (Kind.APPEAL, Kind.AMOUNT_APPEAL, Kind.DEMAND_APPEAL, Kind.OBJECTION)


async def take_next(tx: Tx, me: Actor, new: NewTaking, today: date, now: datetime) -> LeasesView:
    """The next ones that nobody has taken; two who ask at once get different ones.

    Invalid `work.not_taken` for a kind of which nothing is taken; Forbidden `post_missing`; Conflict
    `policy.missing`.
    """
    if new.kind in _NOT_TAKEN:
        raise Invalid("work.not_taken", field="kind")
    me.must_hold(SOURCES[new.kind].post)
    until, taken = await lease_until(tx, today, now), list[UUID]()
    while len(taken) < new.count:
        rows = await waiting(tx, me, new.kind, Chosen(), now, new.count - len(taken), to_take=True)
        if not rows:
            break
        # some may have been taken by another between the question and its answer: then it is asked again
        taken += await take(tx, me, [row.claim_id for row in rows], now, until)
    return LeasesView([LeaseView(each, until) for each in taken])


async def take_one(tx: Tx, me: Actor, claim_id: UUID, today: date, now: datetime) -> LeaseView:
    """This claim, or for longer; refusals as for `must_not_be_barred`; NotFound; Conflict `wrong_status`."""
    claim = await lock_for_officer(tx, me, claim_id)
    post = _LOOKED_AT.get(ClaimStatus(claim.status))
    if post is None:
        raise Conflict("wrong_status", noun="claim", status=claim.status, action="take")
    me.must_hold(post)
    await must_not_be_barred(tx, me, post, claim_id, now)
    until = await lease_until(tx, today, now)
    await take(tx, me, [claim_id], now, until)
    return LeaseView(claim_id, until)


async def return_one(tx: Tx, me: Actor, claim_id: UUID) -> LeaseView:
    """Others may take it again. NotFound; nothing happens where I do not have it."""
    await lock_for_officer(tx, me, claim_id)
    await give_back(tx, [claim_id], me)
    return LeaseView(claim_id, None)


async def recuse(tx: Tx, me: Actor, claim_id: UUID, new: NewRecusal, now: datetime) -> RecusedView:
    """Leave a claim to others, for good: whoever doubts that they are impartial says why. NotFound; Invalid
    `words.…`."""
    me.must_hold(*LOOKS)
    await lock_for_officer(tx, me, claim_id)
    row, reason = ClaimRecusalRow, public_words(new.reason, "reason")
    about = {"claim_id": claim_id, "person_id": me.person_id, "user_id": me.user_id}
    new_row = upsert(row).values(**about, reason=reason, recused_at=now).on_conflict_do_nothing()
    if (await tx.execute(new_row.returning(row.claim_id))).first() is not None:
        by = By.actor(me, next(post for post in LOOKS if me.holds(post)), now)
        await record(tx, "claim_recusal", [claim_id], "recuse", by, [{"person_id": str(me.person_id)}], reason=reason)
    await give_back(tx, [claim_id], me)
    return RecusedView(claim_id)
