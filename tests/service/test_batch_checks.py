"""By how many persons a batch is checked: by what goes out beside it, whatever it was split into."""

from datetime import datetime, time, timedelta

import pytest

from domain.actor import Post
from domain.batch import Step
from service.audit.queries.batch_checks import counted_beside
from service.batches import commands
from service.batches.schemas import BatchView, Rejection
from service.clock import SHANGHAI
from service.database import Tx
from tests.payments import Stage, journal_of, shown, transfer
from tests.service.test_batch_desk import checkers, code_of, opened_by_the_job, stage, submitted
from tests.world import FUND, INSURANCE, WELDER_LEVEL_4_FEN

__all__ = ["stage"]  # a fixture

ONE = WELDER_LEVEL_4_FEN


async def test_a_larger_batch_is_checked_by_more_persons(tx: Tx, stage: Stage) -> None:
    steps = {"two_from_fen": WELDER_LEVEL_4_FEN, "three_from_fen": 3 * WELDER_LEVEL_4_FEN}
    await stage.world.set_policy(tx, "batch_check_steps", steps)
    batch, now, today = await submitted(tx, stage), stage.world.now, stage.world.today
    assert batch.checks_needed == 3
    first, second, third = await checkers(tx, stage, 3)
    releaser = stage.staff[Post.RELEASER]
    for me in (first, second):
        seen = await commands.check_batch(tx, me, batch.id, shown(batch), now)
        assert seen.status == "submitted"
        assert await code_of(commands.check_batch(tx, me, batch.id, shown(batch), now)) == "batch.same_person"
        early = commands.release_batch(tx, releaser, batch.id, transfer(batch, today), today, now)
        assert await code_of(early) == "wrong_status"
    seen = await commands.check_batch(tx, third, batch.id, shown(batch), now)
    assert (seen.status, [each.step for each in seen.signatures]) == ("checked", list(Step)[:4])
    assert await code_of(
        commands.check_batch(tx, (await checkers(tx, stage, 1))[0], batch.id, shown(batch), now)
    ) == ("wrong_status")
    assert (await stage.release(tx, batch)).status == "released"
    moves = [row.action for row in await journal_of(tx, "batch", batch.id)]
    assert moves == ["open", "freeze", "submit", "check_on", "check_on", "check", "release"]


async def parts(tx: Tx, stage: Stage, count: int = 3) -> list[BatchView]:
    """A claim each, put together one after another."""
    opened = [await stage.open(tx, limit=1) for _ in range(count)]
    for batch in opened:
        await commands.assemble(tx, batch.id, stage.world.now)
    return [await stage.see(tx, batch.id) for batch in opened]


async def submit(tx: Tx, stage: Stage, batch: BatchView, at: datetime | None = None) -> BatchView:
    maker, now = stage.staff[Post.MAKER], at or stage.world.now
    return await commands.submit_batch(tx, maker, batch.id, shown(batch), now)


async def test_three_batches_need_as_many_checks_as_the_one_they_were_split_from(tx: Tx, stage: Stage) -> None:
    await stage.world.set_policy(tx, "batch_check_steps", {"two_from_fen": 2 * ONE, "three_from_fen": 3 * ONE})
    batches = await parts(tx, stage)
    assert [each.checks_needed for each in batches] == [1, 2, 3]  # as it was when each was put together
    signed = [await submit(tx, stage, each) for each in batches]
    assert [each.checks_needed for each in signed] == [3, 3, 3]
    numbers = sorted(each.number for each in batches)
    for each in signed:
        assert each.together
        assert (each.together.sum_fen, each.together.beside) == (3 * ONE, [n for n in numbers if n != each.number])
        assert "要 3 个人复核" in each.together.said
        last = (await journal_of(tx, "batch", each.id))[-1]
        assert (last.action, last.after["checks_needed"], last.after["together"]["fen"]) == ("submit", 3, 3 * ONE)
    assert await counted_beside(tx) is None


async def test_one_after_another_each_counts_what_went_out_that_day(tx: Tx, stage: Stage) -> None:
    await stage.world.set_policy(tx, "batch_check_steps", {"two_from_fen": 2 * ONE, "three_from_fen": 9 * ONE})
    first = await submit(tx, stage, (await parts(tx, stage, 1))[0])
    assert (first.checks_needed, first.together and first.together.said) == (1, "")
    await commands.check_batch(tx, stage.staff[Post.CHECKER], first.id, shown(first), stage.world.now)
    await stage.release(tx, first)
    second = await submit(tx, stage, (await parts(tx, stage, 1))[0])
    assert second.checks_needed == 2
    assert (await stage.see(tx, first.id)).checks_needed == 1  # what was settled stays


async def test_given_up_and_put_together_anew_counts_once(tx: Tx, stage: Stage) -> None:
    await stage.world.set_policy(tx, "batch_check_steps", {"two_from_fen": 4 * ONE, "three_from_fen": 9 * ONE})
    first = await submit(tx, stage, await stage.frozen(tx))
    assert first.sum_fen == 3 * ONE
    no = Rejection("other", "示例")
    await commands.reject_batch(tx, stage.staff[Post.CHECKER], first.id, no, stage.world.now)
    anew = await submit(tx, stage, await stage.frozen(tx))
    assert anew.together
    assert (anew.sum_fen, anew.checks_needed, anew.together.beside) == (3 * ONE, 1, [])
    assert await counted_beside(tx) is None


@pytest.mark.parametrize(("released", "needed"), [(False, 2), (True, 1)])
async def test_what_midnight_parts(tx: Tx, stage: Stage, *, released: bool, needed: int) -> None:
    """Still to be released, it goes out with the next day's; released on its day, it went out on it."""
    await stage.world.set_policy(tx, "batch_check_steps", {"two_from_fen": 2 * ONE, "three_from_fen": 9 * ONE})
    midnight = datetime.combine(stage.world.today + timedelta(days=1), time(), SHANGHAI)
    late, early = midnight - timedelta(seconds=1), midnight + timedelta(seconds=1)
    first = await submit(tx, stage, (await parts(tx, stage, 1))[0], late)
    if released:
        await commands.check_batch(tx, stage.staff[Post.CHECKER], first.id, shown(first), late)
        await stage.release(tx, first)
    second = await submit(tx, stage, (await parts(tx, stage, 1))[0], early)
    assert (first.checks_needed, second.checks_needed) == (1, needed)
    assert await counted_beside(tx) is None


async def test_of_a_series_nothing_is_submitted_before_all_of_it_is_known(tx: Tx, stage: Stage) -> None:
    """Whatever days they are on and however many are gone: one opening is one sum."""
    await stage.world.set_policy(tx, "batch_check_steps", {"two_from_fen": 3 * ONE, "three_from_fen": 9 * ONE})
    like = await stage.open(tx, limit=2)
    terms = {**like.terms, "lines_max": 2}
    await commands.dissolve_batch(tx, stage.staff[Post.MAKER], like.id, "…", stage.world.now)
    await stage.world.set_policy(tx, "agent_bank", {"default": terms, "funds": {}})
    first = await stage.frozen(tx)
    assert await code_of(submit(tx, stage, first)) == "batch.others_open"
    second = await opened_by_the_job(tx, stage, [first.id])
    assert second
    assert (await submit(tx, stage, first)).checks_needed == 2
    later = stage.world.now + timedelta(days=40)
    assert (await submit(tx, stage, await stage.see(tx, second), later)).checks_needed == 2


async def test_another_district_and_another_fund_count_for_themselves(tx: Tx, stage: Stage) -> None:
    await stage.world.set_policy(tx, "batch_check_steps", {"two_from_fen": 3 * ONE + 1, "three_from_fen": 99 * ONE})
    other = await Stage.build(tx, stage.world)
    await stage.employee(tx)
    batches = [
        await submit(tx, one, await one.frozen(tx, fund))
        for one, fund in ((stage, FUND), (other, FUND), (stage, INSURANCE))
    ]
    assert [(each.checks_needed, each.together and each.together.beside) for each in batches] == [(1, [])] * 3
