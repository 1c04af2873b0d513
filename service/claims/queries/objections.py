"""Objections as the trainee who raised them sees them, and the officers of the claim's district."""

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, or_, select, tuple_

from domain.actor import Actor, Post
from domain.objection import Finding, Ground
from service.claims.queries.care import in_district
from service.claims.schemas import ObjectionList, ObjectionView
from service.claims.tables import ClaimObjectionRow, ClaimRow
from service.database import Tx
from service.wording import words

_READERS = (Post.REVIEWER, Post.AUDITOR)


def _objections() -> Select[*tuple[Any, ...]]:
    row = ClaimObjectionRow
    return select(
        *(row.id, row.claim_id, row.ground, row.reason, row.raised_at),
        *(row.finding, row.finding_reason, row.closed_at),
    ).join(ClaimRow, ClaimRow.id == row.claim_id)


async def objection_view(tx: Tx, objection_id: UUID) -> ObjectionView:
    """An objection that the caller was allowed to raise or close."""
    return _view((await tx.execute(_objections().where(ClaimObjectionRow.id == objection_id))).one())


async def list_objections(
    tx: Tx, me: Actor, cursor: UUID | None, limit: int, *, closed: bool = False
) -> ObjectionList:
    """A page of the open or of the closed objections that I raised, and of those in the district I work for;
    `cursor` is the last one seen."""
    row = ClaimObjectionRow
    mine: list[ColumnElement[bool]] = [row.raised_person == me.person_id]
    if me.holds(*_READERS):
        mine.append(in_district(me))
    state = row.closed_at.is_not(None) if closed else row.closed_at.is_(None)
    asked = _objections().where(or_(*mine), state).order_by(row.raised_at, row.id).limit(limit + 1)
    if cursor is not None:
        seen = select(row.raised_at).where(row.id == cursor).scalar_subquery()
        asked = asked.where(tuple_(row.raised_at, row.id) > tuple_(seen, cursor))
    rows = (await tx.execute(asked)).all()
    return ObjectionList([_view(each) for each in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


def _view(row: Any) -> ObjectionView:
    finding = Finding(row.finding) if row.finding else None
    return ObjectionView(
        row.id,
        row.claim_id,
        Ground(row.ground),
        words(f"ground.{row.ground}"),
        row.reason,
        row.raised_at,
        finding,
        words(f"finding.{finding}" if finding else "finding.open"),
        row.finding_reason,
        row.closed_at,
    )
