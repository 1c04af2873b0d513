"""Sets of standards published at the same moment."""

from collections import Counter
from datetime import date
from uuid import UUID

import pytest

from service.audit.queries.checks import first_breach
from service.audit.queries.standards import STANDARDS
from service.database import transaction
from service.standards.queries.sets import set_view
from service.standards.schemas import DaysView, SetView
from tests.races.test_batches import alone
from tests.races.test_funds import Act, at_once
from tests.standards import Bureaus, flat
from tests.world import World

#: Days of no other test: what is published here stays in this process's database.
FIRST, LAST = date(2096, 1, 1), date(2096, 1, 31)


@pytest.fixture
async def bureaus(committed: World) -> Bureaus:
    async with transaction() as tx:
        return await Bureaus.of(tx, committed)


async def signed(bureaus: Bureaus, fen: int) -> UUID:
    async with transaction() as tx:
        proposed = await bureaus.propose(tx, flat(fen), FIRST, LAST)
        await bureaus.sign(tx, proposed)
        return proposed.id


async def seen(*sets: UUID) -> list[SetView]:
    async with transaction() as tx:
        assert await first_breach(tx, STANDARDS.checks) is None
        return [await set_view(tx, None, each) for each in sets]


def publish(bureaus: Bureaus, set_id: UUID) -> Act:
    return lambda tx: bureaus.publish(tx, set_id)


async def test_of_two_publications_at_once_one_wins_and_the_other_is_told(bureaus: Bureaus) -> None:
    one, other = await signed(bureaus, 80_000), await signed(bureaus, 90_000)
    async with transaction() as tx:
        await bureaus.publish(tx, one)
        assert await alone(publish(bureaus, other)) == "standards.other_published"
    winner, loser = await seen(one, other)
    assert (winner.status, winner.in_force) == ("published", [DaysView(FIRST, LAST)])
    assert (loser.status, loser.in_force) == ("signed", [])
    # who knows of the other may go on
    assert await alone(publish(bureaus, other)) == "done"
    assert [each.status for each in await seen(one, other)] == ["superseded", "published"]


async def test_one_set_published_by_several_at_once_is_published_once(bureaus: Bureaus) -> None:
    set_id = await signed(bureaus, 81_000)
    assert await at_once(*[publish(bureaus, set_id)] * 4) == {"done": 1, "wrong_status": 3}
    (view,) = await seen(set_id)
    assert (view.status, view.in_force) == ("published", [DaysView(FIRST, LAST)])


async def test_of_many_sets_at_once_one_has_the_days(bureaus: Bureaus) -> None:
    sets = [await signed(bureaus, 82_000 + place * 100) for place in range(4)]
    outcomes = await at_once(*(publish(bureaus, each) for each in sets))
    assert outcomes.keys() <= {"done", "standards.other_published"}
    statuses = Counter(each.status for each in await seen(*sets))
    assert statuses["published"] == 1
    assert statuses["published"] + statuses["superseded"] == outcomes["done"]
    assert statuses["signed"] == outcomes["standards.other_published"]
