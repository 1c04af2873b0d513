"""What other standards would have cost: a year of claims priced anew, beside a bare GROUP BY of the same rows."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from statistics import median
from time import monotonic
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bench.claims import STAFF_USER
from bench.figures import Figure
from bench.ground import Database, Ground
from bench.wish import Wish
from service import clock
from service.database import Tx, async_url
from service.statistics.commands import simulate
from service.statistics.schemas import NewSimulation, SimulationView

PART = "whatif"
_CLAIMS = 1_000_000
#: Set by the plan; the design aims at this many times the ceiling.
_AIM = 6

T = TypeVar("T")

# A year of claims as unevenly as they come in a city: districts, occupations, levels, groups. One in twenty paid a
# fee that bounds the subsidy, one in thirty came to nothing.
_FILL = """
    INSERT INTO claims (id, person_id, channel, via, filed_by, district, item_id, list_kind, industry, subsidy_key,
                        level, once_in, certificate_number, certificate_issued_on, training_started_on, group_code,
                        invoice_number, standard_id, amount_fen, account_id, status, filed_on, filed_at, decision)
    WITH offers AS (
        SELECT i.id AS item_id, i.list_kind, i.industry, s.id AS standard_id, s.occupation, s.level, s.amount_fen,
               row_number() OVER (ORDER BY i.line, s.level) AS place, count(*) OVER () AS number
          FROM catalog_items i
          JOIN catalog_editions e ON e.id = i.edition_id AND e.in_force @> current_date
          LEFT JOIN occupation_aliases a ON a.code = i.code
          JOIN standards s ON s.occupation = coalesce(a.canonical, i.code) AND s.in_force @> current_date
         WHERE s.level IN ('5', '4', '3', 'junior')
    ), filed AS MATERIALIZED (
        SELECT n, 1 + floor(random() * random() * (SELECT max(number) FROM offers))::integer AS place,
               (SELECT array_agg(code ORDER BY code) FROM districts WHERE kind <> 'city')
                 [1 + floor(random() * random() * 12)::integer] AS district,
               (ARRAY['', 'graduate', 'rural_migrant', 'registered_unemployed', 'enterprise_employee'])
                 [1 + floor(random() * random() * 5)::integer] AS group_code,
               current_date - floor(random() * 360)::integer AS filed_on,
               random() < 0.05 AS paid_fee,
               CASE WHEN random() < 0.03 THEN 'refused' ELSE 'paid' END AS status
          FROM generate_series(1, $1) AS n
    )
    SELECT gen_random_uuid(), gen_random_uuid(), 'individual', 'web', '{user}', f.district, o.item_id, o.list_kind,
           o.industry, o.occupation, o.level, 'ever', 'bench' || f.n, f.filed_on, f.filed_on, f.group_code,
           CASE WHEN f.paid_fee THEN 'bench' || f.n END, o.standard_id, o.amount_fen, gen_random_uuid(), f.status,
           f.filed_on, f.filed_on + interval '10 hours',
           jsonb_build_object('facts', jsonb_build_object(
             'parameters', jsonb_build_object('subsidy_capped_by_fee', f.paid_fee),
             'fee', CASE WHEN f.paid_fee THEN jsonb_build_object('fee_fen', 50000 + f.n % 200 * 1000) END,
             'more', repeat(md5(f.n::text), 25)))
      FROM filed f JOIN offers o ON o.place = f.place
"""

_BARE = text("""
    SELECT district, list_kind, level, count(*), sum(amount_fen)
      FROM claims WHERE filed_on BETWEEN CAST(:first AS date) AND CAST(:last AS date) GROUP BY 1, 2, 3
""")

_PROPOSED: dict[str, Any] = {
    "result": "amount",
    "terms": {
        "base": {
            "kind": "table",
            "by": "level",
            "unit": "fen",
            "values": {"5": 80_000, "4": 110_000, "3": 140_000, "2": 210_000, "1": 300_000, "junior": 150_000},
        },
        "list": {"kind": "table", "by": "lists", "unit": "percent", "values": {"shortage": 130}, "default": 100},
        "group": {"kind": "table", "by": "group", "unit": "percent", "values": {"graduate": 120}, "default": 100},
        "whole": {"kind": "product", "of": ["base", "list", "group"]},
        "amount": {"kind": "round", "of": "whole", "to": "yuan", "how": "half_up"},
    },
}


def measure(ground: Ground, wish: Wish) -> Iterator[Figure]:
    database, claims = ground.database("bench_whatif"), wish.of(_CLAIMS)
    _fill(database, claims, wish.seed)
    taken, bare, view = asyncio.run(_in_turns(database, wish.turns))
    total = view.result.total.claims + sum(each.claims for each in view.result.not_counted)
    if total != claims:
        raise RuntimeError(f"{total} of {claims} claims were counted")
    note = (
        f"the ceiling: GROUP BY district, list, level over the same rows; {len(view.result.positions)} positions,"
        f" {view.result.total.before} before, {view.result.total.after} after"
    )
    ratio = median(taken) / median(bare)
    yield Figure(PART, f"{claims:,} claims", median(taken), "s", median(bare), ratio, target=_AIM, note=note)
    ground.drop(database)


def _fill(database: Database, claims: int, seed: int) -> None:
    async def fill(line: asyncpg.Connection) -> None:
        await line.execute("SET session_replication_role = replica")
        await line.execute(f"SELECT setseed({seed % 100 / 100})")
        await line.execute(_FILL.format(user=STAFF_USER), claims, timeout=3600)
        await line.execute("VACUUM ANALYZE claims", timeout=3600)

    database.on_connection(fill)


async def _in_turns(database: Database, turns: int) -> tuple[list[float], list[float], SimulationView]:
    """Seconds of each, taken in turns after one that does not count; what is kept is rolled back, so that every
    turn computes all of it."""
    new, today = NewSimulation(_PROPOSED), clock.today()
    taken, bare = list[float](), list[float]()
    engine = create_async_engine(async_url(database.app_url), poolclass=NullPool)

    async def priced(tx: Tx) -> SimulationView:
        return await simulate(tx, None, new, today, datetime.now(UTC))  # noqa: TID251 (a bench has no business day)

    async def grouped(tx: Tx) -> None:
        (await tx.execute(_BARE, {"first": view.inputs.first, "last": view.inputs.last})).all()

    async def timed(work: Callable[[Tx], Awaitable[T]], into: list[float]) -> T:
        async with engine.connect() as tx:
            began = monotonic()
            done = await work(tx)
            into.append(monotonic() - began)
            await tx.rollback()
        return done

    view = await timed(priced, [])
    await timed(grouped, [])
    for _ in range(turns):
        await timed(grouped, bare)
        view = await timed(priced, taken)
    await engine.dispose()
    return taken, bare, view
