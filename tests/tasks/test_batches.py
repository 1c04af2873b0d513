"""A batch on its way to a bank that really listens: whatever breaks, nobody is paid twice and everything ends."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from domain.actor import Post
from service import settings
from service.batches import commands
from service.batches.schemas import BatchView
from service.database import transaction
from service.gateways.bank import HttpBank
from service.journal import By
from service.local.ports import free_port
from service.queue import Job
from service.reconciliation import commands as reconciliation
from service.reconciliation import queries
from tasks.batches import assemble_batch, send_bank_file, write_bank_file
from tasks.reconciliation import fetch_return
from tasks.runtime import Owed, do
from tests.conftest import Databases
from tests.gateways.raw_server import answer, saying
from tests.gateways.stand_in import TOKEN, StandIn, bearer
from tests.payments import Stage, attempt_statuses, claim_statuses, journal_of, lines_of, shown
from tests.world import World

_WORK: dict[Job, Callable[[Owed], Awaitable[None]]] = {
    Job.ASSEMBLE_BATCH: assemble_batch,
    Job.WRITE_BANK_FILE: write_bank_file,
    Job.SEND_BANK_FILE: send_bank_file,
    Job.FETCH_RETURN: fetch_return,
}


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The stand-in bank of this installation."""
    with StandIn("bank", tmp_path / "bank") as stand_in:
        monkeypatch.setenv("ZHIDA_BANK_URL", stand_in.url)
        monkeypatch.setenv("ZHIDA_BANK_TOKEN", TOKEN)
        settings.settings.cache_clear()
        yield stand_in
    monkeypatch.undo()
    settings.settings.cache_clear()


@pytest.fixture
async def stage(committed: World) -> Stage:
    async with transaction() as tx:
        return await Stage.build(tx, committed)


async def job(kind: Job, batch: BatchView) -> tuple[int, str, str]:
    """(id, state, last error) of the latest round."""
    async with transaction() as tx:
        found = await tx.execute(
            text(
                "SELECT id, state, last_error FROM jobs WHERE kind = :kind AND subject = :subject"
                " ORDER BY round DESC LIMIT 1"
            ),
            {"kind": str(kind), "subject": batch.id},
        )
        row = found.one()
        return row.id, row.state, row.last_error


async def run(kind: Job, batch: BatchView) -> tuple[str, str]:
    """Do the owed job as a worker does; its state and last error afterwards."""
    job_id, _, _ = await job(kind, batch)
    await do(_WORK[kind], [job_id])
    return (await job(kind, batch))[1:]


async def seen(stage: Stage, batch: BatchView) -> tuple[str, set[str], set[str]]:
    """The batch's status, its attempts' and its claims'."""
    async with transaction() as tx:
        status = (await stage.see(tx, batch.id)).status
        return str(status), set(await attempt_statuses(tx, batch.id)), set(await claim_statuses(tx, stage.claims))


async def written(stage: Stage) -> BatchView:
    """Released, and its file written by the job."""
    async with transaction() as tx:
        batch = await stage.open(tx)
    return await filled(stage, batch)


async def filled(stage: Stage, batch: BatchView) -> BatchView:
    """An opened batch, brought on to its written file."""
    assert await run(Job.ASSEMBLE_BATCH, batch) == ("done", "")
    async with transaction() as tx:
        batch = await stage.see(tx, batch.id)
        await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), stage.world.now)
        await commands.check_batch(tx, stage.staff[Post.CHECKER], batch.id, shown(batch), stage.world.now)
        await stage.release(tx, batch)
    assert await run(Job.WRITE_BANK_FILE, batch) == ("done", "")
    return batch


def times_paid(bank: StandIn) -> list[int]:
    return [row["times"] for row in bank.see("ledger")]


async def test_a_batch_goes_all_the_way(bank: StandIn, stage: Stage) -> None:
    batch = await written(stage)
    assert await run(Job.SEND_BANK_FILE, batch) == ("done", "")
    assert await seen(stage, batch) == ("sent", {"sent"}, {"batched"})
    assert await run(Job.FETCH_RETURN, batch) == ("done", "")
    assert await seen(stage, batch) == ("settled", {"done"}, {"paid"})
    assert times_paid(bank) == [1, 1, 1]
    async with transaction() as tx:
        (line, *_) = await lines_of(tx, batch.id)
        assert [(row.action, row.actor_name) for row in await journal_of(tx, "attempt", line.id)] == [
            ("prepare", "batches.assemble_batch"),
            ("intend", "batches.send_bank_file"),
            ("send", "batches.send_bank_file"),
            ("succeed", "reconciliation.fetch_return"),
        ]


async def test_every_job_may_run_twice(bank: StandIn, stage: Stage) -> None:
    batch = await written(stage)
    for kind in _WORK:
        await run(kind, batch)
        job_id, state, _ = await job(kind, batch)
        assert state == "done"
        async with transaction() as tx:  # as if the message came again and the row had been lost
            await tx.execute(text("UPDATE jobs SET state = 'ready' WHERE id = :id"), {"id": job_id})
        assert await run(kind, batch) == ("done", "")
    assert await seen(stage, batch) == ("settled", {"done"}, {"paid"})
    assert times_paid(bank) == [1, 1, 1]
    assert bank.see("calls") == {"received": 1, "returns": 1}


async def test_a_bank_that_hung_up_before_is_asked_and_the_claims_are_paid_anew(bank: StandIn, stage: Stage) -> None:
    batch = await written(stage)
    bank.behave(mode="drop_before", until_calls=1)
    assert await run(Job.SEND_BANK_FILE, batch) == ("ready", "bank.unclear")
    assert await seen(stage, batch) == ("released", {"sending"}, {"batched"})
    assert await run(Job.SEND_BANK_FILE, batch) == ("done", "")
    assert await seen(stage, batch) == ("not_received", {"failed"}, {"payable"})
    assert bank.see("calls") == {"enquired": 1, "closed": 1}
    again = await written(stage)
    await run(Job.SEND_BANK_FILE, again)
    await run(Job.FETCH_RETURN, again)
    assert await seen(stage, again) == ("settled", {"done"}, {"paid"})
    assert times_paid(bank) == [1, 1, 1]
    async with transaction() as tx:
        assert {line.failure for line in await lines_of(tx, batch.id)} == {"bank.not_received"}


async def test_a_bank_that_hung_up_after_is_asked_and_nothing_is_sent_again(bank: StandIn, stage: Stage) -> None:
    batch = await written(stage)
    bank.behave(mode="drop_after", until_calls=1)
    assert await run(Job.SEND_BANK_FILE, batch) == ("ready", "bank.unclear")
    assert await run(Job.SEND_BANK_FILE, batch) == ("done", "")
    assert await seen(stage, batch) == ("sent", {"sent"}, {"batched"})
    assert bank.see("calls") == {"received": 1, "enquired": 1}
    assert times_paid(bank) == [1, 1, 1]


async def test_a_bank_that_is_down_is_waited_for(bank: StandIn, stage: Stage) -> None:
    batch = await written(stage)
    bank.behave(mode="down")
    assert await run(Job.SEND_BANK_FILE, batch) == ("ready", "bank.unclear")
    for _ in range(2):
        assert await run(Job.SEND_BANK_FILE, batch) == ("ready", "bank.unavailable")
    assert await seen(stage, batch) == ("released", {"sending"}, {"batched"})
    bank.behave(mode="well")
    assert await run(Job.SEND_BANK_FILE, batch) == ("done", "")
    assert await seen(stage, batch) == ("not_received", {"failed"}, {"payable"})
    assert times_paid(bank) == []


async def test_a_bank_that_refuses_the_file_pays_nobody(bank: StandIn, stage: Stage) -> None:
    batch = await written(stage)
    bank.behave(mode="refuse", until_calls=1)
    assert await run(Job.SEND_BANK_FILE, batch) == ("done", "")
    assert await seen(stage, batch) == ("not_received", {"failed"}, {"payable"})
    async with transaction() as tx:
        assert {line.failure for line in await lines_of(tx, batch.id)} == {"bank.refused"}
        assert (await journal_of(tx, "batch", batch.id))[-1].reason == "bank.refused"
        assert (await journal_of(tx, "claim", stage.claims[0]))[-1].reason == "bank.refused"
    assert times_paid(bank) == []


async def test_killed_between_intent_and_sending(bank: StandIn, stage: Stage) -> None:
    """What stands after kill -9: the intent is committed and nobody knows whether the file left."""
    batch = await written(stage)
    async with transaction() as tx:
        file = await commands.intend_to_send(tx, batch.id, stage.world.now)
    assert file is not None
    assert file.first
    assert await run(Job.SEND_BANK_FILE, batch) == ("done", "")
    assert bank.see("calls") == {"enquired": 1, "closed": 1}
    assert await seen(stage, batch) == ("not_received", {"failed"}, {"payable"})
    # The dead one was only asleep, and sends now: the bank closed the id, so nobody is paid by it.
    with pytest.raises(Exception, match=r"bank\.refused"):
        await _hand_over(bank, file)
    assert times_paid(bank) == []


async def test_killed_between_sending_and_its_settlement(bank: StandIn, stage: Stage) -> None:
    batch = await written(stage)
    async with transaction() as tx:
        file = await commands.intend_to_send(tx, batch.id, stage.world.now)
    assert file is not None
    await _hand_over(bank, file)
    assert await run(Job.SEND_BANK_FILE, batch) == ("done", "")
    assert await seen(stage, batch) == ("sent", {"sent"}, {"batched"})
    assert bank.see("calls") == {"received": 1, "enquired": 1}
    assert times_paid(bank) == [1, 1, 1]


async def _hand_over(bank: StandIn, file: commands.FileToSend) -> None:
    async with httpx.AsyncClient() as client:
        await HttpBank(bank.url, TOKEN, client).send(file.file_id, file.data, file.sha256)


async def test_a_bank_that_cannot_close_an_id_leaves_it_unknown(bank: StandIn, stage: Stage) -> None:
    batch = await written(stage)
    bank.behave(mode="drop_before", until_calls=1, can_close=False)
    await run(Job.SEND_BANK_FILE, batch)
    bank.behave(can_close=False)
    for _ in range(2):
        assert await run(Job.SEND_BANK_FILE, batch) == ("ready", "bank.unclear")
        assert await seen(stage, batch) == ("released", {"unknown"}, {"batched"})
    assert "received" not in bank.see("calls")
    async with transaction() as tx:  # the file was on its way all the time
        file = await commands.intend_to_send(tx, batch.id, stage.world.now)
    assert file is not None
    assert not file.first
    await _hand_over(bank, file)
    assert await run(Job.SEND_BANK_FILE, batch) == ("done", "")
    assert await run(Job.FETCH_RETURN, batch) == ("done", "")
    assert await seen(stage, batch) == ("settled", {"done"}, {"paid"})
    assert times_paid(bank) == [1, 1, 1]


async def test_other_bytes_under_our_id_are_nobodys_acceptance(bank: StandIn, stage: Stage) -> None:
    batch = await written(stage)
    other = b"".join((b"something else", batch.number.encode()))
    async with httpx.AsyncClient() as client:
        taken = await client.post(
            f"{bank.url}/files/{batch.number}",
            content=other,
            headers={**bearer(), "X-Content-SHA256": hashlib.sha256(other).hexdigest()},
        )
    assert taken.status_code == 422
    assert await run(Job.SEND_BANK_FILE, batch) == ("ready", "bank.unclear")
    assert await run(Job.SEND_BANK_FILE, batch) == ("ready", "bank.unclear")
    assert await seen(stage, batch) == ("released", {"unknown"}, {"batched"})


async def test_two_workers_with_one_message_send_once(bank: StandIn, stage: Stage) -> None:
    batch = await written(stage)
    job_id, _, _ = await job(Job.SEND_BANK_FILE, batch)
    await asyncio.gather(*(do(send_bank_file, [job_id]) for _ in range(4)))
    while (await job(Job.SEND_BANK_FILE, batch))[1] == "ready":
        await run(Job.SEND_BANK_FILE, batch)
    assert await seen(stage, batch) == ("sent", {"sent"}, {"batched"})
    assert bank.see("calls").get("received") == 1
    assert times_paid(bank) == [1, 1, 1]


async def test_one_bank_file_that_fails_keeps_no_other_waiting(bank: StandIn, committed: World) -> None:
    batches = []
    for _ in range(2):
        async with transaction() as tx:
            stage = await Stage.build(tx, committed, claims=1)
        batches.append((stage, await written(stage)))
    ids = [(await job(Job.SEND_BANK_FILE, batch))[0] for _, batch in batches]
    bank.behave(mode="drop_before", until_calls=1)
    await do(send_bank_file, ids)
    assert sorted([(await seen(*each))[0] for each in batches]) == ["released", "sent"]
    assert sorted([(await job(Job.SEND_BANK_FILE, batch))[1] for _, batch in batches]) == ["done", "ready"]


async def test_a_return_that_takes_its_time_is_waited_for(bank: StandIn, stage: Stage) -> None:
    batch = await written(stage)
    bank.behave(delay_ms=3_000)  # long enough for a busy machine to ask meanwhile
    await run(Job.SEND_BANK_FILE, batch)
    assert await run(Job.FETCH_RETURN, batch) == ("ready", "return.none_yet")
    await asyncio.sleep(3)
    assert await run(Job.FETCH_RETURN, batch) == ("done", "")


async def test_missing_wrong_strange_and_repeated_lines(bank: StandIn, stage: Stage) -> None:
    batch = await written(stage)
    await run(Job.SEND_BANK_FILE, batch)
    bank.behave(amount_wrong=2, drop_lines=1, stranger_lines=1, repeat=True)
    assert await run(Job.FETCH_RETURN, batch) == ("ready", "return.incomplete")
    assert await seen(stage, batch) == ("sent", {"done", "sent"}, {"paid", "batched"})
    async with transaction() as tx:
        found = (await queries.list_exceptions(tx, stage.staff[Post.MAKER], None, 100)).exceptions
    assert [each.exception for each in found] == ["amount_differs"] * 2 + ["unknown_reference"] * 2
    assert await run(Job.FETCH_RETURN, batch) == ("ready", "return.incomplete")  # the same bytes: nothing new
    bank.behave(mode="well")
    assert await run(Job.FETCH_RETURN, batch) == ("done", "")
    assert await seen(stage, batch) == ("settled", {"done"}, {"paid"})


async def test_what_bounces_and_what_comes_back_later(bank: StandIn, stage: Stage) -> None:
    batch = await written(stage)
    bank.behave(bounce_every=3)
    await run(Job.SEND_BANK_FILE, batch)
    await run(Job.FETCH_RETURN, batch)
    async with transaction() as tx:
        first, second, third = await lines_of(tx, batch.id)
        claims = [line.claim_id for line in (first, second, third)]
        assert await claim_statuses(tx, claims) == ["paid", "paid", "bounced"]
    bank.tell("return", {"references": [first.reference]})
    async with httpx.AsyncClient() as client:
        data = await HttpBank(bank.url, TOKEN, client).fetch_return(batch.number)
    assert data is not None
    async with transaction() as tx:  # a person hands the bank's next return in
        maker = stage.staff[Post.MAKER]
        by = By.actor(maker, Post.MAKER, stage.world.now)
        view = await reconciliation.take_return(tx, maker, reconciliation.read(data), data, "upload", by)
        assert (view.settled, view.repeats, view.exceptions) == (1, 2, 0)
        assert await claim_statuses(tx, claims) == ["bounced", "paid", "bounced"]


async def test_a_return_that_is_none_is_kept_and_asked_for_again(
    bank: StandIn, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = await written(stage)
    await run(Job.SEND_BANK_FILE, batch)
    async with saying(answer(b"<html>come back tomorrow</html>")) as url:
        monkeypatch.setenv("ZHIDA_BANK_URL", url)
        settings.settings.cache_clear()
        for _ in range(2):
            assert await run(Job.FETCH_RETURN, batch) == ("ready", "return.form")
    async with transaction() as tx:
        (kept,) = (await queries.list_exceptions(tx, stage.staff[Post.MAKER], None, 100)).exceptions
    assert (kept.line_no, kept.exception) == (0, "return.form")
    assert await seen(stage, batch) == ("sent", {"sent"}, {"batched"})
    monkeypatch.setenv("ZHIDA_BANK_URL", bank.url)
    settings.settings.cache_clear()
    assert await run(Job.FETCH_RETURN, batch) == ("done", "")


async def test_lines_that_were_changed_after_signing_give_no_file(databases: Databases, stage: Stage) -> None:
    """Only a superuser can plant this; the job still notices, and waits for operators."""
    async with transaction() as tx:
        batch = await stage.released(tx)
        first, second, _ = await lines_of(tx, batch.id)
    plant = "UPDATE payment_attempts SET amount_fen = amount_fen + $2 WHERE id = $1"
    owner = await asyncpg.connect(databases.admin_url)
    try:
        await owner.execute("SET session_replication_role = replica")
        await owner.execute(plant, first.id, 1)
        await owner.execute(plant, second.id, -1)
        assert await run(Job.WRITE_BANK_FILE, batch) == ("ready", "Conflict batch.content_differs")
        assert await owner.fetch("SELECT 1 FROM bank_files WHERE batch_id = $1", batch.id) == []
        await owner.execute(plant, first.id, -1)
        await owner.execute(plant, second.id, 1)
    finally:
        await owner.close()
    assert await run(Job.WRITE_BANK_FILE, batch) == ("done", "")


async def test_the_bank_away_altogether(stage: Stage, bank: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = await written(stage)
    monkeypatch.setenv("ZHIDA_BANK_URL", f"http://127.0.0.1:{free_port()}")
    settings.settings.cache_clear()
    assert await run(Job.SEND_BANK_FILE, batch) == ("ready", "bank.unclear")
    assert await run(Job.SEND_BANK_FILE, batch) == ("ready", "bank.unavailable")
    assert await seen(stage, batch) == ("released", {"sending"}, {"batched"})
