"""Holds, checks by amount and delegations of batches: several at once, and under raw SQL as the service's role."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from domain.actor import Actor, Post
from domain.batch_checks import Checks
from service.audit.queries.batch_checks import counted_beside
from service.batches import commands
from service.batches.commands.open import open_sibling
from service.batches.schemas import BatchView, NewBatchHold
from service.batches.tables import BatchRow
from service.database import Tx, transaction
from service.journal import By
from tests.payments import Stage, attempt_statuses, shown
from tests.races.test_batches import alone, at_once, forged, stage
from tests.world import World

__all__ = ["stage"]

_HOLD = NewBatchHold("other")


async def test_a_hold_and_the_sending_exclude_each_other(stage: Stage) -> None:
    now, outcomes = stage.world.now, []
    for _ in range(3):
        async with transaction() as tx:
            batch = await stage.written(tx)

        def hold(tx: Tx, batch: BatchView = batch) -> Awaitable[object]:
            return commands.hold_batch(tx, stage.staff[Post.CHECKER], batch.id, _HOLD, now)

        def send(tx: Tx, batch: BatchView = batch) -> Awaitable[object]:
            return commands.intend_to_send(tx, batch.id, now)

        outcomes.append(await at_once(hold, send, hold))
        async with transaction() as tx:
            held = (await stage.see(tx, batch.id)).holds
            sending = "sending" in await attempt_statuses(tx, batch.id)
            assert bool(held) != sending
            if held:
                maker = stage.staff[Post.MAKER]
                await commands.dissolve_batch(tx, maker, batch.id, "…", now)
            else:
                for _ in range(2):
                    await stage.claim(tx)
    both = (["batch.held", "batch.held", "done"], ["batch.past_no_return", "batch.past_no_return", "done"])
    assert all(each in both for each in outcomes), outcomes


async def test_one_person_from_several_sides_checks_once(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three checks are needed: one person gives one of them, however often and quickly they sign."""
    now = stage.world.now
    async with transaction() as tx:
        batch, checkers = await _three_checks(tx, stage, monkeypatch)

    def check(me: Actor) -> Callable[[Tx], Awaitable[object]]:
        return lambda tx: commands.check_batch(tx, me, batch.id, shown(batch), now)

    first, second, third = checkers
    outcomes = await at_once(check(first), check(first), check(first), check(second))
    assert outcomes == ["batch.same_person"] * 2 + ["done"] * 2
    async with transaction() as tx:
        assert (await stage.see(tx, batch.id)).status == "submitted"
    fourth = await _checker(stage)
    assert await at_once(check(third), check(fourth)) == ["done", "wrong_status"]
    async with transaction() as tx:
        seen = await stage.see(tx, batch.id)
        assert (seen.status, len(seen.signatures)) == ("checked", 4)


async def test_of_two_makers_at_once_the_second_counts_the_first(stage: Stage) -> None:
    """Neither sees what the other has not committed; so they wait for one another."""
    now = stage.world.now
    async with transaction() as tx:
        second = await stage.world.user(tx, {Post.MAKER}, stage.district)
        batches = [await stage.open(tx, limit=3) for _ in range(2)]
        for batch in batches:
            await commands.assemble(tx, batch.id, now)

    def put(batch: BatchView, me: Actor) -> Callable[[Tx], Awaitable[object]]:
        async def act(tx: Tx) -> None:
            await commands.submit_batch(tx, me, batch.id, shown(await stage.see(tx, batch.id)), now)

        return act

    makers = stage.staff[Post.MAKER], second
    acts = [put(batch, me) for batch, me in zip(batches, makers, strict=True)]
    assert await at_once(*acts) == ["done"] * 2
    async with transaction() as tx:
        seen = [await stage.see(tx, batch.id) for batch in batches]
        sums = [each.sum_fen or 0 for each in seen]
        assert [each.together.sum_fen if each.together else 0 for each in seen] == [sum(sums)] * 2
        assert await counted_beside(tx) is None


async def test_by_sql_nobody_counts_past_another_who_submits_at_that_moment(stage: Stage) -> None:
    now, maker = stage.world.now, stage.staff[Post.MAKER]
    async with transaction() as tx:
        batches = [await stage.open(tx, limit=3) for _ in range(2)]
        await commands.assemble(tx, batches[0].id, now)
    ids = {"batch": batches[0].id, "maker": maker.user_id}
    begun = asyncio.Event()

    async def by_hand(tx: Tx) -> None:
        for statement in (_BY_MAKER, *forged("batch", "batch", "submitted", _SUBMITTED)):
            used = {name: value for name, value in ids.items() if f":{name}" in statement}
            if statement == _SUBMITTED:
                begun.set()
            await tx.execute(text(statement), used)

    async with transaction() as tx:
        await commands.assemble(tx, batches[1].id, now)
        await commands.submit_batch(tx, maker, batches[1].id, shown(await stage.see(tx, batches[1].id)), now)
        other = asyncio.create_task(alone(by_hand))
        await asyncio.wait_for(begun.wait(), 20)
        await asyncio.sleep(0.3)
        assert not other.done()
    assert await other == "ZD216"


async def test_two_who_lift_lift_once(stage: Stage) -> None:
    now, releaser = stage.world.now, stage.staff[Post.RELEASER]
    async with transaction() as tx:
        batch = await stage.frozen(tx)
        await commands.hold_batch(tx, stage.staff[Post.CHECKER], batch.id, _HOLD, now)

    def lift(tx: Tx) -> Awaitable[object]:
        return commands.lift_batch(tx, releaser, batch.id, "", now)

    assert await at_once(lift, lift) == ["done", "holding.none"]


async def _checker(stage: Stage) -> Actor:
    async with transaction() as tx:
        return await stage.world.user(tx, {Post.CHECKER}, stage.district)


async def _three_checks(tx: Tx, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> tuple[BatchView, list[Actor]]:
    """A submitted batch that three persons check, as if its sum were so large: a parameter is everybody's in this
    database."""
    maker, batch = stage.staff[Post.MAKER], await stage.frozen(tx)
    with monkeypatch.context() as patched:
        three = Checks(3, batch.sum_fen or 0, (), None)
        patched.setattr(sys.modules["service.batches.queries.checks"], "checks_of", lambda *_: three)
        signed = await commands.submit_batch(tx, maker, batch.id, shown(batch), stage.world.now)
    assert signed.checks_needed == 3
    return signed, [await stage.world.user(tx, {Post.CHECKER}, stage.district) for _ in range(3)]


_DELEGATION = """
    INSERT INTO batch_delegations (id, district, post, delegate_user, delegate_person, first_day, last_day, reason,
                                   proposed_by, proposed_person, proposed_at{more})
    SELECT :delegation, b.district, 'checker', u.id, u.person_id, current_date - 1, current_date + 1, 'x',
           u.id, u.person_id, now(){values}
      FROM batches b, users u WHERE b.id = :batch AND u.id = :city
"""
_SIGNED = """
    INSERT INTO batch_signatures (batch_id, step, person_id, user_id, content_hash, line_count, sum_fen, signed_at,
                                  delegation_id)
    SELECT b.id, 'check', u.person_id, u.id, b.content_hash, b.line_count, b.sum_fen, now(), {delegation}
      FROM batches b, users u WHERE b.id = :batch AND u.id = {who}
"""
_HELD = """
    INSERT INTO batch_holds (id, batch_id, code, note, placed_by, placed_person, placed_at)
    SELECT :hold, :batch, 'other', '', u.id, u.person_id, now() FROM users u WHERE u.id = :checker
"""
_LIFTED = """
    UPDATE batch_holds SET lifted_at = now(), lifted_by = placed_by, lifted_person = placed_person WHERE id = :hold
"""
_BY_MAKER = _SIGNED.format(delegation="NULL", who=":maker").replace("'check'", "'assemble'")
_SUBMITTED = "UPDATE batches SET status = 'submitted' WHERE id = :batch"
_CHECKED = "UPDATE batches SET status = 'checked' WHERE id = :batch"

#: What a program of ours with a mistake in it, or a person with its password, could try on a submitted batch.
ATTACKS = {
    "sign for another district": ("ZD201", [_SIGNED.format(delegation="NULL", who=":city")]),
    "stand in by a proposal that nobody confirmed": (
        "ZD201",
        [
            _DELEGATION.format(more="", values=""),
            _SIGNED.format(delegation=":delegation", who=":city"),
        ],
    ),
    "confirm one's own delegation": (
        "ck_batch_delegations_two_persons",
        [
            _DELEGATION.format(more="", values=""),
            """UPDATE batch_delegations SET confirmed_at = now(), confirmed_by = proposed_by,
                      confirmed_person = proposed_person WHERE id = :delegation""",
        ],
    ),
    "propose a delegation that is confirmed already": (
        "ZD203",
        [
            _DELEGATION.format(
                more=", confirmed_by, confirmed_person, confirmed_at", values=", u.id, u.person_id, now()"
            )
        ],
    ),
    "sign what is held": ("ZD200", [_HELD, _SIGNED.format(delegation="NULL", who=":checker")]),
    "move on what is held": (
        "ZD200",
        [
            _SIGNED.format(delegation="NULL", who=":checker"),
            _HELD,
            *forged("batch", "batch", "checked", _CHECKED),
        ],
    ),
    "lift one's own hold": ("ck_batch_holds_two_persons", [_HELD, _LIFTED]),
    "take a hold away": ("42501", [_HELD, "DELETE FROM batch_holds WHERE id = :hold"]),
    "need fewer checks": (
        "ZD003",
        forged("batch", "batch", "submitted", "UPDATE batches SET checks_needed = 2 WHERE id = :batch"),
    ),
    "have counted less beside it": (
        "ZD003",
        forged("batch", "batch", "submitted", "UPDATE batches SET together = '{}' WHERE id = :batch"),
    ),
    "hide what left": ("42501", ["DELETE FROM batch_left_out"]),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_the_database_refuses_by_itself(tx: Tx, world: World, attack: str) -> None:
    own = await Stage.build(tx, world, claims=1)
    batch = await own.frozen(tx)
    await commands.submit_batch(tx, own.staff[Post.MAKER], batch.id, shown(batch), world.now)
    city = await world.user(tx, {Post.CHECKER})
    given = {
        "batch": batch.id,
        "city": city.user_id,
        "checker": own.staff[Post.CHECKER].user_id,
        "delegation": uuid4(),
        "hold": uuid4(),
    }
    refusal, statements = ATTACKS[attack]
    assert await _refused(tx, statements, given) == refusal


_SAID = "UPDATE batches SET status = 'submitted', checks_needed = {needed}, together = {together} WHERE id = :batch"
_TOGETHER = "jsonb_build_object('fen', {fen})"
#: What is written at a submission, over two claims, one of them in a batch beside; three check from 3 fen on.
SUBMISSIONS = {
    "for oneself alone": ("ZD216", _SAID.format(needed=3, together=_TOGETHER.format(fen="sum_fen"))),
    "without a sum": ("ZD216", _SAID.format(needed=3, together="NULL")),
    "by fewer than that takes": ("ZD216", _SAID.format(needed=2, together=_TOGETHER.format(fen="2 * sum_fen"))),
}


@pytest.mark.parametrize("said", SUBMISSIONS)
async def test_a_submission_counts_what_is_beside_it_whatever_the_code_does(tx: Tx, world: World, said: str) -> None:
    own = await Stage.build(tx, world, claims=2)
    await world.set_policy(tx, "batch_check_steps", {"two_from_fen": 2, "three_from_fen": 3})
    batch, beside = [await own.open(tx, limit=1) for _ in range(2)]
    for each in (batch, beside):
        await commands.assemble(tx, each.id, world.now)
    given = {"batch": batch.id, "maker": own.staff[Post.MAKER].user_id}
    refusal, statement = SUBMISSIONS[said]
    assert await _refused(tx, [_BY_MAKER, *forged("batch", "batch", "submitted", statement)], given) == refusal
    maker = own.staff[Post.MAKER]
    seen = await commands.submit_batch(tx, maker, batch.id, shown(await own.see(tx, batch.id)), world.now)
    assert seen.checks_needed == 3  # as the command counts, the database does


async def test_of_a_series_none_is_submitted_early_whatever_the_code_does(tx: Tx, world: World) -> None:
    own = await Stage.build(tx, world, claims=2)
    batch = await own.open(tx, limit=1)
    await commands.assemble(tx, batch.id, world.now)
    row = (await tx.execute(select(BatchRow).where(BatchRow.id == batch.id))).one()
    await open_sibling(tx, row, 1, By("tests", world.now))
    given = {"batch": batch.id, "maker": own.staff[Post.MAKER].user_id}
    attack = [_BY_MAKER, *forged("batch", "batch", "submitted", _SUBMITTED)]
    assert await _refused(tx, attack, given) == "ZD217"


async def test_one_check_of_several_is_not_enough_whatever_the_code_does(tx: Tx, world: World) -> None:
    own = await Stage.build(tx, world, claims=1)
    await world.set_policy(tx, "batch_check_steps", {"two_from_fen": 1, "three_from_fen": 2})
    batch = await own.frozen(tx)
    assert batch.checks_needed == 3
    now, given = world.now, {"batch": batch.id}
    await commands.submit_batch(tx, own.staff[Post.MAKER], batch.id, shown(batch), now)
    checked = forged("batch", "batch", "checked", _CHECKED)
    for _ in range(2):
        assert await _refused(tx, checked, given) == "ZD006"
        me = await world.user(tx, {Post.CHECKER}, own.district)
        assert (await commands.check_batch(tx, me, batch.id, shown(batch), now)).status == "submitted"
    assert await _refused(tx, checked, given) == "ZD006"


async def test_what_is_held_is_not_sent_whatever_the_code_does(tx: Tx, world: World) -> None:
    own = await Stage.build(tx, world, claims=1)
    batch = await own.written(tx)
    await commands.hold_batch(tx, own.staff[Post.CHECKER], batch.id, _HOLD, world.now)
    (attempt,) = (
        await tx.execute(text("SELECT id FROM payment_attempts WHERE batch_id = :id"), {"id": batch.id})
    ).scalars()
    sent = forged("attempt", "it", "sending", "UPDATE payment_attempts SET status = 'sending' WHERE id = :it")
    assert await _refused(tx, sent, {"it": attempt}) in ("ZD200", "ZD025")
    await commands.lift_batch(tx, own.staff[Post.RELEASER], batch.id, "", world.now)
    assert await commands.intend_to_send(tx, batch.id, world.now)
    held = [_HELD.replace(":checker", f"'{own.staff[Post.CHECKER].user_id}'")]
    assert await _refused(tx, held, {"batch": batch.id, "hold": uuid4()}) == "ZD202"


async def _refused(tx: Tx, statements: list[str], given: dict[str, object]) -> str:
    """Everything but the last is allowed; the constraint or the SQLSTATE that refuses the last."""
    savepoint = await tx.begin_nested()
    try:
        for at, statement in enumerate(statements, start=1):
            wanted = {name: value for name, value in given.items() if f":{name}" in statement}
            if at < len(statements):
                await tx.execute(text(statement), wanted)
                continue
            with pytest.raises(DBAPIError) as refused:
                await tx.execute(text(statement), wanted)
    finally:
        await savepoint.rollback()
    cause = refused.value.orig.__cause__ if refused.value.orig else None
    return str(getattr(cause, "constraint_name", None) or getattr(cause, "sqlstate", ""))
