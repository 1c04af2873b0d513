"""Money is set aside for a class at its approval, drawn on by its claims, and given back when it needs it no more."""

from datetime import timedelta

import asyncpg
import pytest
from sqlalchemy import text

from domain.actor import Post
from domain.claim import ClaimAction
from domain.errors import Conflict
from service.audit.queries.checks import first_breach
from service.audit.queries.funds import MONEY_CONSERVED
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.claims.commands.approving import approve_set
from service.claims.commands.moves import move_claim
from service.claims.commands.review import approve_claim, withdraw_claim
from service.claims.schemas import NewApproval, NewGroup
from service.database import Tx, transaction
from service.funds.queries import funds_view
from service.journal import By
from service.training.commands import deciding, filing
from service.training.queries.views import class_view
from service.training.schemas import NewChange, NewClassReason
from service.wording import words
from tests.class_money import WHOLE, Money
from tests.conftest import Databases
from tests.payments import claim_statuses
from tests.service.test_funds import ONE, kept
from tests.training import SIZE, as_place, sessions
from tests.world import INSURANCE, World

REASON = NewClassReason("场地退租")


@pytest.fixture
async def money(tx: Tx, world: World) -> Money:
    return await Money.build(tx, world)


async def _whole(tx: Tx) -> None:
    """Every promise about money and moves holds, now and as if the transaction ended."""
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    await tx.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    for promise in (MONEY_CONSERVED, LEGAL_MOVES, JOURNALLED):
        assert await first_breach(tx, promise.checks) is None


async def test_no_class_is_approved_without_its_money(tx: Tx, money: Money) -> None:
    filed = await money.file(tx)
    with pytest.raises(Conflict) as none:
        await money.approve(tx, filed.id)
    assert none.value.code == "fund.none"
    await money.office.give(tx, WHOLE - 1)
    with pytest.raises(Conflict) as short:
        await money.approve(tx, filed.id)
    assert short.value.code == "fund.insufficient"
    year = money.then.year
    assert words(short.value.code, short.value.facts) == (
        f"就业补助资金 {year} 年的额度不够，没有通过：还有 11,999.99 元，差 0.01 元。请申请追加。"
    )
    assert (await class_view(tx, money.officer, filed.id, money.then)).status == "filed"
    await money.office.give(tx, 2)
    view = await money.approve(tx, filed.id)
    assert view.money is not None
    assert (view.money.set_aside_fen, view.money.left, view.money.drawn_fen) == (WHOLE, "12,000 元", 0)
    assert await kept(tx, money.office.district) == {"free": 1, "set_aside": WHOLE}
    (position,) = (await funds_view(tx, money.office.staff[Post.MAKER], year, money.then)).positions
    assert (position.set_aside_fen, position.set_aside, position.free_fen) == (WHOLE, "12,000 元", 1)
    assert position.appropriated_fen == WHOLE + 1
    await _whole(tx)


async def test_its_claims_draw_on_it_and_the_rest_is_free_when_it_is_closed(tx: Tx, money: Money) -> None:
    await money.office.give(tx, WHOLE)
    view = await money.approved(tx)
    await money.ended(tx)
    district, reviewer = money.office.district, money.office.staff[Post.REVIEWER]
    claims = await money.claims(tx, view, 4)
    await approve_claim(tx, reviewer, claims[0], "", money.then)
    assert await kept(tx, district) == {"set_aside": WHOLE - ONE, "reserved": ONE}
    told = await approve_set(tx, reviewer, NewApproval(limit=2), money.then)
    assert (told.approved, told.unfunded) == (2, 0)
    assert await money.of(tx, view) == (WHOLE, 3 * ONE, WHOLE - 3 * ONE, 0)
    # what a claim gives up is free for all, not for its class
    await withdraw_claim(tx, money.clerk, claims[0], "", money.then)
    assert await kept(tx, district) == {"free": ONE, "set_aside": WHOLE - 3 * ONE, "reserved": 2 * ONE}
    closed = await deciding.close_class(tx, money.officer, view.id, money.school.world.now)
    assert closed.money is not None
    assert (closed.status, closed.money.left_fen, closed.money.given_back_fen) == ("closed", 0, WHOLE - 3 * ONE)
    assert await kept(tx, district) == {"free": WHOLE - 2 * ONE, "reserved": 2 * ONE}
    statuses = await claim_statuses(tx, claims)
    await approve_claim(tx, reviewer, claims[statuses.index("verified")], "", money.then)
    assert await kept(tx, district) == {"free": WHOLE - 3 * ONE, "reserved": 3 * ONE}
    await _whole(tx)


async def test_others_do_not_draw_on_it(tx: Tx, money: Money) -> None:
    """Nor does a trainee of it whose claim another fund pays, or another district."""
    await money.office.give(tx, WHOLE)
    view = await money.approved(tx)
    await money.ended(tx)
    world, reviewer = money.school.world, money.office.staff[Post.REVIEWER]
    stranger = await money.claim(tx, world.maker.person(), None)
    unnamed = await money.claim(tx, money.made[view.id][0], None)
    since = view.first.isoformat()
    contract = NewGroup("enterprise_employee", "labour_contract", "HT-2026-0001", since)
    employee = await money.claim(tx, money.made[view.id][1], view.number, group=contract)
    for claim, code in ((stranger, "fund.insufficient"), (unnamed, "fund.insufficient"), (employee, "fund.none")):
        with pytest.raises(Conflict, match=code):
            await approve_claim(tx, reviewer, claim, "", money.then)
    await world.appropriate(tx, money.office.district, ONE, INSURANCE)
    await approve_claim(tx, reviewer, employee, "", world.now)
    assert await kept(tx, money.office.district, INSURANCE) == {"reserved": ONE}
    await money.claim(tx, money.made[view.id][2], view.number)
    told = await approve_set(tx, reviewer, NewApproval(), money.then)
    assert (told.approved, told.unfunded) == (1, 2)  # whom its class's money pays waits for nobody
    assert await money.of(tx, view) == (WHOLE, ONE, WHOLE - ONE, 0)
    await _whole(tx)


async def test_a_claim_of_the_next_year_draws_on_the_money_that_was_set_aside(tx: Tx, money: Money) -> None:
    await money.office.give(tx, WHOLE)
    view = await money.approved(tx)
    await money.ended(tx)
    reviewer = money.office.staff[Post.REVIEWER]
    (claim,) = await money.claims(tx, view, 1)
    later = money.then.replace(year=money.then.year + 1, month=2, day=1)
    await approve_claim(tx, reviewer, claim, "", later)
    assert await kept(tx, money.office.district) == {"set_aside": WHOLE - ONE, "reserved": ONE}
    # it is freed, and held again, where it came from
    await move_claim(tx, ClaimAction.WITHDRAW, claim, By("tests", later))
    assert await kept(tx, money.office.district) == {"free": ONE, "set_aside": WHOLE - ONE}
    await _whole(tx)


async def test_what_is_given_up_or_decided_again_is_free(tx: Tx, money: Money) -> None:
    await money.office.give(tx, WHOLE + ONE)
    free = {"free": WHOLE + ONE}
    world, clerk, district = money.school.world, money.clerk, money.office.district
    withdrawn = await money.approved(tx)
    await filing.withdraw_class(tx, clerk, withdrawn.id, REASON, world.now)
    assert await kept(tx, district) == free
    changed = await money.approved(tx)
    people = [as_place(world.maker.person()) for _ in range(SIZE + 1)]
    new = NewChange("换人", trainees=people)
    assert (await filing.change_class(tx, clerk, changed.id, new, world.today, world.now)).status == "filed"
    assert await kept(tx, district) == free
    again = await money.approve(tx, changed.id)
    assert await money.of(tx, again) == (2 * WHOLE + ONE, 0, WHOLE + ONE, WHOLE)
    assert await kept(tx, district) == {"set_aside": WHOLE + ONE}
    fewer = NewChange("一人不来", trainees=people[1:])
    view = await filing.change_class(tx, clerk, changed.id, fewer, world.today, world.now)
    assert view.status == "approved"
    assert await kept(tx, district) == {"free": ONE, "set_aside": WHOLE}
    moved = NewChange("改期", sessions=sessions(view.first + timedelta(days=7)))
    await filing.change_class(tx, clerk, changed.id, moved, world.today, world.now)
    assert await kept(tx, district) == {"free": ONE, "set_aside": WHOLE}
    await _whole(tx)


async def test_a_class_that_was_approved_before_has_no_pot(databases: Databases, committed: World) -> None:
    """As the upgrade leaves it: its claims take free money, and it is changed and closed as it was."""
    async with transaction() as tx:
        money = await Money.build(tx, committed)
        await money.office.give(tx, WHOLE)
        view = await money.approved(tx)
    admin = await asyncpg.connect(databases.admin_url)
    async with admin.transaction():
        await admin.execute("SET LOCAL session_replication_role = replica")
        await admin.execute("DELETE FROM fund_movements WHERE class_id = $1", view.id)
        await admin.execute("DELETE FROM fund_class_pots WHERE class_id = $1", view.id)
        await admin.execute(
            "UPDATE fund_positions SET free_fen = free_fen + set_aside_fen, set_aside_fen = 0 WHERE district = $1",
            money.office.district,
        )
    await admin.close()
    async with transaction() as tx:
        await money.ended(tx)
        (claim,) = await money.claims(tx, view, 1)
        await approve_claim(tx, money.office.staff[Post.REVIEWER], claim, "", money.then)
        assert await kept(tx, money.office.district) == {"free": WHOLE - ONE, "reserved": ONE}
        closed = await deciding.close_class(tx, money.officer, view.id, money.school.world.now)
        assert (closed.status, closed.money) == ("closed", None)
        assert await first_breach(tx, MONEY_CONSERVED.checks) is None


@pytest.mark.parametrize(
    ("done", "says"),
    [
        ("UPDATE fund_class_pots SET left_fen = left_fen - 1 WHERE class_id = $1", "逐班所余"),
        ("UPDATE fund_class_pots SET left_fen = left_fen - 1 WHERE class_id = $1", "逐笔收支累计的结果不符，或为负"),
        ("DELETE FROM training_places WHERE class_id = $1 AND line = 10", "不是名额所需"),
        ("UPDATE training_classes SET status = 'closed' WHERE id = $1", "不是名额所需"),
        ("UPDATE training_classes SET district = '370102' WHERE id = $1", "不是本区的，或动用"),
        ("UPDATE claims SET class_id = NULL WHERE class_id = $1", "不是自己的班"),
        ("DELETE FROM fund_movements WHERE kind = 'reserve' AND claim_id IN"
         " (SELECT id FROM claims WHERE class_id = $1)", "没有预留"),
    ],
)  # fmt: skip
async def test_what_stands_there_anyhow_is_named(
    databases: Databases, committed: World, done: str, says: str
) -> None:
    async with transaction() as tx:
        money = await Money.build(tx, committed)
        await money.office.give(tx, WHOLE)
        view = await money.approved(tx)
        await money.ended(tx)
        (claim,) = await money.claims(tx, view, 1)
        await approve_claim(tx, money.office.staff[Post.REVIEWER], claim, "", money.then)
    async with transaction() as tx:
        assert await first_breach(tx, MONEY_CONSERVED.checks) is None
    admin = await asyncpg.connect(databases.admin_url)
    planting = admin.transaction()
    await planting.start()
    await admin.execute("SET LOCAL session_replication_role = replica")
    await admin.execute(done, view.id)
    checks = [check for check in MONEY_CONSERVED.checks if says in check.says]
    assert checks
    for check in checks:
        assert await admin.fetch(check.broken), check.says
    await planting.rollback()
    await admin.close()
