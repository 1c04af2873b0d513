"""窗口录入: an individual claim by an acceptor, who then reviews it no more; the person is told that day."""

import pytest
from sqlalchemy import select, text

from domain.actor import Actor, Post
from domain.claim import ClaimAction, Via
from domain.errors import Conflict, Forbidden, Invalid
from service.access.tables import UserPostRow
from service.audit.queries.checks import first_breach
from service.audit.queries.journal import JOURNALLED
from service.audit.queries.messages import TOLD
from service.audit.queries.territory import TERRITORY
from service.claims.commands.approving import approve_set
from service.claims.commands.counter import file_at_counter
from service.claims.commands.filing import file_claim
from service.claims.commands.moves import move_claim
from service.claims.commands.review import approve_claim, withdraw_claim
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimView, NewApproval, NewCounterClaim, NewTrainee
from service.claims.tables import ClaimRow
from service.database import Tx
from service.journal import By
from service.messages.commands import tell_portion
from service.messages.queries import my_messages
from tests.races.test_promises_by_sql import _refused
from tests.service.test_enterprise_claims import _copy
from tests.world import Trainee, World


@pytest.fixture
async def acceptor(tx: Tx, world: World) -> Actor:
    return await world.user(tx, {Post.ACCEPTOR, Post.REVIEWER}, world.here)


def _new(world: World, trainee: Trainee, **other: object) -> NewCounterClaim:
    new, made = world.new_claim(trainee, **other), trainee.made
    typed = {name: getattr(new, name) for name in new.__struct_fields__}
    return NewCounterClaim(trainee=NewTrainee(made.name, made.id_number, made.phone), **typed)


async def _file(tx: Tx, world: World, acceptor: Actor, trainee: Trainee | None = None, **other: object) -> ClaimView:
    trainee = trainee or await world.trainee(tx)
    return await file_at_counter(tx, acceptor, _new(world, trainee, **other), world.today, world.now)


async def test_it_is_the_persons_own_claim(tx: Tx, world: World, acceptor: Actor) -> None:
    trainee = await world.trainee(tx)
    view = await _file(tx, world, acceptor, trainee)
    assert (view.channel, view.status, view.district) == ("individual", "filed", world.here)
    assert view == await claim_view(tx, trainee.actor, view.id)
    row = (await tx.execute(select(ClaimRow.via, ClaimRow.filed_by).where(ClaimRow.id == view.id))).one()
    assert row == ("counter", acceptor.user_id)
    with pytest.raises(Conflict, match=r"claim\.already_filed"):
        await world.claim(tx, trainee=trainee)
    for promise in (JOURNALLED, TERRITORY):
        assert await first_breach(tx, promise.checks) is None
    assert (await withdraw_claim(tx, trainee.actor, view.id, "", world.now)).status == "withdrawn"


async def test_somebody_unknown_is_made_and_told(tx: Tx, world: World, acceptor: Actor) -> None:
    made = world.maker.person()
    someone = Trainee(acceptor, made, world.maker.card())
    floor = (await tx.execute(text("SELECT floor FROM message_floor"))).scalar_one()
    view = await _file(tx, world, acceptor, someone)
    person = (await tx.execute(select(ClaimRow.person_id).where(ClaimRow.id == view.id))).scalar_one()
    await tell_portion(tx, floor)
    told = await my_messages(tx, Actor(acceptor.user_id, person, frozenset({Post.TRAINEE})))
    assert ["窗口以你的名义" in each.text for each in told.messages] == [True]
    assert await first_breach(tx, TOLD.checks) is None


async def test_who_keyed_it_in_does_not_review_it(tx: Tx, world: World, acceptor: Actor) -> None:
    view = await _file(tx, world, acceptor)
    await move_claim(tx, ClaimAction.VERIFY, view.id, By("tests", world.now))
    with pytest.raises(Forbidden):
        await approve_claim(tx, acceptor, view.id, "", world.now)
    await approve_set(tx, acceptor, NewApproval("verified"), world.now)
    assert (await claim_view(tx, acceptor, view.id)).status == "verified"
    approved = await approve_claim(tx, world.staff[Post.REVIEWER], view.id, "", world.now)
    assert approved.status == "approved"


async def test_who_may_not(tx: Tx, world: World, acceptor: Actor) -> None:
    trainee = await world.trainee(tx)
    with pytest.raises(Forbidden, match="post_missing"):
        await _file(tx, world, trainee.actor, trainee)
    with pytest.raises(Invalid, match=r"district\.elsewhere"):
        await _file(tx, world, acceptor, trainee, district=world.other)
    mandate = await world.mandate(tx, world.clerks[0], trainee)
    with pytest.raises(Invalid, match=r"counter\.own_claim"):
        await _file(tx, world, acceptor, trainee, mandate_id=mandate)
    other_name = Trainee(trainee.actor, trainee.made._replace(name="王小二"), trainee.card)
    with pytest.raises(Invalid, match=r"person\.name_differs"):
        await _file(tx, world, acceptor, other_name)
    oneself = Trainee(acceptor, world.maker.person(), world.maker.card())
    person_id, made = await world.person(tx, oneself.made)
    with pytest.raises(Forbidden, match=r"claim\.own"):
        await _file(tx, world, Actor(acceptor.user_id, person_id, acceptor.posts, world.here), oneself)
    assert made == oneself.made
    typed = world.new_claim(trainee, via=Via.COUNTER)
    with pytest.raises(Invalid, match=r"via\.counter_by_acceptor"):
        await file_claim(tx, trainee.actor, typed, world.today, world.now)


async def test_the_database_says_it_again(tx: Tx, world: World, acceptor: Actor) -> None:
    view = await world.claim(tx)
    assert await _refused(tx, _copy(via="'counter'"), id=view.id) == "ZD185"
    theirs = _copy(via="'counter'", filed_by=f"'{acceptor.user_id}'", district=f"'{world.other}'")
    assert await _refused(tx, theirs, id=view.id) == "ZD185"
    await tx.execute(UserPostRow.__table__.delete().where(UserPostRow.user_id == acceptor.user_id))
    assert await _refused(tx, _copy(via="'counter'", filed_by=f"'{acceptor.user_id}'"), id=view.id) == "ZD185"
