"""A batch's file, and each time that its bytes left."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, literal, select

from domain.actor import Actor
from domain.agent_bank import BankTerms
from domain.errors import NotFound
from domain.money import format_yuan
from service.batches.queries.batches import find_batch, must_see
from service.batches.schemas import BankFileView, SendingView
from service.batches.tables import BankFileRow, HandoverRow, ResendRow, SendingRow
from service.database import Tx
from service.gateways.bank_files import FORMS


async def find_file(tx: Tx, me: Actor, batch_id: UUID) -> BankFileView:
    """The file of a batch, without its bytes. NotFound `batch.not_found`, `bank_file.not_written`."""
    await must_see(tx, me, batch_id)
    file = BankFileRow
    asked = select(file.file_id, file.sha256, file.line_count, file.sum_fen, file.written_at)
    row = (await tx.execute(asked.where(file.batch_id == batch_id))).one_or_none()
    if row is None:
        raise NotFound("bank_file.not_written")
    batch = await find_batch(tx, me, batch_id)
    left, form = SendingRow, FORMS[BankTerms.read(batch.terms).format]
    times = select(left.kind, left.began_at).where(left.batch_id == batch.id).order_by(left.began_at, left.id)
    waiting = select(HandoverRow.outcome).where(HandoverRow.batch_id == batch.id, HandoverRow.closed_at.is_(None))
    resend = select(literal("resend")).where(ResendRow.batch_id == batch.id, ResendRow.closed_at.is_(None))
    return BankFileView(
        batch.id,
        f"{row.file_id}.{form.EXTENSION}",
        form.MEDIA_TYPE,
        row.sha256,
        row.line_count,
        row.sum_fen,
        format_yuan(row.sum_fen),
        row.written_at,
        [SendingView(each.kind, each.began_at) for each in await tx.execute(times)],
        [*(await tx.execute(waiting)).scalars(), *(await tx.execute(resend)).scalars()],
    )


async def last_resent_at(tx: Tx, batch_id: UUID) -> datetime | None:
    """When a batch's file left once more, for the last time; None: it never did."""
    row = SendingRow
    asked = select(func.max(row.began_at)).where(row.batch_id == batch_id, row.kind == "resent")
    return (await tx.execute(asked)).scalar_one_or_none()
