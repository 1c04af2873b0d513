"""Money comes into a fund: one person proposes what a document grants, another confirms, and then it is there."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid
from domain.fund import WAYS, Movement, check_two_persons
from service.database import Tx
from service.funds.queries import appropriation_view, find_appropriation, fund_names
from service.funds.schemas import AppropriationView, NewAppropriation
from service.funds.tables import AppropriationRow, ConfirmationRow, MovementRow, PositionRow
from service.journal import By, record


async def propose_appropriation(
    tx: Tx, me: Actor, new: NewAppropriation, today: date, now: datetime
) -> AppropriationView:
    """A maker proposes an appropriation, or a supplement of one, for their district; no money is there yet.

    Forbidden `district_missing`; Invalid `fund.unknown`, `fund.year` (only this year's and the next one's),
    `appropriation.blank`.
    """
    me.must_hold(Post.MAKER)
    if me.district is None:
        raise Forbidden("district_missing")
    if new.fund not in await fund_names(tx):
        raise Invalid("fund.unknown", field="fund")
    if new.year not in (today.year, today.year + 1):
        raise Invalid("fund.year", field="year", first=today.year, last=today.year + 1)
    said = {"document": new.document.strip(), "reason": new.reason.strip()}
    for field, words in said.items():
        if not words:
            raise Invalid("appropriation.blank", field=field)
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
    """Another person of the district's fund office or of finance confirms: the money is free from now on.

    NotFound `appropriation.not_found`; Forbidden `appropriation.same_person`; Conflict `appropriation.confirmed`.
    """
    me.must_hold(Post.CHECKER, Post.RELEASER)
    found = await find_appropriation(tx, me, appropriation_id)
    check_two_persons(found.proposed_by_person, me.person_id)
    confirmed = {
        "proposed_by_person": found.proposed_by_person,
        "confirmed_by": me.user_id,
        "confirmed_by_person": me.person_id,
        "confirmed_at": now,
    }
    first = upsert(ConfirmationRow).values(appropriation_id=appropriation_id, **confirmed).on_conflict_do_nothing()
    if (await tx.execute(first.returning(ConfirmationRow.appropriation_id))).one_or_none() is None:
        raise Conflict("appropriation.confirmed")
    post = Post.CHECKER if me.holds(Post.CHECKER) else Post.RELEASER
    by = By.actor(me, post, now)
    await record(tx, "appropriation", [appropriation_id], "confirm", by, [{"confirmed_at": now.isoformat()}])
    source, target = WAYS[Movement.APPROPRIATE]
    await tx.execute(
        insert(MovementRow).values(
            position_id=await _position(tx, found.district, found.fund, found.year),
            appropriation_id=appropriation_id,
            kind=str(Movement.APPROPRIATE),
            source=str(source),
            target=str(target),
            amount_fen=found.amount_fen,
            **by.columns(),
        )
    )
    return await appropriation_view(tx, me, appropriation_id)


async def _position(tx: Tx, district: str, fund: str, year: int) -> UUID:
    """The position of a district, fund and year; its first appropriation makes it."""
    row, place = PositionRow, {"district": district, "fund": fund, "year": year}
    await tx.execute(upsert(row).values(id=uuid4(), **place).on_conflict_do_nothing())
    asked = select(row.id).where(row.district == district, row.fund == fund, row.year == year)
    return (await tx.execute(asked)).scalar_one()
