"""The share: read over HTTP from the figures kept with the claims, for ever more claims of one year that ends today.

The ceiling is `/health`: a transaction that asks nothing.
"""

from collections.abc import Iterator
from datetime import timedelta
from statistics import median
from time import monotonic

import asyncpg
import httpx

from bench.figures import Figure
from bench.ground import Database, Ground, Server
from bench.wish import Wish
from service import clock

PART = "share"
_CLAIMS = (10_000, 100_000, 1_000_000, 5_000_000)
_ASKED_A_TURN = 15
_BY = ("district", "industry", "month")

#: Every district as an SQL array, the city left out.
DISTRICTS = "(SELECT array_agg(code ORDER BY code) FROM districts WHERE kind <> 'city')"

# A year that ends today; districts, lists, industries and levels as unevenly as they come in a city.
_TALLY = f"""
    INSERT INTO claim_tally (filed_on, district, list_kind, industry, level, channel, count, amount_fen)
    SELECT filed_on, district, list_kind, industry, level, channel, count(*), sum(amount_fen)
      FROM (SELECT current_date - floor(random() * 365)::integer AS filed_on,
                   {DISTRICTS}
                     [1 + floor(random() * random() * 12)::integer] AS district,
                   (ARRAY['shortage', 'general', 'manufacturing'])[1 + floor(random() * random() * 3)::integer]
                     AS list_kind,
                   'industry ' || floor(random() * random() * 10)::integer AS industry,
                   (5 - floor(random() * random() * 5))::text AS level,
                   CASE WHEN random() < 0.3 THEN 'individual' ELSE 'institution' END AS channel,
                   70000 AS amount_fen
              FROM generate_series(1, $1)) AS filed
     GROUP BY filed_on, district, list_kind, industry, level, channel
"""  # noqa: S608 (our own constant)

# As `claims.fold_tally` adds them up, day after day.
SUMS = """
    INSERT INTO claim_tally_sums (along, grain, filed_on, key, channel, count, amount_fen)
    SELECT each.along, days.grain, days.first, each.key, channel, sum(count), sum(amount_fen)
      FROM claim_tally
     CROSS JOIN LATERAL (
           VALUES ('day', filed_on), ('month', date_trunc('month', filed_on)::date)) AS days (grain, first)
     CROSS JOIN LATERAL (
           VALUES ('month', to_char(filed_on, 'YYYY-MM')), ('district', district), ('list', list_kind),
                  ('industry', industry), ('level', level)) AS each (along, key)
     GROUP BY each.along, days.grain, days.first, each.key, channel
     ORDER BY days.first
"""


def measure(ground: Ground, wish: Wish) -> Iterator[Figure]:
    database, asked = ground.database("bench_share"), _ASKED_A_TURN * wish.turns
    with ground.api(database) as api:
        for whole in _CLAIMS:
            claims = wish.of(whole)
            cells, sums = _fill(database, claims, wish.seed)
            target = 5 if whole == _CLAIMS[-1] else None
            for by in _BY:
                note = f"{cells:,} cells of the tally, {sums:,} sums along them"
                ms, least = _read(api, by, asked)
                yield Figure(PART, f"{claims:,} claims, by {by}", ms, "ms", least, target=target, note=note)
    ground.drop(database)


def _fill(database: Database, claims: int, seed: int) -> tuple[int, int]:
    """Put the figures of so many claims in place of what was there: how many cells they fill, and how many sums."""

    async def fill(line: asyncpg.Connection) -> tuple[int, int]:
        await line.execute("TRUNCATE claim_tally, claim_tally_sums")
        await line.execute(f"SELECT setseed({seed % 100 / 100})")
        await line.execute(_TALLY, claims, timeout=3600)
        await line.execute(SUMS, timeout=3600)
        await line.execute("VACUUM ANALYZE claim_tally, claim_tally_sums")
        counts = "SELECT (SELECT count(*) FROM claim_tally), (SELECT count(*) FROM claim_tally_sums)"
        cells, sums = await line.fetchrow(counts) or (0, 0)
        return int(cells), int(sums)

    return database.on_connection(fill)


def _read(api: Server, by: str, asked: int) -> tuple[float, float]:
    """Milliseconds from question to answer, the middle of many; and of the smallest answer there is, in turns."""
    year = f"from={clock.today() - timedelta(days=364)}&to={clock.today()}"
    times: dict[str, list[float]] = {f"/api/statistics/individual-share?by={by}&{year}": [], "/health": []}
    with httpx.Client(base_url=api.address, timeout=60) as http:
        for _ in range(asked):
            for path, own in times.items():
                began = monotonic()
                answer = http.get(path)
                own.append((monotonic() - began) * 1000)
                if answer.status_code != httpx.codes.OK:
                    raise RuntimeError(answer.text)
    share, least = (median(own) for own in times.values())
    return share, least
