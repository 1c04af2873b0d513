"""The bank file: written once, its bytes and hash committed before anything is sent (promise 4)."""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select

from domain.agent_bank import BankTerms, BankWay
from domain.batch import BatchStatus, Hasher
from domain.errors import Conflict
from service.batches.queries import locked_batch, payment_lines, transferred_on
from service.batches.tables import BankFileRow
from service.crypto import keyring
from service.database import Tx
from service.gateways.bank_files import FORMS, BankFileHeader, Writer
from service.jobs import owe
from service.journal import By, record
from service.queue import Job


async def write_bank_file(tx: Tx, batch_id: UUID, now: datetime) -> None:
    """Write the file of a released batch, in the form of its terms, and owe its sending where that goes over HTTP;
    nothing when it is written.

    Conflict `batch.content_differs` when the lines are not what was signed, and Invalid `bank_file.…` for a line that
    the form cannot hold: nothing is written then.
    """
    batch = await locked_batch(tx, batch_id)
    written = await tx.execute(select(BankFileRow.sha256).where(BankFileRow.batch_id == batch.id))
    if batch.status != BatchStatus.RELEASED or written.one_or_none() is not None:
        return
    terms = BankTerms.read(batch.terms)
    header = BankFileHeader(
        file_id=batch.number,
        # the stored day, so that the same batch gives the same bytes on whatever day this runs
        released_on=await transferred_on(tx, batch.id),
        debit_account=batch.debit_account,
        line_count=batch.line_count,
        sum_fen=batch.sum_fen,
        bank=terms.bank,
    )
    writer, content = Writer(FORMS[terms.format], header), Hasher()
    data = bytearray(writer.head())
    async for part in payment_lines(tx, batch.id):
        for line in part:
            content.add(line)
        data += writer.add(part)
    if content.content().content_hash != batch.content_hash:
        raise Conflict("batch.content_differs", number=batch.number)
    data += writer.tail()
    about = {
        "file_id": header.file_id,
        "sha256": hashlib.sha256(data).hexdigest(),
        "line_count": header.line_count,
        "sum_fen": header.sum_fen,
    }
    sealed = keyring().seal(data, batch.id)
    await tx.execute(insert(BankFileRow).values(batch_id=batch.id, bytes_sealed=sealed, **about))
    await record(tx, "bank_file", [batch.id], "write", By(Job.WRITE_BANK_FILE, now), [about])
    if terms.way == BankWay.HTTP:
        await owe(tx, Job.SEND_BANK_FILE, batch.id)
