"""Certificates that were good are asked about again: what was revoked is stopped before the money, or owed back."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text

from domain.actor import Post
from domain.errors import Unavailable
from domain.verification import RegistryEntry
from service.batches import commands as batches
from service.claims.commands.appeals import answer_appeal, appeal
from service.claims.commands.review import refuse_claim
from service.claims.schemas import NewAppeal, NewAppealAnswer, NewRefusal
from service.clawbacks.tables import ClawbackRow
from service.clock import now
from service.database import Tx, transaction
from service.gateways.certificate_registry import Reply
from service.jobs import JobRow, owe_all
from service.journal import By
from service.queue import Job
from service.reconciliation.commands import read, take_return
from service.verification.commands.rechecking import owe_rechecks
from service.verification.queries import questions
from service.verification.queries.rechecks import ASKED_AGAIN
from tasks import clawbacks, verification
from tasks.runtime import Owed, do
from tests.payments import Stage, a_return, claim_statuses, lines_of, ready_jobs
from tests.world import World


@dataclass
class Registry:
    """Answers with what it was told of each number: the entries as claims say them, revoked, none, or nothing."""

    source: str = "tests"
    silent: bool = False
    said: dict[str, list[RegistryEntry]] = field(default_factory=dict)

    async def look_up(self, numbers: Sequence[str]) -> Reply:
        if self.silent:
            raise Unavailable("registry.unavailable", reason="timeout")
        known = {number: self.said[number] for number in numbers if number in self.said}
        raw = json.dumps({"rows": [{"number": number} for number in known]}).encode()
        return Reply(known, raw, now(), self.source, frozenset(numbers) - known.keys())

    async def learn(self, tx: Tx, claims: Sequence[UUID]) -> Mapping[UUID, str]:
        """That these certificates are as their claims say; claim → number."""
        asked = await questions(tx, claims, ASKED_AGAIN)
        for each in asked.values():
            entry = RegistryEntry(
                each.number, each.holder_name, each.id_number, each.occupation_code, each.level, each.issued_on
            )
            self.said[each.number] = [entry]
        return {claim_id: each.number for claim_id, each in asked.items()}

    def revoke(self, number: str) -> None:
        self.said[number] = [RegistryEntry(number, revoked=True)]


async def recheck(registry: Registry, claims: Sequence[UUID]) -> None:
    """The asking is owed, and done."""
    async with transaction() as tx:
        await owe_all(tx, Job.RECHECK_CERTIFICATE, claims)

    async def work(owed: Owed) -> None:
        await verification.recheck(owed, registry)

    await do(work, await _jobs(Job.RECHECK_CERTIFICATE, claims))


async def raise_owed(claims: Sequence[UUID]) -> None:
    await do(clawbacks.raise_clawbacks, await _jobs(Job.RAISE_CLAWBACK, claims))


async def _jobs(kind: Job, claims: Sequence[UUID]) -> list[int]:
    row = JobRow
    async with transaction() as tx:
        asked = select(row.id).where(row.kind == str(kind), row.subject.in_(claims), row.state == "ready")
        return list((await tx.execute(asked)).scalars())


async def status_of(claim_id: UUID) -> str:
    async with transaction() as tx:
        return (await claim_statuses(tx, [claim_id]))[0]


async def clawbacks_of(claim_id: UUID) -> list[str]:
    async with transaction() as tx:
        return list((await tx.execute(select(ClawbackRow.cause).where(ClawbackRow.claim_id == claim_id))).scalars())


@pytest.fixture
async def stage(committed: World) -> Stage:
    async with transaction() as tx:
        return await Stage.build(tx, committed)


async def pay(tx: Tx, stage: Stage, batch_id: UUID) -> None:
    batch = await stage.see(tx, batch_id)
    lines = [(line.reference, line.amount_fen, "done", "") for line in await lines_of(tx, batch_id)]
    data = a_return(batch, lines)
    await take_return(tx, None, read(data), data, "bank", By("tests", stage.world.now))


async def test_what_is_revoked_before_the_money_is_before_an_officer_again(stage: Stage) -> None:
    registry, world = Registry(), stage.world
    async with transaction() as tx:
        claims = [(await world.claim(tx, status, district=stage.district)).id for status in ("approved", "noticed")]
        claims += stage.claims[:1]
        numbers = await registry.learn(tx, [*claims, *stage.claims])
    for claim_id in claims:
        registry.revoke(numbers[claim_id])
    del registry.said[numbers[stage.claims[2]]]  # of that one it says nothing
    await recheck(registry, [*claims, *stage.claims])
    assert [await status_of(each) for each in claims] == ["in_review"] * 3
    assert [await status_of(each) for each in stage.claims[1:]] == ["payable", "payable"]
    async with transaction() as tx:
        assert Job.RECHECK_CERTIFICATE in await ready_jobs(tx, stage.claims[2])
        assert Job.RECHECK_CERTIFICATE not in await ready_jobs(tx, stage.claims[1])
    assert await clawbacks_of(claims[0]) == []


async def test_what_the_registry_knows_no_more_is_looked_at_and_silence_is_nothing(stage: Stage) -> None:
    registry = Registry(silent=True)
    first, second, _ = stage.claims
    await recheck(registry, [first])
    assert await status_of(first) == "payable"
    async with transaction() as tx:
        assert Job.RECHECK_CERTIFICATE in await ready_jobs(tx, first)
        numbers = await registry.learn(tx, stage.claims)
    registry.silent = False
    registry.said[numbers[second]] = []
    await recheck(registry, [first, second])
    assert [await status_of(each) for each in (first, second)] == ["payable", "in_review"]


async def test_in_a_batch_that_is_not_sent_it_is_taken_out(stage: Stage) -> None:
    registry = Registry()
    async with transaction() as tx:
        batch = await stage.released(tx)
        numbers = await registry.learn(tx, stage.claims)
    revoked = stage.claims[0]
    registry.revoke(numbers[revoked])
    await recheck(registry, stage.claims)
    assert await status_of(revoked) == "batched"
    await raise_owed(stage.claims)
    assert [await status_of(each) for each in stage.claims] == ["in_review", "payable", "payable"]
    async with transaction() as tx:
        assert (await stage.see(tx, batch.id)).status == "dissolved"
    assert await clawbacks_of(revoked) == []


async def test_what_the_bank_has_in_hand_is_owed_back_once_it_is_paid(stage: Stage) -> None:
    registry = Registry()
    async with transaction() as tx:
        batch = await stage.sent(tx)
        numbers = await registry.learn(tx, stage.claims)
    revoked = stage.claims[0]
    registry.revoke(numbers[revoked])
    await recheck(registry, stage.claims)
    await raise_owed(stage.claims)
    assert (await status_of(revoked), await clawbacks_of(revoked)) == ("batched", [])
    async with transaction() as tx:
        assert Job.RAISE_CLAWBACK in await ready_jobs(tx, revoked)
        await pay(tx, stage, batch.id)
    await asyncio.gather(raise_owed([revoked]), raise_owed([revoked]))
    assert (await status_of(revoked), await clawbacks_of(revoked)) == ("paid", ["revocation"])
    await recheck(registry, stage.claims)  # told again
    await raise_owed(stage.claims)
    assert [await clawbacks_of(each) for each in stage.claims] == [["revocation"], [], []]


async def test_no_batch_takes_or_sends_what_is_revoked(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world)
    await world.registered(tx, stage.claims[0], "revoked", world.now + timedelta(minutes=1))
    batch = await stage.frozen(tx)
    assert batch.line_count == 2
    assert await claim_statuses(tx, stage.claims) == ["in_review", "batched", "batched"]
    await batches.dissolve_batch(tx, stage.staff[Post.MAKER], batch.id, "重来", world.now)
    batch = await stage.written(tx)
    await world.registered(tx, stage.claims[1], "revoked", world.now + timedelta(minutes=1))
    assert await batches.intend_to_send(tx, batch.id, world.now) is None
    assert await claim_statuses(tx, stage.claims) == ["in_review", "in_review", "payable"]


async def test_what_is_due_is_asked_once_a_month_and_only_where_it_is_set(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world)
    later, then = world.today + timedelta(days=31), world.now + timedelta(days=31)

    async def owed() -> list[bool]:
        return [Job.RECHECK_CERTIFICATE in await ready_jobs(tx, each) for each in stage.claims]

    await owe_rechecks(tx, world.today, world.now)
    assert await owed() == [False] * 3  # all were answered today
    await world.registered(tx, stage.claims[0], "found", then - timedelta(days=1))
    await owe_rechecks(tx, later, then)
    assert await owed() == [False, True, True]
    await tx.execute(text("UPDATE jobs SET state = 'done' WHERE kind = :kind"), {"kind": Job.RECHECK_CERTIFICATE})
    assert await owe_rechecks(tx, world.today.replace(year=2018), then) == 0  # nothing was set then
    assert await owed() == [False] * 3


async def test_whom_an_appeal_brings_back_is_asked_about(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    claim = await world.claim(tx, "in_review", trainee)
    first, second = world.staff[Post.REVIEWER], await world.user(tx, {Post.REVIEWER}, world.here)
    await refuse_claim(tx, first, claim.id, NewRefusal(["certificate_not_found"]), world.now)
    raised = await appeal(tx, trainee.actor, claim.id, NewAppeal("属实"), world.today, world.now)
    new = NewAppealAnswer(grant=True, answer="重审")
    await answer_appeal(tx, second, raised.id, new, world.today, world.now)
    assert Job.RECHECK_CERTIFICATE in await ready_jobs(tx, claim.id)
