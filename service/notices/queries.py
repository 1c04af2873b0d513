"""What stands before the public, masked, and who objects to it."""

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Uuid, and_, exists, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from domain.actor import Actor, Post, Scope, excluded_with
from domain.claim import ClaimStatus
from domain.errors import NotFound
from domain.identity import NationalId
from domain.level import LEVELS
from domain.money import format_yuan
from domain.numbering import OBJECTIONS
from domain.objection import Finding
from service.catalog.tables import CatalogItemRow
from service.claims.queries.barring import left_to_others
from service.claims.queries.care import looked_at_again
from service.claims.tables import ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.institutions.tables import InstitutionRow
from service.journal import JournalRow
from service.notices.schemas import (
    NoticeLineView,
    NoticeObjectionList,
    NoticeObjectionState,
    NoticeObjectionView,
    NoticePageView,
    NoticeView,
    PublishableView,
)
from service.notices.tables import NoticeLineRow, NoticeObjectionAnswerRow, NoticeObjectionRow, NoticeRow
from service.people.tables import PersonRow
from service.policies.queries import deadline
from service.wording import words

#: Lines on a page; notices in the list of open ones (a district has a few at a time).
PAGE_MAX = 200
NOTICES_MAX = 500
#: The first lines of what could be published.
PREVIEWED = 20

_VIEW = (
    NoticeRow.id,
    NoticeRow.district,
    NoticeRow.opens_on,
    NoticeRow.closes_on,
    NoticeRow.provisional,
    NoticeRow.line_count,
    NoticeRow.content_hash,
)


def _is_open(today: date) -> ColumnElement[bool]:
    """Down after its last day, whether the sweep has come by or not."""
    return and_(NoticeRow.closed_at.is_(None), NoticeRow.closes_on >= today)


async def open_notices(tx: Tx, today: date) -> list[NoticeView]:
    """Every notice before the public, the newest first."""
    rows = await tx.execute(
        select(*_VIEW).where(_is_open(today)).order_by(NoticeRow.opens_on.desc(), NoticeRow.id).limit(NOTICES_MAX)
    )
    return [NoticeView(*row) for row in rows]


async def notice_page(
    tx: Tx, notice_id: UUID, today: date, after: UUID | None = None, limit: int = PAGE_MAX
) -> NoticePageView | None:
    """Up to `limit` lines behind the cursor `after`; None once the notice is taken down.

    NotFound `notice.not_found` when there never was such a notice.
    """
    found = (
        await tx.execute(select(*_VIEW, _is_open(today).label("open")).where(NoticeRow.id == notice_id))
    ).one_or_none()
    if found is None:
        raise NotFound("notice.not_found")
    if not found.open:
        return None
    line = NoticeLineRow
    asked = (
        _shown().join(line, line.claim_id == ClaimRow.id).where(line.notice_id == notice_id).order_by(line.claim_id)
    )
    if after is not None:
        asked = asked.where(line.claim_id > after)
    rows = (await tx.execute(asked.limit(limit + 1))).all()
    more = rows[limit - 1].id if len(rows) > limit else None
    first = 1 if after is None else 1 + await _lines_up_to(tx, notice_id, after)
    return NoticePageView(NoticeView(*found[:-1]), await _masked(rows[:limit]), more, first)


async def _lines_up_to(tx: Tx, notice_id: UUID, claim_id: UUID) -> int:
    line = NoticeLineRow
    asked = select(func.count()).select_from(line).where(line.notice_id == notice_id, line.claim_id <= claim_id)
    return (await tx.execute(asked)).scalar_one()


async def lines_of(tx: Tx, claim_ids: Sequence[UUID]) -> list[NoticeLineView]:
    """The lines of these claims as a notice shows them, in its order (by id of claim)."""
    these = ClaimRow.id == func.any(literal(list(claim_ids), ARRAY(Uuid)))
    rows = await tx.execute(_shown().where(these).order_by(ClaimRow.id))
    return await _masked(rows.all())


def may_publish(me: Actor) -> ColumnElement[bool]:
    """Whether this person may publish a claim: it is not their own, they held no excluding post on it, and nobody has
    yet to look at its approval again."""
    posts = [str(post) for post in excluded_with(Post.NOTICE_PUBLISHER, Scope.CLAIM)]
    acted = exists().where(
        JournalRow.subject_kind == "claim",
        JournalRow.subject_id == ClaimRow.id,
        JournalRow.actor_person_id == me.person_id,
        JournalRow.actor_name.in_(posts),
    )
    return ~or_(ClaimRow.person_id == me.person_id, acted, looked_at_again())


async def waiting(tx: Tx, me: Actor) -> tuple[int, int]:
    """Approved claims of the actor's district that they may publish, and that they may not."""
    mine = may_publish(me)
    counts = await tx.execute(
        select(func.count().filter(mine), func.count().filter(~mine))
        .select_from(ClaimRow)
        .where(ClaimRow.district == me.district, ClaimRow.status == str(ClaimStatus.APPROVED))
    )
    left, excluded = counts.one()
    return left, excluded


async def publishable(tx: Tx, me: Actor, today: date) -> PublishableView:
    """What `publish_notice` would bring before the public now, as it would be shown there: the first lines, the
    oldest claims. Conflict `policy.missing`."""
    claim, count = ClaimRow, func.count()
    where = claim.district == me.district, claim.status == str(ClaimStatus.APPROVED), may_publish(me)
    told, sum_fen = (
        await tx.execute(select(count, func.coalesce(func.sum(claim.amount_fen), 0)).where(*where))
    ).one()
    first = await tx.execute(select(claim.id).where(*where).order_by(claim.filed_on, claim.id).limit(PREVIEWED))
    last, (_, excluded) = await deadline(tx, "notice_working_days", today), await waiting(tx, me)
    lines = await lines_of(tx, list(first.scalars()))
    return PublishableView(told, int(sum_fen), excluded, last.on, last.provisional, lines)


def _shown() -> Select[*tuple[Any, ...]]:
    claim = ClaimRow
    return (
        select(
            claim.id,
            claim.person_id,
            PersonRow.name_sealed,
            PersonRow.id_number_sealed,
            CatalogItemRow.name.label("occupation"),
            claim.level,
            claim.amount_fen,
            func.coalesce(InstitutionRow.name, "").label("institution"),
        )
        .join(PersonRow, PersonRow.id == claim.person_id)
        .join(CatalogItemRow, CatalogItemRow.id == claim.item_id)
        .outerjoin(InstitutionRow, InstitutionRow.id == claim.institution_id)
    )


async def _masked(rows: Sequence[Row[Any]]) -> list[NoticeLineView]:
    """In a thread: opening thousands of envelopes would hold up everybody else's requests."""
    return await asyncio.to_thread(lambda: [_line(row) for row in rows])


def _line(row: Row[Any]) -> NoticeLineView:
    keys = keyring()
    return NoticeLineView(
        keys.open(row.name_sealed, row.person_id),
        NationalId(keys.open(row.id_number_sealed, row.person_id)).masked(),
        row.occupation,
        LEVELS[row.level].name,
        format_yuan(row.amount_fen),
        row.amount_fen,
        row.institution,
    )


# ---- objections


def objected() -> ColumnElement[bool]:
    """Claims of which a line is objected to, and nobody has answered yet."""
    row, answer = NoticeObjectionRow, NoticeObjectionAnswerRow
    return exists().where(row.claim_id == ClaimRow.id, ~exists().where(answer.objection_id == row.id))


def in_district_of(me: Actor) -> ColumnElement[bool]:
    """Notices of the district `me` works for; every one for whoever works for the city."""
    return NoticeRow.district == me.district if me.district else NoticeRow.id.is_not(None)


async def claim_of_line(tx: Tx, notice_id: UUID, line: int) -> UUID:
    """The claim in the n-th line, from 1, of those that a notice has."""
    row = NoticeLineRow
    asked = select(row.claim_id).where(row.notice_id == notice_id).order_by(row.claim_id).offset(line - 1).limit(1)
    return (await tx.execute(asked)).scalar_one()


async def line_shown(tx: Tx, notice_id: UUID, line: int) -> NoticeLineView | None:
    """The n-th line as the public reads it; None where there is no such line."""
    row = NoticeLineRow
    asked = _shown().join(row, row.claim_id == ClaimRow.id).where(row.notice_id == notice_id).order_by(row.claim_id)
    shown = await _masked((await tx.execute(asked.offset(line - 1).limit(1))).all())
    return shown[0] if shown else None


async def open_objections(tx: Tx, notice_id: UUID, person_id: UUID | None) -> list[UUID | None]:
    """The claims (None: the whole notice) to which one person objects, or all who were not signed in, unanswered."""
    row, answer = NoticeObjectionRow, NoticeObjectionAnswerRow
    of = row.person_id.is_(None) if person_id is None else row.person_id == person_id
    unanswered = ~exists().where(answer.objection_id == row.id)
    return list((await tx.execute(select(row.claim_id).where(row.notice_id == notice_id, of, unanswered))).scalars())


async def answered_by(tx: Tx, claim_ids: Sequence[UUID]) -> dict[UUID, date]:
    """By which day the last objection to each of these claims is answered; those that nobody objects to are left
    out."""
    row, answer = NoticeObjectionRow, NoticeObjectionAnswerRow
    asked = select(row.claim_id, func.max(row.due_on)).where(
        row.claim_id == func.any(literal(list(claim_ids), ARRAY(Uuid))),
        ~exists().where(answer.objection_id == row.id),
    )
    return {claim: due_on for claim, due_on in await tx.execute(asked.group_by(row.claim_id)) if claim is not None}


async def objections_waiting(tx: Tx, me: Actor) -> tuple[int, date | None]:
    """How many objections to my district's notices I may answer, and by when the first of them is to be answered."""
    row, answer = NoticeObjectionRow, NoticeObjectionAnswerRow
    asked = select(func.count(), func.min(row.due_on)).select_from(row).join(NoticeRow, NoticeRow.id == row.notice_id)
    mine = await _mine_to_answer(tx, me)
    found = await tx.execute(asked.where(mine, ~exists().where(answer.objection_id == row.id)))
    count, first = found.one()
    return count, first


async def _mine_to_answer(tx: Tx, me: Actor) -> ColumnElement[bool]:
    """Those to my district's notices, without what is said of claims that I leave to others."""
    left = await left_to_others(tx, me, Post.NOTICE_PUBLISHER, NoticeObjectionRow.claim_id)
    return and_(in_district_of(me), ~left)


def _objections() -> Select[*tuple[Any, ...]]:
    row, answer = NoticeObjectionRow, NoticeObjectionAnswerRow
    return (
        select(*row.__table__.c, NoticeRow.district, NoticeRow.opens_on)
        .add_columns(answer.finding, answer.answer, answer.answered_on, answer.answered_at)
        .join(NoticeRow, NoticeRow.id == row.notice_id)
        .outerjoin(answer, answer.objection_id == row.id)
    )


async def objection_state(tx: Tx, objection_id: UUID, today: date) -> NoticeObjectionState:
    """For whoever has its number. NotFound `notice_objection.not_found`."""
    found = (await tx.execute(_objections().where(NoticeObjectionRow.id == objection_id))).one_or_none()
    if found is None:
        raise NotFound("notice_objection.not_found")
    return NoticeObjectionState(**_state(found, today))


async def objection_known(tx: Tx, objection_id: UUID) -> bool:
    """Whether there is one of that number already."""
    return bool((await tx.execute(select(exists().where(NoticeObjectionRow.id == objection_id)))).scalar_one())


async def my_objections(tx: Tx, me: Actor, today: date, limit: int | None) -> list[NoticeObjectionState]:
    """What I objected to while I was signed in, the latest first; `limit` None: all of it."""
    row = NoticeObjectionRow
    asked = _objections().where(row.person_id == me.person_id).order_by(row.filed_at.desc(), row.id).limit(limit)
    return [NoticeObjectionState(**_state(each, today)) for each in await tx.execute(asked)]


async def list_objections(
    tx: Tx, me: Actor, today: date, cursor: UUID | None, limit: int, *, closed: bool = False, number: str = ""
) -> NoticeObjectionList:
    """A page of the objections to my district's notices: what waits, due first, or what is answered, the latest
    first; `cursor` is the last one seen. With a `number` the one that has it, answered or not. Without those to
    claims that are mine, a relative's, or that I left to others or acted on in another post."""
    row, answer = NoticeObjectionRow, NoticeObjectionAnswerRow
    asked = _objections().where(await _mine_to_answer(tx, me))
    further: ColumnElement[bool] = literal(value=True)
    if number:
        asked = asked.where(row.serial == OBJECTIONS.typed(number))
    elif closed:
        asked = asked.where(answer.objection_id.is_not(None)).order_by(answer.answered_at.desc(), row.id.desc())
        last = select(answer.answered_at).where(answer.objection_id == cursor).correlate(None).scalar_subquery()
        further = tuple_(answer.answered_at, row.id) < tuple_(last, cursor)
    else:
        asked = asked.where(answer.objection_id.is_(None)).order_by(row.due_on, row.id)
        seen = select(row.due_on).where(row.id == cursor).correlate(None).scalar_subquery()
        further = tuple_(row.due_on, row.id) > tuple_(seen, cursor)
    rows = (await tx.execute((asked if cursor is None else asked.where(further)).limit(limit + 1))).all()
    shown = await _lines_by_claim(tx, [each.claim_id for each in rows if each.claim_id])
    views = [_desk_view(each, shown.get(each.claim_id), today) for each in rows[:limit]]
    return NoticeObjectionList(views, rows[limit - 1].id if len(rows) > limit else None)


async def _lines_by_claim(tx: Tx, claim_ids: Sequence[UUID]) -> dict[UUID, NoticeLineView]:
    these = ClaimRow.id == func.any(literal(list(claim_ids), ARRAY(Uuid)))
    rows = (await tx.execute(_shown().where(these))).all() if claim_ids else []
    return dict(zip((each.id for each in rows), await _masked(rows), strict=True))


def _state(row: Any, today: date) -> dict[str, Any]:
    finding = Finding(row.finding) if row.finding else None
    said = f"{finding}_whole" if finding is Finding.UPHELD and row.line is None else finding
    return {
        "id": row.id,
        "number": OBJECTIONS.number(row.serial),
        "notice_id": row.notice_id,
        "district": row.district,
        "opens_on": row.opens_on,
        "line": row.line,
        "filed_on": row.filed_on,
        "due_on": row.due_on,
        "overdue": (row.answered_on or today) > row.due_on,
        "finding": finding,
        "message": words(f"notice_finding.{said or 'open'}"),
        "answer": row.answer or "",
        "answered_on": row.answered_on,
    }


def _desk_view(row: Any, shown: NoticeLineView | None, today: date) -> NoticeObjectionView:
    keys = keyring()
    return NoticeObjectionView(
        **_state(row, today),
        words=keys.open(row.words_sealed, row.id),
        contact=keys.open(row.contact_sealed, row.id) if row.contact_sealed else "",
        signed_in=row.person_id is not None,
        claim_id=row.claim_id,
        shown=shown,
    )
