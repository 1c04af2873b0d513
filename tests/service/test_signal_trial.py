"""Planted frauds are found, and honest institutions are left alone."""

import os
import random
from collections.abc import AsyncIterator
from datetime import date
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from domain.signal import Signal, policy_key
from service import clock
from service.database import Tx, async_url
from service.local.trial.frauds import PLANTS
from service.local.trial.sheets import Sheets
from service.local.trial.trial import Counted, hold_trial, offers_on
from service.local.trial.years import Offer, Year, YearMaker
from service.oversight.queries.signals import findings_of, thresholds_on
from tests.conftest import Databases
from tests.service.season import fresh_database

LONG_SIZE = float(os.environ.get("ZHIDA_LONG_SIZE", "1"))


async def tried(databases: Databases, institutions: int, seed: int) -> Counted:
    async with fresh_database(databases.admin_url, "trial") as name:
        urls = (f"{url.rpartition('/')[0]}/{name}" for url in (databases.admin_url, databases.app_url))
        return await hold_trial(*urls, institutions, seed, clock.today(), clock.now())


def must_be_good(counted: Counted, seed: int) -> None:
    print(f"zhida signals trial --seed {seed}: {counted}")
    assert counted.found >= 0.95 * counted.planted, seed
    assert counted.flagged <= 0.02 * counted.honest, seed
    assert all(each["planted"] for each in counted.by_signal.values()), seed


async def test_a_tenth_of_the_city(databases: Databases) -> None:
    """A hundred institutions with twenty thousand places; another seed each time, which is told where it fails."""
    seed = random.randrange(10**6)
    must_be_good(await tried(databases, 100, seed), seed)


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_the_whole_city(databases: Databases) -> None:
    seed = random.randrange(10**6)
    must_be_good(await tried(databases, round(1_000 * LONG_SIZE), seed), seed)


# ---- twins: the same year, honest and planted


@pytest.fixture
async def superuser(databases: Databases) -> AsyncIterator[Tx]:
    """Who may write a year with the guards asleep; nothing of it stays."""
    engine = create_async_engine(async_url(databases.admin_url))
    async with engine.connect() as tx:
        await tx.execute(text("SET session_replication_role = replica"))
        yield tx
        await tx.rollback()
    await engine.dispose()


async def speaks_of(tx: Tx, signal: Signal, years: list[Year], today: date) -> list[bool]:
    """Of which years a signal speaks, which are written and taken away again."""
    point = await tx.begin_nested()
    sheets = Sheets()
    for year in years:
        sheets.add(year)
    await sheets.write((await tx.get_raw_connection()).driver_connection)
    found = await findings_of(tx, signal, today, await thresholds_on(tx, today))
    await point.rollback()
    return [UUID(year.id) in found for year in years]


def years_of(seed: int, offers: list[Offer], today: date) -> list[tuple[YearMaker, Year]]:
    makers = [YearMaker(seed + n, offers, today) for n in range(6)]
    return [(maker, maker.year()) for maker in makers]


@pytest.mark.parametrize("signal", Signal)
@pytest.mark.parametrize("seed", [100, 200])
async def test_a_signal_is_silent_of_the_honest_twin_and_speaks_of_the_planted(
    superuser: Tx, signal: Signal, seed: int
) -> None:
    today = clock.today()
    driver = (await superuser.get_raw_connection()).driver_connection
    offers = await offers_on(driver, today)
    thresholds = (await thresholds_on(superuser, today))[policy_key(signal)]
    honest = [year for _, year in years_of(seed, offers, today)]
    assert await speaks_of(superuser, signal, honest, today) == [False] * 6
    planted = years_of(seed, offers, today)
    for maker, year in planted:
        PLANTS[signal](maker, year, thresholds)
    assert await speaks_of(superuser, signal, [year for _, year in planted], today) == [True] * 6


def test_every_signal_can_be_planted() -> None:
    assert set(PLANTS) == set(Signal)
