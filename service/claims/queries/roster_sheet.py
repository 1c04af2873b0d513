"""The sheet that goes back to the institution it came from: its own lines, with what is to be mended."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from domain.actor import Actor
from domain.errors import Conflict
from domain.roster import LineOutcome
from service.claims.queries.rosters import opened, reason_views, roster_view
from service.claims.tables import RosterLineRow, RosterPortionRow
from service.database import Tx
from service.gateways.roster_sheets import heading_with_reasons, lines_with_reasons
from service.gateways.sheet_files import FILES


class SheetFile(NamedTuple):
    content: bytes
    kind: str


async def sheet_of(tx: Tx, me: Actor, roster_id: UUID, *, every: bool, kind: str | None) -> SheetFile:
    """The lines to mend, or `every` line, as the `kind` it came in or another. NotFound as `roster_view`; Conflict
    `roster.not_read` while there are no lines.

    One portion's lines are held at a time, beside the file that grows.
    """
    roster = await roster_view(tx, me, roster_id)
    if roster.lines is None:
        raise Conflict("roster.not_read", status=roster.status)
    kind = kind or roster.kind
    file, begun, portion = FILES[kind](), False, RosterPortionRow
    portions = select(portion.id).where(portion.roster_id == roster_id).order_by(portion.first_line)
    for portion_id in (await tx.execute(portions)).scalars().all():
        sealed = await tx.execute(select(portion.lines_sealed).where(portion.id == portion_id))
        part = opened(sealed.scalar_one(), portion_id)
        if not begun:
            file.add([heading_with_reasons(part)])
            begun = True
        file.add(lines_with_reasons(part, await _reasons(tx, portion_id), every=every))
    return SheetFile(file.content(), kind)


async def _reasons(tx: Tx, portion_id: UUID) -> dict[int, str]:
    """Line → what is to be mended, in one cell."""
    row = RosterLineRow
    found = await tx.execute(
        select(row.line, row.reasons).where(row.portion_id == portion_id, row.outcome == LineOutcome.REFUSED)
    )
    return {
        line: "".join(
            f"{each.heading}：{each.message}" if each.heading else each.message for each in reason_views(told)
        )
        for line, told in found
    }
