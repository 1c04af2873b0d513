"""Fill a batch with payable claims and freeze it: payee, account, amount and reference are copied here."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from sqlalchemy import Row, select, text

from domain.batch import ATTEMPT_LIFECYCLE, BATCH_LIFECYCLE, BatchAction, BatchStatus, PaymentLine, content_of
from domain.claim import ClaimAction
from domain.errors import Conflict
from service.access.tables import UserRow
from service.batches.commands.looking_again import look_again
from service.batches.commands.moves import BATCHES, ROWS_MAX, move_claims
from service.batches.queries import Batch, due_to, locked_batch
from service.claims.commands.holds import hold_found
from service.claims.queries.care import held_among
from service.claims.tables import ClaimRow
from service.crypto import keyring
from service.database import Tx
from service.funds.tables import PositionRow
from service.journal import By, move
from service.people.tables import AccountRow
from service.queue import Job
from service.verification.queries.rechecks import revoked_among

_Due: TypeAlias = Row[*tuple[Any, ...]]

# Attempts and their journal rows in one statement: the guard wants both in one breath.
_PREPARE = text("""
    WITH line AS (
      SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:claims AS uuid[]), CAST(:references AS text[]), CAST(:amounts AS bigint[]),
        CAST(:payees AS bytea[]), CAST(:accounts AS bytea[]), CAST(:tails AS text[]), CAST(:banks AS text[]))
        AS line (id, claim_id, reference, amount_fen, payee_sealed, account_sealed, account_tail, bank_code)
    ), made AS (
      INSERT INTO payment_attempts (id, claim_id, batch_id, reference, amount_fen, payee_sealed, account_sealed,
                                    account_tail, bank_code, status)
      SELECT id, claim_id, CAST(:batch AS uuid), reference, amount_fen, payee_sealed, account_sealed,
             account_tail, bank_code, CAST(:status AS text) FROM line
      RETURNING *
    )
    INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
    SELECT 'attempt', id, 'prepare',
           jsonb_build_object('status', status, 'claim_id', claim_id, 'batch_id', batch_id, 'reference', reference,
                              'amount_fen', amount_fen, 'account_tail', account_tail, 'bank_code', bank_code),
           CAST(:by AS text), CAST(:at AS timestamptz)
      FROM made
""")


async def assemble(tx: Tx, batch_id: UUID, now: datetime) -> None:
    """Take payable claims of the batch's fund under its filter, oldest first, and freeze; dissolve when none are.

    Claims that another holds at this moment are left for the next batch. Those that the registers now have something
    against are held instead. A batch no longer open is left alone.
    """
    by = By(Job.ASSEMBLE_BATCH, now)
    batch = await locked_batch(tx, batch_id)
    if batch.status != BatchStatus.OPENED:
        return
    due = await _without_found(tx, batch, await _take_due(tx, batch), by)
    if not due:
        await move(tx, BATCHES, BATCH_LIFECYCLE, BatchAction.DISSOLVE, batch.id, by, reason="batch.empty")
        return
    if await move_claims(tx, ClaimAction.BATCH, [each.id for each in due], by) != len(due):
        raise Conflict("batch.claims_moved")  # cannot be: they are locked
    lines = await _prepare(tx, batch, due, by)
    content = content_of(lines)
    changes = {"content_hash": content.content_hash, "line_count": content.line_count, "sum_fen": content.sum_fen}
    await move(tx, BATCHES, BATCH_LIFECYCLE, BatchAction.FREEZE, batch.id, by, changes=changes)


async def _take_due(tx: Tx, batch: Batch) -> Sequence[_Due]:
    """What is due to the batch's opener from its fund, locked, with the accounts that are paid to."""
    opener = select(UserRow.person_id).where(UserRow.id == batch.opened_by).scalar_subquery()
    account = AccountRow
    asked = (
        due_to(
            opener,
            *(ClaimRow.id, ClaimRow.amount_fen, account.id.label("account_id"), account.holder_sealed),
            *(account.number_sealed, account.tail, account.bank_code),
        )
        .join(account, account.id == ClaimRow.account_id)
        .where(PositionRow.fund == batch.fund, ClaimRow.district == batch.district)
        .order_by(ClaimRow.filed_on, ClaimRow.filed_at, ClaimRow.id)
        .limit(batch.filter["limit"])
        .with_for_update(of=ClaimRow, skip_locked=True)
    )
    if batch.filter["filed_to"]:
        asked = asked.where(ClaimRow.filed_on <= date.fromisoformat(batch.filter["filed_to"]))
    due = [*await tx.execute(asked)]
    just_held = await held_among(tx, [each.id for each in due])
    return [each for each in due if each.id not in just_held]


async def _without_found(tx: Tx, batch: Batch, due: Sequence[_Due], by: By) -> Sequence[_Due]:
    """Without those whose certificate is revoked, and those that a register stops, which wait for a reviewer."""
    revoked = set(await revoked_among(tx, [each.id for each in due]))
    await move_claims(tx, ClaimAction.QUESTION, sorted(revoked), by, reason="registry.revoked")
    due = [each for each in due if each.id not in revoked]
    found = await look_again(tx, batch.id, "assemble", [each.id for each in due], by)
    await hold_found(tx, by, found)
    stopped = {each.claim_id for each in found}
    return [each for each in due if each.id not in stopped]


async def _prepare(tx: Tx, batch: Batch, due: Sequence[_Due], by: By) -> list[PaymentLine]:
    keys, number = keyring(), batch.number.replace("-", "")
    lines: list[PaymentLine] = []
    for start in range(0, len(due), ROWS_MAX):
        part = due[start : start + ROWS_MAX]
        ids = [uuid4() for _ in part]
        made = [
            PaymentLine(
                f"{number}{place:06d}",
                keys.open(each.holder_sealed, each.account_id),
                keys.open(each.number_sealed, each.account_id),
                each.bank_code,
                each.amount_fen,
            )
            for place, each in enumerate(part, start=start + 1)
        ]
        await tx.execute(
            _PREPARE,
            {
                "ids": ids,
                "claims": [each.id for each in part],
                "references": [line.reference for line in made],
                "amounts": [line.amount_fen for line in made],
                "payees": [keys.seal(line.payee, i) for i, line in zip(ids, made, strict=True)],
                "accounts": [keys.seal(line.account, i) for i, line in zip(ids, made, strict=True)],
                "tails": [each.tail for each in part],
                "banks": [line.bank_code for line in made],
                "batch": batch.id,
                "status": ATTEMPT_LIFECYCLE.first,
                "by": by.name,
                "at": by.at,
            },
        )
        lines += made
    return lines
