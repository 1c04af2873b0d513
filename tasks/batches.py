"""Batches: filled, written as a file, sent to the bank once, and asked about for as long as it takes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from uuid import UUID

from domain.errors import Unavailable
from service.batches import commands, queries
from service.clock import now
from service.database import transaction
from service.gateways.asking import new_client
from service.gateways.bank import Bank, BankRefused, FileState, HttpBank
from service.jobs import owe
from service.logs import log
from service.queue import Job
from service.settings import settings
from tasks.runtime import Owed, alone, job


@asynccontextmanager
async def bank() -> AsyncIterator[Bank]:
    """The agent bank of this installation."""
    async with new_client() as client:
        yield HttpBank(settings().bank_url, settings().bank_token, client)


@job(Job.ASSEMBLE_BATCH)
async def assemble_batch(owed: Owed) -> None:
    async with owed.settle() as (tx, batch_ids):
        for batch_id in batch_ids:
            await commands.assemble(tx, batch_id, now(), partial(_tell, batch_id))


async def _tell(batch_id: UUID, done: int, total: int) -> None:
    """In a transaction of its own: what assembling itself writes is not there to see before its end."""
    async with transaction() as tx:
        await commands.tell_progress(tx, batch_id, done, total)


@job(Job.WRITE_BANK_FILE)
async def write_bank_file(owed: Owed) -> None:
    async with owed.settle() as (tx, batch_ids):
        for batch_id in batch_ids:
            await commands.write_bank_file(tx, batch_id, now())


@job(Job.SEND_BANK_FILE)
async def send_bank_file(owed: Owed) -> None:
    """Each file by itself: what the bank said of one is committed before the next is sent.

    Who asks while another sends would close the file's id under it.
    """
    async with bank() as desk:
        for each in owed.jobs:
            own = Owed([each], owed.postponed)
            async with alone(f"send {each.subject}") as free:
                if free:
                    await _send(own, each.subject, desk)
                else:
                    own.postpone(each.subject, "bank.being_sent")


@job(Job.RESEND_BANK_FILE)
async def resend_bank_file(owed: Owed) -> None:
    """Once for each time that two persons said so. What the bank then says is told by asking about the file: one that
    refuses a repetition has not refused the payments."""
    async with bank() as desk:
        for each in owed.jobs:
            async with alone(f"send {each.subject}") as free:
                if free:
                    await _resend(Owed([each], owed.postponed), each.subject, desk)
                else:
                    owed.postpone(each.subject, "bank.being_sent")


async def _resend(owed: Owed, batch_id: UUID, desk: Bank) -> None:
    async with transaction() as tx:
        file = await commands.intend_to_resend(tx, batch_id, now())
    try:
        if file:
            await desk.send(file.file_id, file.data, file.sha256)
    except (Unavailable, BankRefused) as told:
        log.warning("resend_unclear", batch=str(batch_id), code=told.code)
    async with owed.settle() as (tx, _):
        await owe(tx, Job.SEND_BANK_FILE, batch_id)


async def _send(owed: Owed, batch_id: UUID, desk: Bank) -> None:
    async with transaction() as tx:
        if waiting := await queries.waits_for(tx, batch_id, now()):
            owed.postpone(batch_id, *waiting)
            return
        file = await commands.intend_to_send(tx, batch_id, now())
    try:
        state = await _answer(file, desk) if file else None
    except Unavailable as silence:
        owed.postpone(batch_id, silence.code)
        return
    async with owed.settle() as (tx, still_owed):
        if file and state and still_owed and not await commands.settle_answer(tx, file, state, now()):
            owed.postpone(batch_id, "bank.unclear")


async def _answer(file: commands.FileToSend, desk: Bank) -> FileState:
    """The bank's word on a file: it is handed over the first time, and only asked about ever after."""
    if not file.first:
        return await desk.enquire(file.file_id)
    try:
        await desk.send(file.file_id, file.data, file.sha256)
    except BankRefused:
        return FileState("refused", sha256=file.sha256)
    return FileState("accepted", sha256=file.sha256)
