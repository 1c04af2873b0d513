"""Lines leave a frozen batch that nobody has signed: it is frozen again over the others, under another hash."""

from domain.batch import AttemptAction, AttemptStatus, BatchAction, Hasher
from domain.claim import ClaimAction
from service.batches.commands.assemble import freeze
from service.batches.commands.dissolve import give_up
from service.batches.commands.moves import move_attempts, move_claims
from service.batches.commands.rechecking import failing, keep_left_out, stop_failing
from service.batches.queries import Batch, attempts_in, each_payment_line
from service.database import Tx
from service.journal import By


async def leave_out_failing(tx: Tx, batch: Batch, by: By) -> bool:
    """Look at every line of a locked, frozen batch once more; whether any left. What was *signed* never changes
    (decision 16): this comes before the first signature. A batch of which nothing is left is dissolved."""
    lines = await attempts_in(tx, batch.id, AttemptStatus.PREPARED)
    found = await failing(tx, batch, "submit", [each.claim_id for each in lines], by)
    if not found:
        return False
    leaving = {each.claim_id for each in found}
    left = [line for line in lines if line.claim_id in leaving]
    await keep_left_out(tx, batch.id, "submit", found, {line.claim_id: line.reference for line in left}, by)
    if len(left) == len(lines):
        await give_up(tx, batch, BatchAction.DISSOLVE, by, "batch.nothing_left")
        await stop_failing(tx, found, by)
        return True
    await move_attempts(tx, AttemptAction.VOID, [line.id for line in left], by, reason="batch.line_left")
    await move_claims(tx, ClaimAction.UNBATCH, sorted(leaving), by, reason="batch.line_left")
    await stop_failing(tx, found, by)
    hasher = Hasher()
    async for line in each_payment_line(tx, batch.id):
        hasher.add(line)
    await freeze(tx, batch, BatchAction.REFREEZE, hasher.content(), by)
    return True
