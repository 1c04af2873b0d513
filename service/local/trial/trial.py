"""The trial: a made-up city is written, the signals are asked as every night, and what they said is counted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import cycle
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from domain.signal import Signal, policy_key
from service.database import Tx, async_url
from service.local.trial.frauds import PLANTS
from service.local.trial.sheets import Sheets
from service.local.trial.years import Offer, YearMaker
from service.oversight.commands.signalling import run_at_once
from service.oversight.queries.signals import thresholds_on
from service.oversight.tables import SignalFindingRow

#: One institution of so many is dishonest.
DISHONEST = 5
#: Institutions that are written at once.
_PORTION = 50

_OFFERS = """
    SELECT DISTINCT ON (i.code, s.level) i.id::text AS item_id, i.code, i.list_kind, i.industry,
           s.id::text AS standard_id, s.level, s.amount_fen
      FROM catalog_items i
      JOIN catalog_editions e ON e.id = i.edition_id AND e.in_force @> $1::date
      JOIN standards s ON s.occupation = i.code AND s.in_force @> $1::date
     WHERE s.level IN ('5', '4', '3')
     ORDER BY i.code, s.level, i.list_kind
"""


@dataclass
class Counted:
    """What was planted and found; a planted fraud is found when its own signal speaks of its institution."""

    planted: int
    found: int
    honest: int
    flagged: int
    by_signal: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass
class City:
    """Who did what, known to nobody but the one who counts."""

    dishonest: dict[UUID, Signal] = field(default_factory=dict)
    honest: set[UUID] = field(default_factory=set)

    def count(self, spoken: Mapping[Signal, set[UUID]]) -> Counted:
        found = {each for each, signal in self.dishonest.items() if each in spoken[signal]}
        flagged = self.honest & set().union(*spoken.values())
        by_signal = {
            str(signal): {
                "planted": sum(each == signal for each in self.dishonest.values()),
                "found": sum(self.dishonest[each] == signal for each in found),
                "flagged": len(self.honest & spoken[signal]),
            }
            for signal in Signal
        }
        return Counted(len(self.dishonest), len(found), len(self.honest), len(flagged), by_signal)


async def hold_trial(
    admin_url: str, app_url: str, institutions: int, seed: int, today: date, now: datetime
) -> Counted:
    """On a migrated and loaded database where nobody else works: written by the superuser, asked as the service."""
    engine = create_async_engine(async_url(app_url), connect_args={"server_settings": {"jit": "off"}})
    connection = await asyncpg.connect(admin_url)
    try:
        async with engine.begin() as tx:
            parameters = await thresholds_on(tx, today)
        city = await write_city(connection, institutions, seed, today, parameters)
        async with engine.begin() as tx:
            return city.count(await spoken_of(tx, today, now))
    finally:
        await connection.close()
        await engine.dispose()


async def offers_on(connection: asyncpg.Connection, today: date) -> list[Offer]:
    """What the loaded catalog offers with a standard."""
    return [Offer(*row) for row in await connection.fetch(_OFFERS, today)]


async def write_city(
    connection: asyncpg.Connection, institutions: int, seed: int, today: date, parameters: Mapping[str, Any]
) -> City:
    """Institutions with their year, by COPY; `connection` is the superuser's, as guards sleep meanwhile."""
    maker, city, sheets = YearMaker(seed, await offers_on(connection, today), today), City(), Sheets()
    await connection.execute("SET session_replication_role = replica")
    frauds = cycle(maker.chance.sample(list(PLANTS), len(PLANTS)))
    for number in range(institutions):
        year = maker.year()
        if number % DISHONEST == 0:
            signal = next(frauds)
            PLANTS[signal](maker, year, parameters[policy_key(signal)])
            city.dishonest[UUID(year.id)] = signal
        else:
            city.honest.add(UUID(year.id))
        sheets.add(year)
        if number % _PORTION == 0:
            await sheets.write(connection)
    await sheets.write(connection)
    await connection.execute("SET session_replication_role = origin")
    await connection.execute("ANALYZE")
    return city


async def spoken_of(tx: Tx, today: date, now: datetime) -> Mapping[Signal, set[UUID]]:
    """Every signal with the institutions of which it speaks, by a run as on any night."""
    run_id, row = await run_at_once(tx, today, now), SignalFindingRow
    spoken: dict[Signal, set[UUID]] = {signal: set() for signal in Signal}
    found = select(row.signal, row.institution_id).where(row.run_id == run_id)
    for signal, institution_id in await tx.execute(found):
        spoken[Signal(signal)].add(institution_id)
    return spoken
