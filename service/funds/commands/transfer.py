"""Free money goes to another position: between districts, funds or years, by two persons, in one pair of lines.

What is reserved, on its way or paid stays with its year: a claim approved in the old year is paid from the old year.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert

from domain.actor import Actor, Post
from domain.errors import Invalid
from domain.fund import WAYS, Answer, Movement, PositionKey, check_transfer, check_transfer_scope
from domain.text import trimmed
from service.database import Tx
from service.funds.commands.answering import ANSWERERS, TRANSFERS, answer, propose
from service.funds.commands.appropriate import position_of
from service.funds.commands.hold import refuse_nothing
from service.funds.queries import find_transfer, fund_names, known_districts, locked_positions, transfer_view
from service.funds.schemas import NewTransfer, TransferView
from service.funds.tables import MovementRow


async def propose_transfer(tx: Tx, me: Actor, new: NewTransfer, today: date, now: datetime) -> TransferView:
    """A maker of the city proposes a transfer between districts, funds or years; a district's maker the carry-over
    (结转) of its own free money, within one fund.

    Forbidden `fund_transfer.city_only`; Invalid `fund.unknown`, `district.unknown`, `fund_transfer.same`,
    `fund_transfer.backwards`, `fund.year`, `words.empty`.
    """
    me.must_hold(Post.MAKER)
    source, target = (PositionKey(each.district, each.fund, each.year) for each in (new.source, new.target))
    ends = {"source": source, "target": target}
    funds, districts = await fund_names(tx), await known_districts(tx, {source.district, target.district})
    for side, key in ends.items():
        if key.fund not in funds:
            raise Invalid("fund.unknown", field=f"{side}.fund")
        if key.district not in districts:
            raise Invalid("district.unknown", field=f"{side}.district")
    check_transfer_scope(source, target, me.district)
    check_transfer(source, target, today.year)
    what: dict[str, Any] = {f"{side}_{name}": each for side, key in ends.items() for name, each in vars(key).items()}
    what["amount_fen"] = new.amount_fen
    proposed = await propose(tx, me, TRANSFERS, what, new.document, new.reason, now)
    return await transfer_view(tx, me, proposed)


async def confirm_transfer(tx: Tx, me: Actor, transfer_id: UUID, now: datetime) -> TransferView:
    """Another person, who could have proposed it, confirms: the money is free in its new place from now on.

    NotFound `fund_transfer.not_found`; Forbidden `fund_transfer.city_only`, `fund_transfer.same_person`; Conflict
    `fund_transfer.confirmed`, `fund_transfer.declined`, `fund.none`, `fund.insufficient` (what is free, what is
    missing): then it stays open.
    """
    found = await _to_answer(tx, me, transfer_id)
    by = await answer(tx, me, TRANSFERS, found, Answer.CONFIRMED, now)
    source, target = found.source, found.target
    target_id = await position_of(tx, target)
    place = source.district, source.fund
    there = (await locked_positions(tx, [place], source.year, [target_id])).get(place)
    if there is None:
        await refuse_nothing(tx, place, source.year)
    source_id, position = there
    position.after(Movement.TRANSFER_OUT, found.amount_fen)
    legs = {Movement.TRANSFER_OUT: source_id, Movement.TRANSFER_IN: target_id}
    lines = [
        {
            "position_id": position_id,
            "transfer_id": transfer_id,
            "kind": str(movement),
            "source": str(WAYS[movement][0]),
            "target": str(WAYS[movement][1]),
            "amount_fen": found.amount_fen,
            **by.columns(),
        }
        for movement, position_id in legs.items()
    ]
    await tx.execute(insert(MovementRow).values(lines))
    return await transfer_view(tx, me, transfer_id)


async def decline_transfer(tx: Tx, me: Actor, transfer_id: UUID, reason: str, now: datetime) -> TransferView:
    """The second person says no, and why. Refusals as for a transfer that is confirmed, and Invalid `words.empty`."""
    said = trimmed(reason, "reason", "words")
    found = await _to_answer(tx, me, transfer_id)
    await answer(tx, me, TRANSFERS, found, Answer.DECLINED, now, said)
    return await transfer_view(tx, me, transfer_id)


async def _to_answer(tx: Tx, me: Actor, transfer_id: UUID) -> Any:
    """The transfer, for whoever may answer it: the same who might have proposed it."""
    me.must_hold(*ANSWERERS)
    found = await find_transfer(tx, me, transfer_id)
    check_transfer_scope(found.source, found.target, me.district)
    return found
