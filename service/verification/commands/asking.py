"""An officer has the registry asked about one claim again: the check that is owed is made sooner."""

import math
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from domain.actor import Actor, Post
from domain.errors import Conflict, NotFound, Throttled
from service.claims.queries.barring import must_be_impartial
from service.claims.queries.care import in_district
from service.claims.tables import ClaimRow
from service.database import Tx
from service.jobs import hurry
from service.journal import By, record
from service.queue import Job
from service.verification.queries import FILED
from service.verification.queries.asking import (
    ASKED_BY_HAND,
    BY_HAND_EVERY,
    Asking,
    asked_by_hand_at,
    asking_view,
    owed_check,
)
from service.verification.schemas import AskingView


async def ask_again(tx: Tx, me: Actor, claim_id: UUID, now: datetime) -> AskingView:
    """Have it asked about now. A registry that is left alone is not asked for one claim: its rest is the operators'.

    NotFound `claim.not_found`; Forbidden as `must_be_impartial`; Conflict `registry.nothing_owed`,
    `registry.being_asked`, `registry.left_alone` (minutes); Throttled `registry.asked_by_hand` (minutes).
    """
    me.must_hold(Post.REVIEWER)
    mine = select(ClaimRow.status).where(ClaimRow.id == claim_id, in_district(me))
    status = (await tx.execute(mine)).scalar_one_or_none()
    if status is None:
        raise NotFound("claim.not_found")
    await must_be_impartial(tx, me, claim_id)
    # the job and never the claim: who settles locks them in this order
    owed = _must_wait(await owed_check(tx, claim_id, lock=True) if status in FILED else None, now)
    last = await asked_by_hand_at(tx, claim_id)
    if last is not None and last + BY_HAND_EVERY > now:
        raise Throttled("registry.asked_by_hand", minutes=_minutes(last + BY_HAND_EVERY - now))
    await hurry(tx, Job.VERIFY_CERTIFICATE, [claim_id])
    by = By.actor(me, Post.REVIEWER, now)
    await record(tx, ASKED_BY_HAND, [claim_id], "ask_now", by, [{"since": owed.since.isoformat()}])
    return asking_view(await owed_check(tx, claim_id) or owed, now, me, now)


def _must_wait(owed: Asking | None, now: datetime) -> Asking:
    if owed is None or owed.dead:
        raise Conflict("registry.nothing_owed")
    if owed.resting_until:
        raise Conflict("registry.left_alone", minutes=_minutes(owed.resting_until - now))
    if not owed.silent:
        raise Conflict("registry.being_asked")
    return owed


def _minutes(left: timedelta) -> int:
    """Whole minutes, and never none."""
    return max(math.ceil(left / timedelta(minutes=1)), 1)
