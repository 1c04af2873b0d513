"""The lines of returns, and those that a person must look at, within the asker's district."""

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, exists, func, or_, select, tuple_

from domain.actor import Actor
from domain.agent_bank import BankFormat, BankTerms
from domain.batch import AttemptAction, AttemptStatus, BatchStatus
from domain.errors import NotFound
from domain.identity import mask_name
from domain.money import format_yuan
from domain.reconciliation import VerdictKind
from service.batches.queries import statuses_in, visible_to
from service.batches.tables import AttemptRow, BankFileRow, BatchRow
from service.claims.tables import ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.journal import JournalRow
from service.policies.queries import required, work_calendar
from service.reconciliation.schemas import (
    ExceptionList,
    ExceptionView,
    MissingList,
    MissingView,
    ResolutionView,
    ReturnView,
)
from service.reconciliation.tables import ResolutionRow, ReturnFileRow, ReturnLineRow
from service.wording import wording, words

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


async def file_to_fetch(tx: Tx, batch_id: UUID) -> tuple[str, BankFormat] | None:
    """The id of a sent batch's file and the form of its return; None once every payment is settled."""
    asked = (
        select(BankFileRow.file_id, BatchRow.terms)
        .join(BatchRow, BatchRow.id == BankFileRow.batch_id)
        .where(BatchRow.id == batch_id, BatchRow.status == BatchStatus.SENT)
    )
    found = (await tx.execute(asked)).one_or_none()
    return (found.file_id, BankTerms.read(found.terms).format) if found else None


async def unknown_references(tx: Tx, batch_id: UUID, limit: int) -> list[str]:
    """Payments of a batch of which the bank could not tell so far; it is asked about some of them, then others."""
    row = AttemptRow
    asked = select(row.reference).where(row.batch_id == batch_id, row.status == AttemptStatus.UNKNOWN)
    return list((await tx.execute(asked.order_by(func.random()).limit(limit))).scalars())


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


def _exceptions() -> Select[*tuple[Any, ...]]:
    file, line, attempt, worked_off = ReturnFileRow, ReturnLineRow, AttemptRow, ResolutionRow
    return (
        select(
            *(file.id, file.file_id, file.received_at, line.line_no, line.reference, line.amount_fen),
            *(line.code, line.reason, line.exception, line.attempt_id, attempt.payee_sealed),
            *(worked_off.code.label("resolution"), worked_off.note, worked_off.resolved_at),
        )
        .join(file, file.id == line.return_file_id)
        .join(BankFileRow, BankFileRow.file_id == file.file_id)
        .join(BatchRow, BatchRow.id == BankFileRow.batch_id)
        .join(attempt, attempt.id == line.attempt_id, isouter=True)
        .join(worked_off, _is_of_its_line(), isouter=True)
        .where(line.verdict == VerdictKind.EXCEPTION)
    )


def _is_of_its_line() -> ColumnElement[bool]:
    worked_off, line = ResolutionRow, ReturnLineRow
    return and_(worked_off.return_file_id == line.return_file_id, worked_off.line_no == line.line_no)


async def list_exceptions(
    tx: Tx,
    me: Actor,
    cursor: tuple[UUID, int] | None,
    limit: int,
    *,
    resolved: bool = False,
    kind: str | None = None,
) -> ExceptionList:
    """A page of lines for a person to look at, or that one has worked off, oldest first; `cursor` is the last
    (return, line) seen, `kind` why somebody must look."""
    file, line = ReturnFileRow, ReturnLineRow
    state = ResolutionRow.code.is_not(None) if resolved else ResolutionRow.code.is_(None)
    asked = (
        _exceptions().where(state, visible_to(me)).order_by(file.received_at, file.id, line.line_no).limit(limit + 1)
    )
    if kind is not None:
        asked = asked.where(line.exception == kind)
    if cursor is not None:
        seen = select(file.received_at).where(file.id == cursor[0]).scalar_subquery()
        asked = asked.where(tuple_(file.received_at, file.id, line.line_no) > tuple_(seen, *cursor))
    rows = (await tx.execute(asked)).all()
    after = rows[limit - 1] if len(rows) > limit else None
    return ExceptionList([_shown(row) for row in rows[:limit]], f"{after.id}.{after.line_no}" if after else None)


async def exception_view(tx: Tx, return_id: UUID, line_no: int) -> ExceptionView:
    """An exception that the caller was allowed to work off."""
    this = _exceptions().where(ReturnFileRow.id == return_id, ReturnLineRow.line_no == line_no)
    return _shown((await tx.execute(this)).one())


async def find_exception(tx: Tx, me: Actor, return_id: UUID, line_no: int) -> ExceptionView:
    """One of my district. NotFound `exception.not_found`."""
    this = _exceptions().where(ReturnFileRow.id == return_id, ReturnLineRow.line_no == line_no, visible_to(me))
    row = (await tx.execute(this)).one_or_none()
    if row is None:
        raise NotFound("exception.not_found")
    return _shown(row)


async def exception_of(tx: Tx, me: Actor, return_id: UUID, line_no: int) -> Row[*tuple[Any, ...]]:
    """An exception of my district: whether it is worked off, and whom the payment is for that it names.

    NotFound `exception.not_found`.
    """
    file, line = ReturnFileRow, ReturnLineRow
    found = await tx.execute(
        select(ResolutionRow.code.is_not(None).label("resolved"), ClaimRow.person_id)
        .select_from(line)
        .join(file, file.id == line.return_file_id)
        .join(BankFileRow, BankFileRow.file_id == file.file_id)
        .join(BatchRow, BatchRow.id == BankFileRow.batch_id)
        .join(AttemptRow, AttemptRow.id == line.attempt_id, isouter=True)
        .join(ClaimRow, ClaimRow.id == AttemptRow.claim_id, isouter=True)
        .join(ResolutionRow, _is_of_its_line(), isouter=True)
        .where(
            line.return_file_id == return_id,
            line.line_no == line_no,
            line.verdict == VerdictKind.EXCEPTION,
            visible_to(me),
        )
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("exception.not_found")
    return row


async def attempt_of_reference(tx: Tx, me: Actor, reference: str) -> Row[*tuple[Any, ...]]:
    """A payment of my district by its reference. NotFound `attempt.not_found`."""
    attempt = AttemptRow
    found = await tx.execute(
        select(attempt.id, attempt.batch_id, attempt.claim_id, attempt.status, ClaimRow.person_id)
        .join(BatchRow, BatchRow.id == attempt.batch_id)
        .join(ClaimRow, ClaimRow.id == attempt.claim_id)
        .where(attempt.reference == reference, visible_to(me))
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("attempt.not_found")
    return row


async def list_missing(tx: Tx, me: Actor, today: date, cursor: str | None, limit: int) -> MissingList:
    """A page of the payments that went to the bank `return_missing_working_days` ago or earlier and of which no
    return says how they ended; `cursor` is the last reference seen. No machine ever sends them again."""
    attempt, line = AttemptRow, ReturnLineRow
    (working_days,) = await required(tx, today, "return_missing_working_days")
    until = work_calendar().over_since(today, working_days)
    sent_on = func.date(func.timezone("Asia/Shanghai", JournalRow.at))
    named = exists().where(line.attempt_id == attempt.id)
    asked = (
        select(
            *(attempt.id, attempt.reference, attempt.batch_id, BankFileRow.file_id, sent_on.label("sent_on")),
            *(attempt.payee_sealed, attempt.amount_fen, attempt.status),
        )
        .join(BatchRow, BatchRow.id == attempt.batch_id)
        .join(BankFileRow, BankFileRow.batch_id == attempt.batch_id)
        .join(JournalRow, and_(JournalRow.subject_kind == "attempt", JournalRow.subject_id == attempt.id))
        .where(
            JournalRow.action == str(AttemptAction.INTEND),
            or_(attempt.status == AttemptStatus.UNKNOWN, and_(attempt.status == AttemptStatus.SENT, ~named)),
            sent_on <= until,
            visible_to(me),
        )
        .order_by(attempt.reference)
        .limit(limit + 1)
    )
    rows = (await tx.execute(asked.where(attempt.reference > cursor) if cursor else asked)).all()
    keys = keyring()
    missing = [
        MissingView(
            reference=row.reference,
            batch_id=row.batch_id,
            file_id=row.file_id,
            sent_on=row.sent_on,
            payee=mask_name(keys.open(row.payee_sealed, row.id)),
            amount_fen=row.amount_fen,
            amount=format_yuan(row.amount_fen),
            status=AttemptStatus(row.status),
        )
        for row in rows[:limit]
    ]
    return MissingList(missing, until, rows[limit - 1].reference if len(rows) > limit else None)


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
        resolution=_resolution(row) if row.resolution else None,
        exception_words=odd_words(row.exception),
    )


def odd_words(kind: str) -> str:
    """Why somebody must look, in words; of a file that could not be read, what was wrong with it."""
    return words(f"return_odd.{kind}" if f"return_odd.{kind}" in wording() else kind)


def _resolution(row: Row[*tuple[Any, ...]]) -> ResolutionView:
    said = words(f"resolution.{row.resolution}")
    return ResolutionView(row.resolution, said, row.note, row.resolved_at)
