"""Promise 19: a database is lost after the bank has its files, and the backup of before is put back."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import pytest
from sqlalchemy import text

from domain.actor import Actor, Post
from service import settings
from service.audit.commands import do_again
from service.audit.queries.checks import first_breach
from service.audit.queries.restores import RESENDS_NOTHING
from service.batches import commands
from service.batches.schemas import BatchView
from service.database import dispose, transaction
from service.jobs import take_due
from service.queue import Job
from service.security import open_session
from tasks.batches import send_bank_file, write_bank_file
from tasks.runtime import do
from tests.conftest import ROOT, Databases
from tests.gateways.stand_in import StandIn
from tests.payments import Stage, attempt_statuses
from tests.tasks.test_batches import _hand_over, bank, filled, job, run, seen, times_paid, written
from tests.world import World

__all__ = ["bank"]

_SENDING = {str(Job.WRITE_BANK_FILE), str(Job.SEND_BANK_FILE)}


@dataclass
class Lost:
    """Four batches as the backup has them: to be filled, owed its file, owed its sending, on its way."""

    opened: tuple[Stage, BatchView]
    released: tuple[Stage, BatchView]
    written: tuple[Stage, BatchView]
    sending: tuple[Stage, BatchView]
    operator: Actor

    async def owed(self) -> list[int]:
        here = [(Job.WRITE_BANK_FILE, self.released), (Job.SEND_BANK_FILE, self.written)]
        return [(await job(kind, batch))[0] for kind, (_, batch) in [*here, (Job.SEND_BANK_FILE, self.sending)]]


@pytest.fixture
async def lost(committed: World, bank: StandIn, databases: Databases) -> AsyncIterator[Lost]:
    """After the backup three files went to the bank; then the database was lost, and the backup is back."""
    stages = []
    for _ in range(4):
        async with transaction() as tx:
            stages.append(await Stage.build(tx, committed, claims=2))
    async with transaction() as tx:
        released = await stages[0].released(tx)
        await open_session(tx, committed.staff[Post.OPERATOR])
        opened = await stages[3].open(tx)
    files = [await written(stage) for stage in stages[1:3]]
    async with transaction() as tx:
        await commands.intend_to_send(tx, files[1].id, committed.now)
    made = Lost(
        (stages[3], opened),
        (stages[0], released),
        (stages[1], files[0]),
        (stages[2], files[1]),
        committed.staff[Post.OPERATOR],
    )
    await dispose()
    server, _, name = databases.admin_url.rpartition("/")
    copy = f"{name}_{uuid4().hex[:8]}"
    admin = await asyncpg.connect(f"{server}/postgres")
    try:
        await admin.execute(f"CREATE DATABASE {copy} TEMPLATE {name} OWNER zhida_owner")
        for batch in (files[0], await filled(stages[3], opened)):
            await run(Job.SEND_BANK_FILE, batch)
        async with transaction() as tx:
            file = await commands.intend_to_send(tx, files[1].id, committed.now)
        assert file is not None
        await _hand_over(bank, file)
        assert times_paid(bank) == [1] * 6
        await dispose()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ZHIDA_DATABASE_URL", f"{databases.app_url.rpartition('/')[0]}/{copy}")
            settings.settings.cache_clear()
            yield made
            await dispose()
        settings.settings.cache_clear()
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)")
        await admin.close()


def zhida_restored() -> str:
    command = [sys.executable, "-m", "service.cli", "restored"]
    return subprocess.run(
        command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=True, timeout=60
    ).stdout


async def due() -> set[str]:
    """What the sweep would nudge when every lease is over."""
    async with transaction() as tx:
        await tx.execute(text("UPDATE jobs SET next_at = now() WHERE state = 'ready'"))
        return {kind for kind, _ in await take_due(tx)}


async def test_nothing_leaves_by_itself(lost: Lost, bank: StandIn) -> None:
    assert await due() >= _SENDING  # the backup by itself would send
    assert "在途转为不明" in zhida_restored()
    assert not await due() & _SENDING
    calls = bank.see("calls")
    for work in (write_bank_file, send_bank_file):  # messages that were in the broker come as well
        await do(work, await lost.owed())
    assert bank.see("calls") == calls
    assert await seen(*lost.written) == ("released", {"prepared"}, {"batched"})
    assert await seen(*lost.sending) == ("released", {"unknown"}, {"batched"})
    async with transaction() as tx:
        assert (await tx.execute(text("SELECT count(*) FROM sessions"))).scalar_one() == 0
        assert await first_breach(tx, RESENDS_NOTHING.checks) is None


async def test_what_an_operator_wants_again_is_asked_about_or_paid_once(
    lost: Lost, bank: StandIn, committed: World
) -> None:
    zhida_restored()
    for job_id in (await lost.owed())[1:]:
        async with transaction() as tx:
            await do_again(tx, lost.operator, job_id, committed.now)
    for _, batch in (lost.written, lost.sending):
        assert await run(Job.SEND_BANK_FILE, batch) == ("done", "")
    assert await seen(*lost.sending) == ("sent", {"sent"}, {"batched"})
    assert await seen(*lost.written) == ("sent", {"sent"}, {"batched"})
    assert times_paid(bank) == [1] * 6
    async with transaction() as tx:
        assert await first_breach(tx, RESENDS_NOTHING.checks) is None


async def test_no_number_is_given_that_the_bank_may_know(lost: Lost) -> None:
    stage, before = lost.written
    zhida_restored()
    async with transaction() as tx:
        opened = await stage.open(tx)
        assert await first_breach(tx, RESENDS_NOTHING.checks) is None
    assert int(opened.number.partition("-")[2]) > int(before.number.partition("-")[2]) + 1_000


async def test_what_was_not_filled_yet_is_given_up(lost: Lost) -> None:
    """It would be filled anew, under a number that the bank has seen with other lines."""
    zhida_restored()
    for _ in range(2):
        assert await seen(*lost.opened) == ("dissolved", set(), {"payable"})
        assert await run(Job.ASSEMBLE_BATCH, lost.opened[1]) == ("done", "")
    async with transaction() as tx:
        assert await first_breach(tx, RESENDS_NOTHING.checks) is None


async def test_what_was_sent_without_anybody_wanting_it_is_named(lost: Lost, committed: World) -> None:
    """As if the jobs had not been stopped."""
    zhida_restored()
    _, batch = lost.written
    async with transaction() as tx:
        await commands.intend_to_send(tx, batch.id, committed.now)
        breach = await first_breach(tx, RESENDS_NOTHING.checks)
        assert set(await attempt_statuses(tx, batch.id)) == {"sending"}
    assert breach is not None
    assert (breach.table, breach.says[:9]) == ("payment_attempts", "恢复备份时已经放行")
