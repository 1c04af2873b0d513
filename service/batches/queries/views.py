"""Batches as people see them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from sqlalchemy import Row, select

from domain.agent_bank import BankTerms
from domain.batch import BatchAction, BatchStatus, Step
from domain.money import format_yuan
from service.batches.schemas import (
    BatchHoldView,
    BatchView,
    GivenUpView,
    LeftOutView,
    SiblingView,
    SignatureView,
    TogetherView,
    TransferView,
)
from service.batches.tables import BatchHoldRow, BatchRow, LeftOutRow, SignatureRow, TreasuryTransferRow
from service.clock import SHANGHAI
from service.database import Tx
from service.journal import JournalRow
from service.policies.queries import work_calendar
from service.wording import words

#: A stored batch: what `queries.batches` selects.
Batch: TypeAlias = Row[*tuple[Any, ...]]
#: Of more claims that a batch left out, these are named.
LEFT_OUT_MAX = 200


async def views(tx: Tx, rows: Sequence[Batch]) -> list[BatchView]:
    """Batches as people see them, with everything that hangs on them: a few statements for all."""
    ids = [row.id for row in rows]
    signatures, holds = await _signatures(tx, ids), await _holds(tx, ids)
    transfers, given_up = await _transfers(tx, rows), await _given_up(tx, rows)
    left_out, siblings = await _left_out(tx, ids), await _siblings(tx, rows)
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
            row.checks_needed,
            together_view(row.checks_needed, row.together) if row.together else None,
            holds[row.id],
            left_out[row.id][:LEFT_OUT_MAX],
            len(left_out[row.id]),
            siblings[row.id],
            *_leaving(row, signatures[row.id], holds[row.id]),
        )
        for row in rows
    ]


def together_view(needed: int, kept: Mapping[str, Any]) -> TogetherView:
    """What a batch keeps about its checks, in words."""
    fen, beside, from_fen = kept["fen"], kept["with"], kept["from_fen"]
    view = TogetherView(fen, format_yuan(fen), beside)
    if needed > 1 and from_fen:
        said = {"persons": needed, "count": len(beside) + 1, "sum": view.sum, "from": format_yuan(from_fen)}
        view.said = words("batch.checks_together" if beside else "batch.checks_alone", said)
    return view


async def _signatures(tx: Tx, ids: Sequence[UUID]) -> Mapping[UUID, list[SignatureView]]:
    signed = SignatureRow
    found = await tx.execute(
        select(signed.batch_id, signed.step, signed.signed_at, signed.delegation_id)
        .where(signed.batch_id.in_(ids))
        .order_by(signed.signed_at, signed.step)  # the names of the steps sort as they are put
    )
    signatures = defaultdict(list)
    for each in found:
        stands_in = each.delegation_id is not None
        signatures[each.batch_id].append(SignatureView(Step(each.step), each.signed_at, stands_in))
    return signatures


async def _holds(tx: Tx, ids: Sequence[UUID]) -> Mapping[UUID, list[BatchHoldView]]:
    row, holds = BatchHoldRow, defaultdict(list)
    for each in await tx.execute(
        select(row.batch_id, row.code, row.note, row.placed_at, row.lifted_at, row.lift_note)
        .where(row.batch_id.in_(ids))
        .order_by(row.placed_at, row.id)
    ):
        said = words(f"batch_hold.{each.code}")
        holds[each.batch_id].append(
            BatchHoldView(each.code, said, each.note, each.placed_at, each.lifted_at, each.lift_note)
        )
    return holds


async def _left_out(tx: Tx, ids: Sequence[UUID]) -> Mapping[UUID, list[LeftOutView]]:
    row, left = LeftOutRow, defaultdict(list)
    asked = select(row.batch_id, row.claim_id, row.reference, row.reasons, row.left_at).where(row.batch_id.in_(ids))
    for each in await tx.execute(asked.order_by(row.left_at, row.reference, row.claim_id)):
        codes = [reason["code"] for reason in each.reasons]
        said = "".join(words(reason["code"], reason["facts"]) for reason in each.reasons)
        left[each.batch_id].append(LeftOutView(each.claim_id, each.reference, codes, said, each.left_at))
    return left


async def _siblings(tx: Tx, rows: Sequence[Batch]) -> Mapping[UUID, list[SiblingView]]:
    batch, siblings = BatchRow, defaultdict(list)
    own = {row.series for row in rows} - {None}
    asked = select(batch.series, batch.id, batch.number, batch.status, batch.line_count, batch.sum_fen)
    found = (await tx.execute(asked.where(batch.series.in_(own)).order_by(batch.number))).all() if own else []
    for row in rows:
        siblings[row.id] = [
            SiblingView(each.id, each.number, BatchStatus(each.status), each.line_count, each.sum_fen)
            for each in found
            if each.series == row.series and each.id != row.id
        ]
    return siblings


def _leaving(
    row: Batch, signatures: Sequence[SignatureView], holds: Sequence[BatchHoldView]
) -> tuple[datetime | None, str]:
    """When the bank takes the file of a released batch, and the same in words; nothing while it is held."""
    if row.status != BatchStatus.RELEASED or any(hold.lifted_at is None for hold in holds):
        return None, ""
    free = [signed.signed_at for signed in signatures] + [hold.lifted_at for hold in holds if hold.lifted_at]
    at = leaves_at(row.terms, max(free))
    return at, words("batch.goes_to_bank", {"day": f"{at:%Y-%m-%d}", "time": f"{at:%H:%M}"})


def leaves_at(terms: Mapping[str, Any], at: datetime) -> datetime:
    """When a file that may leave `at` is taken by the bank, by a batch's stored terms; in Asia/Shanghai."""
    return BankTerms.read(terms).takes_from(at.astimezone(SHANGHAI), work_calendar())


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
