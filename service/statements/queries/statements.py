"""Statements and their lines, within the asker's district."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, Select, Text, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import ARRAY

from domain.actor import Actor
from domain.errors import NotFound
from domain.money import format_yuan
from domain.statement import Span
from service.batches.tables import AttemptRow
from service.claims.tables import ClaimRow
from service.database import Tx
from service.statements.schemas import StatementLineList, StatementLineView, StatementList, StatementView
from service.statements.tables import BlockedStatementRow, LineResolutionRow, StatementLineRow, StatementRow
from service.wording import words


class Known(NamedTuple):
    id: UUID
    blocked: bool


async def last_span(tx: Tx, account: str) -> Span | None:
    """What the account's last statement covers; its account is locked."""
    row = StatementRow
    asked = select(row.sequence, row.from_on, row.to_on, row.opening_fen, row.closing_fen)
    last = (await tx.execute(asked.where(row.account == account).order_by(row.to_on.desc()).limit(1))).one_or_none()
    return Span(*last) if last else None


async def known_statement(tx: Tx, sha256: str) -> Known | None:
    """The statement with these bytes: taken, or blocked still."""
    row, blocked = StatementRow, BlockedStatementRow
    taken = (await tx.execute(select(row.id).where(row.sha256 == sha256))).scalar_one_or_none()
    if taken is not None:
        return Known(taken, blocked=False)
    asked = select(blocked.id).where(blocked.sha256 == sha256, blocked.ended_at.is_(None))
    waiting = (await tx.execute(asked)).scalar_one_or_none()
    return Known(waiting, blocked=True) if waiting is not None else None


async def keys_known(tx: Tx, account: str, keys: Sequence[str]) -> bool:
    """Whether a line with one of these keys was counted before."""
    row = StatementLineRow
    asked = select(row.id).where(row.account == account, row.bank_key == func.any(literal(list(keys), ARRAY(Text))))
    return (await tx.execute(asked.limit(1))).one_or_none() is not None


_SHOWN = ("id", "account", "district", "fund", "sequence", "from_on", "to_on", "opening_fen", "closing_fen")


async def statement_view(tx: Tx, statement_id: UUID) -> StatementView:
    """A statement that was taken, and what became of its lines."""
    row = StatementRow
    return (await _views(tx, (await tx.execute(select(row.__table__).where(row.id == statement_id))).all()))[0]


async def _views(tx: Tx, rows: Sequence[Row[Any]]) -> list[StatementView]:
    line = StatementLineRow
    counted = await tx.execute(
        select(line.statement_id, line.verdict, func.count().label("lines"))
        .where(line.statement_id.in_([row.id for row in rows]))
        .group_by(line.statement_id, line.verdict)
    )
    counts = {(each.statement_id, each.verdict): each.lines for each in counted}
    return [
        StatementView(
            **{name: getattr(row, name) for name in _SHOWN},
            line_count=row.line_count,
            owned=counts.get((row.id, "owned"), 0),
            waiting=counts.get((row.id, "waiting"), 0),
            exceptions=counts.get((row.id, "exception"), 0),
        )
        for row in rows
    ]


async def blocked_view(tx: Tx, statement_id: UUID) -> StatementView:
    """A statement that is, or was, blocked."""
    row = BlockedStatementRow
    return _blocked((await tx.execute(select(row.__table__).where(row.id == statement_id))).one())


def _blocked(found: Row[Any]) -> StatementView:
    return StatementView(
        **{name: getattr(found, name) for name in _SHOWN},
        blocked=found.reason,
        blocked_words=words(f"statement_block.{found.reason}"),
        ended_at=found.ended_at,
    )


async def list_statements(tx: Tx, me: Actor, cursor: UUID | None, limit: int) -> StatementList:
    """A page of those of my district that were taken, the latest first."""
    row = StatementRow
    asked = select(row.__table__)
    if me.district:
        asked = asked.where(row.district == me.district)
    if cursor is not None:
        seen = select(row.to_on).where(row.id == cursor).scalar_subquery()
        asked = asked.where(tuple_(row.to_on, row.id) < tuple_(seen, cursor))
    rows = (await tx.execute(asked.order_by(row.to_on.desc(), row.id.desc()).limit(limit + 1))).all()
    return StatementList(await _views(tx, rows[:limit]), rows[limit - 1].id if len(rows) > limit else None)


async def list_blocked(tx: Tx, me: Actor) -> StatementList:
    """Those of my district that do not follow the last, the oldest first: somebody must find the missing one."""
    row = BlockedStatementRow
    asked = select(row.__table__).where(row.ended_at.is_(None))
    if me.district:
        asked = asked.where(row.district == me.district)
    rows = (await tx.execute(asked.order_by(row.blocked_at, row.id).limit(500))).all()
    return StatementList([_blocked(each) for each in rows], None)


def _lines() -> Select[*tuple[Any, ...]]:
    line, statement, worked_off = StatementLineRow, StatementRow, LineResolutionRow
    return (
        select(line.__table__, worked_off.code.label("resolution"), worked_off.note)
        .join(statement, statement.id == line.statement_id)
        .join(worked_off, worked_off.line_id == line.id, isouter=True)
    )


async def list_lines(
    tx: Tx, me: Actor, cursor: UUID | None, limit: int, *, statement_id: UUID | None = None, odd: bool = False
) -> StatementLineList:
    """A page of lines of my district by day: of one statement, or (`odd`) those that a person must still look at."""
    line, statement = StatementLineRow, StatementRow
    asked = _lines()
    if me.district:
        asked = asked.where(statement.district == me.district)
    if statement_id is not None:
        asked = asked.where(line.statement_id == statement_id)
    if odd:
        asked = asked.where(line.verdict == "exception", LineResolutionRow.code.is_(None))
    place = (line.booked_on, line.statement_id, line.line_no)
    if cursor is not None:
        seen = [select(column).where(line.id == cursor).scalar_subquery() for column in place]
        asked = asked.where(tuple_(*place) > tuple_(*seen))
    rows = (await tx.execute(asked.order_by(*place).limit(limit + 1))).all()
    return StatementLineList(
        [_line(each) for each in rows[:limit]], rows[limit - 1].id if len(rows) > limit else None
    )


async def line_view(tx: Tx, line_id: UUID) -> StatementLineView:
    """A line that the caller was allowed to work off."""
    return _line((await tx.execute(_lines().where(StatementLineRow.id == line_id))).one())


async def find_line(tx: Tx, me: Actor, line_id: UUID) -> StatementLineView:
    """A line of my district. NotFound `exception.not_found`."""
    asked = _lines().where(StatementLineRow.id == line_id)
    found = (
        await tx.execute(asked.where(StatementRow.district == me.district) if me.district else asked)
    ).one_or_none()
    if found is None:
        raise NotFound("exception.not_found")
    return _line(found)


async def find_statement(tx: Tx, me: Actor, statement_id: UUID) -> StatementView:
    """A statement of my district, taken or blocked. NotFound `statement.not_found`."""
    for row in (StatementRow, BlockedStatementRow):
        here = [row.district == me.district] if me.district else []
        if (await tx.execute(select(row.id).where(row.id == statement_id, *here))).one_or_none():
            return await (statement_view if row is StatementRow else blocked_view)(tx, statement_id)
    raise NotFound("statement.not_found")


async def exception_of(tx: Tx, me: Actor, line_id: UUID) -> Row[*tuple[Any, ...]]:
    """An exception of my district, locked: whether it is worked off, and whom the payment is for that it names.
    NotFound `exception.not_found`."""
    line, statement, worked_off = StatementLineRow, StatementRow, LineResolutionRow
    asked = (
        select(
            *(line.id, line.side, line.amount_fen, statement.district, ClaimRow.person_id),
            select(worked_off.line_id).where(worked_off.line_id == line.id).exists().label("resolved"),
        )
        .join(statement, statement.id == line.statement_id)
        .join(AttemptRow, AttemptRow.id == line.attempt_id, isouter=True)
        .join(ClaimRow, ClaimRow.id == AttemptRow.claim_id, isouter=True)
        .where(line.id == line_id, line.verdict == "exception")
        .with_for_update(of=line)
    )
    if me.district:
        asked = asked.where(statement.district == me.district)
    found = (await tx.execute(asked)).one_or_none()
    if found is None:
        raise NotFound("exception.not_found")
    return found


def _line(row: Row[Any]) -> StatementLineView:
    return StatementLineView(
        **{
            name: getattr(row, name)
            for name in (
                *("id", "statement_id", "line_no", "account", "booked_on", "side", "amount_fen", "reference"),
                *("counterparty", "text", "verdict", "owner", "exception", "expected_fen", "resolution"),
            )
        },
        amount=format_yuan(row.amount_fen),
        owner_name=words(f"statement_owner.{row.owner}") if row.owner else "",
        exception_words=words(f"statement_odd.{row.exception}") if row.exception else "",
        note=row.note or "",
    )
