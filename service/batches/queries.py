"""Read batches and their lines, within the asker's district."""

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from sqlalchemy import Row, ScalarSelect, Select, SQLColumnExpression, func, literal, select
from sqlalchemy.sql import ColumnElement

from domain.actor import Actor
from domain.agent_bank import BankTerms
from domain.batch import LIVE_ATTEMPT, AttemptStatus, BatchAction, BatchStatus, PaymentLine, Step
from domain.claim import ClaimStatus
from domain.errors import NotFound
from domain.identity import mask_name
from domain.money import format_yuan
from service.batches.schemas import (
    BankFileView,
    BatchList,
    BatchView,
    DueList,
    DueView,
    GivenUpView,
    LineList,
    LineView,
    SendingView,
    SignatureView,
    TransferView,
)
from service.batches.tables import (
    AttemptRow,
    BankFileRow,
    BatchRow,
    HandoverRow,
    ResendRow,
    SendingRow,
    SignatureRow,
    TreasuryTransferRow,
)
from service.claims.queries.care import held, in_district
from service.claims.tables import ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.funds.tables import FundRow, PositionRow, ReservationRow
from service.gateways.bank_files import FORMS
from service.journal import JournalRow

#: A stored batch: what `_COLUMNS` selects.
Batch: TypeAlias = Row[*tuple[Any, ...]]


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
    BatchRow.status,
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
    return (await _views(tx, [found]))[0]


async def view_of(tx: Tx, batch_id: UUID) -> BatchView:
    """A batch that the caller was allowed to change, as it is now."""
    return (await _views(tx, [(await tx.execute(_batches().where(BatchRow.id == batch_id))).one()]))[0]


async def list_batches(tx: Tx, me: Actor, status: BatchStatus | None, cursor: str | None, limit: int) -> BatchList:
    """A page of batches, newest first; `cursor` is the number of the last one seen."""
    asked = _batches().where(visible_to(me)).order_by(BatchRow.number.desc()).limit(limit + 1)
    if status is not None:
        asked = asked.where(BatchRow.status == status)
    if cursor is not None:
        asked = asked.where(BatchRow.number < cursor)
    rows = (await tx.execute(asked)).all()
    after = rows[limit - 1].number if len(rows) > limit else None
    return BatchList(await _views(tx, rows[:limit]), after)


def due_to(opener: UUID | ScalarSelect[UUID], *columns: SQLColumnExpression[Any]) -> Select[*tuple[Any, ...]]:
    """`columns` of what a batch that this person opens takes: payable claims and the position that holds their money.

    Not what is held, and none of the opener's own: nobody acts on those.
    """
    return (
        select(*columns)
        .select_from(ClaimRow)
        .join(ReservationRow, ReservationRow.claim_id == ClaimRow.id)
        .join(PositionRow, PositionRow.id == ReservationRow.position_id)
        .where(ClaimRow.status == ClaimStatus.PAYABLE, ClaimRow.person_id != opener, ~held())
    )


async def list_due(tx: Tx, me: Actor) -> DueList:
    """What batches that `me` opened now would take, by district and fund, within the asker's district."""
    by = (ClaimRow.district, FundRow.code, FundRow.name)
    asked = (
        due_to(me.person_id, *by, func.count().label("count_"), func.sum(ClaimRow.amount_fen).label("sum_fen"))
        .join(FundRow, FundRow.code == PositionRow.fund)
        .where(in_district(me))
        .group_by(*by)
        .order_by(ClaimRow.district, FundRow.code)
    )
    return DueList(
        [
            DueView(row.district, row.code, row.name, row.count_, int(row.sum_fen), format_yuan(int(row.sum_fen)))
            for row in await tx.execute(asked)
        ]
    )


async def list_lines(tx: Tx, me: Actor, batch_id: UUID, cursor: str | None, limit: int) -> LineList:
    """A page of a batch's lines in order of reference, masked; `cursor` is the last reference seen."""
    batch = await find_batch(tx, me, batch_id)
    row = AttemptRow
    asked = (
        select(
            *(row.id, row.reference, row.payee_sealed, row.account_tail, row.bank_code),
            *(row.amount_fen, row.status, row.failure),
        )
        .where(row.batch_id == batch.id)
        .order_by(row.reference)
        .limit(limit + 1)
    )
    rows = (await tx.execute(asked.where(row.reference > cursor) if cursor else asked)).all()
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


async def find_file(tx: Tx, me: Actor, batch_id: UUID) -> BankFileView:
    """The file of a batch, without its bytes. NotFound `batch.not_found`, `bank_file.not_written`."""
    batch, file = await find_batch(tx, me, batch_id), BankFileRow
    asked = select(file.file_id, file.sha256, file.line_count, file.sum_fen, file.written_at)
    row = (await tx.execute(asked.where(file.batch_id == batch.id))).one_or_none()
    if row is None:
        raise NotFound("bank_file.not_written")
    left, form = SendingRow, FORMS[BankTerms.read(batch.terms).format]
    times = select(left.kind, left.began_at).where(left.batch_id == batch.id).order_by(left.began_at, left.id)
    waiting = select(HandoverRow.outcome).where(HandoverRow.batch_id == batch.id, HandoverRow.closed_at.is_(None))
    resend = select(literal("resend")).where(ResendRow.batch_id == batch.id, ResendRow.closed_at.is_(None))
    return BankFileView(
        batch.id,
        f"{row.file_id}.{form.EXTENSION}",
        form.MEDIA_TYPE,
        row.sha256,
        row.line_count,
        row.sum_fen,
        format_yuan(row.sum_fen),
        row.written_at,
        [SendingView(each.kind, each.began_at) for each in await tx.execute(times)],
        [*(await tx.execute(waiting)).scalars(), *(await tx.execute(resend)).scalars()],
    )


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


async def _views(tx: Tx, rows: Sequence[Batch]) -> list[BatchView]:
    signed = SignatureRow
    found = await tx.execute(
        select(signed.batch_id, signed.step, signed.signed_at)
        .where(signed.batch_id.in_([row.id for row in rows]))
        .order_by(signed.signed_at)
    )
    signatures: dict[UUID, list[SignatureView]] = defaultdict(list)
    for each in found:
        signatures[each.batch_id].append(SignatureView(Step(each.step), each.signed_at))
    transfers, given_up = await _transfers(tx, rows), await _given_up(tx, rows)
    return [
        BatchView(
            row.id,
            row.number,
            row.district,
            row.fund,
            row.fund_name,
            row.debit_account,
            row.terms,
            row.filter,
            BatchStatus(row.status),
            row.content_hash,
            row.line_count,
            row.sum_fen,
            None if row.sum_fen is None else format_yuan(row.sum_fen),
            row.opened_at,
            signatures[row.id],
            transfers.get(row.id),
            given_up.get(row.id),
        )
        for row in rows
    ]


async def _transfers(tx: Tx, rows: Sequence[Batch]) -> dict[UUID, TransferView]:
    row = TreasuryTransferRow
    found = await tx.execute(
        select(row.batch_id, row.voucher, row.transferred_on, row.sum_fen, row.carried_over_at).where(
            row.batch_id.in_([each.id for each in rows])
        )
    )
    return {
        each.batch_id: TransferView(
            each.voucher,
            each.transferred_on,
            each.sum_fen,
            format_yuan(each.sum_fen),
            each.carried_over_at is not None,
        )
        for each in found
    }


async def _given_up(tx: Tx, rows: Sequence[Batch]) -> dict[UUID, GivenUpView]:
    dissolved = [each.id for each in rows if each.status == BatchStatus.DISSOLVED]
    if not dissolved:
        return {}
    row = JournalRow
    found = await tx.execute(
        select(row.subject_id, row.action, row.actor_name, row.reason, row.at).where(
            row.subject_kind == "batch",
            row.subject_id.in_(dissolved),
            row.action.in_([str(BatchAction.DISSOLVE), str(BatchAction.REJECT)]),
        )
    )
    return {
        each.subject_id: GivenUpView(BatchAction(each.action), each.actor_name, each.reason, each.at)
        for each in found
    }
