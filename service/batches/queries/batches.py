"""Read batches and their lines, within the asker's district."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.sql import ColumnElement

from domain.actor import Actor
from domain.batch import LIVE_ATTEMPT, AttemptStatus, BatchStatus, PaymentLine, references_begin
from domain.errors import NotFound
from domain.identity import mask_name
from domain.money import format_yuan
from service.batches.queries.views import Batch, views
from service.batches.schemas import BatchList, BatchView, LineList, LineView
from service.batches.tables import AttemptRow, BatchRow, SignatureRow, TreasuryTransferRow
from service.crypto import keyring
from service.database import Tx
from service.funds.tables import FundRow

#: Lines that are opened at once.
_LINES_AT_ONCE = 1_000


class Attempt(NamedTuple):
    """An attempt to pay as far as moving it goes."""

    id: UUID
    claim_id: UUID
    reference: str
    amount_fen: int
    status: AttemptStatus


_COLUMNS = (
    BatchRow.id,
    BatchRow.number,
    BatchRow.district,
    BatchRow.fund,
    FundRow.name.label("fund_name"),
    BatchRow.debit_account,
    BatchRow.terms,
    BatchRow.filter,
    BatchRow.series,
    BatchRow.status,
    BatchRow.checks_needed,
    BatchRow.together,
    BatchRow.content_hash,
    BatchRow.line_count,
    BatchRow.sum_fen,
    BatchRow.opened_by,
    BatchRow.opened_at,
)


def debit_account(fund_name: str, district: str) -> str:
    """How the account from which a district pays out of a fund is labelled in bank files and their returns.

    A batch keeps the label it was opened with, whatever the fund is called afterwards.
    """
    return f"{fund_name}专户-{district}"


def _batches() -> Select[*tuple[Any, ...]]:
    return select(*_COLUMNS).join(FundRow, FundRow.code == BatchRow.fund)


def visible_to(me: Actor) -> ColumnElement[bool]:
    """Batches of the asker's district; of every district for whoever works for the city (promise 15)."""
    return BatchRow.district == me.district if me.district else BatchRow.district.is_not(None)


async def locked_batch(tx: Tx, batch_id: UUID, me: Actor | None = None) -> Batch:
    """The batch, locked: whatever changes a batch, its attempts or their claims locks this row first.

    NotFound `batch.not_found` when there is none, or it is not for `me` (None: a job).
    """
    asked = _batches().where(BatchRow.id == batch_id).with_for_update(of=BatchRow)
    found = (await tx.execute(asked.where(visible_to(me)) if me else asked)).one_or_none()
    if found is None:
        raise NotFound("batch.not_found")
    return found


async def find_batch(tx: Tx, me: Actor, batch_id: UUID) -> BatchView:
    """One batch; NotFound `batch.not_found`."""
    found = (await tx.execute(_batches().where(BatchRow.id == batch_id, visible_to(me)))).one_or_none()
    if found is None:
        raise NotFound("batch.not_found")
    return (await views(tx, [found]))[0]


async def must_see(tx: Tx, me: Actor, batch_id: UUID) -> str:
    """Its number. NotFound `batch.not_found` for a batch that is not there, or not for `me`; what needs more of it
    finds it."""
    asked = select(BatchRow.number).where(BatchRow.id == batch_id, visible_to(me))
    if (number := (await tx.execute(asked)).scalar_one_or_none()) is None:
        raise NotFound("batch.not_found")
    return number


async def view_of(tx: Tx, batch_id: UUID) -> BatchView:
    """A batch that the caller was allowed to change, as it is now."""
    return (await views(tx, [(await tx.execute(_batches().where(BatchRow.id == batch_id))).one()]))[0]


async def list_batches(tx: Tx, me: Actor, status: BatchStatus | None, cursor: str | None, limit: int) -> BatchList:
    """A page of batches, newest first; `cursor` is the number of the last one seen."""
    asked = _batches().where(visible_to(me)).order_by(BatchRow.number.desc()).limit(limit + 1)
    if status is not None:
        asked = asked.where(BatchRow.status == status)
    if cursor is not None:
        asked = asked.where(BatchRow.number < cursor)
    rows = (await tx.execute(asked)).all()
    after = rows[limit - 1].number if len(rows) > limit else None
    return BatchList(await views(tx, rows[:limit]), after)


async def list_lines(tx: Tx, me: Actor, batch_id: UUID, cursor: str | None, limit: int) -> LineList:
    """A page of a batch's lines in order of reference, masked; `cursor` is the last reference seen."""
    number, row = await must_see(tx, me, batch_id), AttemptRow
    after = cursor or references_begin(number)  # or the index of all references is read up to there
    asked = (
        select(
            *(row.id, row.reference, row.payee_sealed, row.account_tail, row.bank_code),
            *(row.amount_fen, row.status, row.failure),
        )
        .where(row.batch_id == batch_id, row.reference > after)
        .order_by(row.reference)
        .limit(limit + 1)
    )
    rows = (await tx.execute(asked)).all()
    keys = keyring()
    lines = [
        LineView(
            each.reference,
            mask_name(keys.open(each.payee_sealed, each.id)),
            each.account_tail,
            each.bank_code,
            each.amount_fen,
            format_yuan(each.amount_fen),
            AttemptStatus(each.status),
            each.failure,
        )
        for each in rows[:limit]
    ]
    return LineList(lines, rows[limit - 1].reference if len(rows) > limit else None)


async def attempts_in(tx: Tx, batch_id: UUID, *statuses: AttemptStatus) -> list[Attempt]:
    """A locked batch's attempts in these statuses (none named: in any)."""
    row = AttemptRow
    asked = select(row.id, row.claim_id, row.reference, row.amount_fen, row.status).where(row.batch_id == batch_id)
    if statuses:
        asked = asked.where(row.status.in_(statuses))
    rows = await tx.execute(asked.order_by(row.id))
    return [Attempt(*each[:4], AttemptStatus(each.status)) for each in rows]


async def payment_lines(tx: Tx, batch_id: UUID) -> AsyncIterator[list[PaymentLine]]:
    """What a batch pays, in clear and in order of reference, a part at a time: for its file and what was signed."""
    row = AttemptRow
    rows = await tx.stream(
        select(row.id, row.reference, row.payee_sealed, row.account_sealed, row.bank_code, row.amount_fen)
        .where(row.batch_id == batch_id, row.status != AttemptStatus.VOID)
        .order_by(row.reference)
    )
    keys = keyring()
    async for part in rows.partitions(_LINES_AT_ONCE):
        yield [
            PaymentLine(
                each.reference,
                keys.open(each.payee_sealed, each.id),
                keys.open(each.account_sealed, each.id),
                each.bank_code,
                each.amount_fen,
            )
            for each in part
        ]


async def each_payment_line(tx: Tx, batch_id: UUID) -> AsyncIterator[PaymentLine]:
    """The same, line by line."""
    async for part in payment_lines(tx, batch_id):
        for line in part:
            yield line


async def live_attempt(tx: Tx, claim_id: UUID) -> Row[UUID, str] | None:
    """The batch and status of the attempt that pays, or may have paid, a claim; None where there is none."""
    row = AttemptRow
    asked = select(row.batch_id, row.status).where(row.claim_id == claim_id, row.status.in_(LIVE_ATTEMPT))
    return (await tx.execute(asked)).one_or_none()


async def transferred_on(tx: Tx, batch_id: UUID) -> date:
    """The day of the treasury's transfer for a released batch."""
    row = TreasuryTransferRow
    return (await tx.execute(select(row.transferred_on).where(row.batch_id == batch_id))).scalar_one()


async def signers_of(tx: Tx, batch_id: UUID) -> set[UUID]:
    """Persons who have signed."""
    row = SignatureRow
    return set((await tx.execute(select(row.person_id).where(row.batch_id == batch_id))).scalars())


async def statuses_in(tx: Tx, batch_id: UUID) -> dict[AttemptStatus, int]:
    """How many attempts of a batch are in each status."""
    row = AttemptRow
    rows = await tx.execute(select(row.status, func.count()).where(row.batch_id == batch_id).group_by(row.status))
    return {AttemptStatus(status): count for status, count in rows}
