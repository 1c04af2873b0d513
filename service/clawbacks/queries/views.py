"""Clawbacks as the officers of a district see them, and whoever looks after the money."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select, tuple_

from domain.actor import Actor
from domain.clawback import OPEN, Cause, ClawbackStatus, clawback_number
from domain.errors import NotFound
from domain.money import format_yuan
from service.batches.tables import AttemptRow
from service.claims.queries.care import in_district
from service.claims.tables import ClaimRow
from service.clawbacks.schemas import ClawbackList, ClawbackView, EnforcementView, WaiverView
from service.clawbacks.tables import ClawbackEnforcementRow, ClawbackRow, ClawbackTermRow, ClawbackWaiverRow
from service.database import Tx
from service.wording import words


async def claim_paid_as(tx: Tx, me: Actor, reference: str) -> UUID | None:
    """The claim of my district for which a payment with this number was made, where there is one."""
    attempt = AttemptRow
    asked = select(attempt.claim_id).join(ClaimRow, ClaimRow.id == attempt.claim_id)
    return (await tx.execute(asked.where(attempt.reference == reference, in_district(me)))).scalar_one_or_none()


def _clawbacks() -> Select[*tuple[Any, ...]]:
    row, claim, waiver = ClawbackRow, ClaimRow, ClawbackWaiverRow
    latest = (
        select(waiver.law, waiver.note, waiver.proposed_at, waiver.granted, waiver.answer_text)
        .where(waiver.clawback_id == row.id)
        .order_by(waiver.proposed_at.desc(), waiver.id)
        .limit(1)
        .lateral("latest")
    )
    order = ClawbackEnforcementRow
    ordered = (
        select(order.order_number, order.ordered_on, order.proposed_at, order.granted)
        .where(order.clawback_id == row.id)
        .order_by(order.proposed_at.desc(), order.id)
        .limit(1)
        .lateral("ordered")
    )
    return (
        select(
            *(row.id, row.claim_id, row.cause, row.amount_fen, row.note, row.raised_at, row.status),
            *(row.serial, func.clawback_repaid_fen(row.id).label("repaid_fen")),
            *(row.letter_number, claim.district, claim.amount_fen.label("paid_fen")),
            *(
                latest.c.law,
                latest.c.note.label("law_note"),
                latest.c.proposed_at,
                latest.c.granted,
                latest.c.answer_text,
            ),
            *(ordered.c.order_number, ordered.c.ordered_on, ordered.c.proposed_at.label("order_at")),
            *(ordered.c.granted.label("order_granted"), ClawbackTermRow.due_on),
        )
        .join(claim, claim.id == row.claim_id)
        .outerjoin(ClawbackTermRow, ClawbackTermRow.clawback_id == row.id)
        .outerjoin(ordered, ordered.c.order_number.is_not(None))
        .outerjoin(latest, latest.c.law.is_not(None))
    )


async def clawback_view(tx: Tx, clawback_id: UUID) -> ClawbackView:
    """One that the caller raised, demanded, waived or had enforced."""
    return _view((await tx.execute(_clawbacks().where(ClawbackRow.id == clawback_id))).one())


async def clawback_views(tx: Tx, ids: Sequence[UUID]) -> dict[UUID, ClawbackView]:
    """Those that the caller may see."""
    rows = (await tx.execute(_clawbacks().where(ClawbackRow.id.in_(ids)))).all() if ids else []
    return {row.id: _view(row) for row in rows}


async def find_clawback(tx: Tx, me: Actor, clawback_id: UUID) -> ClawbackView:
    """One of my district. NotFound `clawback.not_found`."""
    row = (await tx.execute(_clawbacks().where(ClawbackRow.id == clawback_id, in_district(me)))).one_or_none()
    if row is None:
        raise NotFound("clawback.not_found")
    return _view(row)


async def list_clawbacks(
    tx: Tx, me: Actor, status: ClawbackStatus | None, cursor: UUID | None, limit: int, overdue_on: date | None = None
) -> ClawbackList:
    """A page of those of my district, the latest first; `cursor` is the last one seen. `overdue_on`: only those whose
    term is over on that day, and that are neither repaid, waived nor enforced."""
    row = ClawbackRow
    asked = _clawbacks().where(in_district(me))
    if status is not None:
        asked = asked.where(row.status == status)
    if overdue_on is not None:
        asked = asked.where(row.status.in_(list(map(str, OPEN))), ClawbackTermRow.due_on < overdue_on)
    if cursor is not None:
        seen = select(row.raised_at).where(row.id == cursor).scalar_subquery()
        asked = asked.where(tuple_(row.raised_at, row.id) < tuple_(seen, cursor))
    rows = (await tx.execute(asked.order_by(row.raised_at.desc(), row.id.desc()).limit(limit + 1))).all()
    return ClawbackList([_view(each) for each in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


async def lock_clawback(tx: Tx, me: Actor, clawback_id: UUID) -> Any:
    """A clawback of my district, locked. NotFound `clawback.not_found`."""
    row, claim = ClawbackRow, ClaimRow
    asked = (
        select(row.claim_id, row.status, row.amount_fen)
        .join(claim, claim.id == row.claim_id)
        .where(row.id == clawback_id, in_district(me))
        .with_for_update(of=row)
    )
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("clawback.not_found")
    return found


def _view(row: Row[Any]) -> ClawbackView:
    waiver, order = None, None
    if row.law is not None:
        waiver = WaiverView(row.law, row.law_note, row.proposed_at, row.granted, row.answer_text)
    if row.order_number is not None:
        order = EnforcementView(row.order_number, row.ordered_on, row.order_at, row.order_granted)
    return ClawbackView(
        id=row.id,
        number=clawback_number(row.serial),
        claim_id=row.claim_id,
        district=row.district,
        cause=Cause(row.cause),
        cause_name=words(f"clawback_cause.{row.cause}"),
        amount_fen=row.amount_fen,
        amount=format_yuan(row.amount_fen),
        paid_fen=row.paid_fen,
        repaid_fen=int(row.repaid_fen),
        note=row.note,
        raised_at=row.raised_at,
        status=ClawbackStatus(row.status),
        status_name=words(f"status.{row.status}"),
        letter_number=row.letter_number,
        due_on=row.due_on,
        waiver=waiver,
        enforcement=order,
    )
