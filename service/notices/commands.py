"""Bring approved claims before the public, hear who objects, and let the others on to the money when it is over."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import Row, Uuid, exists, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from domain.actor import Actor, Post
from domain.claim import ClaimAction, ClaimStatus
from domain.errors import Conflict, Forbidden, NotFound
from domain.notice_objection import (
    ANSWER_WORKING_DAYS,
    Standing,
    check_may_object,
    check_not_too_many,
    must_not_answer_oneself,
)
from domain.numbering import OBJECTIONS
from domain.objection import Finding
from domain.text import public_words, trimmed
from service.claims.commands.moves import move_claims
from service.claims.queries.barring import must_not_be_barred
from service.claims.queries.care import held
from service.claims.tables import ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.journal import ANYBODY, By, record
from service.notices.queries import (
    claim_of_line,
    in_district_of,
    lines_of,
    may_publish,
    objected,
    objection_state,
    open_objections,
    waiting,
)
from service.notices.schemas import (
    NewNoticeAnswer,
    NewNoticeObjection,
    NoticeLineView,
    NoticeObjectionReceipt,
    NoticeObjectionState,
    NoticeView,
    PublishedView,
)
from service.notices.tables import NoticeLineRow, NoticeObjectionAnswerRow, NoticeObjectionRow, NoticeRow
from service.policies.queries import deadline, work_calendar
from service.queue import Sweep

#: Lines of one notice; what is beyond waits for the next.
LINES_MAX = 5_000
#: Claims that leave a notice in one transaction.
CLEARED_MAX = 2_000
#: What was found → the action that the journal names.
_ACTIONS = {Finding.UPHELD: "uphold", Finding.NOT_UPHELD: "dismiss"}


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


async def clear_freed(tx: Tx, claim_id: UUID, today: date, by: By) -> None:
    """Let a claim on to the money that was held or objected to when its notice was over, and is not any more; before,
    the sweep does it."""
    line, notice = NoticeLineRow, NoticeRow
    still_open = exists().where(
        line.claim_id == ClaimRow.id,
        line.notice_id == notice.id,
        notice.closes_on >= today,
        notice.closed_at.is_(None),
    )
    free = select(ClaimRow.id).where(ClaimRow.id == claim_id, ~still_open, ~held(), ~objected())
    await move_claims(tx, ClaimAction.CLEAR, list((await tx.execute(free)).scalars()), by)


async def _still_noticed(tx: Tx, notice_id: UUID, today: date) -> list[UUID]:
    """Claims whose period ends with this notice: one that was looked at again may stand in a later notice. One that
    is held, or that somebody objects to, stays, and goes on when that is lifted or answered."""
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
        .where(line.notice_id == notice_id, ClaimRow.status == str(ClaimStatus.NOTICED), ~stands_later)
        .where(~held(), ~objected())
        .order_by(line.claim_id)
        .limit(CLEARED_MAX)
    )
    return list(rows.scalars())


async def object_to(
    tx: Tx,
    me: Actor | None,
    notice_id: UUID,
    new: NewNoticeObjection,
    today: date,
    now: datetime,
    objection_id: UUID | None = None,
) -> NoticeObjectionReceipt:
    """Object to a line of a notice, or to the whole of it, while it stands; the line's money waits for the answer.

    Anybody may; who claims, or claims for others, is remembered as the one who did, any other `me` is nobody.
    `objection_id`: as the form chose it, so that sent twice it is one objection.

    NotFound `notice.not_found`; Invalid `words.empty`, `notice.no_line`; Conflict `notice.over`,
    `notice_objection.standing`, `notice_objection.too_many`.
    """
    said, objector, row = trimmed(new.words, "words", "words"), _objector(me), NoticeObjectionRow
    notice = await _lock_notice(tx, notice_id)
    standing = Standing(notice.closes_on, notice.closed_at is not None, notice.line_count)
    check_may_object(standing, new.line, today)
    claim_id = await claim_of_line(tx, notice_id, new.line) if new.line is not None else None
    standing_open = await open_objections(tx, notice_id, objector.person_id if objector else None)
    if objector and claim_id in standing_open:
        raise Conflict("notice_objection.standing")
    check_not_too_many(len(standing_open), signed_in=objector is not None)
    due, objection_id = work_calendar().add(today, ANSWER_WORKING_DAYS), objection_id or uuid4()
    by = By.actor(objector, _post(objector), now) if objector else By(ANYBODY, now)
    noted = {"notice_id": str(notice_id), "line": new.line, "due_on": due.on.isoformat()}
    await record(tx, "notice_objection", [objection_id], "object", by, [noted])
    contact = new.contact.strip()
    kept = insert(row).values(
        id=objection_id,
        notice_id=notice_id,
        line=new.line,
        claim_id=claim_id,
        words_sealed=keyring().seal(said, objection_id),
        contact_sealed=keyring().seal(contact, objection_id) if contact else None,
        person_id=objector and objector.person_id,
        filed_on=today,
        filed_at=now,
        due_on=due.on,
    )
    serial = (await tx.execute(kept.returning(row.serial))).scalar_one()
    return NoticeObjectionReceipt(objection_id, due.on, due.provisional, OBJECTIONS.number(serial))


async def _review_again(tx: Tx, claim_id: UUID, by: By, reason: str) -> None:
    """Also one that was reviewed anew meanwhile, for another objection: nobody had read this one then."""
    if not await move_claims(tx, ClaimAction.OBJECT, [claim_id], by, reason=reason):
        await move_claims(tx, ClaimAction.QUESTION, [claim_id], by, reason=reason)


async def answer_objection(
    tx: Tx, me: Actor, objection_id: UUID, new: NewNoticeAnswer, today: date, now: datetime
) -> NoticeObjectionState:
    """The desk that runs the notice answers, once. Upheld, the claim is reviewed again; not upheld, it goes on when
    nothing else keeps it.

    NotFound `notice_objection.not_found`; Invalid `words.…`; Forbidden `notice_objection.own`, and as
    `must_not_be_barred`: who reviewed a claim says nothing of what the public has against it; Conflict
    `notice_objection.answered`, `claim.leased`.
    """
    me.must_hold(Post.NOTICE_PUBLISHER)
    answer, row, answered = public_words(new.answer, "answer"), NoticeObjectionRow, NoticeObjectionAnswerRow
    asked = select(row.claim_id, row.person_id).join(NoticeRow, NoticeRow.id == row.notice_id)
    found = (await tx.execute(asked.where(row.id == objection_id, in_district_of(me)))).one_or_none()
    if found is None:
        raise NotFound("notice_objection.not_found")
    must_not_answer_oneself(me.person_id, found.person_id)
    if found.claim_id is not None:
        await tx.execute(select(ClaimRow.id).where(ClaimRow.id == found.claim_id).with_for_update(key_share=True))
        await must_not_be_barred(tx, me, Post.NOTICE_PUBLISHER, found.claim_id, now)
    if (await tx.execute(select(exists().where(answered.objection_id == objection_id)))).scalar_one():
        raise Conflict("notice_objection.answered")
    by, told = By.actor(me, Post.NOTICE_PUBLISHER, now), {"finding": str(new.finding), "answered_on": today}
    noted = {"finding": str(new.finding), "answered_on": today.isoformat()}
    await record(tx, "notice_objection", [objection_id], _ACTIONS[new.finding], by, [noted], reason=answer)
    who = {"answered_by": me.user_id, "answered_person": me.person_id, "answered_at": now}
    await tx.execute(insert(answered).values(objection_id=objection_id, answer=answer, **told, **who))
    if found.claim_id is not None and new.finding is Finding.UPHELD:
        await _review_again(tx, found.claim_id, by, answer)
    elif found.claim_id is not None:
        await clear_freed(tx, found.claim_id, today, by)
    return await objection_state(tx, objection_id, today)


def _objector(me: Actor | None) -> Actor | None:
    """Me, where I claim, or claim for others; whoever works here objects as anybody does."""
    return me if me and me.holds(Post.TRAINEE, Post.CLERK) else None


def _post(me: Actor) -> Post:
    return Post.TRAINEE if me.holds(Post.TRAINEE) else Post.CLERK


async def _lock_notice(tx: Tx, notice_id: UUID) -> Row[date, datetime | None, int]:
    """So that it is not closed meanwhile, and objections to it are counted one after the other."""
    asked = select(NoticeRow.closes_on, NoticeRow.closed_at, NoticeRow.line_count).where(NoticeRow.id == notice_id)
    found = (await tx.execute(asked.with_for_update(key_share=True))).one_or_none()
    if found is None:
        raise NotFound("notice.not_found")
    return found
