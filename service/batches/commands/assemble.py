"""Fill a batch with payable claims and freeze it: payee, account, amount and reference are copied here."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import select, text

from domain.agent_bank import BankTerms
from domain.batch import (
    ATTEMPT_LIFECYCLE,
    BATCH_LIFECYCLE,
    BatchAction,
    BatchContent,
    BatchStatus,
    Hasher,
    PaymentLine,
    references_begin,
)
from domain.claim import ClaimAction
from domain.errors import Conflict
from service.access.tables import UserRow
from service.batches.commands.counting import counted
from service.batches.commands.moves import BATCHES, ROWS_MAX, move_claims
from service.batches.commands.open import open_sibling
from service.batches.commands.rechecking import failing, keep_left_out, stop_failing
from service.batches.queries import Batch, due_to, filter_of, let_through, locked_batch
from service.claims.queries.care import held_among
from service.claims.tables import ClaimRow
from service.crypto import keyring
from service.database import Tx, fetch
from service.funds.tables import PositionRow
from service.journal import By, move
from service.queue import Job

#: Told how many of how many claims have become lines.
Tell = Callable[[int, int], Awaitable[None]]

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


#: What is copied into the lines, in the order in which the claims are paid.
_ACCOUNTS = """
    SELECT c.id, c.amount_fen, a.id AS account_id, a.holder_sealed, a.number_sealed, a.tail, a.bank_code
      FROM unnest($1::uuid[]) WITH ORDINALITY AS due (id, place)
      JOIN claims c ON c.id = due.id JOIN accounts a ON a.id = c.account_id
     ORDER BY due.place
"""


async def _nobody_told(done: int, total: int) -> None:
    """Nobody asked how far it is."""


async def assemble(tx: Tx, batch_id: UUID, now: datetime, tell: Tell = _nobody_told) -> None:
    """Take payable claims of the batch's fund under its filter, oldest first, and freeze; dissolve when none are.

    Claims that another holds at this moment are left for the next batch. Those that are not to be paid as things
    stand now are stopped instead, and named with the batch. What is more than one file of the bank holds goes into
    another batch of the series, which this one opens. A batch no longer open is left alone.
    """
    by = By(Job.ASSEMBLE_BATCH, now)
    batch = await locked_batch(tx, batch_id)
    if batch.status != BatchStatus.OPENED:
        return
    limit, lines_max = batch.filter["limit"], BankTerms.read(batch.terms).lines_max
    taken = await _take_due(tx, batch, min(limit, lines_max + 1))
    if len(taken) > lines_max:
        taken = taken[:lines_max]
        await open_sibling(tx, batch, limit - lines_max, by)
    due = await _without_failing(tx, batch, taken, by)
    if not due:
        await move(tx, BATCHES, BATCH_LIFECYCLE, BatchAction.DISSOLVE, batch.id, by, reason="batch.empty")
        return
    await freeze(tx, batch, BatchAction.FREEZE, await _prepare(tx, batch, due, by, tell), by)


async def freeze(tx: Tx, batch: Batch, action: BatchAction, content: BatchContent, by: By) -> None:
    """What the lines are is written into the batch, and how many persons would check it if it were signed now."""
    changes = {
        "content_hash": content.content_hash,
        "line_count": content.line_count,
        "sum_fen": content.sum_fen,
        **await counted(tx, batch, content.sum_fen, by.at),
    }
    await move(tx, BATCHES, BATCH_LIFECYCLE, action, batch.id, by, changes=changes)


async def _take_due(tx: Tx, batch: Batch, limit: int) -> Sequence[UUID]:
    """What is due to the batch's opener from its fund, locked, in the order in which it is paid."""
    opener = select(UserRow.person_id).where(UserRow.id == batch.opened_by).scalar_subquery()
    asked = (
        due_to(opener, ClaimRow.id)
        .where(PositionRow.fund == batch.fund, ClaimRow.district == batch.district)
        .where(*let_through(filter_of(batch.filter)))
        .order_by(ClaimRow.filed_on, ClaimRow.filed_at, ClaimRow.id)
        .limit(limit)
        .with_for_update(of=ClaimRow, skip_locked=True)
    )
    due = (await tx.execute(asked)).scalars().all()
    just_held = await held_among(tx, due)
    return [each for each in due if each not in just_held]


async def _without_failing(tx: Tx, batch: Batch, due: Sequence[UUID], by: By) -> Sequence[UUID]:
    """Without those that are not to be paid as things stand: stopped, and kept with the reasons."""
    found = await failing(tx, batch, "assemble", due, by)
    if not found:
        return due
    await stop_failing(tx, found, by)
    await keep_left_out(tx, batch.id, "assemble", found, {}, by)
    left = {each.claim_id for each in found}
    return [each for each in due if each not in left]


async def _prepare(tx: Tx, batch: Batch, due: Sequence[UUID], by: By, tell: Tell) -> BatchContent:
    """Some thousands at a time: the claims move and their lines are made, hashed and forgotten."""
    hasher = Hasher()
    for start in range(0, len(due), ROWS_MAX):
        part = due[start : start + ROWS_MAX]
        if await move_claims(tx, ClaimAction.BATCH, part, by) != len(part):
            raise Conflict("batch.claims_moved")  # cannot be: they are locked
        for line in await _lines(tx, batch, part, start, by):
            hasher.add(line)
        await tell(start + len(part), len(due))
    return hasher.content()


async def _lines(tx: Tx, batch: Batch, claim_ids: Sequence[UUID], start: int, by: By) -> Sequence[PaymentLine]:
    keys, begin = keyring(), references_begin(batch.number)
    paid = await fetch(tx, _ACCOUNTS, claim_ids)
    ids = [uuid4() for _ in paid]
    made = [
        PaymentLine(
            f"{begin}{place:06d}",
            keys.open(each["holder_sealed"], each["account_id"]),
            keys.open(each["number_sealed"], each["account_id"]),
            each["bank_code"],
            each["amount_fen"],
        )
        for place, each in enumerate(paid, start=start + 1)
    ]
    await tx.execute(
        _PREPARE,
        {
            "ids": ids,
            "claims": [each["id"] for each in paid],
            "references": [line.reference for line in made],
            "amounts": [line.amount_fen for line in made],
            "payees": [keys.seal(line.payee, i) for i, line in zip(ids, made, strict=True)],
            "accounts": [keys.seal(line.account, i) for i, line in zip(ids, made, strict=True)],
            "tails": [each["tail"] for each in paid],
            "banks": [line.bank_code for line in made],
            "batch": batch.id,
            "status": ATTEMPT_LIFECYCLE.first,
            "by": by.name,
            "at": by.at,
        },
    )
    return made
