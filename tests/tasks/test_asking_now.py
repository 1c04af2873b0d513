"""A registry that rests is asked when an operator says so: one call tries, and once it is answered all goes on."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid
from service import settings
from service.database import transaction
from service.gateways.certificate_registry import HttpRegistry
from service.jobs import JobRow, owe_all
from service.journal import JournalRow
from service.operations.commands import ask_now
from service.operations.queries.outside import one_outside
from service.operations.schemas import NewAsking, OutsideView
from service.queue import WAITS, Job, Outside
from tasks import operations
from tasks.runtime import do
from tests.gateways.stand_in import StandIn
from tests.tasks.test_registry_calls import rest_of, silences, waits
from tests.tasks.test_verification import Filed, calls, file, registry, running, stand_in, teach
from tests.world import World

__all__ = ["registry", "running", "stand_in"]

SAID_BACK = "登记库来电话说已经恢复"
#: A call is out for so long: enough for a busy machine to do the rest meanwhile, well within what a call may take.
OUT_MS = 4_000


@pytest.fixture(autouse=True)
def the_registry(monkeypatch: pytest.MonkeyPatch, registry: HttpRegistry) -> Iterator[None]:
    """This one is the one that is set."""
    monkeypatch.setenv("ZHIDA_REGISTRY_URL", registry.source)
    settings.settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.settings.cache_clear()


@pytest.fixture
async def operator(committed: World) -> Actor:
    async with transaction() as tx:
        return await committed.user(tx, {Post.OPERATOR})


async def ask(me: Actor, world: World, service: Outside = Outside.REGISTRY, reason: str = SAID_BACK) -> OutsideView:
    async with transaction() as tx:
        return await ask_now(tx, me, NewAsking(service, reason), world.now)


async def stands() -> OutsideView:
    async with transaction() as tx:
        return await one_outside(tx, Outside.REGISTRY)


async def hurried(service: Outside = Outside.REGISTRY) -> None:
    """The job that an operator's word or an answer owes is done, as a worker does it."""
    row = JobRow
    async with transaction() as tx:
        owed = select(row.id).where(
            row.kind == str(Job.HURRY_WAITING), row.subject == service.id, row.state == "ready"
        )
        ids = list((await tx.execute(owed)).scalars())
    await do(operations.hurry_waiting, ids)


async def noted(since: int) -> list[tuple[str, str, dict[str, object]]]:
    row = JournalRow
    async with transaction() as tx:
        about = select(row.actor_name, row.reason, row.after).where(row.subject_kind == "outside", row.id > since)
        return [tuple(each) for each in await tx.execute(about.order_by(row.id))]


async def last_note() -> int:
    async with transaction() as tx:
        return int((await tx.execute(text("SELECT coalesce(max(id), 0) FROM journal"))).scalar_one())


async def let_rest(filed: Filed, stand_in: StandIn, registry: HttpRegistry, seconds: int = 600) -> None:
    """Silent so often that it is left alone, for so long by now."""
    stand_in.behave(mode="down")
    await silences(filed, 6)
    async with transaction() as tx:
        told = {"source": registry.source, "seconds": seconds}
        await tx.execute(
            text(
                "UPDATE registry_lines SET rests = 7, open_until = now() + make_interval(secs => :seconds)"
                " WHERE source = :source"
            ),
            told,
        )
        late = text("UPDATE jobs SET next_at = now() + interval '10 minutes' WHERE id = ANY (:ids)")
        await tx.execute(late, {"ids": filed.jobs})


async def out(registry: HttpRegistry) -> None:
    """Until a call on trial is out."""
    on_trial = text("SELECT on_trial FROM registry_lines WHERE source = :source")
    for _ in range(500):
        async with transaction() as tx:
            if (await tx.execute(on_trial, {"source": registry.source})).scalar_one():
                return
        await asyncio.sleep(0.02)
    raise AssertionError("no call went on trial")


async def test_one_call_tries_and_what_waits_goes_on_when_it_is_answered(
    committed: World, registry: HttpRegistry, stand_in: StandIn, operator: Actor
) -> None:
    first, others = await file(committed, registry, 1), [await file(committed, registry, 1) for _ in range(4)]
    teach(stand_in, [question for each in (first, *others) for question in each.asked.values()])
    await let_rest(first, stand_in, registry)
    for each in others:
        await each.verify()
        assert await each.states() == [("ready", 0, "registry.resting")]
    resting, before = await stands(), await last_note()
    assert (resting.standing, resting.waiting >= 5, resting.resting_until is not None) == ("open", True, True)
    asked = await ask(operator, committed)
    assert (asked.standing, asked.resting_until) == ("trial", None)
    assert min(await waits(first)) > 500, "brought forward by the job, not while somebody waits"
    await hurried()
    assert max([(await waits(each))[0] for each in (first, *others)]) <= 0
    ((by, why, told),) = await noted(before)
    assert (by, why, told["outside"], told["rest_ended"]) == ("operator", SAID_BACK, "registry", True)

    looked_up = calls(stand_in)["lookups"]
    stand_in.behave(mode="slow", delay_ms=OUT_MS)
    trial = asyncio.create_task(first.verify())
    await out(registry)
    await asyncio.gather(*(each.verify() for each in others))
    await trial
    assert calls(stand_in)["lookups"] - looked_up == 1, "of five messages one may try"
    assert [await each.statuses() for each in (first, *others)] == [["verified"]] + [["filed"]] * 4
    assert min([(await waits(each))[0] for each in others]) > 3
    assert (await rest_of(registry), (await stands()).resting_until) == ((0, None), None)
    await hurried()  # as the answer owes
    assert max([(await waits(each))[0] for each in others]) <= 0
    stand_in.behave(mode="well")
    for each in others:
        await each.verify()
    assert {status for each in (first, *others) for status in await each.statuses()} == {"verified"}


async def test_silent_again_it_rests_as_it_did_and_two_presses_are_one(
    committed: World, registry: HttpRegistry, stand_in: StandIn, operator: Actor
) -> None:
    filed = await file(committed, registry, 2)
    teach(stand_in, list(filed.asked.values()))
    await let_rest(filed, stand_in, registry)
    rests, seconds = await rest_of(registry)
    assert (rests, 590 <= seconds <= 600) == (7, True)
    looked_up = calls(stand_in)["lookups"]
    for _ in range(3):
        await ask(operator, committed)
    rests, seconds = await rest_of(registry)
    assert (rests, seconds <= 0) == (6, True), "ended once, however often it is pressed"
    await hurried()
    stand_in.behave(mode="down")
    await asyncio.gather(*(filed.verify() for _ in range(3)))
    assert calls(stand_in)["lookups"] - looked_up == 1
    rests, seconds = await rest_of(registry)
    assert (rests, 590 <= seconds <= 600) == (7, True)
    assert {(state, attempts) for state, attempts, _ in await filed.states()} == {("ready", 0)}
    assert await filed.statuses() == ["filed", "filed"]
    assert (await stands()).standing == "open"


async def test_while_a_call_is_out_no_second_one_is_sent(
    committed: World, registry: HttpRegistry, stand_in: StandIn, operator: Actor
) -> None:
    filed, other = await file(committed, registry, 1), await file(committed, registry, 1)
    teach(stand_in, [*filed.asked.values(), *other.asked.values()])
    await let_rest(filed, stand_in, registry)
    await ask(operator, committed)
    stand_in.behave(mode="slow", delay_ms=OUT_MS)
    looked_up = calls(stand_in)["lookups"]
    trial = asyncio.create_task(filed.verify())
    await out(registry)
    with pytest.raises(Conflict) as refused:
        await ask(operator, committed)
    assert refused.value.code == "outside.being_asked"
    await other.verify()
    await trial
    assert calls(stand_in)["lookups"] - looked_up == 1
    assert (await filed.statuses(), await other.statuses()) == (["verified"], ["filed"])


async def test_portions_reach_each_that_waits_for_it_once_and_nobody_else(
    committed: World, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bank, which is never left alone; what waits for its hours, or for another service, goes on waiting."""
    monkeypatch.setattr(operations, "PORTION", 3)
    subjects, before = [uuid4() for _ in range(12)], await last_note()
    why = ["bank.unavailable"] * 8 + ["bank.closed", "bank.being_sent", "registry.resting", "bank.unclear"]
    async with transaction() as tx:  # one, in which now() stands still: nothing that others left falls due meanwhile
        left = (await one_outside(tx, Outside.BANK)).waiting
        await owe_all(tx, Job.FETCH_RETURN, subjects)
        for subject, reason in zip(subjects, why, strict=True):
            late = "UPDATE jobs SET next_at = now() + interval '1 hour', last_error = :why WHERE subject = :subject"
            await tx.execute(text(late), {"subject": subject, "why": reason})
        told = await ask_now(tx, operator, NewAsking(Outside.BANK, SAID_BACK), committed.now)
    assert (told.standing, told.waiting - left) == ("silent", 9)
    held = asyncio.Event()

    async def hold(subject: object) -> None:
        """As a worker that settles it just now."""
        async with transaction() as tx:
            await tx.execute(text("SELECT FROM jobs WHERE subject = :subject FOR UPDATE"), {"subject": subject})
            held.set()
            await release.wait()

    release = asyncio.Event()
    holding = asyncio.create_task(hold(subjects[0]))
    await held.wait()
    try:
        await asyncio.wait_for(hurried(Outside.BANK), 60)  # three at a time, what other tests left as well
    finally:
        release.set()
        await holding
    async with transaction() as tx:
        due = text("SELECT subject FROM jobs WHERE subject = ANY (:ids) AND next_at <= now() AND last_error = ''")
        found = set((await tx.execute(due, {"ids": subjects})).scalars())
    assert found == {*subjects[1:8], subjects[11]}
    async with transaction() as tx:
        await tx.execute(text("UPDATE jobs SET state = 'done' WHERE subject = ANY (:ids)"), {"ids": subjects})
    ((_, _, after),) = await noted(before)
    assert (after["outside"], after["waiting"], after["rest_ended"]) == ("bank", left + 9, False)


async def test_who_may_not_and_what_is_no_reason(committed: World, operator: Actor) -> None:
    before = await last_note()
    async with transaction() as tx:
        others = [await committed.user(tx, {post}) for post in (Post.AUDITOR, Post.REVIEWER, Post.MAKER)]
    for me in others:
        with pytest.raises(Forbidden):
            await ask(me, committed)
    for reason in (" ", "打 13812345678 问"):
        with pytest.raises(Invalid):
            await ask(operator, committed, reason=reason)
    async with transaction() as tx:  # nothing of other tests waits for it
        kinds = [str(each) for each in WAITS[Outside.SMS].kinds]
        done = "UPDATE jobs SET state = 'done' WHERE kind = ANY (:kinds) AND state = 'ready'"
        await tx.execute(text(done), {"kinds": kinds})
    with pytest.raises(Conflict) as refused:
        await ask(operator, committed, Outside.SMS)
    assert (refused.value.code, await noted(before)) == ("outside.nothing_waits", [])
