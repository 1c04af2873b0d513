"""Reference tables that rows are read by: aliases of old codes, the national classification, trades."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import FromClause
from sqlalchemy.dialects.postgresql import insert as upsert

from service.catalog.tables import AliasRow, OccupationRow, TradeRow
from service.database import Tx

_ROWS_AT_ONCE = 1000


async def load_aliases(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put in the aliases (`code`, `canonical`, `source`) that are not there yet."""
    await _add(tx, AliasRow.__table__, rows)


async def load_classification(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put in the occupations (`code`, `name`, `tag`, `source`) that are not there yet."""
    await _add(tx, OccupationRow.__table__, rows)


async def load_trades(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Put in the trades (`name`, `code` of their occupation, `source`) that are not there yet."""
    await _add(tx, TradeRow.__table__, rows)


async def _add(tx: Tx, table: FromClause, rows: Sequence[Mapping[str, Any]]) -> None:
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        part = [dict(row) for row in rows[start : start + _ROWS_AT_ONCE]]
        await tx.execute(upsert(table).values(part).on_conflict_do_nothing())  # type: ignore[arg-type]
