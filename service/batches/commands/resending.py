"""The same bytes under the same id once more: by two persons, while the bank promises to know them (promise 5)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from domain.actor import Actor, Post
from domain.agent_bank import BankTerms, resend_until
from domain.batch import AttemptStatus, BatchStatus
from domain.errors import Conflict
from domain.step_up import Decision
from service.access.commands import proven
from service.batches.commands.saying import say
from service.batches.commands.send import ON_ITS_WAY, FileToSend, file_of, note_sending
from service.batches.queries import Batch, find_file, locked_batch, statuses_in
from service.batches.schemas import BankFileView, NewResend
from service.batches.tables import ResendRow, SendingRow
from service.database import Tx
from service.jobs import owe
from service.journal import By
from service.queue import Job

#: What a file that may leave again is over; void is what had left the batch before it was signed.
_AGAIN = frozenset({*ON_ITS_WAY, AttemptStatus.VOID})
_RESENDERS = (Post.MAKER, Post.CHECKER, Post.RELEASER)


async def say_resend(tx: Tx, me: Actor, batch_id: UUID, new: NewResend, now: datetime) -> BankFileView:
    """Propose that the file is resent, or confirm what another person proposed: then a job sends it, once.

    Conflict `bank_file.not_unknown` when the fate of any of its payments is known, `bank_file.window_closed` when the
    bank promises nothing (any more); Forbidden `bank_file.same_person`, and what `proven` refuses.
    """
    me.must_hold(*_RESENDERS)
    batch = await locked_batch(tx, batch_id, me)
    await find_file(tx, me, batch.id)
    await _must_be_open(tx, batch, now)
    by = By.actor(me, next(post for post in _RESENDERS if me.holds(post)), now)
    await proven(tx, me, Decision.RESEND, batch.id, now)
    if await say(tx, me, ResendRow, batch.id, {}, new.note, by):
        await owe(tx, Job.RESEND_BANK_FILE, batch.id)
    return await find_file(tx, me, batch.id)


async def intend_to_resend(tx: Tx, batch_id: UUID, now: datetime) -> FileToSend | None:
    """Use up what two persons said: committed with this, the bytes may leave once more. None: nobody said so, it was
    used before, the file's fate is known by now, or the window has closed meanwhile."""
    batch = await locked_batch(tx, batch_id)
    said, used = ResendRow, SendingRow
    asked = (
        select(said.id)
        .join(used, used.resend_id == said.id, isouter=True)
        .where(said.batch_id == batch.id, said.confirmed_person.is_not(None), used.id.is_(None))
        .order_by(said.closed_at.desc())
    )
    resend_id = (await tx.execute(asked)).scalars().first()
    if resend_id is None:
        return None
    try:
        await _must_be_open(tx, batch, now)
    except Conflict:
        return None
    await note_sending(tx, batch, "resent", By(Job.RESEND_BANK_FILE, now), resend_id)
    return await file_of(tx, batch, first=False)


async def _must_be_open(tx: Tx, batch: Batch, now: datetime) -> None:
    """One payment that counts as not paid bars the whole file: the bank may see it for the first time, and pay it."""
    if batch.status != BatchStatus.RELEASED or not _AGAIN.issuperset(await statuses_in(tx, batch.id)):
        raise Conflict("bank_file.not_unknown", number=batch.number)
    row = SendingRow
    began = await tx.execute(select(row.began_at).where(row.batch_id == batch.id, row.kind == "sent"))
    first_at = began.scalar_one_or_none()
    until = resend_until(BankTerms.read(batch.terms), first_at) if first_at else None
    if until is None or now >= until:
        raise Conflict("bank_file.window_closed", number=batch.number)
