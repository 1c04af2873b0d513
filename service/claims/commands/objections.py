"""异议: a trainee objects to a claim that an institution was paid for in their name; a reviewer looks into it."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import exists, insert, or_, select, update

from domain.actor import Actor, Post
from domain.claim import Channel, ClaimStatus
from domain.errors import Conflict, NotFound
from domain.objection import Finding, check_may_object
from domain.text import trimmed
from service.claims.queries.barring import must_be_impartial
from service.claims.queries.care import in_district
from service.claims.queries.objections import objection_view
from service.claims.schemas import NewFinding, NewObjection, ObjectionView
from service.claims.tables import ClaimObjectionRow, ClaimRow, MandateRevocationRow
from service.database import Tx
from service.jobs import owe
from service.journal import By, record
from service.queue import Job

#: What the review found → the action that the journal names.
_ACTIONS = {Finding.UPHELD: "uphold", Finding.NOT_UPHELD: "dismiss"}


async def object_to(tx: Tx, me: Actor, claim_id: UUID, new: NewObjection, now: datetime) -> ObjectionView:
    """Object to one's own claim that an institution filed and that is paid: from now on a review is open.

    NotFound `claim.not_found`; Invalid `words.empty`; Conflict as `domain.objection.check_may_object` says, and
    `objection.standing` while one is open or was upheld.
    """
    me.must_hold(Post.TRAINEE)
    reason = trimmed(new.reason, "reason", "words")
    claim = ClaimRow
    revoked = exists().where(MandateRevocationRow.mandate_id == claim.mandate_id)
    asked = select(claim.channel, claim.status, revoked.label("revoked"))
    mine = asked.where(claim.id == claim_id, claim.person_id == me.person_id).with_for_update(of=claim)
    found = (await tx.execute(mine)).one_or_none()
    if found is None:
        raise NotFound("claim.not_found")
    check_may_object(Channel(found.channel), ClaimStatus(found.status), new.ground, revoked=found.revoked)
    if await _stands(tx, claim_id):
        raise Conflict("objection.standing")
    objection_id, raised = uuid4(), {"claim_id": claim_id, "ground": str(new.ground)}
    await tx.execute(
        insert(ClaimObjectionRow).values(
            id=objection_id,
            reason=reason,
            raised_by=me.user_id,
            raised_person=me.person_id,
            raised_at=now,
            **raised,
        )
    )
    by, noted = By.actor(me, Post.TRAINEE, now), {**raised, "claim_id": str(claim_id)}
    await record(tx, "claim_objection", [objection_id], "object", by, [noted], reason=f"{new.ground} {reason}")
    return await objection_view(tx, objection_id)


async def close_objection(tx: Tx, me: Actor, objection_id: UUID, new: NewFinding, now: datetime) -> ObjectionView:
    """A reviewer of the claim's district says what they found. Upheld, what was paid is owed back.

    NotFound `objection.not_found`; Forbidden as for `must_be_impartial`; Invalid `words.empty`; Conflict
    `objection.closed`.
    """
    me.must_hold(Post.REVIEWER)
    reason, row = trimmed(new.reason, "reason", "words"), ClaimObjectionRow
    asked = (
        select(row.closed_at, row.claim_id)
        .join(ClaimRow, ClaimRow.id == row.claim_id)
        .where(row.id == objection_id, in_district(me))
        .with_for_update(of=row)
    )
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("objection.not_found")
    await must_be_impartial(tx, me, found.claim_id)
    if found.closed_at is not None:
        raise Conflict("objection.closed")
    closed = {
        "finding": str(new.finding),
        "finding_reason": reason,
        "closed_by": me.user_id,
        "closed_person": me.person_id,
        "closed_at": now,
    }
    await tx.execute(update(row).where(row.id == objection_id).values(**closed))
    by, noted = By.actor(me, Post.REVIEWER, now), {"finding": str(new.finding), "closed_at": now.isoformat()}
    action = _ACTIONS[new.finding]
    await record(tx, "claim_objection", [objection_id], action, by, [noted], reason=f"{new.finding} {reason}")
    if new.finding is Finding.UPHELD:
        await owe(tx, Job.RAISE_CLAWBACK, found.claim_id)
    return await objection_view(tx, objection_id)


async def _stands(tx: Tx, claim_id: UUID) -> bool:
    row = ClaimObjectionRow
    standing = exists().where(row.claim_id == claim_id, or_(row.closed_at.is_(None), row.finding == Finding.UPHELD))
    return bool((await tx.execute(select(standing))).scalar_one())
