"""Money set aside for classes under officers who act at the same moment, and attacked by raw SQL."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.actor import Post
from service.audit.queries.checks import first_breach
from service.audit.queries.funds import MONEY_CONSERVED
from service.claims.commands.review import approve_claim
from service.database import Tx, transaction
from service.training.commands import deciding, filing
from service.training.schemas import NewChange, NewClassReason
from tests.class_money import WHOLE, Money
from tests.payments import claim_statuses
from tests.races.test_batches import alone
from tests.races.test_classes_by_sql import NOTED
from tests.races.test_standards_by_sql import refused
from tests.service.test_funds import ONE, kept
from tests.training import SIZE, as_place
from tests.world import World

Act = Callable[[Tx], Awaitable[object]]


@pytest.fixture
async def money(committed: World) -> Money:
    async with transaction() as tx:
        return await Money.build(tx, committed)


async def at_once(*acts: Act) -> Counter[str]:
    return Counter(await asyncio.gather(*(alone(act) for act in acts)))


async def every_fen_is_there() -> None:
    async with transaction() as tx:
        assert await first_breach(tx, MONEY_CONSERVED.checks) is None


async def test_32_approvals_of_classes_for_the_money_of_10(money: Money) -> None:
    async with transaction() as tx:
        filed = [(await money.file(tx)).id for _ in range(32)]
        await money.office.give(tx, 10 * WHOLE + 1)

    def approve(class_id: UUID) -> Act:
        return lambda tx: money.approve(tx, class_id)

    assert await at_once(*map(approve, filed)) == {"done": 10, "fund.insufficient": 22}
    async with transaction() as tx:
        assert await kept(tx, money.office.district) == {"free": 1, "set_aside": 10 * WHOLE}
    await every_fen_is_there()


async def test_a_class_is_closed_while_its_claims_are_approved(money: Money) -> None:
    """Whoever comes first: a claim is paid from the class's pot or from what the class gave back."""
    async with transaction() as tx:
        await money.office.give(tx, WHOLE)
        view = await money.approved(tx)
        await money.ended(tx)
        claims = await money.claims(tx, view, SIZE)
    reviewer = money.office.staff[Post.REVIEWER]

    def approve(claim: UUID) -> Act:
        return lambda tx: approve_claim(tx, reviewer, claim, "", money.then)

    def close(tx: Tx) -> Awaitable[object]:
        return deciding.close_class(tx, money.officer, view.id, money.school.world.now)

    acts = [approve(each) for each in claims]
    outcomes = await at_once(*acts[:5], close, *acts[5:], close)
    assert outcomes == {"done": SIZE + 1, "wrong_status": 1}
    async with transaction() as tx:
        assert Counter(await claim_statuses(tx, claims)) == {"approved": SIZE}
        assert await kept(tx, money.office.district) == {"reserved": SIZE * ONE}
        set_aside, drawn, left, given_back = await money.of(tx, view)
    assert (set_aside, left) == (WHOLE, 0)
    assert drawn + given_back == WHOLE
    await every_fen_is_there()


async def test_a_class_is_withdrawn_and_changed_while_others_are_approved(money: Money) -> None:
    async with transaction() as tx:
        await money.office.give(tx, 2 * WHOLE)
        given_up, changed = await money.approved(tx), await money.approved(tx)
        waiting = [(await money.file(tx)).id for _ in range(4)]
    world, reason = money.school.world, NewClassReason("场地退租")
    people = [as_place(world.maker.person()) for _ in range(SIZE)]
    new = NewChange("换人", trainees=people)

    def approve(class_id: UUID) -> Act:
        return lambda tx: money.approve(tx, class_id)

    outcomes = await at_once(
        lambda tx: filing.withdraw_class(tx, money.clerk, given_up.id, reason, world.now),
        lambda tx: filing.change_class(tx, money.clerk, changed.id, new, world.today, world.now),
        *map(approve, waiting),
    )
    approved = outcomes["done"] - 2
    assert approved + outcomes["fund.insufficient"] == 4
    assert approved <= 2
    async with transaction() as tx:
        there = {"free": (2 - approved) * WHOLE, "set_aside": approved * WHOLE}
        assert await kept(tx, money.office.district) == {pot: fen for pot, fen in there.items() if fen}
    await every_fen_is_there()


# ---- raw SQL


MOVE = """
    INSERT INTO fund_movements (position_id, class_id, claim_id, kind, source, target, amount_fen, actor_name, at)
    SELECT id, :of, :claim, split_part(:way, ' ', 1), split_part(:way, ' ', 2), split_part(:way, ' ', 3), :fen,
           'x', now()
      FROM fund_positions WHERE district = :district
"""
SET_ASIDE, DRAW, GIVE_BACK = "set_aside free set_aside", "draw set_aside free", "give_back set_aside free"
OTHERS, WITHOUT, CHECK, LEDGER = "ZD120", "ZD121", "23514", "ZD020"


async def at_commit(tx: Tx, statement: str, **given: Any) -> str | None:
    savepoint = await tx.begin_nested()
    try:
        await tx.execute(text(statement), given)
        return await refused(tx, "SET CONSTRAINTS ALL IMMEDIATE")
    finally:
        await savepoint.rollback()


async def test_by_sql_the_money_of_a_class_moves_with_it_alone(money: Money) -> None:
    async with transaction() as tx:
        await money.office.give(tx, 2 * WHOLE)
        view, other = await money.approved(tx), await money.file(tx)
        await money.ended(tx)
        (claim,) = await money.claims(tx, view, 1)
        stranger = await money.claim(tx, money.school.world.maker.person(), None)
    asked: dict[str, Any] = {"district": money.office.district, "claim": None, "fen": WHOLE, "of": view.id}
    async with transaction() as tx:
        for way, given, code in (
            (GIVE_BACK, {"fen": WHOLE + 1}, CHECK),
            (GIVE_BACK, {"of": other.id}, OTHERS),
            (GIVE_BACK, {"of": None}, CHECK),
            (GIVE_BACK, {"claim": claim}, CHECK),
            (SET_ASIDE, {"fen": -1}, CHECK),
            (SET_ASIDE, {"fen": 2 * WHOLE}, CHECK),
            (DRAW, {}, CHECK),
            (DRAW, {"claim": stranger, "fen": ONE}, OTHERS),
            ("draw free set_aside", {"claim": claim, "fen": ONE}, CHECK),
        ):
            assert await refused(tx, MOVE, **{**asked, "way": way, **given}) == code, (way, given)
        for way, given in ((GIVE_BACK, {"fen": ONE}), (SET_ASIDE, {}), (SET_ASIDE, {"of": other.id})):
            assert await at_commit(tx, MOVE, **{**asked, "way": way, **given}) == WITHOUT, (way, given)
        drawn = {**asked, "way": DRAW, "claim": claim, "fen": ONE}
        assert await at_commit(tx, MOVE, **drawn) == "ZD024"  # the claim does not hold it
        pots = "UPDATE fund_class_pots SET left_fen = 0 WHERE class_id = :of"
        assert await refused(tx, pots, of=view.id) == LEDGER
        made = "INSERT INTO fund_class_pots SELECT :of, position_id, 5 FROM fund_class_pots WHERE class_id = :view"
        assert await refused(tx, made, of=other.id, view=view.id) == LEDGER
        deleted = "DELETE FROM fund_class_pots WHERE class_id = :of"
        assert await refused(tx, deleted, of=view.id) == "42501"


async def test_by_sql_no_class_is_approved_or_ended_without_its_money(money: Money) -> None:
    async with transaction() as tx:
        await money.office.give(tx, WHOLE)
        approved, filed = await money.approved(tx), await money.file(tx)
    async with transaction() as tx:
        for view, status, extra in (
            (filed, "approved", ", number = 'x'"),
            (approved, "withdrawn", ""),
            (approved, "filed", ""),
        ):
            savepoint = await tx.begin_nested()
            noted = {"id": view.id, "status": status, "at": view.filed_on}
            await tx.execute(text(NOTED), noted)
            attack = f"UPDATE training_classes SET status = '{status}'{extra} WHERE id = :id"
            assert await refused(tx, attack, id=view.id) == WITHOUT, status
            await savepoint.rollback()
