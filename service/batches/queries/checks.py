"""By how many persons a batch is checked, and what is counted with it."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

import msgspec
from sqlalchemy import and_, func, or_, select

from domain.batch import BatchStatus, Step
from domain.batch_checks import UNRELEASED, Beside, checks_of
from service.batches.queries.views import Batch, together_view
from service.batches.schemas import BatchView
from service.batches.tables import BatchRow, SignatureRow
from service.clock import SHANGHAI
from service.database import Tx
from service.policies.queries import parameters


async def beside(tx: Tx, batch: Batch, on: date) -> list[Beside]:
    """The batches of its district and fund that may count with this one on a day in Shanghai, and those that are not
    put together yet."""
    row, signed = BatchRow, SignatureRow
    since = datetime.combine(on, time(), SHANGHAI)
    asked = (
        select(row.number, row.status, func.coalesce(row.sum_fen, 0), signed.signed_at, row.series)
        .outerjoin(signed, and_(signed.batch_id == row.id, signed.step == str(Step.ASSEMBLE)))
        .where(row.district == batch.district, row.fund == batch.fund, row.id != batch.id)
        .where(
            or_(
                row.status.in_(list(map(str, {BatchStatus.OPENED, *UNRELEASED}))),
                row.series == batch.series,
                signed.signed_at >= since,
            )
        )
    )
    return [
        Beside(
            number,
            BatchStatus(status),
            sum_fen,
            at.astimezone(SHANGHAI).date() if at else None,
            same_opening=series is not None and series == batch.series,
        )
        for number, status, sum_fen, at, series in await tx.execute(asked)
    ]


async def checks_with(tx: Tx, sum_fen: int, others: Sequence[Beside], on: date) -> dict[str, Any]:
    """What is written into a batch over this sum that its maker signs on this day, beside these: by how many persons
    it is checked, and why."""
    checks = checks_of((await parameters(tx, on)).get("batch_check_steps"), sum_fen, others, on)
    together = {"fen": checks.together_fen, "with": list(checks.beside), "from_fen": checks.from_fen}
    return {"checks_needed": checks.needed, "together": together}


async def as_checked(tx: Tx, view: BatchView, on: date) -> BatchView:
    """A batch that its maker may sign, with the checks it would need on this day; any other as it is."""
    if view.status != BatchStatus.FROZEN:
        return view
    row = (await tx.execute(select(BatchRow).where(BatchRow.id == view.id))).one()
    would = await checks_with(tx, view.sum_fen or 0, await beside(tx, row, on), on)
    needed = would["checks_needed"]
    return msgspec.structs.replace(view, checks_needed=needed, together=together_view(needed, would["together"]))
