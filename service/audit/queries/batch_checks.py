"""Whether as many persons check a batch as what went out beside it asked for: every submission is counted again,
over the batches as the journal has them at that moment. It may have counted more than it had to (one that was given
up just then), never less."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, select

from domain.batch import BatchAction, BatchStatus, Step
from domain.batch_checks import UNRELEASED, Beside, checks_of
from service.audit.queries.checks import Breach
from service.batches.tables import BatchRow, SignatureRow
from service.clock import business_day
from service.database import Tx
from service.journal import JournalRow


@dataclass
class _Now:
    """A batch as it stood."""

    status: BatchStatus
    sum_fen: int = 0


async def counted_beside(tx: Tx) -> Breach | None:
    """The first batch that counted less than there was, in the order in which they were submitted."""
    batches = {each.id: each for each in await _batches(tx)}
    openings: dict[UUID, int] = defaultdict(int)
    for each in batches.values():
        openings[each.series] += each.series is not None
    places: dict[tuple[str, str], dict[UUID, _Now]] = defaultdict(dict)
    row = JournalRow
    steps = select(row.subject_id, row.action, row.after["status"].astext, row.after["sum_fen"].astext.label("fen"))
    async for batch_id, action, status, fen in await tx.stream(
        steps.where(row.subject_kind == "batch", row.after.has_key("status")).order_by(row.id)
    ):
        own = batches.get(batch_id)
        if own is None:
            continue  # the check of references says so
        place = places[own.district, own.fund]
        now_so = place.setdefault(batch_id, _Now(BatchStatus(status)))
        now_so.status, now_so.sum_fen = BatchStatus(status), int(fen or now_so.sum_fen)
        if action == BatchAction.SUBMIT and own.together is not None and own.signed_at is not None:
            on = business_day(own.signed_at)
            beside = [_beside(batches[each], seen, own) for each, seen in place.items() if each != batch_id]
            if own.together["fen"] < checks_of(None, now_so.sum_fen, beside, on).together_fen:
                return Breach("batches", str(batch_id), "提交时一起算的合计少于当时的批次加起来的")
            _forget(place, batches, openings, on)
    return None


async def _batches(tx: Tx) -> list[Row[*tuple[Any, ...]]]:
    row, signed = BatchRow, SignatureRow
    by_maker = and_(signed.batch_id == row.id, signed.step == str(Step.ASSEMBLE))
    asked = select(row.id, row.number, row.district, row.fund, row.series, row.together, signed.signed_at)
    return list((await tx.execute(asked.outerjoin(signed, by_maker))).all())


def _beside(other: Row[*tuple[Any, ...]], seen: _Now, own: Row[*tuple[Any, ...]]) -> Beside:
    signed_on = business_day(other.signed_at) if other.signed_at else None
    same_opening = own.series is not None and other.series == own.series
    return Beside(other.number, seen.status, seen.sum_fen, signed_on, same_opening)


def _forget(
    place: dict[UUID, _Now], batches: Mapping[UUID, Row[*tuple[Any, ...]]], openings: Mapping[UUID, int], on: date
) -> None:
    """What no later submission counts: released on another day, and alone of its opening."""
    for batch_id, seen in list(place.items()):
        own = batches[batch_id]
        over = seen.status not in UNRELEASED and seen.status != BatchStatus.OPENED
        if over and openings[own.series] < 2 and own.signed_at and business_day(own.signed_at) < on:
            del place[batch_id]
