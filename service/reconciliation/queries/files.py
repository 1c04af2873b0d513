"""Return files as they came, and what became of each."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, tuple_

from domain.actor import Actor
from domain.errors import NotFound
from domain.reconciliation import VerdictKind
from service.batches.queries import visible_to
from service.batches.tables import AttemptRow, BankFileRow, BatchRow
from service.database import Tx
from service.reconciliation.queries.lines import OPEN
from service.reconciliation.schemas import ReturnFileList, ReturnFileView
from service.reconciliation.tables import ReturnFileRow, ReturnLineRow


def _returns(me: Actor) -> Select[*tuple[Any, ...]]:
    file, line, attempt = ReturnFileRow, ReturnLineRow, AttemptRow
    lines = (
        select(
            *(
                func.count().filter(line.verdict == str(kind)).label(name)
                for kind, name in (
                    (VerdictKind.SETTLED, "settled"),
                    (VerdictKind.REPEAT, "repeats"),
                    (VerdictKind.EXCEPTION, "exceptions"),
                )
            )
        )
        .where(line.return_file_id == file.id)
        .lateral("counted")
    )
    waiting = (
        select(func.count())
        .where(attempt.batch_id == BatchRow.id, attempt.status.in_([str(each) for each in OPEN]))
        .scalar_subquery()
    )
    return (
        select(
            *(file.id, BatchRow.id.label("batch_id"), BatchRow.number, file.file_id, file.source, file.received_at),
            *(file.sha256, file.line_count, file.sum_fen, lines.c.settled, lines.c.repeats, lines.c.exceptions),
            waiting.label("open"),
        )
        .join(BankFileRow, BankFileRow.file_id == file.file_id)
        .join(BatchRow, BatchRow.id == BankFileRow.batch_id)
        .join(lines, lines.c.settled.is_not(None))
        .where(visible_to(me))
    )


async def list_returns(tx: Tx, me: Actor, cursor: UUID | None, limit: int) -> ReturnFileList:
    """A page of those of my district, the latest first; `cursor` is the last one seen."""
    file = ReturnFileRow
    asked = _returns(me).order_by(file.received_at.desc(), file.id.desc()).limit(limit + 1)
    if cursor is not None:
        seen = select(file.received_at).where(file.id == cursor).scalar_subquery()
        asked = asked.where(tuple_(file.received_at, file.id) < tuple_(seen, cursor))
    rows = (await tx.execute(asked)).all()
    files = [ReturnFileView(**row._mapping) for row in rows[:limit]]
    return ReturnFileList(files, rows[limit - 1].id if len(rows) > limit else None)


async def find_return(tx: Tx, me: Actor, return_id: UUID) -> ReturnFileView:
    """One of my district. NotFound `return.file_unknown`."""
    row = (await tx.execute(_returns(me).where(ReturnFileRow.id == return_id))).one_or_none()
    if row is None:
        raise NotFound("return.file_unknown", file_id=str(return_id)[:35])
    return ReturnFileView(**row._mapping)
