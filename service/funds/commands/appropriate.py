"""Money comes into a fund, or is taken back: one person proposes what a document says, another answers."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid
from domain.fund import WAYS, Answer, Movement, check_two_persons
from domain.money import Fen
from domain.text import trimmed
from service.database import Tx
from service.funds.queries import Place, appropriation_view, find_appropriation, fund_names, locked_positions
from service.funds.schemas import AppropriationView, NewAppropriation
from service.funds.tables import AnswerRow, AppropriationRow, MovementRow, PositionRow
from service.journal import By, record


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
    said = {name: trimmed(getattr(new, name), name, "words") for name in ("document", "reason")}
    appropriation_id = uuid4()
    granted = {"district": me.district, "fund": new.fund, "year": new.year, "amount_fen": new.amount_fen}
    await tx.execute(
        insert(AppropriationRow).values(
            id=appropriation_id,
            proposed_by=me.user_id,
            proposed_by_person=me.person_id,
            proposed_at=now,
            **granted,
            **said,
        )
    )
    by = By.actor(me, Post.MAKER, now)
    noted = {**granted, "document": said["document"]}
    await record(tx, "appropriation", [appropriation_id], "propose", by, [noted], reason=said["reason"])
    return await appropriation_view(tx, me, appropriation_id)


async def confirm_appropriation(tx: Tx, me: Actor, appropriation_id: UUID, now: datetime) -> AppropriationView:
    """Another person of the district's fund office or of finance confirms: the money is free from now on, or gone
    where the appropriation lowers what was granted.

    NotFound `appropriation.not_found`; Forbidden `appropriation.same_person`; Conflict `appropriation.confirmed`,
    `appropriation.declined`; for a lowering also `appropriation.nothing` and
    `appropriation.not_free`.
    """
    found, by = await _answer(tx, me, appropriation_id, Answer.CONFIRMED, "", now)
    place = found.district, found.fund
    movement = Movement.APPROPRIATE if found.amount_fen > 0 else Movement.LOWER
    if movement == Movement.APPROPRIATE:
        position_id = await _position(tx, *place, found.year)
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
    await _answer(tx, me, appropriation_id, Answer.DECLINED, said, now)
    return await appropriation_view(tx, me, appropriation_id)


#: What a proposal was answered with → the action that the journal names.
_ACTIONS = {Answer.CONFIRMED: "confirm", Answer.DECLINED: "decline"}


async def _answer(
    tx: Tx, me: Actor, appropriation_id: UUID, answer: Answer, reason: str, now: datetime
) -> tuple[Any, By]:
    """The proposal that the second person answers, once, and who they are."""
    me.must_hold(Post.CHECKER, Post.RELEASER)
    found = await find_appropriation(tx, me, appropriation_id)
    check_two_persons(found.proposed_by_person, me.person_id)
    told = {
        "proposed_by_person": found.proposed_by_person,
        "answered_by": me.user_id,
        "answered_by_person": me.person_id,
        "answered_at": now,
        "answer": str(answer),
        "reason": reason,
    }
    first = upsert(AnswerRow).values(appropriation_id=appropriation_id, **told).on_conflict_do_nothing()
    if (await tx.execute(first.returning(AnswerRow.appropriation_id))).one_or_none() is None:
        given = await tx.execute(select(AnswerRow.answer).where(AnswerRow.appropriation_id == appropriation_id))
        raise Conflict(f"appropriation.{given.scalar_one()}")
    by = By.actor(me, Post.CHECKER if me.holds(Post.CHECKER) else Post.RELEASER, now)
    noted = {f"{answer}_at": now.isoformat()}
    await record(tx, "appropriation", [appropriation_id], _ACTIONS[answer], by, [noted], reason=reason)
    return found, by


async def _lowered(tx: Tx, place: Place, fund_name: str, year: int, amount_fen: Fen) -> UUID:
    """The position that `amount_fen` is taken back from, locked: whoever approves at the same moment waits."""
    there = (await locked_positions(tx, [place], year)).get(place)
    if there is None:
        raise Conflict("appropriation.nothing", fund=fund_name, year=year)
    position_id, position = there
    position.lowered(amount_fen)
    return position_id


async def _position(tx: Tx, district: str, fund: str, year: int) -> UUID:
    """The position of a district, fund and year; its first appropriation makes it."""
    row, place = PositionRow, {"district": district, "fund": fund, "year": year}
    await tx.execute(upsert(row).values(id=uuid4(), **place).on_conflict_do_nothing())
    asked = select(row.id).where(row.district == district, row.fund == fund, row.year == year)
    return (await tx.execute(asked)).scalar_one()
