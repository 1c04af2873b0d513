"""Persons sign a batch, each another, each what they were shown; the last releases the money."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import exists, insert, select

from domain.actor import Actor, Post
from domain.batch import BATCH_LIFECYCLE, CHECKS, BatchAction, BatchStatus, Step
from domain.errors import Conflict, Forbidden, Invalid
from domain.money import format_yuan
from service.access.commands import proven
from service.access.tables import UserRow
from service.batches.commands.counting import counted, must_be_countable
from service.batches.commands.leaving import leave_out_failing
from service.batches.commands.moves import BATCHES
from service.batches.queries import Batch, live_hold, locked_batch, signers_of, standing_in, view_of
from service.batches.schemas import BatchView, NewRelease, Shown
from service.batches.tables import AttemptRow, BatchRow, SignatureRow, TreasuryTransferRow
from service.claims.tables import ClaimRow
from service.clock import business_day
from service.database import Tx
from service.jobs import owe
from service.journal import By, move, record
from service.queue import Job


@dataclass(frozen=True)
class Signing:
    """A signature: the first step that it may be, who puts it, and what it does to the batch."""

    step: Step
    post: Post
    action: BatchAction


_SUBMIT = Signing(Step.ASSEMBLE, Post.MAKER, BatchAction.SUBMIT)
_CHECK = Signing(Step.CHECK, Post.CHECKER, BatchAction.CHECK)
_RELEASE = Signing(Step.RELEASE, Post.RELEASER, BatchAction.RELEASE)
#: What is signed next in a status.
SIGNINGS: Mapping[BatchStatus, Signing] = {
    BatchStatus.FROZEN: _SUBMIT,
    BatchStatus.SUBMITTED: _CHECK,
    BatchStatus.CHECKED: _RELEASE,
}


async def submit_batch(tx: Tx, me: Actor, batch_id: UUID, shown: Shown, now: datetime) -> BatchView:
    """The maker's signature, after every line was looked at once more. Where lines are not to be paid any more they
    leave with their reasons, the batch is frozen over the others, and **nothing is signed**: the answer is still
    `frozen` (or `dissolved`, where none is left), with another hash, to be looked at and signed again. By how many
    it is checked is settled here.

    Conflict `batch.others_open` while others of its district and fund are still put together. Refusals of all
    signatures: NotFound `batch.not_found`; Forbidden `batch.same_person`, `post_missing`, `batch.no_delegation`,
    `batch.own_claim`; Conflict `wrong_status`, `batch.held`, `batch.changed` (with what was shown and what is there
    now); and what `proven` refuses.
    """
    batch = await _may_sign(tx, me, batch_id, _SUBMIT, shown, now)
    await must_be_countable(tx, batch, now)
    if await leave_out_failing(tx, batch, By.actor(me, Post.MAKER, now)):
        return await view_of(tx, batch.id)
    # last, for what is assembled meanwhile locks its money before it is counted
    checks = await counted(tx, batch, shown.sum_fen, now, signing=True)
    return await _sign(tx, me, batch, _SUBMIT, now, checks)


async def check_batch(tx: Tx, me: Actor, batch_id: UUID, shown: Shown, now: datetime) -> BatchView:
    """A checker's signature; the batch is checked once as many persons have as it needs. Refusals as for
    `submit_batch`."""
    batch = await _may_sign(tx, me, batch_id, _CHECK, shown, now)
    signed = select(SignatureRow.step).where(SignatureRow.batch_id == batch.id)
    already = set((await tx.execute(signed)).scalars())
    left = [step for step in CHECKS[: batch.checks_needed] if step not in already]
    action = BatchAction.CHECK if len(left) == 1 else BatchAction.CHECK_ON
    return await _sign(tx, me, batch, Signing(left[0], Post.CHECKER, action), now)


async def release_batch(
    tx: Tx, me: Actor, batch_id: UUID, release: NewRelease, today: date, now: datetime
) -> BatchView:
    """Record the treasury's transfer, sign, and owe the bank file.

    Refusals as for `submit_batch`, and Invalid `batch.transfer_in_future`; Conflict `batch.voucher_used`, and
    `batch.voucher_short` for a voucher of a dissolved batch that was over less.
    """
    batch = await _may_sign(tx, me, batch_id, _RELEASE, release, now)
    if release.transferred_on > today:
        raise Invalid("batch.transfer_in_future", field="transferred_on", today=today.isoformat())
    await _must_be_free(tx, batch, release.voucher)
    transfer = {
        "voucher": release.voucher,
        "transferred_on": release.transferred_on,
        "sum_fen": batch.sum_fen,
        "recorded_by": me.user_id,
    }
    await tx.execute(insert(TreasuryTransferRow).values(batch_id=batch.id, **transfer))
    noted = {name: value if isinstance(value, int) else str(value) for name, value in transfer.items()}
    await record(tx, "treasury_transfer", [batch.id], "record", By.actor(me, Post.RELEASER, now), [noted])
    view = await _sign(tx, me, batch, _RELEASE, now)
    await owe(tx, Job.WRITE_BANK_FILE, batch.id)
    return view


async def note_refusal(tx: Tx, me: Actor, batch_id: UUID, step: Step, code: str, now: datetime) -> None:
    """Keep in the journal that a person was not let sign; the refused transaction itself left nothing."""
    by = By.actor(me, "+".join(sorted(me.posts)), now)
    await record(tx, "batch_refusal", [batch_id], f"refused_{step}", by, [{"refused": code}])


async def _may_sign(tx: Tx, me: Actor, batch_id: UUID, signing: Signing, shown: Shown, now: datetime) -> Batch:
    """The batch, locked, if this person may put this signature under what they were shown."""
    batch = await locked_batch(tx, batch_id, me)
    if me.person_id in await _others(tx, batch, signing):
        raise Forbidden("batch.same_person")
    me.must_hold(signing.post)
    if me.district is None and await standing_in(tx, me, batch.district, signing.post, business_day(now)) is None:
        raise Forbidden("batch.no_delegation")
    if await _is_paid_by(tx, me, batch):
        raise Forbidden("batch.own_claim")
    BATCH_LIFECYCLE.after(BatchStatus(batch.status), signing.action)
    if await live_hold(tx, batch.id) is not None:
        raise Conflict("batch.held", number=batch.number)
    if (batch.content_hash, batch.line_count, batch.sum_fen) != (shown.content_hash, shown.line_count, shown.sum_fen):
        raise Conflict(
            "batch.changed",
            shown_hash=shown.content_hash,
            shown_count=shown.line_count,
            shown_sum=format_yuan(shown.sum_fen),
            content_hash=batch.content_hash,
            line_count=batch.line_count,
            sum=format_yuan(batch.sum_fen),
        )
    return batch


async def _must_be_free(tx: Tx, batch: Batch, voucher: str) -> None:
    """A voucher is new, or carried over from dissolved batches of this district and fund and over no less than this
    sum: the treasury moved money of one fund."""
    row = TreasuryTransferRow
    named = await tx.execute(
        select(row.sum_fen, row.carried_over_at, BatchRow.district, BatchRow.fund)
        .join(BatchRow, BatchRow.id == row.batch_id)
        .where(row.voucher == voucher)
    )
    before = named.all()
    ours = batch.district, batch.fund
    if any(each.carried_over_at is None or (each.district, each.fund) != ours for each in before):
        raise Conflict("batch.voucher_used")
    most = max((each.sum_fen for each in before), default=batch.sum_fen)
    if most < batch.sum_fen:
        raise Conflict("batch.voucher_short", voucher_sum=format_yuan(most), sum=format_yuan(batch.sum_fen))


async def _others(tx: Tx, batch: Batch, signing: Signing) -> set[UUID]:
    """Persons who must not put this signature: whoever signed, and for later steps also who opened the batch."""
    if signing.step == Step.ASSEMBLE:
        return set()  # it is the first: whoever signed before runs into the status
    opener = select(UserRow.person_id).where(UserRow.id == batch.opened_by)
    return await signers_of(tx, batch.id) | {(await tx.execute(opener)).scalar_one()}


async def _is_paid_by(tx: Tx, me: Actor, batch: Batch) -> bool:
    mine = (
        select(AttemptRow.id)
        .join(ClaimRow, ClaimRow.id == AttemptRow.claim_id)
        .where(AttemptRow.batch_id == batch.id, ClaimRow.person_id == me.person_id)
    )
    return bool((await tx.execute(select(exists(mine)))).scalar_one())


async def _sign(
    tx: Tx, me: Actor, batch: Batch, signing: Signing, now: datetime, changes: Mapping[str, Any] | None = None
) -> BatchView:
    purpose = f"batch.{signing.step.partition('_')[0]}"  # the same for every check, however many there are
    by_delegation = None
    if me.district is None:
        by_delegation = await standing_in(tx, me, batch.district, signing.post, business_day(now))
    await tx.execute(
        insert(SignatureRow).values(
            batch_id=batch.id,
            step=signing.step,
            person_id=me.person_id,
            user_id=me.user_id,
            content_hash=batch.content_hash,
            line_count=batch.line_count,
            sum_fen=batch.sum_fen,
            signed_at=now,
            step_up_id=await proven(tx, me, purpose, batch.id, now),
            delegation_id=by_delegation,
        )
    )
    by = By.actor(me, signing.post, now)
    await move(tx, BATCHES, BATCH_LIFECYCLE, signing.action, batch.id, by, changes=changes)
    return await view_of(tx, batch.id)
