"""Fetch banks' return files until every payment is settled."""

from uuid import UUID

from domain.errors import Invalid, Unavailable
from service.clock import now
from service.database import transaction
from service.gateways.bank import Bank, PaymentState
from service.jobs import owe
from service.journal import By
from service.logs import log
from service.queue import Job
from service.reconciliation import commands, queries
from tasks.batches import bank
from tasks.runtime import Owed, job

#: Of one batch, in one go.
PAYMENTS_ASKED_MAX = 200


@job(Job.FETCH_RETURN)
async def fetch_return(owed: Owed) -> None:
    """A payment that no return names yet stays open, and its file stays owed: a later return may settle it."""
    async with bank() as desk:
        for each in owed.jobs:
            try:
                await _fetch(Owed([each], owed.postponed), each.subject, desk)
            except Unavailable as silence:
                owed.postpone(each.subject, silence.code)


async def _fetch(owed: Owed, batch_id: UUID, desk: Bank) -> None:
    async with transaction() as tx:
        wanted = await queries.file_to_fetch(tx, batch_id)
    if wanted is None:
        async with owed.settle():
            return  # every payment is settled: nothing is owed any more
    file_id, form = wanted
    data = await desk.fetch_return(file_id)
    if data is None:
        owed.postpone(batch_id, "return.none_yet")
        return
    by = By(Job.FETCH_RETURN, now())
    try:
        file = commands.read(data, file_id, form)
        async with owed.settle() as (tx, still_owed):
            view = await commands.take_return(tx, None, file, data, "bank", by) if still_owed else None
            if view and view.open:
                owed.postpone(batch_id, "return.incomplete")
                await owe(tx, Job.ASK_PAYMENTS, batch_id)
    except Invalid as refusal:
        # What the bank gave is no return of this file; a person looks, and the next one may be.
        log.error("return_unreadable", batch=str(batch_id), code=refusal.code, field=refusal.field)
        async with transaction() as tx:
            await commands.keep_unreadable(tx, file_id, data, refusal, by)
        owed.postpone(batch_id, refusal.code)


@job(Job.ASK_PAYMENTS)
async def ask_payments(owed: Owed) -> None:
    """Ask once about payments of which the bank could not tell; whoever asks about their file or their return owes it
    again. One that it does not know is left: it may still be on its way."""
    async with bank() as desk:
        for each in owed.jobs:
            await _ask(Owed([each], owed.postponed), each.subject, desk)


async def _ask(owed: Owed, batch_id: UUID, desk: Bank) -> None:
    async with transaction() as tx:
        references = await queries.unknown_references(tx, batch_id, PAYMENTS_ASKED_MAX)
    answers: list[PaymentState] = []
    try:
        for reference in references:
            told = await desk.enquire_payment(reference)
            if told is None and not answers:
                break  # it knows none of these, or tells of none
            answers += [told] if told else []
    except Unavailable as silence:
        log.warning("payments_untold", batch=str(batch_id), code=silence.code)
    async with owed.settle() as (tx, still_owed):
        if still_owed:
            await commands.take_answers(tx, batch_id, answers, By(Job.ASK_PAYMENTS, now()))
