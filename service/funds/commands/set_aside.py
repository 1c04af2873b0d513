"""Money is set aside for a class when it is approved, and given back when the class needs it no more.

Whoever calls has locked the class. The district of the class pays, out of the fund for whoever belongs to no group
that is named: on the day of the approval nobody knows yet to which groups its trainees will belong.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select

from domain.fund import WAYS, Movement, fund_of
from domain.money import Fen
from service.database import Tx
from service.funds.commands.hold import refuse_nothing
from service.funds.queries import class_pots, fund_policy, locked_positions
from service.funds.tables import ClassPotRow, MovementRow
from service.journal import By


async def set_aside(tx: Tx, class_id: UUID, district: str, amount_fen: Fen, on: date, by: By) -> None:
    """Out of the free money of the day's year. Conflict `fund.none`, `fund.insufficient` (what is there, what is
    missing), `policy.missing`."""
    place = district, fund_of(await fund_policy(tx, on), "")
    there = (await locked_positions(tx, [place], on.year)).get(place)
    if there is None:
        await refuse_nothing(tx, place, on.year)
    position_id, position = there
    position.after(Movement.SET_ASIDE, amount_fen)
    await _write(tx, [_line(Movement.SET_ASIDE, class_id, position_id, amount_fen)], by)


async def give_back(tx: Tx, class_id: UUID, by: By) -> None:
    """All that is left for the class is free for others; nothing where there is none."""
    pots = await class_pots(tx, [class_id])
    await locked_positions(tx, [], by.at.year, [pot.position_id for pot in pots.values()])
    left = await class_pots(tx, [class_id]) if pots else {}  # as it is now that nobody draws on it
    lines = [_line(Movement.GIVE_BACK, class_id, each.position_id, each.pot.left_fen) for each in left.values()]
    if lines:
        await _write(tx, lines, by)


async def adjust(tx: Tx, class_id: UUID, district: str, amount_fen: Fen, on: date, by: By) -> None:
    """Before a class begins, and so before any claim has drawn: what is left becomes `amount_fen`. A class for which
    nothing was ever set aside, as it was approved before that was done, stays so. Refusals as `set_aside`."""
    row = ClassPotRow
    asked = select(func.sum(row.left_fen)).where(row.class_id == class_id)
    left = (await tx.execute(asked)).scalar_one()
    if left is None or int(left) == amount_fen:
        return
    await give_back(tx, class_id, by)
    await set_aside(tx, class_id, district, amount_fen, on, by)


def _line(movement: Movement, class_id: UUID, position_id: UUID, amount_fen: Fen) -> dict[str, Any]:
    source, target = WAYS[movement]
    where = {"kind": str(movement), "source": str(source), "target": str(target)}
    return {"class_id": class_id, "position_id": position_id, "amount_fen": amount_fen, **where}


async def _write(tx: Tx, lines: Sequence[dict[str, Any]], by: By) -> None:
    await tx.execute(insert(MovementRow), [{**each, **by.columns()} for each in lines])
