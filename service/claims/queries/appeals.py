"""Appeals as who raised them sees them, and the reviewers of the claim's district."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, FromClause, Row, Select, or_, select, tuple_

from domain.actor import Actor, Post
from domain.appeal import Answer
from service.claims.queries.barring import partial_to
from service.claims.queries.care import claimed_by, in_district
from service.claims.queries.refusals import ways_outside
from service.claims.schemas import AppealList, AppealView, RemedyView
from service.claims.tables import ClaimAppealRow, ClaimRow
from service.database import Tx
from service.wording import words

_READERS = (Post.REVIEWER, Post.AUDITOR)


def _appeals() -> Select[*tuple[Any, ...]]:
    row = ClaimAppealRow
    return select(
        *(row.id, row.claim_id, row.reason, row.appealed_at, row.due_on),
        *(row.answer, row.answer_text, row.in_the_way, row.answered_at),
    ).join(ClaimRow, ClaimRow.id == row.claim_id)


async def appeal_view(tx: Tx, appeal_id: UUID, today: date) -> AppealView:
    """An appeal that the caller was allowed to raise or answer."""
    rows = (await tx.execute(_appeals().where(ClaimAppealRow.id == appeal_id))).all()
    return (await _views(tx, rows, today))[0]


async def list_appeals(
    tx: Tx, me: Actor, today: date, cursor: UUID | None, limit: int, *, closed: bool = False
) -> AppealList:
    """A page of the open or of the answered appeals over claims that I may mend, and of those in the district I work
    for, in order of the day by which they are to be answered; `cursor` is the last one seen."""
    rows, following = await page_by_due(tx, me, _appeals(), ClaimAppealRow.__table__, cursor, limit, closed=closed)
    return AppealList(await _views(tx, rows, today), following)


async def page_by_due(
    tx: Tx,
    me: Actor,
    appeals: Select[*tuple[Any, ...]],
    table: FromClause,
    cursor: UUID | None,
    limit: int,
    *,
    closed: bool,
    whose: ColumnElement[bool] | None = None,
) -> tuple[Sequence[Row[Any]], UUID | None]:
    """A page of `appeals`, with their claims beside them, as `list_appeals` says, and where the next one begins.
    `whose`: the claims of which `me` may appeal, where that is not whatever they claimed. An officer reads none of a
    claim to which they are partial."""
    of, mine = table.c, [claimed_by(me) if whose is None else whose]
    if me.holds(*_READERS):
        mine.append(in_district(me) & ~await partial_to(tx, me, ClaimRow.id))
    state = of.answered_at.is_not(None) if closed else of.answered_at.is_(None)
    asked = appeals.where(or_(*mine), state).order_by(of.due_on, of.id).limit(limit + 1)
    if cursor is not None:
        seen = select(of.due_on).where(of.id == cursor).scalar_subquery()
        asked = asked.where(tuple_(of.due_on, of.id) > tuple_(seen, cursor))
    rows = (await tx.execute(asked)).all()
    return rows[:limit], rows[limit - 1].id if len(rows) > limit else None


async def _views(tx: Tx, rows: Sequence[Any], today: date) -> list[AppealView]:
    """One that was not granted says what remains outside of the house."""
    refused = [each.answered_at for each in rows if each.answer not in (None, Answer.GRANTED)]
    ways = await ways_outside(tx, refused)
    return [
        _view(each, [] if each.answer == Answer.GRANTED else ways.get(each.answered_at, []), today) for each in rows
    ]


def _view(row: Any, ways: list[RemedyView], today: date) -> AppealView:
    return AppealView(
        id=row.id,
        claim_id=row.claim_id,
        reason=row.reason,
        appealed_at=row.appealed_at,
        due_on=row.due_on,
        overdue=row.answered_at is None and row.due_on < today,
        answer=row.answer,
        message=words(f"appeal_answer.{row.answer or 'open'}"),
        answer_text=row.answer_text,
        in_the_way=[words(f"appeal_way.{rule}") for rule in row.in_the_way],
        answered_at=row.answered_at,
        remedies=ways,
    )
