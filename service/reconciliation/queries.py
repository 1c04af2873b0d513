"""Read return files and exceptions, within the asker's district."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select, tuple_

from domain.actor import Actor
from domain.batch import AttemptStatus, BatchStatus
from domain.errors import NotFound
from domain.identity import mask_name
from domain.money import format_yuan
from domain.reconciliation import VerdictKind
from service.batches.queries import statuses_in, visible_to
from service.batches.tables import AttemptRow, BankFileRow, BatchRow
from service.crypto import keyring
from service.database import Tx
from service.reconciliation.schemas import ExceptionList, ExceptionView, ReturnView
from service.reconciliation.tables import ReturnFileRow, ReturnLineRow

#: The bank may still settle these.
OPEN = (AttemptStatus.PREPARED, AttemptStatus.SENDING, AttemptStatus.SENT, AttemptStatus.UNKNOWN)


async def batch_of_file(tx: Tx, file_id: str, me: Actor | None) -> UUID:
    """The batch whose file has this id. NotFound `return.file_unknown`, also for another district's."""
    asked = select(BatchRow.id).join(BankFileRow, BankFileRow.batch_id == BatchRow.id)
    asked = asked.where(BankFileRow.file_id == file_id)
    found = (await tx.execute(asked.where(visible_to(me)) if me else asked)).scalar_one_or_none()
    if found is None:
        raise NotFound("return.file_unknown", file_id=file_id[:35])
    return found


async def file_to_fetch(tx: Tx, batch_id: UUID) -> str | None:
    """The id of a sent batch's file; None once every payment is settled."""
    asked = (
        select(BankFileRow.file_id)
        .join(BatchRow, BatchRow.id == BankFileRow.batch_id)
        .where(BatchRow.id == batch_id, BatchRow.status == BatchStatus.SENT)
    )
    return (await tx.execute(asked)).scalar_one_or_none()


async def known_return(tx: Tx, sha256: str) -> UUID | None:
    """The return file with these bytes, whatever it was called."""
    return (await tx.execute(select(ReturnFileRow.id).where(ReturnFileRow.sha256 == sha256))).scalar_one_or_none()


async def open_count(tx: Tx, batch_id: UUID) -> int:
    """How many payments of a batch the bank may still settle."""
    counts = await statuses_in(tx, batch_id)
    return sum(counts.get(status, 0) for status in OPEN)


async def view_of(tx: Tx, return_id: UUID, batch_id: UUID, *, known: bool) -> ReturnView:
    """What became of a return file's lines."""
    file = ReturnFileRow
    row = (await tx.execute(select(file.file_id, file.line_count).where(file.id == return_id))).one()
    line = ReturnLineRow
    counted = await tx.execute(
        select(line.verdict, func.count().label("count_"))
        .where(line.return_file_id == return_id)
        .group_by(line.verdict)
    )
    counts: dict[str, int] = {row.verdict: row.count_ for row in counted}
    return ReturnView(
        id=return_id,
        batch_id=batch_id,
        file_id=row.file_id,
        line_count=row.line_count,
        settled=counts.get(VerdictKind.SETTLED, 0),
        repeats=counts.get(VerdictKind.REPEAT, 0),
        exceptions=counts.get(VerdictKind.EXCEPTION, 0),
        open=await open_count(tx, batch_id),
        known=known,
    )


async def list_exceptions(tx: Tx, me: Actor, cursor: tuple[UUID, int] | None, limit: int) -> ExceptionList:
    """A page of lines for a person to look at, oldest first; `cursor` is the last (return, line) seen."""
    file, line, attempt = ReturnFileRow, ReturnLineRow, AttemptRow
    asked = (
        select(
            *(file.id, file.file_id, file.received_at, line.line_no, line.reference, line.amount_fen),
            *(line.code, line.reason, line.exception, line.attempt_id, attempt.payee_sealed),
        )
        .join(file, file.id == line.return_file_id)
        .join(BankFileRow, BankFileRow.file_id == file.file_id)
        .join(BatchRow, BatchRow.id == BankFileRow.batch_id)
        .join(attempt, attempt.id == line.attempt_id, isouter=True)
        .where(line.verdict == VerdictKind.EXCEPTION, visible_to(me))
        .order_by(file.received_at, file.id, line.line_no)
        .limit(limit + 1)
    )
    if cursor is not None:
        seen = select(file.received_at).where(file.id == cursor[0]).scalar_subquery()
        asked = asked.where(tuple_(file.received_at, file.id, line.line_no) > tuple_(seen, *cursor))
    rows = (await tx.execute(asked)).all()
    after = rows[limit - 1] if len(rows) > limit else None
    return ExceptionList([_shown(row) for row in rows[:limit]], f"{after.id}.{after.line_no}" if after else None)


def _shown(row: Row[*tuple[Any, ...]]) -> ExceptionView:
    payee = mask_name(keyring().open(row.payee_sealed, row.attempt_id)) if row.attempt_id else None
    return ExceptionView(
        return_id=row.id,
        file_id=row.file_id,
        line_no=row.line_no,
        reference=row.reference,
        payee=payee,
        amount_fen=row.amount_fen,
        amount=format_yuan(row.amount_fen),
        code=row.code,
        reason=row.reason,
        exception=row.exception,
        received_at=row.received_at,
    )
