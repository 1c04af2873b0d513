"""Runs migrations as the owner, one at a time, with short locks."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from service.database import async_url, every_table

#: One migration run at a time over the whole database.
_ADVISORY_LOCK = 7_441_203
_LOCK_TIMEOUT, _STATEMENT_TIMEOUT = "4s", "10min"


def _migrate(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
    connection.execute(text(f"SET lock_timeout = '{_LOCK_TIMEOUT}'"))
    connection.execute(text(f"SET statement_timeout = '{_STATEMENT_TIMEOUT}'"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=every_table(),
        transaction_per_migration=True,
        compare_server_default=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()


async def _run() -> None:
    url = os.environ.get("ZHIDA_OWNER_URL")
    if not url:
        raise SystemExit("ZHIDA_OWNER_URL names the database and the role that owns it; it is not set")
    engine = create_async_engine(async_url(url), poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_migrate)
    await engine.dispose()


asyncio.run(_run())
