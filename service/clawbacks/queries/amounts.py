"""Appeals on the amount that was paid, with what the rules and standards as they stand now would give."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from domain.actor import Actor
from domain.clawback import Cause, Paid
from domain.eligibility import amount_due
from service.catalog.tables import CatalogItemRow
from service.claims.queries.again import asked_again
from service.claims.queries.appeals import page_by_due
from service.claims.queries.care import claimed_by
from service.claims.queries.facts import facts_for
from service.claims.queries.refusals import ways_outside
from service.claims.schemas import RemedyView
from service.claims.tables import ClaimRow
from service.clawbacks.queries.paid import paid_of
from service.clawbacks.schemas import AmountAppealList, AmountAppealView
from service.clawbacks.tables import AmountAppealRow, ClawbackRow, SupplementRow
from service.database import Tx
from service.wording import words


async def due_now(tx: Tx, claim_ids: Sequence[UUID]) -> dict[UUID, int | None]:
    """What each claim would get by today's standards and rules for the facts of its own day, in fen."""
    claim, found = ClaimRow, {}
    asked = select(claim.__table__, CatalogItemRow.code).join(CatalogItemRow).where(claim.id.in_(claim_ids))
    for row in (await tx.execute(asked)).all():
        (facts,) = await facts_for(tx, [asked_again(row)], row.filed_on)
        found[row.id] = amount_due(facts)
    return found


def _appeals() -> Select[*tuple[Any, ...]]:
    """With what came of those that were answered."""
    row, claim, owed, back = AmountAppealRow, ClaimRow, SupplementRow, ClawbackRow
    more = select(func.coalesce(func.sum(owed.amount_fen), 0)).where(owed.appeal_id == row.id).scalar_subquery()
    asked_back = select(func.coalesce(func.sum(back.amount_fen), 0))
    less = asked_back.where(back.cause == Cause.APPEAL, back.ground_id == row.id).scalar_subquery()
    return select(
        *(row.id, row.claim_id, row.reason, row.appealed_at, row.due_on, row.right_fen, row.answer_text),
        *(row.answered_at, claim.amount_fen, more.label("supplement_fen"), less.label("clawback_fen")),
    ).join(claim, claim.id == row.claim_id)


async def appeal_view(tx: Tx, appeal_id: UUID, today: date) -> AmountAppealView:
    """An appeal that the caller was allowed to raise or answer."""
    return (await _views(tx, (await tx.execute(_appeals().where(AmountAppealRow.id == appeal_id))).all(), today))[0]


async def list_appeals(
    tx: Tx, me: Actor, today: date, cursor: UUID | None, limit: int, *, closed: bool = False
) -> AmountAppealList:
    """A page of those that are mine to read, or in the district I work for, by the day they are due."""
    table = AmountAppealRow.__table__
    rows, following = await page_by_due(
        tx, me, _appeals(), table, cursor, limit, closed=closed, whose=_mine_to_read(me)
    )
    return AmountAppealList(await _views(tx, rows, today), following)


async def appeals_over(tx: Tx, me: Actor, claim_id: UUID, today: date) -> list[AmountAppealView]:
    """Those over one claim that I may mend. What its claimant said, and was answered, is left out for the institution
    that filed: of that it reads that it was, and what came of it."""
    asked = (
        _appeals()
        .add_columns(_mine_to_read(me).label("mine"))
        .where(ClaimRow.id == claim_id, claimed_by(me))
        .order_by(AmountAppealRow.appealed_at, AmountAppealRow.id)
    )
    rows = (await tx.execute(asked)).all()
    views = zip(rows, await _views(tx, rows, today), strict=True)
    return [view if row.mine else replace(view, reason="", answer_text="", remedies=[]) for row, view in views]


def _mine_to_read(me: Actor) -> ColumnElement[bool]:
    """Over my own claims; over those that my institution filed, what it said itself."""
    mine: ColumnElement[bool] = ClaimRow.person_id == me.person_id
    return or_(mine, and_(claimed_by(me), AmountAppealRow.appealed_person != ClaimRow.person_id))


async def _views(tx: Tx, rows: Sequence[Row[Any]], today: date) -> list[AmountAppealView]:
    open_ = [each.claim_id for each in rows if each.answered_at is None]
    due, paid = await due_now(tx, open_), await paid_of(tx, open_)
    ways = await ways_outside(tx, [each.answered_at for each in rows if each.answered_at])
    return [
        _view(each, due.get(each.claim_id), paid.get(each.claim_id), ways.get(each.answered_at, []), today)
        for each in rows
    ]


def _view(row: Row[Any], due: int | None, paid: Paid | None, ways: list[RemedyView], today: date) -> AmountAppealView:
    more, less = int(row.supplement_fen), int(row.clawback_fen)
    state = "open" if row.right_fen is None else "more" if more else "less" if less else "same"
    return AmountAppealView(
        id=row.id,
        claim_id=row.claim_id,
        reason=row.reason,
        appealed_at=row.appealed_at,
        due_on=row.due_on,
        overdue=row.answered_at is None and row.due_on < today,
        paid_fen=paid.counts_fen if paid else row.amount_fen,
        would_be_fen=due if row.right_fen is None else row.right_fen,
        right_fen=row.right_fen,
        supplement_fen=more,
        clawback_fen=less,
        message=words(f"amount_appeal_answer.{state}"),
        answer_text=row.answer_text,
        answered_at=row.answered_at,
        remedies=ways,
    )
