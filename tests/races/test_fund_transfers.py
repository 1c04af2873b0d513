"""Transfers under officers who act at the same moment, and under raw SQL: both legs or none, never a fen twice."""

from collections.abc import Awaitable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.actor import Actor, Post
from service.claims.commands.review import approve_claim
from service.database import Tx, transaction
from service.funds.commands import confirm_transfer, decline_transfer, propose_transfer
from service.funds.schemas import NewEnd, NewTransfer
from tests.payments import claim_statuses
from tests.races.test_funds import Act, at_once, every_fen_is_there
from tests.races.test_promises_by_sql import CHECK, DENIED, FOREIGN, UNIQUE, _refused
from tests.service.test_fund_transfers import propose, transfer
from tests.service.test_funds import ONE, Office, kept
from tests.world import FUND, World

ONE_LEG, NO_APPROPRIATION = "ZD240", "ZD021"


@pytest.fixture
async def office(committed: World) -> Office:
    async with transaction() as tx:
        return await Office.build(tx, committed)


def confirm(office: Office, proposed: UUID, me: Actor | None = None) -> Act:
    who = me or office.staff[Post.CHECKER]
    return lambda tx: confirm_transfer(tx, who, proposed, office.world.now)


async def test_two_transfers_of_the_last_fen(office: Office) -> None:
    year = office.world.today.year
    async with transaction() as tx:
        await office.give(tx, ONE)
        maker = office.staff[Post.MAKER]
        proposed = [await propose(tx, office, maker, transfer(office)) for _ in range(4)]
    outcomes = await at_once(*(confirm(office, each) for each in proposed))
    assert outcomes == {"done": 1, "fund.insufficient": 3}
    async with transaction() as tx:
        assert await kept(tx, office.district, year=year) == {}
        assert await kept(tx, office.district, year=year + 1) == {"free": ONE}
    await every_fen_is_there()


async def test_one_transfer_answered_from_many_sides(office: Office) -> None:
    year = office.world.today.year
    async with transaction() as tx:
        await office.give(tx, 5 * ONE)
        proposed = await propose(tx, office, office.staff[Post.MAKER], transfer(office))

    def decline(tx: Tx) -> Awaitable[object]:
        return decline_transfer(tx, office.staff[Post.RELEASER], proposed, "明年不用", office.world.now)

    outcomes = await at_once(*[confirm(office, proposed), decline] * 4)
    async with transaction() as tx:
        there = await kept(tx, office.district, year=year + 1)
    assert outcomes == {"done": 1, "fund_transfer.confirmed" if there else "fund_transfer.declined": 7}
    assert there in ({}, {"free": ONE})
    await every_fen_is_there()


async def test_transfers_against_approvals(office: Office) -> None:
    """Six transfers of two claims' money, ten approvals, money for twelve: whatever comes first, all adds up."""
    world, year = office.world, office.world.today.year
    async with transaction() as tx:
        claims = await office.claims(tx, 10)
        await office.give(tx, 12 * ONE)
        maker = office.staff[Post.MAKER]
        proposed = [await propose(tx, office, maker, transfer(office, 2 * ONE)) for _ in range(6)]

    def approve(claim: UUID) -> Act:
        return lambda tx: approve_claim(tx, office.staff[Post.REVIEWER], claim, "", world.now)

    moving = [confirm(office, each) for each in proposed]
    acts = [act for pair in zip(map(approve, claims), moving, strict=False) for act in pair]
    outcomes = await at_once(*acts, *map(approve, claims[6:]))
    async with transaction() as tx:
        approved = (await claim_statuses(tx, claims)).count("approved")
        old, new = [await kept(tx, office.district, year=each) for each in (year, year + 1)]
    moved = outcomes["done"] - approved
    assert outcomes["fund.insufficient"] == (10 - approved) + (6 - moved)
    assert new.get("free", 0) == moved * 2 * ONE
    assert old.get("reserved", 0) == approved * ONE
    assert sum(old.values()) + sum(new.values()) == 12 * ONE
    assert old.get("free", 0) < 2 * ONE
    await every_fen_is_there()


async def test_money_that_goes_both_ways_stands_in_nobodys_way(office: Office) -> None:
    """Between two districts, each way at once: no deadlock, and what goes out comes in."""
    world = office.world
    async with transaction() as tx:
        other = await Office.build(tx, world)
        maker, checker = [await world.user(tx, {post}) for post in (Post.MAKER, Post.CHECKER)]
        ends = [NewEnd(each.district, FUND, world.today.year) for each in (office, other)]
        proposed = []
        for each, (source, target) in ((office, ends), (other, ends[::-1])):
            await each.give(tx, 4 * ONE)
            for _ in range(4):
                new = NewTransfer(source, target, ONE, "示例", "示例")
                proposed.append((await propose_transfer(tx, maker, new, world.today, world.now)).id)
    order = [each for pair in zip(proposed[:4], proposed[4:], strict=True) for each in pair]
    assert await at_once(*(confirm(office, each, checker) for each in order)) == {"done": 8}
    async with transaction() as tx:
        assert [await kept(tx, each.district) for each in (office, other)] == [{"free": 4 * ONE}] * 2
    await every_fen_is_there()


# ---- by raw SQL as the service's own role

LEG = """
    INSERT INTO fund_movements (position_id, transfer_id, kind, source, target, amount_fen, actor_name, at)
    SELECT id, CAST(:transfer AS uuid), :kind, :source, :target, :fen, 'attack', now()
      FROM fund_positions WHERE district = :district AND year = :year
"""
CONFIRM = """
    INSERT INTO fund_transfer_answers (transfer_id, proposed_by_person, answered_by, answered_by_person, answered_at,
                                       answer, reason)
    SELECT id, proposed_by_person, CAST(:user AS uuid), CAST(:person AS uuid), now(), :answer, :reason
      FROM fund_transfers WHERE id = :transfer
"""
OUT = {"kind": "transfer_out", "source": "free", "target": "treasury"}
IN = {"kind": "transfer_in", "source": "treasury", "target": "free"}


@pytest.fixture
async def agreed(tx: Tx, world: World) -> tuple[Office, dict[str, Any]]:
    """A district with the money of three claims in each of two years, and what confirms a carry-over of one."""
    office = await Office.build(tx, world)
    for year in (world.today.year, world.today.year + 1):
        await office.give(tx, 3 * ONE, year=year)
    proposed = await propose(tx, office, office.staff[Post.MAKER], transfer(office))
    checker = office.staff[Post.CHECKER]
    said = {"user": checker.user_id, "person": checker.person_id, "answer": "confirmed", "reason": ""}
    return office, {"transfer": proposed, **said}


async def refused_at_commit(tx: Tx, *attack: tuple[str, dict[str, Any]]) -> str:
    """The SQLSTATE that COMMIT would meet after statements which themselves pass."""
    savepoint = await tx.begin_nested()
    for statement, given in attack:
        await tx.execute(text(statement), given)
    refused = await _refused(tx, "SET CONSTRAINTS ALL IMMEDIATE")
    await savepoint.rollback()
    return refused


async def test_one_leg_alone_or_two_that_differ_are_refused(tx: Tx, agreed: tuple[Office, dict[str, Any]]) -> None:
    office, said = agreed
    year = office.world.today.year
    here = {"transfer": said["transfer"], "district": office.district, "year": year, "fen": ONE}
    next_year = {**here, "year": year + 1}
    answer = (CONFIRM, said)
    assert await refused_at_commit(tx, answer) == ONE_LEG
    assert await refused_at_commit(tx, answer, (LEG, {**here, **OUT})) == ONE_LEG
    assert await refused_at_commit(tx, answer, (LEG, {**next_year, **IN})) == ONE_LEG
    for other in ({**next_year, **IN, "fen": ONE + 1}, {**here, **IN}):
        assert await refused_at_commit(tx, answer, (LEG, {**here, **OUT}), (LEG, other)) == ONE_LEG
    savepoint = await tx.begin_nested()
    for statement, given in (answer, (LEG, {**here, **OUT}), (LEG, {**next_year, **IN})):
        await tx.execute(text(statement), given)
    assert await _refused(tx, LEG, **next_year, **IN) == UNIQUE
    await tx.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    await savepoint.rollback()


async def test_no_leg_without_what_two_persons_agreed_on(tx: Tx, agreed: tuple[Office, dict[str, Any]]) -> None:
    office, said = agreed
    year = office.world.today.year
    here = {"transfer": said["transfer"], "district": office.district, "year": year, "fen": ONE}
    assert await _refused(tx, LEG, **here, **OUT) == FOREIGN
    maker = office.staff[Post.MAKER]
    assert await _refused(tx, CONFIRM, **{**said, "user": maker.user_id, "person": maker.person_id}) == CHECK
    declined = (CONFIRM, {**said, "answer": "declined", "reason": "x"})
    both = [(LEG, {**here, **OUT}), (LEG, {**here, **IN, "year": year + 1})]
    assert await refused_at_commit(tx, declined, *both) == ONE_LEG
    # a leg that names no transfer, or another kind of line that does
    assert await _refused(tx, LEG, **{**here, **OUT, "transfer": None}) in {CHECK, NO_APPROPRIATION}
    granted = {**here, **IN, "kind": "appropriate"}
    await tx.execute(text(CONFIRM), said)
    assert await _refused(tx, LEG, **granted) == CHECK
    assert await _refused(tx, LEG, **{**here, **OUT, "fen": 4 * ONE}) == CHECK  # more than is free


async def test_what_was_agreed_on_is_written_once(tx: Tx, agreed: tuple[Office, dict[str, Any]]) -> None:
    for table in ("fund_transfers", "fund_transfer_answers"):
        assert await _refused(tx, f"DELETE FROM {table}") == DENIED
    assert await _refused(tx, "UPDATE fund_transfers SET amount_fen = amount_fen * 10") == DENIED
