"""Money comes into a fund, or is taken back: one person proposes what a document says, another answers."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid
from domain.fund import WAYS, Answer, Movement, PositionKey
from domain.money import Fen
from domain.text import trimmed
from service.database import Tx
from service.funds.commands.answering import ANSWERERS, APPROPRIATIONS, answer, propose
from service.funds.queries import Place, appropriation_view, find_appropriation, fund_names, locked_positions
from service.funds.schemas import AppropriationView, NewAppropriation
from service.funds.tables import MovementRow, PositionRow


async def propose_appropriation(
    tx: Tx, me: Actor, new: NewAppropriation, today: date, now: datetime
) -> AppropriationView:
    """A maker proposes an appropriation, a supplement of one, or (a negative amount) to lower what was granted, for
    their district; nothing is there or gone yet.

    Forbidden `district_missing`; Invalid `fund.unknown`, `fund.year` (only this year's and the next one's),
    `appropriation.zero`, `words.empty`.
    """
    me.must_hold(Post.MAKER)
    if me.district is None:
        raise Forbidden("district_missing")
    if new.fund not in await fund_names(tx):
        raise Invalid("fund.unknown", field="fund")
    if new.year not in (today.year, today.year + 1):
        raise Invalid("fund.year", field="year", first=today.year, last=today.year + 1)
    if new.amount_fen == 0:
        raise Invalid("appropriation.zero", field="amount_fen")
    granted = {"district": me.district, "fund": new.fund, "year": new.year, "amount_fen": new.amount_fen}
    proposed = await propose(tx, me, APPROPRIATIONS, granted, new.document, new.reason, now)
    return await appropriation_view(tx, me, proposed)


async def confirm_appropriation(tx: Tx, me: Actor, appropriation_id: UUID, now: datetime) -> AppropriationView:
    """Another person of the district's fund office or of finance confirms: the money is free from now on, or gone
    where the appropriation lowers what was granted.

    NotFound `appropriation.not_found`; Forbidden `appropriation.same_person`; Conflict `appropriation.confirmed`,
    `appropriation.declined`; for a lowering also `appropriation.nothing` and
    `appropriation.not_free`.
    """
    me.must_hold(*ANSWERERS)
    found = await find_appropriation(tx, me, appropriation_id)
    by = await answer(tx, me, APPROPRIATIONS, found, Answer.CONFIRMED, now)
    place = found.district, found.fund
    movement = Movement.APPROPRIATE if found.amount_fen > 0 else Movement.LOWER
    if movement == Movement.APPROPRIATE:
        position_id = await position_of(tx, PositionKey(*place, found.year))
    else:
        position_id = await _lowered(tx, place, found.name, found.year, -found.amount_fen)
    source, target = WAYS[movement]
    await tx.execute(
        insert(MovementRow).values(
            position_id=position_id,
            appropriation_id=appropriation_id,
            kind=str(movement),
            source=str(source),
            target=str(target),
            amount_fen=abs(found.amount_fen),
            **by.columns(),
        )
    )
    return await appropriation_view(tx, me, appropriation_id)


async def decline_appropriation(
    tx: Tx, me: Actor, appropriation_id: UUID, reason: str, now: datetime
) -> AppropriationView:
    """The second person says no, and why; refusals as for an appropriation that is confirmed, and Invalid
    `words.empty`."""
    said = trimmed(reason, "reason", "words")
    me.must_hold(*ANSWERERS)
    found = await find_appropriation(tx, me, appropriation_id)
    await answer(tx, me, APPROPRIATIONS, found, Answer.DECLINED, now, said)
    return await appropriation_view(tx, me, appropriation_id)


async def _lowered(tx: Tx, place: Place, fund_name: str, year: int, amount_fen: Fen) -> UUID:
    """The position that `amount_fen` is taken back from, locked: whoever approves at the same moment waits."""
    there = (await locked_positions(tx, [place], year)).get(place)
    if there is None:
        raise Conflict("appropriation.nothing", fund=fund_name, year=year)
    position_id, position = there
    position.lowered(amount_fen)
    return position_id


async def position_of(tx: Tx, key: PositionKey) -> UUID:
    """The position of a district, fund and year; the first money that comes makes it."""
    row, place = PositionRow, vars(key)
    await tx.execute(upsert(row).values(id=uuid4(), **place).on_conflict_do_nothing())
    asked = select(row.id).where(row.district == key.district, row.fund == key.fund, row.year == key.year)
    return (await tx.execute(asked)).scalar_one()
