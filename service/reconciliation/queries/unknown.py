"""Payments of which the bank cannot tell what became of them, and what was said and found of each."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, select

from domain.actor import Actor
from domain.batch import AttemptAction, AttemptStatus
from domain.errors import NotFound
from domain.identity import mask_name
from service.batches.queries import visible_to
from service.batches.tables import AttemptRow, BatchRow
from service.crypto import keyring
from service.database import Tx
from service.journal import JournalRow
from service.reconciliation.schemas import EvidenceView, SaidView, UnknownList, UnknownView
from service.reconciliation.tables import AttemptDecisionRow, ReturnFileRow, ReturnLineRow
from service.wording import words


def _unknown(me: Actor) -> Select[*tuple[Any, ...]]:
    attempt, said = AttemptRow, AttemptDecisionRow
    lost_at = (
        select(JournalRow.at)
        .where(
            JournalRow.subject_kind == "attempt",
            JournalRow.subject_id == attempt.id,
            JournalRow.action == str(AttemptAction.LOSE_SIGHT),
        )
        .order_by(JournalRow.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            *(attempt.id, attempt.reference, attempt.batch_id, BatchRow.number, attempt.claim_id),
            *(attempt.payee_sealed, attempt.account_tail, attempt.amount_fen, attempt.status),
            *(lost_at.label("lost_at"), said.outcome, said.evidence_sha256, said.note, said.proposed_at),
            (said.proposed_person == me.person_id).label("mine"),
        )
        .join(BatchRow, BatchRow.id == attempt.batch_id)
        .join(said, (said.attempt_id == attempt.id) & said.closed_at.is_(None), isouter=True)
        .where(visible_to(me))
    )


async def list_unknown(tx: Tx, me: Actor, cursor: str | None, limit: int) -> UnknownList:
    """A page of those of my district; `cursor` is the last reference seen."""
    attempt = AttemptRow
    asked = _unknown(me).where(attempt.status == str(AttemptStatus.UNKNOWN)).order_by(attempt.reference)
    if cursor is not None:
        asked = asked.where(attempt.reference > cursor)
    rows = (await tx.execute(asked.limit(limit + 1))).all()
    return UnknownList([_view(row) for row in rows[:limit]], rows[limit - 1].reference if len(rows) > limit else None)


async def find_unknown(tx: Tx, me: Actor, reference: str) -> UnknownView:
    """A payment of my district that is, or was, unknown, with the lines that name it.

    NotFound `attempt.not_found`.
    """
    row = (await tx.execute(_unknown(me).where(AttemptRow.reference == reference))).one_or_none()
    if row is None or row.lost_at is None:
        raise NotFound("attempt.not_found")
    view = _view(row)
    view.evidence = await _evidence(tx, row.id)
    return view


def _view(row: Row[*tuple[Any, ...]]) -> UnknownView:
    said = SaidView(row.outcome, row.evidence_sha256, row.note, row.proposed_at, row.mine) if row.outcome else None
    return UnknownView(
        reference=row.reference,
        attempt_id=row.id,
        batch_id=row.batch_id,
        number=row.number,
        claim_id=row.claim_id,
        payee=mask_name(keyring().open(row.payee_sealed, row.id)),
        account_tail=row.account_tail,
        amount_fen=row.amount_fen,
        unknown_since=row.lost_at,
        status=AttemptStatus(row.status),
        said=said,
    )


async def _evidence(tx: Tx, attempt_id: UUID) -> list[EvidenceView]:
    line, file = ReturnLineRow, ReturnFileRow
    asked = (
        select(file.file_id, line.line_no, file.received_at, line.code, line.reason)
        .join(file, file.id == line.return_file_id)
        .where(line.attempt_id == attempt_id)
        .order_by(file.received_at, line.line_no)
    )
    return [
        EvidenceView(row.file_id, row.line_no, row.received_at, words(f"result.{row.code}"), row.reason)
        for row in await tx.execute(asked)
    ]
