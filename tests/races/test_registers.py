"""A register is confirmed at the moment at which a batch is put together or sent: it is seen, or it comes after."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import pytest

from domain.actor import Post
from service.audit.queries.checks import first_breach
from service.audit.queries.registers import REGISTERS, registers_recompute
from service.batches import commands
from service.batches.schemas import BatchView
from service.database import Tx, transaction
from service.registers.commands import confirm_register
from tests.conftest import Databases
from tests.payments import Stage, claim_statuses, shown
from tests.races.test_batches import at_once
from tests.registers import file_of, forget_registers, load
from tests.world import Trainee, World

Act = Callable[[Tx], Awaitable[object]]


@pytest.fixture(autouse=True)
async def forgotten(databases: Databases) -> AsyncIterator[None]:
    yield
    await forget_registers(databases.admin_url)


async def _filed(world: World) -> tuple[Stage, UUID, Trainee]:
    async with transaction() as tx:
        stage, trainee = await Stage.build(tx, world), await world.trainee(tx)
        return stage, await stage.claim(tx, trainee), trainee


async def _confirming(world: World, trainee: Trainee) -> Act:
    """Another person's signature under a register in which this one is dead."""
    line = {"id_number": trainee.made.id_number, "first": world.today.isoformat()}
    async with transaction() as tx:
        loaded = await load(tx, world, "deceased", file_of(line))
        publisher = await world.user(tx, {Post.CATALOG_PUBLISHER})
    return lambda tx: confirm_register(tx, publisher, loaded.id, world.today, world.now)


async def _audited() -> None:
    async with transaction() as tx:
        assert await first_breach(tx, REGISTERS.checks) is None
        assert await registers_recompute(tx) is None


@pytest.mark.parametrize("round_", range(4))
async def test_while_a_batch_is_put_together(committed: World, round_: int) -> None:
    stage, claim, trainee = await _filed(committed)
    confirming = await _confirming(committed, trainee)
    async with transaction() as tx:
        batch = await stage.open(tx)
    acts: list[Act] = [lambda tx: commands.assemble(tx, batch.id, committed.now), confirming]
    assert await at_once(*(acts if round_ % 2 else reversed(acts))) == ["done", "done"]
    await _audited()
    async with transaction() as tx:
        taken = await claim_statuses(tx, [claim]) == ["batched"]
        lines = (await stage.see(tx, batch.id)).line_count
    assert lines == (4 if taken else 3)


@pytest.mark.parametrize("round_", range(4))
async def test_while_a_batch_is_sent(committed: World, round_: int) -> None:
    stage, claim, trainee = await _filed(committed)
    async with transaction() as tx:
        batch = await _written(tx, stage)
    confirming = await _confirming(committed, trainee)
    acts: list[Act] = [lambda tx: commands.intend_to_send(tx, batch.id, committed.now), confirming]
    assert await at_once(*(acts if round_ % 2 else reversed(acts))) == ["done", "done"]
    await _audited()
    async with transaction() as tx:
        status = (await stage.see(tx, batch.id)).status
        assert await claim_statuses(tx, [claim]) == ["batched" if status == "released" else "payable"]


async def _written(tx: Tx, stage: Stage) -> BatchView:
    batch, now = await stage.frozen(tx), stage.world.now
    await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), now)
    await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), now)
    await stage.release(tx, batch)
    await commands.write_bank_file(tx, batch.id, now)
    return batch
