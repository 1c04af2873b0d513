"""What a published set of standards changes for claims that were paid: as it is shown, proposed and confirmed."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select

from domain.actor import Actor
from domain.clawback import Paid
from domain.errors import Conflict, Forbidden
from domain.money import Fen
from domain.standard import SetStatus
from service.claims.queries.affected import paid_under
from service.clawbacks.queries.paid import corrected_before, left_of, paid_of
from service.clawbacks.schemas import (
    CorrectionLineView,
    CorrectionList,
    CorrectionPreview,
    CorrectionShown,
    CorrectionView,
)
from service.clawbacks.tables import AmountCorrectionRow
from service.database import Tx
from service.standards.tables import StandardSetRow

#: Claims that one correction changes; the others are for the next.
LINES_MAX = 1_000
LISTED_MAX = 200


@dataclass(frozen=True)
class Line:
    """What counts as paid for a claim, and what is right."""

    claim_id: UUID
    paid_fen: Fen
    right_fen: Fen

    @property
    def difference(self) -> Fen:
        return self.right_fen - self.paid_fen


@dataclass(frozen=True)
class Changes:
    """In order of their claims. `left_out` wait; `more`: there may be others beyond `lines`."""

    lines: Sequence[Line]
    left_out: int
    more: bool

    @property
    def shown(self) -> CorrectionShown:
        more = [each.difference for each in self.lines if each.difference > 0]
        less = [-each.difference for each in self.lines if each.difference < 0]
        said = "".join(f"{each.claim_id} {each.paid_fen} {each.right_fen}\n" for each in self.lines)
        return CorrectionShown(len(more), sum(more), len(less), sum(less), hashlib.sha256(said.encode()).hexdigest())


async def changes_of(tx: Tx, district: str, set_id: UUID) -> Changes:
    """The first claims of a district that a set changes, at most LINES_MAX.

    NotFound `standards.not_found`; Conflict `amount_correction.not_published`: nobody is paid by a draft.
    """
    also, lines, left_out, after = await corrected_before(tx, district), list[Line](), 0, None
    while True:
        due, after = await paid_under(tx, district, set_id, also, after)
        found, waiting = await _changed(tx, due)
        lines, left_out = [*lines, *found], left_out + waiting
        if after is None or len(lines) >= LINES_MAX:
            break
    status = select(StandardSetRow.status).where(StandardSetRow.id == set_id)
    if (await tx.execute(status)).scalar_one() != SetStatus.PUBLISHED:
        raise Conflict("amount_correction.not_published")
    return Changes(lines[:LINES_MAX], left_out, after is not None or len(lines) > LINES_MAX)


async def _changed(tx: Tx, due: dict[UUID, Fen]) -> tuple[list[Line], int]:
    """Those that get another amount, and how many wait."""
    paid, left = await paid_of(tx, list(due)), await left_of(tx, list(due))
    lines, left_out = list[Line](), 0
    for claim_id, right_fen in sorted(due.items()):
        if right_fen == paid[claim_id].counts_fen:
            continue
        if _waits(paid[claim_id], right_fen, sum(fen for _, fen in left.get(claim_id, []))):
            left_out += 1
        else:
            lines.append(Line(claim_id, paid[claim_id].counts_fen, right_fen))
    return lines, left_out


def _waits(paid: Paid, right_fen: Fen, left_fen: Fen) -> bool:
    """Until its supplement is paid, or what asks it back for another cause is over."""
    try:
        return paid.difference(right_fen) + left_fen < 0
    except Conflict:
        return True


def district_of(me: Actor) -> str:
    """Forbidden `amount_correction.of_a_district`: a correction is made where the claims are."""
    if me.district is None:
        raise Forbidden("amount_correction.of_a_district")
    return me.district


async def preview(tx: Tx, me: Actor, set_id: UUID) -> CorrectionPreview:
    """What would be proposed. Refusals: `district_of`, `changes_of`."""
    found = await changes_of(tx, district_of(me), set_id)
    lines = [CorrectionLineView(each.claim_id, each.paid_fen, each.right_fen) for each in found.lines]
    return CorrectionPreview(set_id, found.shown, found.left_out, found.more, lines)


async def correction_view(tx: Tx, correction_id: UUID) -> CorrectionView:
    """One that the caller proposed or answered."""
    row = AmountCorrectionRow.__table__
    return _view((await tx.execute(select(row).where(row.c.id == correction_id))).one())


async def list_corrections(tx: Tx, me: Actor) -> CorrectionList:
    """Those of my district, or of all for whoever works for the city."""
    row = AmountCorrectionRow.__table__
    asked = select(row).where(row.c.district == me.district) if me.district else select(row)
    rows = await tx.execute(asked.order_by(row.c.proposed_at.desc(), row.c.id).limit(LISTED_MAX))
    return CorrectionList([_view(each) for each in rows])


def _view(row: Row[Any]) -> CorrectionView:
    return CorrectionView(
        id=row.id,
        set_id=row.set_id,
        district=row.district,
        shown=CorrectionShown(row.more_count, row.more_fen, row.less_count, row.less_fen, row.content_hash),
        note=row.note,
        proposed_at=row.proposed_at,
        granted=row.granted,
        answered_at=row.answered_at,
    )
