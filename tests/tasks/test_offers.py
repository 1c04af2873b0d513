"""The sweeps of offers, as beat starts them: whole, and twice without harm."""

import asyncio
from datetime import timedelta

import pytest

from service.clock import today
from service.database import transaction
from service.offers import queries
from tasks import offers
from tests.offers import Results
from tests.world import World


async def test_all_portions_are_prepared_and_end(committed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with transaction() as tx:
        results = await Results.build(tx, committed)
    for module in ("service.offers.queries", "service.offers.commands"):
        monkeypatch.setattr(f"{module}.PORTION", 3)
    await asyncio.gather(offers.prepare_offers(), offers.prepare_offers())
    async with transaction() as tx:
        assert [row.status for row in await results.rows(tx)] == ["offered"] * 8
        assert [row.made_on for row in await results.rows(tx)] == [today()] * 8
    await offers.expire_offers()
    async with transaction() as tx:
        assert {row.status for row in await results.rows(tx)} == {"offered"}
    monkeypatch.setattr(offers, "today", lambda: today() + timedelta(days=61))
    await asyncio.gather(offers.expire_offers(), offers.expire_offers())
    async with transaction() as tx:
        assert {row.status for row in await results.rows(tx)} == {"expired"}
        assert await queries.ended(tx, today()) == {}
