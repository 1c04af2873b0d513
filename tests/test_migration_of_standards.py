"""Amounts that were in force before there were sets of standards go forward into sets."""

import asyncio
from datetime import date
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from service.audit.queries.checks import first_breach
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.audit.queries.standards import STANDARDS as STANDARDS_SIGNED
from service.database import async_url
from tests.conftest import Databases
from tests.test_migrations import _on, database_at, migrate

STANDARDS = """
    INSERT INTO standards (id, occupation, level, amount_fen, in_force, sample, derivation, source)
    VALUES ($1, $2, $3, $4, daterange($5, $6), $7, '{}', $8)
"""


async def test_standards_from_before_there_were_sets_are_in_sets(databases: Databases) -> None:
    """Every amount keeps its days, its kind and its source; and what is published later takes days from them."""
    async with database_at(databases, "rosters") as name:
        admin = await asyncpg.connect(_on(databases.admin_url, name))
        before = [
            (uuid4(), "6-18-02-04", "4", 120_000, date(2019, 1, 1), date(2025, 1, 1), True, "示例标准"),
            (uuid4(), "6-18-02-04", "4", 130_000, date(2025, 1, 1), None, False, "济财〔2025〕1号"),
            (uuid4(), "6-18-02-04", "5", 90_000, date(2025, 1, 1), None, False, "济财〔2025〕1号"),
            (uuid4(), "6-18-01-01", "4", 100_000, date(2019, 1, 1), None, True, "示例标准"),
        ]
        for row in before:
            await admin.execute(STANDARDS, *row)
        await asyncio.to_thread(migrate, _on(databases.owner_url, name), "head")
        kept = await admin.fetch(
            """SELECT r.id, occupation, level, amount_fen, lower(r.in_force), upper(r.in_force), r.sample, source
                 FROM standards r JOIN standard_sets s ON s.id = r.set_id"""
        )
        assert sorted(map(tuple, kept)) == sorted(before)
        sets = await admin.fetch("SELECT year, revision, status, sample, formula FROM standard_sets ORDER BY place")
        assert sorted(map(tuple, sets)) == [
            *((2019, 0, "published", True, None), (2019, 1, "published", True, None)),
            (2025, 0, "published", False, None),
        ]
        taken = """UPDATE standard_sets SET in_force = '{[2025-01-01,2027-01-01)}' WHERE year = 2025"""
        with pytest.raises(asyncpg.PostgresError):
            await admin.execute(taken)  # nothing is published for the days after
        await admin.close()
        app = create_async_engine(async_url(_on(databases.app_url, name)), poolclass=NullPool)
        async with app.connect() as tx:
            for promise in (JOURNALLED, LEGAL_MOVES, STANDARDS_SIGNED):
                assert await first_breach(tx, promise.checks) is None
        await app.dispose()
