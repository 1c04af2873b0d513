"""One offer from several sides at once: one claim, and whoever is later is told why."""

from collections.abc import Awaitable

import pytest
from sqlalchemy import text

from service.audit.queries.checks import first_breach
from service.audit.queries.offers import OFFERS
from service.claims.commands.filing import file_claim
from service.database import Tx, transaction
from service.offers.commands import decline_offer, expire_portion, prepare_portion
from service.offers.queries import BEGINNING
from tests.offers import Results
from tests.races.test_funds import at_once
from tests.world import World


@pytest.fixture
async def results(committed: World) -> Results:
    async with transaction() as tx:
        results = await Results.build(tx, committed)
        await results.prepare(tx)
        await committed.provide(tx, committed.here)
        return results


async def _claims(results: Results) -> int:
    asked = text("SELECT count(*) FROM claims WHERE certificate_number = :number")
    async with transaction() as tx:
        assert await first_breach(tx, OFFERS.checks) is None
        return int((await tx.execute(asked, {"number": results.examined.numbers[0]})).scalar_one())


async def test_confirmed_from_several_sides_it_is_one_claim(results: Results) -> None:
    def confirm(tx: Tx) -> Awaitable[object]:
        return results.confirm(tx, 0)

    assert await at_once(*[confirm] * 6) == {"done": 1, "wrong_status": 5}
    assert await _claims(results) == 1


async def test_confirmed_and_filed_by_oneself_at_once_it_is_one_claim(results: Results) -> None:
    world = results.world

    def confirm(tx: Tx) -> Awaitable[object]:
        return results.confirm(tx, 0)

    def file(tx: Tx) -> Awaitable[object]:
        return file_claim(tx, results.trainees[0].actor, results.claim(0), world.today, world.now)

    told = await at_once(confirm, file, confirm, file)
    assert told["done"] == 1
    assert told.keys() <= {"done", "claim.already_filed", "wrong_status"}
    assert await _claims(results) == 1


async def test_confirmed_declined_and_expired_at_once_it_ends_once(results: Results) -> None:
    world, me = results.world, results.trainees[0].actor
    async with transaction() as tx:
        offer_id = await results.offer_of(tx, 0)

    def confirm(tx: Tx) -> Awaitable[object]:
        return results.confirm(tx, 0)

    def decline(tx: Tx) -> Awaitable[object]:
        return decline_offer(tx, me, offer_id, world.today, world.now)

    def expire(tx: Tx) -> Awaitable[object]:
        return expire_portion(tx, world.today, world.now)

    told = await at_once(confirm, decline, expire, confirm, decline, expire)
    assert told == {"done": 3, "wrong_status": 3}  # both sweeps find nothing that is over
    async with transaction() as tx:
        (row,) = [each for each in await results.rows(tx) if each.id == offer_id]
    assert await _claims(results) == (row.status == "confirmed")


async def test_two_sweeps_at_once_offer_each_certificate_once(committed: World) -> None:
    async with transaction() as tx:
        results = await Results.build(tx, committed)

    def prepare(tx: Tx) -> Awaitable[object]:
        return prepare_portion(tx, BEGINNING, results.world.today, results.world.now)

    assert await at_once(*[prepare] * 4) == {"done": 4}
    async with transaction() as tx:
        assert len(await results.rows(tx)) == len(results.trainees)
