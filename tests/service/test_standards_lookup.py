"""What one will get: exactly one amount or exactly one reason, on every day of whatever history."""

import random
from collections.abc import AsyncIterator, Mapping
from datetime import date, timedelta

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from domain.errors import Invalid
from service.database import Tx, async_url
from service.standards.queries.lookup import Asked, look_up
from service.standards.schemas import LookupView
from tests.conftest import Databases
from tests.service.season import fresh_database
from tests.standards import Bureaus, flat
from tests.world import WELDER, WELDER_LEVEL_4_FEN, World

ENGINEER = "2-02-10-11"


async def asked(
    tx: Tx, day: date, code: str | None = WELDER, level: str = "4", group: str | None = None, name: str | None = None
) -> LookupView:
    found = await look_up(tx, Asked.read(code, name, level, day, group))
    assert (found.amount_fen is None) != (found.reason is None)
    assert (found.amount_fen is None) == (found.steps == [])
    return found


def why(found: LookupView) -> str | None:
    return found.reason.code if found.reason else None


async def test_an_amount_tells_where_it_comes_from(tx: Tx, world: World) -> None:
    found = await asked(tx, world.today)
    assert (found.amount_fen, found.name, found.occupation) == (WELDER_LEVEL_4_FEN, "焊工", WELDER)
    assert "shortage" in found.lists
    assert found.edition is not None
    assert found.standard_set is not None
    assert (found.edition.year, found.standard_set.sample) == (2023, True)
    assert [each.term for each in found.steps] == ["base", "list", "of_list", "amount"]
    by_name = await asked(tx, world.today, None, name="焊工")
    assert by_name == await asked(tx, world.today, level="四级") == found


async def test_old_codes_lead_to_the_occupation_they_mean(tx: Tx, world: World) -> None:
    found = await asked(tx, world.today, ENGINEER, "中级")
    assert (found.amount_fen, found.level) == (240_000, "intermediate")


async def test_each_reason_is_the_precise_one(tx: Tx, world: World) -> None:
    today = world.today
    project = (
        await tx.execute(text("SELECT name FROM catalog_items WHERE code IS NULL AND list_kind = 'project' LIMIT 1"))
    ).scalar_one()
    several = (
        await tx.execute(
            text("""SELECT name FROM catalog_items WHERE code IS NOT NULL
                     GROUP BY name HAVING count(DISTINCT code) > 1 LIMIT 1""")
        )
    ).scalar_one()
    for found, code in (
        (await asked(tx, date(2019, 6, 1)), "lookup.no_edition"),
        (await asked(tx, today, "9-99-99-99"), "lookup.not_in_catalog"),
        (await asked(tx, today, None, name="没有的工种"), "lookup.not_in_catalog"),
        (await asked(tx, today, None, name=project), "lookup.project"),
        (await asked(tx, today, None, name=several), "lookup.several"),
        (await asked(tx, today, level="senior"), "lookup.other_levels"),
        (await asked(tx, today, ENGINEER, "4"), "lookup.other_levels"),
        (await asked(tx, today, level="chief"), "lookup.no_level"),
    ):
        assert why(found) == code
        assert found.reason is not None
        assert "{" not in found.reason.message


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ((None, None, "4", None), "lookup.code_or_name"),
        ((WELDER, "焊工", "4", None), "lookup.code_or_name"),
        ((WELDER, None, "九级", None), "level.unknown"),
        ((WELDER, None, "4", "nobody"), "group.unknown"),
        ((" ", None, "4", None), "words.empty"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: tuple[str | None, str | None, str, str | None], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        Asked.read(*given[:3], date(2027, 1, 1), given[3])
    assert refused.value.code == code


async def test_a_group_gets_what_the_formula_gives_it(tx: Tx, world: World) -> None:
    bureaus, day = await Bureaus.of(tx, world), date(2027, 1, 1)
    await bureaus.in_force(tx, flat(100_000, group={"graduate": 120}), day)
    assert (await asked(tx, day)).amount_fen == 100_000
    found = await asked(tx, day, group="graduate")
    assert (found.amount_fen, [each.fact for each in found.steps if each.by == "group"]) == (120_000, ["graduate"])


async def test_a_group_that_gets_nothing_is_told_so_as_its_claim_would_be(tx: Tx, world: World) -> None:
    bureaus, day = await Bureaus.of(tx, world), date(2027, 1, 1)
    await bureaus.in_force(tx, flat(100_000, group={"graduate": 0}), day)
    assert (await asked(tx, day)).amount_fen == 100_000
    found = await asked(tx, day, group="graduate")
    assert (why(found), found.amount, found.standard_id, found.steps) == ("standard.zero", None, None, [])


@pytest.fixture
async def empty(databases: Databases) -> AsyncIterator[Tx]:
    """A transaction over a database of its own, in which no standards were ever published."""
    server = databases.app_url.rpartition("/")[0]
    async with fresh_database(databases.admin_url, "history") as name:
        admin = await asyncpg.connect(f"{databases.admin_url.rpartition('/')[0]}/{name}")
        await admin.execute("SET session_replication_role = replica")
        for table in ("standards", "standard_sets", "journal"):
            await admin.execute(f"DELETE FROM {table}")
        await admin.close()
        engine = create_async_engine(async_url(f"{server}/{name}"), poolclass=NullPool)
        async with engine.connect() as tx:
            begun = await tx.begin()
            yield tx
            await begun.rollback()
        await engine.dispose()


async def test_on_every_day_of_a_random_history_one_amount_or_one_reason(empty: Tx) -> None:
    """Compared with a painter's model: what is published later covers what was there, day by day."""
    chance = random.Random(0)
    world = await World.build(empty)
    bureaus, origin = await Bureaus.of(empty, world), date(2027, 1, 1)
    assert why(await asked(empty, origin)) == "lookup.no_standards"
    painted: dict[date, int] = {}
    for n in range(8):
        first = origin + timedelta(days=chance.randint(20, 110))
        last = first + timedelta(days=chance.randint(0, 20))
        fen = 50_000 + n * 1_000
        # some give the welder no amount for level 4
        levels = {"4": 100} if chance.random() < 0.7 else {"5": 100}
        formula = flat(fen)
        formula["terms"]["base"] = {"kind": "table", "by": "level", "unit": "fen",
                                    "values": dict.fromkeys(levels, fen) | {"junior": fen}}  # fmt: skip
        await bureaus.in_force(empty, formula, first, last)
        for later in range((last - first).days + 1):
            painted[first + timedelta(days=later)] = fen if "4" in levels else 0
    reasons = set()
    for number in range(130):
        day = origin + timedelta(days=number)
        found = await asked(empty, day)
        if painted.get(day):
            assert found.amount_fen == painted[day], day
            continue
        expected = _why_none(day, painted)
        assert why(found) == expected, day
        reasons.add(expected)
    assert reasons == {"lookup.no_level", "lookup.before", "lookup.after", "lookup.gap"}


def _why_none(day: date, painted: Mapping[date, int]) -> str:
    if day in painted:
        return "lookup.no_level"
    if day < min(painted):
        return "lookup.before"
    return "lookup.after" if day > max(painted) else "lookup.gap"
