"""A file that persons carry: one takes it out, which is the point of no return; another says that the bank has it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import exists, func, select

from domain.actor import Actor, Post
from domain.agent_bank import BankTerms, BankWay
from domain.batch import BATCH_LIFECYCLE, AttemptAction, AttemptStatus, BatchAction, BatchStatus
from domain.errors import Conflict, Forbidden
from domain.step_up import Decision
from service.access.commands import proven
from service.batches.commands.moves import BATCHES, move_attempts
from service.batches.commands.saying import confirm_carrier, say
from service.batches.commands.send import FileToSend, file_of, let_leave, pay_nothing
from service.batches.queries import Batch, attempts_in, find_file, locked_batch, view_of
from service.batches.schemas import BankFileView, BatchView, NewFileWord, NewHandover
from service.batches.tables import HandoverRow, RestoreRow, SendingRow
from service.database import Tx
from service.journal import By, JournalRow, move_all, record

CARRIERS = (Post.MAKER, Post.CHECKER, Post.RELEASER)


async def take_file(tx: Tx, me: Actor, batch_id: UUID, now: datetime) -> BankFileView:
    """Take the file out, to carry it to the bank: its payments count as perhaps sent from here on, and no hold stops
    them. A batch with a claim that is stopped now is dissolved instead (`sendings` is empty then).

    NotFound `batch.not_found`, `bank_file.not_written`; Conflict `bank_file.over_http`, `bank_file.taken_out`,
    `bank_file.restored`, `wrong_status`; and what `proven` refuses.
    """
    batch, by = await _carried_batch(tx, me, batch_id, now)
    if await _carrier(tx, batch.id) is not None:
        raise Conflict("bank_file.taken_out", number=batch.number)
    if await _was_restored(tx, batch.id):
        raise Conflict("bank_file.restored", number=batch.number)
    BATCH_LIFECYCLE.after(BatchStatus(batch.status), BatchAction.SEND)
    await proven(tx, me, Decision.CARRY, batch.id, now)
    await let_leave(tx, batch, "carried", by)
    return await find_file(tx, me, batch.id)


async def open_file(tx: Tx, me: Actor, batch_id: UUID, now: datetime) -> FileToSend:
    """The bytes, for who took the file out, until somebody has said what became of it; each look is in the journal.

    Conflict `bank_file.not_taken_out`, `bank_file.ended`; Forbidden `bank_file.not_yours`.
    """
    batch, by = await _carried_batch(tx, me, batch_id, now)
    carrier = await _carrier(tx, batch.id)
    if carrier is None:
        raise Conflict("bank_file.not_taken_out", number=batch.number)
    if carrier[1] != me.person_id:
        raise Forbidden("bank_file.not_yours")
    await _on_its_way(tx, batch)
    file = await file_of(tx, batch, first=False)
    await record(tx, "bank_file", [batch.id], "download", by, [{"sha256": file.sha256}])
    return file


async def hand_over(tx: Tx, me: Actor, batch_id: UUID, new: NewHandover, now: datetime) -> BatchView:
    """Say, as another than who carried it, that the bank has just these bytes, on its receipt: the payments are sent.

    Conflict `bank_file.not_taken_out`, `bank_file.ended`, `bank_file.hash_differs`; Forbidden
    `bank_file.same_person`, and what `proven` refuses.
    """
    batch, by = await _carried_batch(tx, me, batch_id, now)
    carrier = await _carrier(tx, batch.id)
    if carrier is None:
        raise Conflict("bank_file.not_taken_out", number=batch.number)
    ids = await _on_its_way(tx, batch)
    if carrier[1] == me.person_id:
        raise Forbidden("bank_file.same_person")
    if new.sha256 != (await find_file(tx, me, batch.id)).sha256:
        raise Conflict("bank_file.hash_differs", number=batch.number)
    await proven(tx, me, Decision.FILE_WORD, batch.id, now)
    said = {"outcome": "handed_over", "evidence_sha256": new.evidence_sha256}
    await confirm_carrier(tx, me, batch.id, carrier, said, new.note, by)
    await move_attempts(tx, AttemptAction.SEND, ids, by)
    await move_all(tx, BATCHES, BATCH_LIFECYCLE, BatchAction.SEND, [batch.id], by)
    return await view_of(tx, batch.id)


async def say_of_file(tx: Tx, me: Actor, batch_id: UUID, new: NewFileWord, now: datetime) -> BankFileView:
    """Say that the bank has not received the file and will not take it, on its stamped word: the claims are payable
    again; or that nobody can tell: each payment is unknown. Something moves when a second person says the same.

    Conflict `bank_file.not_taken_out`, `bank_file.ended`; Forbidden `bank_file.same_person`, and what `proven`
    refuses: of whoever says it first as well, for what they say is one of the two.
    """
    batch, by = await _carried_batch(tx, me, batch_id, now)
    if await _carrier(tx, batch.id) is None:
        raise Conflict("bank_file.not_taken_out", number=batch.number)
    ids = await _on_its_way(tx, batch)
    await proven(tx, me, Decision.FILE_WORD, batch.id, now)
    said = {"outcome": new.outcome, "evidence_sha256": new.evidence_sha256}
    if await say(tx, me, HandoverRow, batch.id, said, new.note, by):
        if new.outcome == "not_handed_over":
            await pay_nothing(tx, batch.id, "bank_file.not_handed_over", by)
        else:
            await move_attempts(tx, AttemptAction.LOSE_SIGHT, ids, by, changes={"failure": "bank.unclear"})
    return await find_file(tx, me, batch.id)


async def _carried_batch(tx: Tx, me: Actor, batch_id: UUID, now: datetime) -> tuple[Batch, By]:
    me.must_hold(*CARRIERS)
    batch = await locked_batch(tx, batch_id, me)
    if BankTerms.read(batch.terms).way is not BankWay.FILES:
        raise Conflict("bank_file.over_http", number=batch.number)
    await find_file(tx, me, batch.id)
    return batch, By.actor(me, next(post for post in CARRIERS if me.holds(post)), now)


async def _carrier(tx: Tx, batch_id: UUID) -> tuple[UUID, UUID] | None:
    """User and person who took the file out."""
    row = SendingRow
    asked = select(row.user_id, row.person_id).where(row.batch_id == batch_id, row.kind == "carried")
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        return None
    assert found.user_id
    assert found.person_id
    return found.user_id, found.person_id


async def _was_restored(tx: Tx, batch_id: UUID) -> bool:
    """Whether a backup was put back since the file was written: then the bank may have it already (promise 19)."""
    row, restored = JournalRow, select(func.max(RestoreRow.journal_id)).scalar_subquery()
    written = select(row.id).where(row.subject_kind == "bank_file", row.subject_id == batch_id, row.action == "write")
    return bool((await tx.execute(select(exists(written.where(row.id <= restored))))).scalar_one())


async def _on_its_way(tx: Tx, batch: Batch) -> list[UUID]:
    """The attempts that are on their way; Conflict `bank_file.ended` when somebody said what became of them."""
    ids = [each.id for each in await attempts_in(tx, batch.id, AttemptStatus.SENDING)]
    if not ids:
        raise Conflict("bank_file.ended", number=batch.number)
    return ids
