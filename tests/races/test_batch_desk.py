"""Holds, checks by amount and delegations of batches: several at once, and under raw SQL as the service's role."""

import sys
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.actor import Actor, Post
from service.batches import commands
from service.batches.schemas import BatchView, NewBatchHold
from service.database import Tx, transaction
from tests.payments import Stage, attempt_statuses, shown
from tests.races.test_batches import at_once, forged, stage
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
    with monkeypatch.context() as patched:
        patched.setattr(sys.modules["service.batches.commands.assemble"], "checks_needed", lambda *_: 3)
        batch = await stage.frozen(tx)
    maker = stage.staff[Post.MAKER]
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
