"""Free money goes to another position by two persons: a carry-over of one's own, or whatever the city moves."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from service.audit.queries.checks import first_breach
from service.audit.queries.funds import MONEY_CONSERVED
from service.claims.commands.review import approve_claim
from service.database import Tx
from service.funds.commands import confirm_transfer, decline_transfer, propose_transfer
from service.funds.queries import funds_view, list_transfers
from service.funds.schemas import NewEnd, NewTransfer
from service.wording import words
from tests.payments import journal_of
from tests.service.test_funds import ONE, Office, kept
from tests.world import FUND, INSURANCE, World


@pytest.fixture
async def office(tx: Tx, world: World) -> Office:
    """A district with the money of three claims."""
    office = await Office.build(tx, world)
    await office.give(tx, 3 * ONE)
    return office


@pytest.fixture
async def city(tx: Tx, world: World) -> dict[Post, Actor]:
    return {post: await world.user(tx, {post}) for post in (Post.MAKER, Post.CHECKER)}


def transfer(office: Office, amount_fen: int = ONE, **other: Any) -> NewTransfer:
    """The carry-over of a district into the next year, unless `other` changes its target."""
    here = NewEnd(office.district, FUND, office.world.today.year)
    there = {"district": here.district, "fund": here.fund, "year": here.year + 1, **other}
    return NewTransfer(here, NewEnd(**there), amount_fen, "示例文件", "示例")


async def propose(tx: Tx, office: Office, me: Actor, new: NewTransfer) -> UUID:
    return (await propose_transfer(tx, me, new, office.world.today, office.world.now)).id


async def test_a_district_carries_its_free_money_over_by_two_persons(tx: Tx, office: Office) -> None:
    world, year = office.world, office.world.today.year
    (claim,) = await office.claims(tx, 1)
    await approve_claim(tx, office.staff[Post.REVIEWER], claim, "", world.now)
    proposed = await propose(tx, office, office.staff[Post.MAKER], transfer(office, 2 * ONE))
    assert await kept(tx, office.district, year=year) == {"free": 2 * ONE, "reserved": ONE}
    done = await confirm_transfer(tx, office.staff[Post.CHECKER], proposed, world.now)
    assert (done.target.year, done.target.fund_name, done.amount) == (year + 1, "就业补助资金", "2,400 元")
    assert done.confirmed_at == world.now
    # what is reserved stays with its year
    assert await kept(tx, office.district, year=year) == {"reserved": ONE}
    assert await kept(tx, office.district, year=year + 1) == {"free": 2 * ONE}
    (position,) = (await funds_view(tx, office.staff[Post.MAKER], year + 1, world.now)).positions
    assert (position.appropriated_fen, position.free_fen) == (2 * ONE, 2 * ONE)
    noted = await journal_of(tx, "fund_transfer", proposed)
    assert [(row.action, row.actor_person_id) for row in noted] == [
        ("propose", office.staff[Post.MAKER].person_id),
        ("confirm", office.staff[Post.CHECKER].person_id),
    ]
    assert await first_breach(tx, MONEY_CONSERVED.checks) is None


async def test_the_city_moves_money_between_districts_and_funds(
    tx: Tx, office: Office, city: dict[Post, Actor]
) -> None:
    world = office.world
    other = await Office.build(tx, world)
    new = transfer(office, district=other.district, fund=INSURANCE, year=world.today.year)
    proposed = await propose(tx, office, city[Post.MAKER], new)
    for stranger in (office.staff[Post.CHECKER], other.staff[Post.CHECKER]):
        with pytest.raises(Forbidden, match=r"fund_transfer\.city_only"):
            await confirm_transfer(tx, stranger, proposed, world.now)
    await confirm_transfer(tx, city[Post.CHECKER], proposed, world.now)
    assert await kept(tx, office.district) == {"free": 2 * ONE}
    assert await kept(tx, other.district, INSURANCE) == {"free": ONE}
    # both see it, a third does not
    for mine in (office, other):
        assert [each.id for each in (await list_transfers(tx, mine.staff[Post.MAKER], None, 9)).transfers] == [
            proposed
        ]
    third = await Office.build(tx, world)
    assert (await list_transfers(tx, third.staff[Post.MAKER], None, 9)).transfers == []
    with pytest.raises(NotFound, match=r"fund_transfer\.not_found"):
        await confirm_transfer(tx, third.staff[Post.CHECKER], proposed, world.now)
    assert await first_breach(tx, MONEY_CONSERVED.checks) is None


async def test_it_is_answered_once_by_another_person(tx: Tx, office: Office) -> None:
    maker, checker, now = office.staff[Post.MAKER], office.staff[Post.CHECKER], office.world.now
    proposed = await propose(tx, office, maker, transfer(office))
    both = replace(maker, user_id=checker.user_id, posts=frozenset({Post.MAKER, Post.CHECKER}))
    with pytest.raises(Forbidden, match=r"fund_transfer\.same_person"):
        await confirm_transfer(tx, both, proposed, now)
    for post in (Post.MAKER, Post.REVIEWER):
        with pytest.raises(Forbidden, match="post_missing"):
            await confirm_transfer(tx, office.staff[post], proposed, now)
    with pytest.raises(Invalid, match=r"words\.empty"):
        await decline_transfer(tx, checker, proposed, " ", now)
    declined = await decline_transfer(tx, checker, proposed, "明年不用", now)
    assert (declined.declined_for, declined.confirmed_at) == ("明年不用", None)
    with pytest.raises(Conflict, match=r"fund_transfer\.declined"):
        await confirm_transfer(tx, office.staff[Post.RELEASER], proposed, now)
    again = await propose(tx, office, maker, transfer(office))
    await confirm_transfer(tx, checker, again, now)
    with pytest.raises(Conflict, match=r"fund_transfer\.confirmed"):
        await decline_transfer(tx, checker, again, "明年不用", now)
    assert await kept(tx, office.district, year=office.world.today.year) == {"free": 2 * ONE}


async def test_only_free_money_moves(tx: Tx, office: Office) -> None:
    world = office.world
    (claim,) = await office.claims(tx, 1)
    await approve_claim(tx, office.staff[Post.REVIEWER], claim, "", world.now)
    proposed = await propose(tx, office, office.staff[Post.MAKER], transfer(office, 2 * ONE + 1))
    savepoint = await tx.begin_nested()
    with pytest.raises(Conflict) as short:
        await confirm_transfer(tx, office.staff[Post.CHECKER], proposed, world.now)
    await savepoint.rollback()
    assert short.value.code == "fund.insufficient"
    assert (short.value.facts["free_fen"], short.value.facts["missing_fen"]) == (2 * ONE, 1)
    assert "2,400 元" in words(short.value.code, short.value.facts)
    # what was refused stays open, and counts once there is enough
    await office.give(tx, 1)
    await confirm_transfer(tx, office.staff[Post.CHECKER], proposed, world.now)
    assert await kept(tx, office.district, year=world.today.year) == {"reserved": ONE}


async def test_nothing_comes_out_of_a_position_that_is_not_there(
    tx: Tx, office: Office, city: dict[Post, Actor]
) -> None:
    new = transfer(office, year=office.world.today.year)
    backwards = NewTransfer(NewEnd(office.district, INSURANCE, new.source.year), new.source, 1, "示例", "示例")
    proposed = await propose(tx, office, city[Post.MAKER], backwards)
    with pytest.raises(Conflict, match=r"fund\.none"):
        await confirm_transfer(tx, city[Post.CHECKER], proposed, office.world.now)


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"fund": "pocket_money"}, "fund.unknown", "target.fund"),
        ({"district": "nowhere"}, "district.unknown", "target.district"),
        ({"year": 1999}, "fund_transfer.backwards", "target.year"),
        ({"year": 2099}, "fund.year", "target.year"),
    ],
)
async def test_what_is_proposed_wrongly_names_its_field(
    tx: Tx, office: Office, city: dict[Post, Actor], given: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await propose(tx, office, city[Post.MAKER], transfer(office, **given))
    assert (refused.value.code, refused.value.field) == (code, field)


async def test_a_district_proposes_its_own_carry_over_only(tx: Tx, office: Office) -> None:
    other = await Office.build(tx, office.world)
    for given in ({"fund": INSURANCE}, {"district": other.district}):
        for mine in (office, other):
            with pytest.raises(Forbidden, match=r"fund_transfer\.city_only"):
                await propose(tx, mine, mine.staff[Post.MAKER], transfer(office, **given))
