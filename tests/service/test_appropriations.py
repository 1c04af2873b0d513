"""Money comes and is taken back by two persons: one proposes, another confirms or declines, once."""

from dataclasses import replace

import pytest

from domain.actor import Post
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from service.audit.queries.checks import first_breach
from service.audit.queries.funds import MONEY_CONSERVED
from service.claims.commands.review import approve_claim
from service.database import Tx
from service.funds.commands import confirm_appropriation, decline_appropriation, propose_appropriation
from service.funds.queries import funds_view, list_appropriations
from service.funds.schemas import NewAppropriation
from service.wording import words
from tests.payments import journal_of
from tests.service.test_funds import ONE, Office, kept
from tests.world import FUND, World


@pytest.fixture
async def office(tx: Tx, world: World) -> Office:
    return await Office.build(tx, world)


async def test_money_is_there_once_a_second_person_confirms(tx: Tx, office: Office) -> None:
    proposed = await office.propose(tx, 500)
    assert await kept(tx, office.district) == {}
    confirmed = await confirm_appropriation(tx, office.staff[Post.CHECKER], proposed, office.world.now)
    assert (confirmed.amount, confirmed.confirmed_at) == ("5 元", office.world.now)
    assert await kept(tx, office.district) == {"free": 500}
    await office.give(tx, 250)
    assert await kept(tx, office.district) == {"free": 750}
    noted = await journal_of(tx, "appropriation", proposed)
    assert [(row.action, row.actor_person_id, row.reason) for row in noted] == [
        ("propose", office.staff[Post.MAKER].person_id, "示例"),
        ("confirm", office.staff[Post.CHECKER].person_id, ""),
    ]


async def test_an_appropriation_counts_once(tx: Tx, office: Office) -> None:
    proposed = await office.propose(tx, 500)
    await confirm_appropriation(tx, office.staff[Post.RELEASER], proposed, office.world.now)
    for post in (Post.RELEASER, Post.CHECKER):
        with pytest.raises(Conflict) as refused:
            await confirm_appropriation(tx, office.staff[post], proposed, office.world.now)
        assert refused.value.code == "appropriation.confirmed"
    assert await kept(tx, office.district) == {"free": 500}


async def test_nobody_confirms_what_they_proposed_whatever_their_posts(tx: Tx, office: Office) -> None:
    maker = office.staff[Post.MAKER]
    proposed = await office.propose(tx, 500)
    both = replace(maker, user_id=office.staff[Post.CHECKER].user_id, posts=frozenset({Post.MAKER, Post.CHECKER}))
    with pytest.raises(Forbidden) as refused:
        await confirm_appropriation(tx, both, proposed, office.world.now)
    assert refused.value.code == "appropriation.same_person"
    for post in (Post.REVIEWER, Post.MAKER):
        with pytest.raises(Forbidden):
            await confirm_appropriation(tx, office.staff[post], proposed, office.world.now)


async def test_what_is_declined_never_counts_and_says_why(tx: Tx, office: Office) -> None:
    proposed, checker, now = await office.propose(tx, 500), office.staff[Post.CHECKER], office.world.now
    with pytest.raises(Invalid) as blank:
        await decline_appropriation(tx, checker, proposed, " ", now)
    assert (blank.value.code, blank.value.field) == ("words.empty", "reason")
    for stranger in (office.staff[Post.MAKER], office.staff[Post.REVIEWER]):
        with pytest.raises(Forbidden):
            await decline_appropriation(tx, stranger, proposed, "文号不对", now)
    with pytest.raises(NotFound):
        await decline_appropriation(tx, office.world.staff[Post.CHECKER], proposed, "文号不对", now)
    declined = await decline_appropriation(tx, checker, proposed, "文号不对", now)
    assert (declined.declined_at, declined.declined_for, declined.confirmed_at) == (now, "文号不对", None)
    for again in (
        confirm_appropriation(tx, office.staff[Post.RELEASER], proposed, now),
        decline_appropriation(tx, office.staff[Post.RELEASER], proposed, "文号不对", now),
    ):
        with pytest.raises(Conflict, match=r"appropriation\.declined"):
            await again
    assert await kept(tx, office.district) == {}
    noted = (await journal_of(tx, "appropriation", proposed))[-1]
    assert (noted.action, noted.actor_person_id, noted.reason) == ("decline", checker.person_id, "文号不对")
    counted = await office.propose(tx, 500)
    await confirm_appropriation(tx, checker, counted, now)
    with pytest.raises(Conflict, match=r"appropriation\.confirmed"):
        await decline_appropriation(tx, checker, counted, "文号不对", now)


async def test_an_appropriation_is_lowered_as_far_as_it_is_free(tx: Tx, office: Office) -> None:
    await office.give(tx, 3 * ONE)
    (claim,) = await office.claims(tx, 1)
    await approve_claim(tx, office.staff[Post.REVIEWER], claim, "", office.world.now)
    too_much = await office.propose(tx, -2 * ONE - 1)
    savepoint = await tx.begin_nested()
    with pytest.raises(Conflict) as refused:
        await confirm_appropriation(tx, office.staff[Post.CHECKER], too_much, office.world.now)
    await savepoint.rollback()
    assert refused.value.code == "appropriation.not_free"
    assert words(refused.value.code, refused.value.facts) == (
        f"就业补助资金 {office.world.today.year} 年可用的只有 2,400 元，不能调减 2,400.01 元："
        "为开班留出 0 元，已预留 1,200 元，在途 0 元，已付 0 元。"
    )
    assert await kept(tx, office.district) == {"free": 2 * ONE, "reserved": ONE}
    lowered = await office.propose(tx, -2 * ONE)
    view = await confirm_appropriation(tx, office.staff[Post.CHECKER], lowered, office.world.now)
    assert (view.amount_fen, view.amount) == (-2 * ONE, "−2,400 元")
    assert await kept(tx, office.district) == {"reserved": ONE}
    (position,) = (await funds_view(tx, office.staff[Post.MAKER], view.year, office.world.now)).positions
    assert (position.appropriated_fen, position.free_fen) == (ONE, 0)
    # once there is more again, what was refused can be confirmed, and counts once
    await office.give(tx, 2 * ONE + 1)
    await confirm_appropriation(tx, office.staff[Post.CHECKER], too_much, office.world.now)
    with pytest.raises(Conflict, match=r"appropriation\.confirmed"):
        await confirm_appropriation(tx, office.staff[Post.CHECKER], too_much, office.world.now)
    assert await kept(tx, office.district) == {"reserved": ONE}
    assert await first_breach(tx, MONEY_CONSERVED.checks) is None


async def test_nothing_is_lowered_where_nothing_was_granted(tx: Tx, office: Office) -> None:
    lowered = await office.propose(tx, -1)
    with pytest.raises(Conflict, match=r"appropriation\.nothing"):
        await confirm_appropriation(tx, office.staff[Post.CHECKER], lowered, office.world.now)


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"fund": "pocket_money"}, "fund.unknown", "fund"),
        ({"year": 1999}, "fund.year", "year"),
        ({"year": 9999}, "fund.year", "year"),
        ({"amount_fen": 0}, "appropriation.zero", "amount_fen"),
        ({"document": "  "}, "words.empty", "document"),
        ({"document": "济财发 13800138000"}, "text.personal_number", "document"),
        ({"reason": "\n"}, "words.empty", "reason"),
    ],
)
async def test_what_is_proposed_wrongly_names_its_field(
    tx: Tx, office: Office, given: dict[str, object], code: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await office.propose(tx, **{"amount_fen": 500, **given})  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.field) == (code, field)


async def test_another_districts_money_is_as_if_it_were_not_there(tx: Tx, office: Office) -> None:
    proposed = await office.propose(tx, 500)
    world = office.world
    with pytest.raises(NotFound):
        await confirm_appropriation(tx, world.staff[Post.CHECKER], proposed, world.now)
    foreign = await list_appropriations(tx, world.staff[Post.CHECKER], None, 500)
    assert proposed not in {each.id for each in foreign.appropriations}
    mine = await list_appropriations(tx, office.staff[Post.REVIEWER], None, 1)
    assert [(each.id, each.confirmed_at) for each in mine.appropriations] == [(proposed, None)]
    city = await world.user(tx, {Post.MAKER})
    new = NewAppropriation(FUND, world.today.year, 1, "示例", "示例")
    with pytest.raises(Forbidden):
        await propose_appropriation(tx, city, new, world.today, world.now)


async def test_appropriations_come_newest_first_page_by_page(tx: Tx, office: Office) -> None:
    proposed = {await office.propose(tx, 100 + place) for place in range(3)}
    seen, cursor = [], None
    while True:
        page = await list_appropriations(tx, office.staff[Post.MAKER], cursor, 2)
        seen += [each.id for each in page.appropriations]
        if (cursor := page.next) is None:
            break
    assert len(seen) == 3
    assert set(seen) == proposed
