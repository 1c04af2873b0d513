"""The database: engine, transactions, and the base of every table."""

import importlib
import importlib.util
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Annotated, Any, TypeVar, cast
from uuid import UUID

import asyncpg
from sqlalchemy import (
    BigInteger,
    Connection,
    Date,
    DateTime,
    LargeBinary,
    MetaData,
    Text,
    Uuid,
    column,
    event,
    func,
    literal,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, Range, dialect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase, mapped_column
from sqlalchemy.sql.selectable import TableValuedAlias

from domain.period import Period
from service.settings import settings

T = TypeVar("T")

#: One open transaction. Doors open it; commands use it and never commit.
Tx = AsyncConnection

Fen = Annotated[int, mapped_column(BigInteger)]


class Base(DeclarativeBase):
    """Tables only describe themselves here; statements are written with Core."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it as declared)
        str: Text,
        bytes: LargeBinary,
        date: Date,
        datetime: DateTime(timezone=True),
        UUID: Uuid,
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
    }


def every_table() -> MetaData:
    """The metadata with every feature's tables in it."""
    for own in ("journal", "jobs", "idempotency", "security", "gateways.file_store"):
        importlib.import_module(f"service.{own}")
    for feature in pkgutil.iter_modules(importlib.import_module("service").__path__):
        if importlib.util.find_spec(f"service.{feature.name}.tables") if feature.ispkg else None:
            importlib.import_module(f"service.{feature.name}.tables")
    return Base.metadata


def async_url(url: str) -> str:
    """`postgresql://…` as people write it, for the asyncpg driver."""
    return make_url(url).set(drivername="postgresql+asyncpg").render_as_string(hide_password=False)


@cache
def engine() -> AsyncEngine:
    """The engine of this process, made at first use (after a worker has forked). ConnectionError without a URL."""
    if not settings().database_url:
        raise ConnectionError("ZHIDA_DATABASE_URL is not set")
    made = create_async_engine(
        async_url(settings().database_url),
        pool_size=settings().pool_size,
        max_overflow=settings().pool_size,
        pool_timeout=15,
        pool_pre_ping=False,
        hide_parameters=True,  # an error that is logged must not tell what was stored
        connect_args={"server_settings": {"application_name": "zhida", "jit": "off"}, "timeout": 10},
    )
    event.listen(made.sync_engine, "checkout", _must_be_open)
    return made


def _must_be_open(connection: Any, *_: Any) -> None:
    """A connection that the server ended while it lay in the pool is replaced before anybody asks through it."""
    if connection.driver_connection.is_closed():
        raise DisconnectionError


async def dispose() -> None:
    """Close this process's connections."""
    if engine.cache_info().currsize:
        await engine().dispose()
        engine.cache_clear()


def relation(rows: Sequence[Mapping[str, Any]], *tables: type[Base]) -> TableValuedAlias:
    """`rows` to select from, with `n` counting them from 1: one array a column, so that a statement takes any number.

    Every row has the same keys; each is a column of one of `tables`, and has its type (a foreign key has its
    target's, so that table must have been imported).
    """
    types = {each.key: each.type for table in reversed(tables) for each in table.__table__.c}
    names = list(rows[0])
    arrays = (literal([row[name] for row in rows], ARRAY(types[name], dimensions=1)) for name in names)
    columns = (column(name, types[name]) for name in names)
    return func.unnest(*arrays).table_valued(*columns, with_ordinality="n").render_derived()


_SPOKEN = dialect()  # type: ignore[no-untyped-call]  # it is not annotated


def unnested(columns: Mapping[str, str]) -> str:
    """The same for a statement that is written out and sent by `fetch`: `columns` are names with their types, and
    their arrays the statement's first values."""
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(columns.values(), 1))
    return f"unnest({arrays}) WITH ORDINALITY AS given ({', '.join(columns)}, n)"


def types_of(table: type[Base], *names: str) -> dict[str, str]:
    """Those columns of a table with their types, as PostgreSQL calls them."""
    return {name: table.__table__.c[name].type.compile(_SPOKEN) for name in names}


async def fetch(tx: Tx, statement: str, *values: Any) -> list[asyncpg.Record]:
    """The rows of a statement that is written out, with its values for `$1` and on: for what every filing asks.

    It goes to the driver, within `tx`: composing what is the same each time, and reading rows by their columns'
    types, costs SQLAlchemy several times the statement. DBAPIError as from SQLAlchemy.
    """
    driver = _driver(tx)
    begun = driver.is_in_transaction()
    return await _told(tx, driver.fetch(statement, *values) if begun else tx.run_sync(_begin_with, statement, values))


async def fetch_alone(statement: str, *values: Any) -> list[asyncpg.Record]:
    """The same for a statement that only reads: by itself, without BEGIN and COMMIT around it."""
    async with engine().connect() as connection:
        return await _told(connection, _driver(connection).fetch(statement, *values))


async def copy_in(tx: Tx, table: type[Base], columns: Sequence[str], records: Sequence[tuple[Any, ...]]) -> None:
    """Rows by COPY, within `tx`, which has begun: for files of a million lines. DBAPIError as from SQLAlchemy."""
    copied = _driver(tx).copy_records_to_table(table.__tablename__, columns=columns, records=records)
    await _told(tx, copied)


def _driver(tx: Tx) -> asyncpg.Connection:
    assert tx.sync_connection is not None, "whoever holds a Tx is connected"
    return cast(asyncpg.Connection, tx.sync_connection.connection.driver_connection)


def _begin_with(connection: Connection, statement: str, values: tuple[Any, ...]) -> list[asyncpg.Record]:
    """The first statement of a transaction goes through SQLAlchemy's cursor, which says BEGIN before it."""
    cursor = connection.connection.cursor()
    cursor.execute(statement, values)
    return cast(list[asyncpg.Record], cursor.fetchall())


async def _told(tx: Tx, rows: Awaitable[T]) -> T:
    """The rows; what the driver refuses is raised as SQLAlchemy's error, which doors and tasks understand."""
    try:
        return await rows
    except (asyncpg.PostgresError, asyncpg.InterfaceError, tx.dialect.loaded_dbapi.Error) as refusal:
        closed = _driver(tx).is_closed()
        raise DBAPIError(None, None, refusal, hide_parameters=True, connection_invalidated=closed) from refusal


def period_of(days: Range[date]) -> Period:
    """A stored span of days as people mean it: both ends belong to it."""
    assert days.lower is not None
    return Period(days.lower, days.upper - timedelta(days=1) if days.upper else None)


def range_of(days: Period) -> Range[date]:
    """A span of days as it is stored."""
    return Range(days.first, days.last + timedelta(days=1) if days.last else None, bounds="[)")


@dataclass(frozen=True)
class Said:
    """What the server said when it refused; blank where it said nothing, or was not reached."""

    sqlstate: str = ""
    constraint: str = ""
    context: str = ""


def said_by(failure: BaseException) -> Said:
    """What the server said: behind SQLAlchemy's cursor, or as `fetch` had it from the driver."""
    told = getattr(failure, "orig", None)
    if not isinstance(told, asyncpg.PostgresError):
        told = getattr(told, "__cause__", None)
    if not isinstance(told, asyncpg.PostgresError):
        return Said()
    return Said(told.sqlstate or "", told.constraint_name or "", told.context or "")


def after_commit(tx: Tx, key: str, item: Any) -> None:
    """Remember `item` under `key` for the hooks that run once `tx` is committed."""
    tx.info.setdefault("after_commit", {}).setdefault(key, []).append(item)


#: What is done with the remembered items of a key, after COMMIT; filled at import by whoever owns the key.
AFTER_COMMIT: dict[str, Callable[[list[Any]], None]] = {}


@asynccontextmanager
async def transaction() -> AsyncIterator[Tx]:
    """One transaction: committed when the block ends, rolled back when it raises."""
    async with engine().connect() as tx:
        tx.info.pop("after_commit", None)
        async with tx.begin():
            yield tx
        remembered: dict[str, list[Any]] = tx.info.pop("after_commit", {})
    for key, items in remembered.items():
        AFTER_COMMIT[key](items)
