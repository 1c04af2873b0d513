"""Bring approved claims before the public, and let them on to the money when the period is over."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import Uuid, exists, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from domain.actor import Actor, Post
from domain.claim import ClaimAction, ClaimStatus
from domain.errors import Conflict, Forbidden
from service.claims.commands.moves import move_claims
from service.claims.queries.care import held
from service.claims.tables import ClaimRow
from service.database import Tx
from service.journal import By, record
from service.notices.queries import lines_of, may_publish, waiting
from service.notices.schemas import NoticeLineView, NoticeView, PublishedView
from service.notices.tables import NoticeLineRow, NoticeRow
from service.policies.queries import deadline
from service.queue import Sweep

#: Lines of one notice; what is beyond waits for the next.
LINES_MAX = 5_000
#: Claims that leave a notice in one transaction.
CLEARED_MAX = 2_000


async def publish_notice(tx: Tx, me: Actor, today: date, now: datetime) -> PublishedView:
    """A notice of the approved claims of the actor's district, the oldest first.

    Its last day is the n-th working day after today, n being the policy `notice_working_days`. Claims that the
    actor reviewed, or that are their own, are left out and counted. Forbidden `post_missing`, `district_missing`;
    Conflict `notice.nothing` when no claim is left to publish, `policy.missing` without a period in force.
    """
    me.must_hold(Post.NOTICE_PUBLISHER)
    if me.district is None:
        raise Forbidden("district_missing")
    claim_ids = await _lock_publishable(tx, me)
    if not claim_ids:
        raise Conflict("notice.nothing", excluded=(await waiting(tx, me))[1])
    lines = await lines_of(tx, claim_ids)
    last = await deadline(tx, "notice_working_days", today)
    notice = NoticeView(uuid4(), me.district, today, last.on, last.provisional, len(lines), content_hash(lines))
    by = By.actor(me, Post.NOTICE_PUBLISHER, now)
    await _store(tx, notice, claim_ids, me, by)
    await move_claims(tx, ClaimAction.PUBLISH, claim_ids, by)
    left, excluded = await waiting(tx, me)
    return PublishedView(**msgspec.structs.asdict(notice), excluded=excluded, left=left)


def content_hash(lines: Sequence[NoticeLineView]) -> str:
    """As `NoticeView` says: anybody who reads every page of a notice can compute it again."""
    whole = hashlib.sha256()
    for line in lines:
        whole.update(msgspec.json.encode(line) + b"\n")
    return whole.hexdigest()


async def _lock_publishable(tx: Tx, me: Actor) -> list[UUID]:
    claim = ClaimRow
    rows = await tx.execute(
        select(claim.id)
        .where(claim.district == me.district, claim.status == str(ClaimStatus.APPROVED), may_publish(me))
        .order_by(claim.filed_on, claim.id)
        .limit(LINES_MAX)
        .with_for_update(of=claim)
    )
    return list(rows.scalars())


async def _store(tx: Tx, notice: NoticeView, claim_ids: Sequence[UUID], me: Actor, by: By) -> None:
    facts = msgspec.structs.asdict(notice)
    await tx.execute(insert(NoticeRow).values(**facts, published_by=me.user_id))
    await tx.execute(
        insert(NoticeLineRow).from_select(
            ["notice_id", "claim_id"],
            select(literal(notice.id, Uuid), func.unnest(literal(list(claim_ids), ARRAY(Uuid)))),
        )
    )
    await record(tx, "notice", [notice.id], "publish", by, [msgspec.to_builtins(facts)])


async def close_portion(tx: Tx, today: date, now: datetime) -> bool:
    """Let up to CLEARED_MAX claims of one notice that is over on to the money; False when no notice is over.

    The notice is closed with its last claim. Another sweep's notice is passed by.
    """
    notice_id = (
        await tx.execute(
            select(NoticeRow.id)
            .where(NoticeRow.closes_on < today, NoticeRow.closed_at.is_(None))
            .order_by(NoticeRow.closes_on, NoticeRow.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
    ).scalar_one_or_none()
    if notice_id is None:
        return False
    by = By(str(Sweep.CLOSE_NOTICES), now)
    claim_ids = await _still_noticed(tx, notice_id, today)
    await move_claims(tx, ClaimAction.CLEAR, claim_ids, by)
    if len(claim_ids) < CLEARED_MAX:
        await tx.execute(update(NoticeRow).where(NoticeRow.id == notice_id).values(closed_at=now))
        await record(tx, "notice", [notice_id], "close", by, [{"closed_at": now.isoformat()}])
    return True


async def clear_lifted(tx: Tx, claim_id: UUID, today: date, by: By) -> None:
    """Let a claim on to the money that was held when its notice was over; before, the sweep does it."""
    still_open = exists().where(
        NoticeLineRow.claim_id == claim_id, NoticeLineRow.notice_id == NoticeRow.id, NoticeRow.closes_on >= today
    )
    if not (await tx.execute(select(still_open))).scalar_one():
        await move_claims(tx, ClaimAction.CLEAR, [claim_id], by)


async def _still_noticed(tx: Tx, notice_id: UUID, today: date) -> list[UUID]:
    """Claims whose period ends with this notice: one that was objected to may stand in a later notice again. One that
    is held stays, and goes on when the hold is lifted."""
    line, later_line, later = NoticeLineRow, aliased(NoticeLineRow), aliased(NoticeRow)
    stands_later = exists().where(
        later_line.claim_id == line.claim_id,
        later_line.notice_id == later.id,
        later.closed_at.is_(None),
        later.closes_on >= today,
    )
    rows = await tx.execute(
        select(line.claim_id)
        .join(ClaimRow, ClaimRow.id == line.claim_id)
        .where(line.notice_id == notice_id, ClaimRow.status == str(ClaimStatus.NOTICED), ~stands_later, ~held())
        .order_by(line.claim_id)
        .limit(CLEARED_MAX)
    )
    return list(rows.scalars())
