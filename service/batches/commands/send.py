"""A file goes to the bank. Intent is committed first; after that only the bank's own word changes anything."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select

from domain.agent_bank import BankTerms, BankWay
from domain.batch import BATCH_LIFECYCLE, AttemptAction, AttemptStatus, BatchAction, BatchStatus
from domain.claim import ClaimAction
from domain.errors import Conflict
from domain.fund import Pot
from service.batches.commands.dissolve import give_up
from service.batches.commands.looking_again import look_again
from service.batches.commands.moves import BATCHES, move_attempts, move_claims
from service.batches.queries import Batch, attempts_in, live_hold, locked_batch
from service.batches.tables import BankFileRow, SendingRow
from service.claims.commands.holds import hold_found
from service.crypto import keyring
from service.database import Tx
from service.funds.commands import follow
from service.gateways.bank import FileState
from service.jobs import owe
from service.journal import By, move_all, record
from service.logs import log
from service.queue import Job
from service.verification.queries.rechecks import revoked_among

#: The file may be with the bank, and nobody has told us yet.
ON_ITS_WAY = (AttemptStatus.SENDING, AttemptStatus.UNKNOWN)


@dataclass(frozen=True)
class FileToSend:
    """`first`: it was never on its way, so it may be sent. Otherwise the bank is asked, and it is never sent."""

    batch_id: UUID
    file_id: str
    sha256: str
    first: bool
    data: bytes = field(repr=False)


async def intend_to_send(tx: Tx, batch_id: UUID, now: datetime) -> FileToSend | None:
    """The point of no return: committed with this, the file counts as perhaps sent. None: nothing is left to do, or
    persons carry this file.

    A batch with a claim that the registers now have something against, or whose certificate is revoked, is dissolved
    instead, and that claim held or in review. Conflict `batch.held` while it is held: the job waits for the lift.
    """
    batch = await locked_batch(tx, batch_id)
    if batch.status != BatchStatus.RELEASED or BankTerms.read(batch.terms).way is not BankWay.HTTP:
        return None
    on_its_way = await attempts_in(tx, batch.id, *ON_ITS_WAY)
    if not on_its_way and not await let_leave(tx, batch, "sent", By(Job.SEND_BANK_FILE, now)):
        return None
    return await file_of(tx, batch, first=not on_its_way)


async def let_leave(tx: Tx, batch: Batch, kind: str, by: By) -> bool:
    """Write down that the file's bytes leave now, and put its prepared payments on their way; False when there are
    none, or a claim among them was stopped and the batch dissolved. Conflict `batch.held` while it is held."""
    if await live_hold(tx, batch.id) is not None:
        raise Conflict("batch.held", number=batch.number)
    prepared = await attempts_in(tx, batch.id, AttemptStatus.PREPARED)
    claims = [each.claim_id for each in prepared]
    if not prepared or await _stopped(tx, batch, claims, by):
        return False
    await note_sending(tx, batch, kind, by)
    await follow(tx, claims, Pot.IN_FLIGHT, by)
    await move_attempts(tx, AttemptAction.INTEND, [each.id for each in prepared], by)
    return True


async def note_sending(tx: Tx, batch: Batch, kind: str, by: By, resend_id: UUID | None = None) -> None:
    """A row and a line of the journal for bytes that may leave once this is committed."""
    hashes = await tx.execute(select(BankFileRow.sha256).where(BankFileRow.batch_id == batch.id))
    sha256 = hashes.scalar_one()
    who = {"user_id": by.user_id, "person_id": by.person_id}
    told = {"kind": kind, "sha256": sha256}
    await tx.execute(
        insert(SendingRow).values(id=uuid4(), batch_id=batch.id, began_at=by.at, resend_id=resend_id, **told, **who)
    )
    noted = told if resend_id is None else {**told, "resend_id": str(resend_id)}
    await record(tx, "bank_file", [batch.id], kind, by, [noted])


async def file_of(tx: Tx, batch: Batch, *, first: bool) -> FileToSend:
    """The file of a batch, opened."""
    row = BankFileRow
    asked = select(row.file_id, row.sha256, row.bytes_sealed).where(row.batch_id == batch.id)
    file = (await tx.execute(asked)).one()
    data = keyring().open_bytes(file.bytes_sealed, batch.id)
    return FileToSend(batch.id, file.file_id, file.sha256, first=first, data=data)


async def _stopped(tx: Tx, batch: Batch, claim_ids: Sequence[UUID], by: By) -> bool:
    revoked = await revoked_among(tx, claim_ids)
    found = await look_again(tx, batch.id, "send", claim_ids, by)
    if not revoked and not found:
        return False
    await give_up(tx, batch, BatchAction.DISSOLVE, by, "batch.register_found" if found else "batch.revoked")
    await move_claims(tx, ClaimAction.QUESTION, revoked, by, reason="registry.revoked")
    await hold_found(tx, by, found)
    return True


async def settle_answer(tx: Tx, file: FileToSend, state: FileState, now: datetime) -> bool:
    """Do what the bank's word means; False when it leaves the outcome open, so that it is asked again.

    Accepted with our hash: sent, a return is owed. Refused, or not received and the id closed for ever: every attempt
    failed and the claims are payable again. Everything else: unknown, until the bank says more or two persons decide.
    """
    batch = await locked_batch(tx, file.batch_id)
    by = By(Job.SEND_BANK_FILE, now)
    open_ids = [each.id for each in await attempts_in(tx, batch.id, *ON_ITS_WAY)]
    ours = state.sha256 in (None, file.sha256)
    if state.state == "accepted" and ours:
        await move_attempts(tx, AttemptAction.SEND, open_ids, by)
        await move_all(tx, BATCHES, BATCH_LIFECYCLE, BatchAction.SEND, [batch.id], by)
        await owe(tx, Job.FETCH_RETURN, batch.id)
        return True
    if ours and (state.state == "refused" or (state.state == "not_received" and state.closed)):
        await pay_nothing(tx, batch.id, f"bank.{state.state}", by)
        return True
    log.warning("file_unclear", batch=str(batch.id), state=state.state, closed=state.closed, ours=ours)
    await move_attempts(tx, AttemptAction.LOSE_SIGHT, open_ids, by, changes={"failure": "bank.unclear"})
    await owe(tx, Job.ASK_PAYMENTS, batch.id)
    return False


async def pay_nothing(tx: Tx, batch_id: UUID, why: str, by: By) -> None:
    """The bank will pay nothing of this file: a definite word, so the claims may go into another batch."""
    failed = await attempts_in(tx, batch_id, *ON_ITS_WAY)
    await move_attempts(tx, AttemptAction.FAIL, [each.id for each in failed], by, changes={"failure": why})
    await move_claims(tx, ClaimAction.UNBATCH, [each.claim_id for each in failed], by, reason=why)
    await move_all(tx, BATCHES, BATCH_LIFECYCLE, BatchAction.MISS, [batch_id], by, reason=why)
