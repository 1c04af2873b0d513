"""Who works for a district may claim for themself anywhere, and may act there as nothing else (promise 15)."""

import pytest

from domain.actor import Actor, Post
from service.access.commands import make_user
from service.audit.queries.checks import first_breach
from service.audit.queries.territory import TERRITORY
from service.batches import commands
from service.database import Tx
from service.journal import By, record
from tests.payments import Stage
from tests.world import Trainee, World


@pytest.fixture
async def officer(tx: Tx, world: World) -> Trainee:
    """A reviewer of the other district, who is a trainee as well."""
    person_id, made = await world.person(tx)
    posts = {Post.TRAINEE, Post.REVIEWER}
    user_id = await make_user(tx, f"u{made.id_number}", "no password", person_id, posts, world.other)
    return Trainee(Actor(user_id, person_id, frozenset(posts), world.other), made, world.maker.card())


async def test_an_officer_claims_in_another_district_and_withdraws_from_a_batch(
    tx: Tx, world: World, officer: Trainee
) -> None:
    stage = await Stage.build(tx, world)
    own = await stage.claim(tx, officer)
    batch = await stage.frozen(tx)
    await commands.withdraw(tx, officer.actor, own, "", world.now)
    assert (await stage.see(tx, batch.id)).status == "dissolved"
    assert await first_breach(tx, TERRITORY.checks) is None


@pytest.mark.parametrize("post", [Post.TRAINEE, Post.REVIEWER])
async def test_an_officer_in_anothers_claim_elsewhere_is_named(
    tx: Tx, world: World, officer: Trainee, post: Post
) -> None:
    claim = await world.claim(tx)
    await record(tx, "claim", [claim.id], "note", By.actor(officer.actor, post, world.now), [{}])
    breach = await first_breach(tx, TERRITORY.checks)
    assert breach is not None
    assert breach.says == {Post.TRAINEE: "申领人动了别人的事", Post.REVIEWER: "在别的区办了事"}[post]
