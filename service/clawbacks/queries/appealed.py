"""Appeals against demands, as who has to pay back sees them, and the reviewers of the claim's district."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, exists, false, or_, select

from domain.actor import Actor, Post
from domain.clawback import Cause, ClawbackStatus, clawback_number
from service.claims.queries.appeals import page_by_due
from service.claims.queries.refusals import ways_outside
from service.claims.schemas import RemedyView
from service.claims.tables import ClaimRow
from service.clawbacks.schemas import ClawbackAppealList, ClawbackAppealView
from service.clawbacks.tables import ClawbackAppealRow, ClawbackRow, ClawbackWaiverRow
from service.database import Tx
from service.wording import words


def paid_to_me(me: Actor) -> ColumnElement[bool]:
    """Claims whose money came to `me`."""
    return and_(ClaimRow.person_id == me.person_id, ClaimRow.payee_institution_id.is_(None))


def paid_to_us(me: Actor) -> ColumnElement[bool]:
    """Claims whose money came to the institution that `me` files for; none for whoever files for none."""
    if not me.holds(Post.CLERK) or me.institution_id is None:
        return false()
    return ClaimRow.payee_institution_id == me.institution_id


def demanded_from(me: Actor) -> ColumnElement[bool]:
    """Claims whose money came to `me`, or to the institution that I file for."""
    return or_(paid_to_me(me), paid_to_us(me))


def _appeals() -> Select[*tuple[Any, ...]]:
    row, back, waiver = ClawbackAppealRow, ClawbackRow, ClawbackWaiverRow
    to_be_waived = exists().where(waiver.clawback_id == back.id, waiver.answered_at.is_(None))
    return (
        select(*row.__table__.c, back.serial, back.claim_id, back.cause, back.amount_fen, back.note)
        .add_columns(back.status, to_be_waived.label("to_be_waived"))
        .join(back, back.id == row.clawback_id)
        .join(ClaimRow, ClaimRow.id == back.claim_id)
    )


async def appeal_view(tx: Tx, appeal_id: UUID, today: date) -> ClawbackAppealView:
    """An appeal that the caller was allowed to raise or answer."""
    return (await _views(tx, (await tx.execute(_appeals().where(ClawbackAppealRow.id == appeal_id))).all(), today))[0]


async def appeals_against(tx: Tx, clawback_ids: Sequence[UUID], today: date) -> dict[UUID, ClawbackAppealView]:
    """Those against clawbacks that the caller may see, by clawback."""
    rows = (await tx.execute(_appeals().where(ClawbackAppealRow.clawback_id.in_(clawback_ids)))).all()
    return {each.clawback_id: each for each in await _views(tx, rows, today)}


async def list_appeals(
    tx: Tx, me: Actor, today: date, cursor: UUID | None, limit: int, *, closed: bool = False
) -> ClawbackAppealList:
    """A page of those against demands that came to me, or in the district I work for, by the day they are due."""
    table = ClawbackAppealRow.__table__
    rows, following = await page_by_due(
        tx, me, _appeals(), table, cursor, limit, closed=closed, whose=demanded_from(me)
    )
    return ClawbackAppealList(await _views(tx, rows, today), following)


async def _views(tx: Tx, rows: Sequence[Row[Any]], today: date) -> list[ClawbackAppealView]:
    """One that was not granted says what remains outside of the house."""
    ways = await ways_outside(tx, [each.answered_at for each in rows if each.granted is False])
    return [_view(each, ways.get(each.answered_at, []), today) for each in rows]


def _view(row: Row[Any], ways: list[RemedyView], today: date) -> ClawbackAppealView:
    return ClawbackAppealView(
        id=row.id,
        clawback_id=row.clawback_id,
        claim_id=row.claim_id,
        number=clawback_number(row.serial),
        cause=Cause(row.cause),
        cause_name=words(f"clawback_cause.{row.cause}"),
        amount_fen=row.amount_fen,
        note=row.note,
        reason=row.reason,
        appealed_at=row.appealed_at,
        due_on=row.due_on,
        overdue=row.answered_at is None and row.due_on < today,
        granted=row.granted,
        message=words(f"clawback_appeal_answer.{_state(row)}"),
        answer_text=row.answer_text,
        answered_at=row.answered_at,
        remedies=ways,
    )


def _state(row: Row[Any]) -> str:
    """Granted, it is not settled before another person has agreed to the waiver, and perhaps they do not."""
    if not row.granted:
        return "open" if row.granted is None else "denied"
    if row.status in (ClawbackStatus.WAIVED, ClawbackStatus.REPAID):
        return str(row.status)
    return "granted" if row.to_be_waived else "declined"
