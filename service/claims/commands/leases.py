"""领取: an officer takes claims for some minutes, so that two do not do the same; what is over counts no more."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Uuid, delete, func, literal, text
from sqlalchemy.dialects.postgresql import ARRAY

from domain.actor import Actor
from service.claims.tables import ClaimLeaseRow
from service.database import Tx
from service.policies.queries import required

# Whom another took in the meantime they keep; whoever has one takes it for longer.
_TAKE = text("""
    INSERT INTO claim_leases AS l (claim_id, user_id, person_id, taken_at, until)
    SELECT id, :user, :person, :now, :until FROM unnest(CAST(:ids AS uuid[])) AS id ORDER BY id
    ON CONFLICT (claim_id) DO UPDATE SET user_id = excluded.user_id, person_id = excluded.person_id,
                                         taken_at = excluded.taken_at, until = excluded.until
     WHERE l.until <= :now OR l.person_id = excluded.person_id
    RETURNING claim_id
""")


async def lease_until(tx: Tx, today: date, now: datetime) -> datetime:
    """Conflict `policy.missing` where the city has not set `review_lease_minutes`."""
    (minutes,) = await required(tx, today, "review_lease_minutes")
    return now + timedelta(minutes=minutes)


async def take(tx: Tx, me: Actor, claim_ids: Sequence[UUID], now: datetime, until: datetime) -> list[UUID]:
    """Take these until then; those that nobody else has."""
    given: dict[str, Any] = {"user": me.user_id, "person": me.person_id, "ids": list(claim_ids)}
    return list((await tx.execute(_TAKE, {**given, "now": now, "until": until})).scalars())


async def give_back(tx: Tx, claim_ids: Sequence[UUID], me: Actor | None = None) -> int:
    """Nobody has these any more; with `me`, those that they have. How many."""
    row = ClaimLeaseRow
    these = delete(row).where(row.claim_id == func.any(literal(list(claim_ids), ARRAY(Uuid))))
    if me is not None:
        these = these.where(row.person_id == me.person_id)
    return (await tx.execute(these)).rowcount
