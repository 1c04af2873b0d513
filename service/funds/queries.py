"""Read positions and appropriations, within the asker's district."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, Uuid, and_, case, func, literal, or_, select, text, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import aliased

from domain.actor import Actor
from domain.errors import Conflict, NotFound
from domain.fund import Answer, ClassPot, Movement, Position, PositionKey, Pot, days_left
from domain.money import format_yuan
from service.database import Tx
from service.funds.schemas import (
    AppropriationList,
    AppropriationView,
    ClassMoneyView,
    EndView,
    FundsView,
    FundView,
    PositionView,
    TransferList,
    TransferView,
)
from service.funds.tables import (
    AnswerRow,
    AppropriationRow,
    ClassPotRow,
    FundRow,
    MovementRow,
    PositionRow,
    ReservationRow,
    TransferAnswerRow,
    TransferRow,
)
from service.policies.queries import parameters

#: "Will it last" is asked at the pace of so many days.
PACE_DAYS = 30

#: (district, fund): within a year it names a position.
Place = tuple[str, str]


async def fund_policy(tx: Tx, on: date) -> dict[str, Any]:
    """Which fund pays for which group of persons on that day; Conflict `policy.missing`."""
    key = "fund_of_group"
    policy: dict[str, Any] | None = (await parameters(tx, on)).get(key)
    if policy is None:
        raise Conflict("policy.missing", key=key, on=on.isoformat())
    return policy


async def locked_positions(
    tx: Tx, places: Collection[Place], year: int, also: Collection[UUID] = ()
) -> dict[Place, tuple[UUID, Position]]:
    """The positions there are among `places`, locked in order of id: whoever draws money waits here for the other.
    With them `also` is locked, which may be of other years.

    NO KEY UPDATE: the ledger's foreign keys hold the key, and two that hold it could not both go on to FOR UPDATE.
    """
    row = PositionRow
    found = await tx.execute(
        select(
            *(row.id, row.district, row.fund, FundRow.name, row.year),
            *(row.free_fen, row.reserved_fen, row.in_flight_fen, row.paid_fen, row.set_aside_fen),
        )
        .join(FundRow, FundRow.code == row.fund)
        .where(or_(and_(tuple_(row.district, row.fund).in_(list(places)), row.year == year), row.id.in_(also)))
        .order_by(row.id)
        .with_for_update(key_share=True, of=row)
    )
    return {(each.district, each.fund): (each.id, Position(*tuple(each)[3:])) for each in found if each.year == year}


@dataclass(frozen=True)
class HeldForClass:
    """What is left for a class, and in which position."""

    position_id: UUID
    place: Place
    pot: ClassPot


async def class_pots(tx: Tx, class_ids: Collection[UUID]) -> dict[UUID, HeldForClass]:
    """Class → what is left of what was set aside for it; classes for which nothing is left are missing."""
    row, position = ClassPotRow, PositionRow
    found = await tx.execute(
        select(row.class_id, row.position_id, position.district, position.fund, position.year, row.left_fen)
        .join(position, position.id == row.position_id)
        .where(row.class_id.in_(class_ids), row.left_fen > 0)
    )
    return {
        each.class_id: HeldForClass(each.position_id, (each.district, each.fund), ClassPot(each.year, each.left_fen))
        for each in found
    }


async def class_money(tx: Tx, class_id: UUID) -> ClassMoneyView | None:
    """What was set aside for a class, and what became of it; None where nothing ever was."""
    row, told = MovementRow, (Movement.SET_ASIDE, Movement.DRAW, Movement.GIVE_BACK)
    summed = (func.coalesce(func.sum(row.amount_fen).filter(row.kind == str(kind)), 0) for kind in told)
    asked = select(*summed).where(row.class_id == class_id)
    set_aside, drawn, given_back = map(int, (await tx.execute(asked)).one())
    if not set_aside:
        return None
    left = set_aside - drawn - given_back
    return ClassMoneyView(
        set_aside_fen=set_aside,
        set_aside=format_yuan(set_aside),
        drawn_fen=drawn,
        drawn=format_yuan(drawn),
        left_fen=left,
        left=format_yuan(left),
        given_back_fen=given_back,
        given_back=format_yuan(given_back),
    )


async def fund_names(tx: Tx) -> dict[str, str]:
    """Code → name of every fund."""
    return {row.code: row.name for row in await tx.execute(select(FundRow.code, FundRow.name).order_by(FundRow.code))}


async def known_districts(tx: Tx, codes: Collection[str]) -> set[str]:
    """Those of `codes` that are districts."""
    asked = text("SELECT code FROM districts WHERE code = ANY (CAST(:codes AS text[]))")
    return set((await tx.execute(asked, {"codes": list(codes)})).scalars())


async def funds_view(tx: Tx, me: Actor, year: int, now: datetime) -> FundsView:
    """The positions of my district in a year, of every district for whoever works for the city (promise 15)."""
    row, drawn = PositionRow, _drawn_since(now - timedelta(days=PACE_DAYS))
    found = await tx.execute(
        select(
            *(row.district, row.fund, row.appropriated_fen, row.free_fen, row.set_aside_fen, row.reserved_fen),
            *(row.in_flight_fen, row.paid_fen, func.coalesce(drawn, 0).label("drawn_fen")),
        )
        .where(row.year == year, row.district == me.district if me.district else row.district.is_not(None))
        .order_by(row.district, row.fund)
    )
    names = await fund_names(tx)
    views = [FundView(code, name) for code, name in names.items()]
    return FundsView(year, views, [_position(each, names[each.fund], year) for each in found])


def _drawn_since(first: datetime) -> ColumnElement[int]:
    """Fen that left the free money of a position for claims, less what came back, since an instant."""
    moved = MovementRow
    out, back = moved.source == str(Pot.FREE), moved.target == str(Pot.FREE)
    signed = case((out, moved.amount_fen), (back, -moved.amount_fen), else_=0)
    return (
        select(func.sum(signed))
        .where(moved.position_id == PositionRow.id, moved.claim_id.is_not(None), moved.at >= first)
        .scalar_subquery()
    )


def _position(row: Row[*tuple[Any, ...]], fund_name: str, year: int) -> PositionView:
    return PositionView(
        district=row.district,
        fund=row.fund,
        fund_name=fund_name,
        year=year,
        appropriated_fen=row.appropriated_fen,
        appropriated=format_yuan(row.appropriated_fen),
        free_fen=row.free_fen,
        free=format_yuan(row.free_fen),
        set_aside_fen=row.set_aside_fen,
        set_aside=format_yuan(row.set_aside_fen),
        reserved_fen=row.reserved_fen,
        reserved=format_yuan(row.reserved_fen),
        in_flight_fen=row.in_flight_fen,
        in_flight=format_yuan(row.in_flight_fen),
        paid_fen=row.paid_fen,
        paid=format_yuan(row.paid_fen),
        days_left=days_left(row.free_fen, int(row.drawn_fen), PACE_DAYS),
    )


def _appropriations(me: Actor) -> Select[*tuple[Any, ...]]:
    row, answered = AppropriationRow, AnswerRow
    return (
        select(
            *(row.id, row.district, row.fund, FundRow.name, row.year, row.amount_fen, row.document, row.reason),
            *(row.proposed_by_person, row.proposed_at),
            *(answered.answer, answered.answered_at, answered.reason.label("declined_for")),
        )
        .join(FundRow, FundRow.code == row.fund)
        .join(answered, answered.appropriation_id == row.id, isouter=True)
        .where(row.district == me.district if me.district else row.district.is_not(None))
    )


async def find_appropriation(tx: Tx, me: Actor, appropriation_id: UUID) -> Row[*tuple[Any, ...]]:
    """One appropriation; NotFound `appropriation.not_found`, also for another district's."""
    asked = _appropriations(me).where(AppropriationRow.id == appropriation_id)
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("appropriation.not_found")
    return found


async def appropriation_view(tx: Tx, me: Actor, appropriation_id: UUID) -> AppropriationView:
    """One appropriation as it is now; NotFound `appropriation.not_found`."""
    return _appropriation(await find_appropriation(tx, me, appropriation_id))


async def list_appropriations(tx: Tx, me: Actor, cursor: UUID | None, limit: int) -> AppropriationList:
    """A page of the appropriations of my district, newest first; `cursor` is the id of the last one seen."""
    row = AppropriationRow
    asked = _appropriations(me).order_by(row.proposed_at.desc(), row.id.desc()).limit(limit + 1)
    if cursor is not None:
        seen = select(row.proposed_at).where(row.id == cursor).scalar_subquery()
        asked = asked.where(tuple_(row.proposed_at, row.id) < tuple_(seen, cursor))
    rows = (await tx.execute(asked)).all()
    return AppropriationList(
        [_appropriation(each) for each in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None
    )


def _appropriation(row: Row[*tuple[Any, ...]]) -> AppropriationView:
    return AppropriationView(
        row.id,
        row.district,
        row.fund,
        row.name,
        row.year,
        row.amount_fen,
        format_yuan(row.amount_fen),
        row.document,
        row.reason,
        row.proposed_at,
        row.answered_at if row.answer == Answer.CONFIRMED else None,
        row.answered_at if row.answer == Answer.DECLINED else None,
        row.declined_for or "",
    )


@dataclass(frozen=True)
class Transfer:
    """A transfer as it is to be answered."""

    id: UUID
    source: PositionKey
    target: PositionKey
    amount_fen: int
    proposed_by_person: UUID


_SOURCE_FUND, _TARGET_FUND = aliased(FundRow), aliased(FundRow)


def _transfers(me: Actor) -> Select[*tuple[Any, ...]]:
    """Those of which my district gives or gets the money, all of them for whoever works for the city (promise 15)."""
    row, answered = TransferRow, TransferAnswerRow
    asked = (
        select(
            row.__table__,
            _SOURCE_FUND.name.label("source_fund_name"),
            _TARGET_FUND.name.label("target_fund_name"),
            *(answered.answer, answered.answered_at, answered.reason.label("declined_for")),
        )
        .join(_SOURCE_FUND, _SOURCE_FUND.code == row.source_fund)
        .join(_TARGET_FUND, _TARGET_FUND.code == row.target_fund)
        .join(answered, answered.transfer_id == row.id, isouter=True)
    )
    if me.district is None:
        return asked
    return asked.where(or_(row.source_district == me.district, row.target_district == me.district))


async def _transfer(tx: Tx, me: Actor, transfer_id: UUID) -> Row[*tuple[Any, ...]]:
    found = (await tx.execute(_transfers(me).where(TransferRow.id == transfer_id))).one_or_none()
    if found is None:
        raise NotFound("fund_transfer.not_found")
    return found


async def find_transfer(tx: Tx, me: Actor, transfer_id: UUID) -> Transfer:
    """One transfer; NotFound `fund_transfer.not_found`, also for one between other districts."""
    row = await _transfer(tx, me, transfer_id)
    source = PositionKey(row.source_district, row.source_fund, row.source_year)
    target = PositionKey(row.target_district, row.target_fund, row.target_year)
    return Transfer(row.id, source, target, row.amount_fen, row.proposed_by_person)


async def transfer_view(tx: Tx, me: Actor, transfer_id: UUID) -> TransferView:
    """One transfer as it is now; NotFound `fund_transfer.not_found`."""
    return _transfer_view(await _transfer(tx, me, transfer_id))


async def list_transfers(tx: Tx, me: Actor, cursor: UUID | None, limit: int) -> TransferList:
    """A page of the transfers that touch my district, newest first; `cursor` is the id of the last one seen."""
    row = TransferRow
    asked = _transfers(me).order_by(row.proposed_at.desc(), row.id.desc()).limit(limit + 1)
    if cursor is not None:
        seen = select(row.proposed_at).where(row.id == cursor).scalar_subquery()
        asked = asked.where(tuple_(row.proposed_at, row.id) < tuple_(seen, cursor))
    rows = (await tx.execute(asked)).all()
    return TransferList(
        [_transfer_view(each) for each in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None
    )


def _transfer_view(row: Row[*tuple[Any, ...]]) -> TransferView:
    return TransferView(
        id=row.id,
        source=EndView(row.source_district, row.source_fund, row.source_fund_name, row.source_year),
        target=EndView(row.target_district, row.target_fund, row.target_fund_name, row.target_year),
        amount_fen=row.amount_fen,
        amount=format_yuan(row.amount_fen),
        document=row.document,
        reason=row.reason,
        proposed_at=row.proposed_at,
        confirmed_at=row.answered_at if row.answer == Answer.CONFIRMED else None,
        declined_at=row.answered_at if row.answer == Answer.DECLINED else None,
        declined_for=row.declined_for or "",
    )


async def repaid_among(tx: Tx, claim_ids: Collection[UUID]) -> set[UUID]:
    """Those of which the claimant has repaid a part, or everything."""
    row = ReservationRow
    asked = select(row.claim_id).where(row.repaid_fen > 0)
    return set(
        (await tx.execute(asked.where(row.claim_id == func.any(literal(list(claim_ids), ARRAY(Uuid)))))).scalars()
    )
