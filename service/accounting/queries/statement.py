"""The monthly statement, added up from the ledger, and the lines behind each of its figures."""

from asyncio import to_thread
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.actor import Actor
from domain.errors import NotFound
from domain.fund import Movement, PositionKey, Pot
from domain.fund_month import POTS, Moved, Statement, balance, month_after, parse_month
from domain.money import Fen, format_yuan
from service.accounting.schemas import (
    LedgerLine,
    LedgerLines,
    MovedView,
    PositionStatement,
    StandsView,
    StatementView,
)
from service.clock import SHANGHAI, business_day
from service.database import Tx
from service.gateways.account_books import Amount, Cell, account_book
from service.wording import words

# One walk over the ledger's index by position, kind and time; a position that no line has touched yet has no month.
_MONTH = text("""
    SELECT p.id, p.district, d.name AS district_name, p.fund, f.name AS fund_name, p.year, m.kind,
           coalesce(sum(m.amount_fen) FILTER (WHERE m.at < :first), 0)::bigint AS before_fen,
           count(*) FILTER (WHERE m.at < :first) AS before_lines,
           coalesce(sum(m.amount_fen) FILTER (WHERE m.at >= :first), 0)::bigint AS during_fen,
           count(*) FILTER (WHERE m.at >= :first) AS during_lines
      FROM fund_positions p
      JOIN districts d ON d.code = p.district JOIN funds f ON f.code = p.fund
      JOIN fund_movements m ON m.position_id = p.id AND m.at < :after
     WHERE CAST(:district AS text) IS NULL OR p.district = :district
     GROUP BY p.id, d.name, f.name, m.kind
     ORDER BY p.district, p.fund, p.year, p.id
""")

_LINES = text("""
    SELECT m.id, m.at, m.kind, m.amount_fen, coalesce(m.claim_id, k.claim_id) AS claim_id, m.class_id,
           m.appropriation_id, m.transfer_id, k.id AS clawback_id, m.actor_name,
           coalesce(a.document, t.document, '') AS document
      FROM fund_movements m
      LEFT JOIN appropriations a ON a.id = m.appropriation_id
      LEFT JOIN fund_transfers t ON t.id = m.transfer_id
      LEFT JOIN clawback_repayments r ON r.id = m.repayment_id LEFT JOIN clawbacks k ON k.id = r.clawback_id
     WHERE m.position_id = :position AND m.kind = :kind AND m.at >= :first AND m.at < :after
       AND (m.at, m.id) > (SELECT s.at, s.id FROM fund_movements s WHERE s.id = :cursor
                            UNION ALL SELECT '-infinity', 0 WHERE CAST(:cursor AS bigint) IS NULL)
     ORDER BY m.at, m.id LIMIT :limit
""")


def month_span(first: date) -> tuple[datetime, datetime]:
    """When a month begins and when the next one does, in Shanghai."""
    begins, ends = (datetime(day.year, day.month, 1, tzinfo=SHANGHAI) for day in (first, month_after(first)))
    return begins, ends


async def statement(tx: Tx, me: Actor, first: date, now: datetime) -> StatementView:
    """The month that begins on `first`, of my district's positions, or of every district's for the city."""
    begins, ends = month_span(first)
    rows = await tx.execute(_MONTH, {"first": begins, "after": ends, "district": me.district})
    by_position: dict[UUID, list[Any]] = defaultdict(list)
    for row in rows:
        by_position[row.id].append(row)
    positions = [_position(each) for each in by_position.values()]
    last = month_after(first) - timedelta(days=1)
    return StatementView(f"{first:%Y-%m}", first, last, business_day(now) > last, positions)


async def statement_of(tx: Tx, me: Actor, month: str | None, now: datetime) -> StatementView:
    """The same for a month written 2026-03, or this one where none is named. Invalid `month.format`."""
    return await statement(tx, me, parse_month(month or f"{business_day(now):%Y-%m}"), now)


async def book_of(tx: Tx, me: Actor, month: str | None, now: datetime) -> tuple[bytes, str]:
    """A month as a workbook, and the name of the file."""
    view = await statement_of(tx, me, month, now)
    return await to_thread(statement_book, view), f"funds-{view.month}.xlsx"


def _position(rows: Sequence[Any]) -> PositionStatement:
    one = rows[0]
    before = {Movement(row.kind): Moved(row.before_fen, row.before_lines) for row in rows}
    during = {Movement(row.kind): Moved(row.during_fen, row.during_lines) for row in rows}
    month = Statement(before, during)
    return PositionStatement(
        district=one.district,
        district_name=one.district_name,
        fund=one.fund,
        fund_name=one.fund_name,
        year=one.year,
        opening=_stands(month.opening),
        appropriated_fen=month.appropriated_fen,
        transferred_fen=month.transferred_fen,
        paid_fen=month.paid_fen,
        moved=[_moved(kind, during.get(kind, Moved())) for kind in Movement],
        closing=_stands(month.closing),
    )


def _stands(stands: Mapping[Pot, Fen]) -> StandsView:
    kept = balance(stands)
    return StandsView(
        **{f"{pot}_fen": fen for pot, fen in stands.items()}, balance_fen=kept, balance=format_yuan(kept)
    )


def _moved(kind: Movement, moved: Moved) -> MovedView:
    name = words(f"movement.{kind}")
    return MovedView(str(kind), name, moved.amount_fen, format_yuan(moved.amount_fen), moved.lines)


_HEADING = ("区", "资金", "年度", "期初结余", "期初可用", "期初为开班留出", "期初已预留", "期初在途", "期初累计已付")
_CLOSING = ("期末可用", "期末为开班留出", "期末已预留", "期末在途", "期末累计已付", "期末结余")


def statement_book(view: StatementView) -> bytes:
    """The statement as a workbook: a row a position, amounts in yuan."""
    kinds = [words(f"movement.{kind}") for kind in Movement]
    rows: list[list[Cell]] = [[*_HEADING, *kinds, *_CLOSING], *map(_cells, view.positions)]
    return account_book({f"资金月报 {view.month}": rows}, widths=(16, 16, 8))


def _cells(position: PositionStatement) -> list[Cell]:
    opening, closing = position.opening, position.closing
    amounts = [
        *(opening.balance_fen, *_pots(opening)),
        *(each.amount_fen for each in position.moved),
        *(*_pots(closing), closing.balance_fen),
    ]
    return [position.district_name, position.fund_name, position.year, *map(Amount, amounts)]


def _pots(stands: StandsView) -> list[Fen]:
    return [getattr(stands, f"{pot}_fen") for pot in POTS]


async def statement_lines(
    tx: Tx, me: Actor, of: PositionKey, first: date, kind: Movement, cursor: int | None, limit: int
) -> LedgerLines:
    """A page of the lines that add up to one figure of a month; `cursor` is the id of the last one seen.

    NotFound `fund_position.not_found`, also for another district's.
    """
    begins, ends = month_span(first)
    span = {"first": begins, "after": ends, "kind": str(kind), "cursor": cursor, "limit": limit + 1}
    position_id = await _position_id(tx, me, of)
    rows = (await tx.execute(_LINES, {"position": position_id, **span})).all()
    return LedgerLines([_line(row) for row in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None)


async def _position_id(tx: Tx, me: Actor, of: PositionKey) -> UUID:
    asked = text("SELECT id FROM fund_positions WHERE (district, fund, year) = (:district, :fund, :year)")
    found: UUID | None = None
    if me.district in (None, of.district):
        found = (await tx.execute(asked, vars(of))).scalar_one_or_none()
    if found is None:
        raise NotFound("fund_position.not_found")
    return found


def _line(row: Any) -> LedgerLine:
    return LedgerLine(
        id=row.id,
        at=row.at,
        kind=row.kind,
        amount_fen=row.amount_fen,
        amount=format_yuan(row.amount_fen),
        claim_id=row.claim_id,
        class_id=row.class_id,
        appropriation_id=row.appropriation_id,
        transfer_id=row.transfer_id,
        clawback_id=row.clawback_id,
        document=row.document,
        by=row.actor_name,
    )
