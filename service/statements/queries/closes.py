"""Closed days, and what keeps the next day of an account from being closed."""

from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, func, select, text

from domain.actor import Actor
from domain.close import NotYet, next_day, obstacle
from domain.errors import NotFound
from domain.money import format_yuan
from domain.statement import Owner, Side
from service.database import Tx
from service.statements.schemas import CloseList, CloseView, DifferenceView, OpenDayView
from service.statements.tables import CloseRow, LineResolutionRow, StatementLineRow, StatementRow
from service.wording import words

DIFFERENCES_MAX = 500
#: A month of more accounts than a city has.
CLOSES_MAX = 2_000


class NextDay(NamedTuple):
    """The day of an account that is closed next. `why`: what it waits for, None where nothing."""

    account: str
    district: str
    fund: str
    day: date
    opening_fen: int
    lines_open: int
    why: NotYet | None


_NEXT = text("""
    SELECT s.account, min(s.district) AS district, min(s.fund) AS fund, min(s.from_on) AS first_on,
           max(s.to_on) AS until, c.day AS last_closed,
           coalesce(c.closing_fen, (array_agg(s.opening_fen ORDER BY s.from_on))[1]) AS opening_fen
      FROM bank_statements s
      LEFT JOIN LATERAL (SELECT d.day, d.closing_fen FROM daily_closes d
                          WHERE d.account = s.account ORDER BY d.day DESC LIMIT 1) AS c ON true
     WHERE (CAST(:account AS text) IS NULL OR s.account = :account)
       AND (CAST(:district AS text) IS NULL OR s.district = :district)
     GROUP BY s.account, c.day, c.closing_fen ORDER BY s.account
""")

# What moved for the account's district and fund, and what the bank booked, in the ledger's own words.
_LEDGER = text("""
    SELECT m.kind, sum(m.amount_fen)::bigint AS fen
      FROM fund_movements m JOIN fund_positions p ON p.id = m.position_id
     WHERE p.district = :district AND p.fund = :fund
       AND m.kind IN ('send', 'pay', 'fail', 'bounce', 'recover', 'repay')
       AND m.at >= CAST(CAST(:day AS date) AS timestamp) AT TIME ZONE 'Asia/Shanghai'
       AND m.at < CAST(CAST(:day AS date) + 1 AS timestamp) AT TIME ZONE 'Asia/Shanghai'
     GROUP BY m.kind ORDER BY m.kind
""")

# Payments of the account that the bank or the ledger touched on the day, and where the two do not say the same of
# them by now. A file that was debited in one sum is compared as a whole.
_DIFFERENCES = text("""
    WITH touched AS (
      SELECT l.batch_id, l.attempt_id FROM statement_lines l
       WHERE l.account = :account AND l.booked_on = :day AND l.owner IN ('batch', 'payment', 'return')
       UNION
      SELECT a.batch_id, a.id FROM fund_movements m JOIN fund_positions p ON p.id = m.position_id
        JOIN payment_attempts a ON a.claim_id = m.claim_id AND a.status IN ('done', 'returned')
        JOIN batches b ON b.id = a.batch_id AND b.debit_account = :account
       WHERE p.district = b.district AND p.fund = b.fund AND m.kind IN ('pay', 'bounce')
         AND m.at >= CAST(CAST(:day AS date) AS timestamp) AT TIME ZONE 'Asia/Shanghai'
         AND m.at < CAST(CAST(:day AS date) + 1 AS timestamp) AT TIME ZONE 'Asia/Shanghai'),
    whole AS (
      SELECT l.batch_id FROM statement_lines l WHERE l.owner = 'batch' AND l.account = :account),
    compared AS (
      SELECT 'payment' AS kind, a.reference AS key,
             (SELECT coalesce(sum(CASE l.owner WHEN 'payment' THEN l.amount_fen ELSE -l.amount_fen END), 0)
                FROM statement_lines l WHERE l.attempt_id = a.id AND l.owner IN ('payment', 'return')) AS bank,
             CASE a.status WHEN 'done' THEN a.amount_fen ELSE 0 END AS ledger
        FROM payment_attempts a
       WHERE a.id IN (SELECT t.attempt_id FROM touched t) AND a.batch_id NOT IN (SELECT w.batch_id FROM whole w)
       UNION ALL
      SELECT 'file', b.number,
             (SELECT coalesce(sum(CASE l.owner WHEN 'batch' THEN l.amount_fen ELSE -l.amount_fen END), 0)
                FROM statement_lines l WHERE l.batch_id = b.id AND l.owner IN ('batch', 'return')),
             (SELECT coalesce(sum(a.amount_fen), 0) FROM payment_attempts a
               WHERE a.batch_id = b.id AND a.status = 'done')
        FROM batches b
       WHERE b.id IN (SELECT w.batch_id FROM whole w) AND b.id IN (SELECT t.batch_id FROM touched t))
    SELECT kind, key, bank::bigint AS bank_fen, ledger::bigint AS ledger_fen FROM compared
     WHERE bank <> ledger ORDER BY kind, key LIMIT :most
""")


async def next_days(tx: Tx, today: date, *, account: str | None = None, district: str | None = None) -> list[NextDay]:
    """The next day of each account (of one, or of a district) that has statements."""
    found = []
    for row in (await tx.execute(_NEXT, {"account": account, "district": district})).all():
        day = next_day(row.first_on, row.last_closed)
        lines_open = await _lines_open(tx, row.account, day)
        why = obstacle(day, today, row.until, lines_open)
        found.append(NextDay(row.account, row.district, row.fund, day, row.opening_fen, lines_open, why))
    return found


async def _lines_open(tx: Tx, account: str, day: date) -> int:
    line = StatementLineRow
    worked_off = select(LineResolutionRow.line_id).where(LineResolutionRow.line_id == line.id).exists()
    asked = select(func.count()).where(
        line.account == account, line.booked_on == day, line.verdict != "owned", ~worked_off
    )
    return (await tx.execute(asked)).scalar_one()


async def day_sums(tx: Tx, account: str, day: date) -> tuple[list[tuple[Owner | None, Side, int]], int]:
    """What the day's lines come to by owner and side, and how many they are."""
    line = StatementLineRow
    rows = (
        await tx.execute(
            select(line.owner, line.side, func.sum(line.amount_fen).label("fen"), func.count().label("lines"))
            .where(line.account == account, line.booked_on == day)
            .group_by(line.owner, line.side)
        )
    ).all()
    sums = [(Owner(row.owner) if row.owner else None, Side(row.side), int(row.fen)) for row in rows]
    return sums, sum(row.lines for row in rows)


async def ledger_of(tx: Tx, district: str, fund: str, day: date) -> dict[str, int]:
    """Movement → fen that the ledger moved on the day for a district and fund, with the bank and back."""
    rows = await tx.execute(_LEDGER, {"district": district, "fund": fund, "day": day})
    return {row.kind: row.fen for row in rows}


async def differences_of(tx: Tx, account: str, day: date) -> list[dict[str, Any]]:
    """Payments or files of the day of which the bank and the ledger do not say the same by now, at most
    DIFFERENCES_MAX."""
    rows = await tx.execute(_DIFFERENCES, {"account": account, "day": day, "most": DIFFERENCES_MAX})
    return [dict(row) for row in rows.mappings()]


async def close_view(tx: Tx, close_id: UUID) -> CloseView:
    return _view((await tx.execute(select(CloseRow.__table__).where(CloseRow.id == close_id))).one())


async def list_closes(tx: Tx, me: Actor, day: date, today: date) -> CloseList:
    """What was closed of a day in my district, and whose next day waits for what."""
    row = CloseRow
    asked = select(row.__table__).where(row.day == day).order_by(row.account)
    if me.district:
        asked = asked.where(row.district == me.district)
    closes = [_view(each) for each in (await tx.execute(asked)).all()]
    waiting = await next_days(tx, today, district=me.district)
    return CloseList(closes, [_open(each) for each in waiting if each.why is not NotYet.DAY_NOT_OVER])


async def closes_between(tx: Tx, me: Actor, first: date, last: date) -> list[CloseView]:
    """What was closed of these days in my district, by account and day, at most CLOSES_MAX."""
    row = CloseRow
    asked = select(row.__table__).where(row.day >= first, row.day <= last).order_by(row.account, row.day)
    if me.district:
        asked = asked.where(row.district == me.district)
    return [_view(each) for each in (await tx.execute(asked.limit(CLOSES_MAX))).all()]


async def must_be_mine(tx: Tx, me: Actor, account: str) -> None:
    """NotFound `statement.account_unknown` for an account without statements, or of another district."""
    row = StatementRow
    asked = select(row.id).where(row.account == account)
    if me.district:
        asked = asked.where(row.district == me.district)
    if (await tx.execute(asked.limit(1))).one_or_none() is None:
        raise NotFound("statement.account_unknown")


def _open(each: NextDay) -> OpenDayView:
    why = str(each.why or "ready")
    return OpenDayView(each.account, each.district, each.day, why, words(f"close_waits.{why}"), each.lines_open)


def _view(row: Row[Any]) -> CloseView:
    about = row._asdict()
    shown = {name: about[name] for name in CloseView.__struct_fields__ if name not in ("closing", "differences")}
    return CloseView(
        **shown,
        closing=format_yuan(row.closing_fen),
        differences=[DifferenceView(**each) for each in row.differences],
    )
