"""How a bank file's bytes leave: carried by two persons, or resent by two while the bank promises to know them."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from domain.actor import Actor, Post
from domain.agent_bank import UNSAID, BankFormat, BankWay
from domain.errors import Conflict, DomainError, Forbidden
from service import settings
from service.batches import commands, queries
from service.batches.schemas import BatchView, NewFileWord, NewHandover, NewResend
from service.claims.schemas import NewHold
from service.database import Tx, transaction
from service.gateways.bank import FileState
from service.gateways.bank_files.agent_gbk import RESULT
from service.journal import By
from service.queue import Job
from service.reconciliation import commands as reconciliation
from tasks.batches import resend_bank_file, send_bank_file
from tasks.reconciliation import ask_payments
from tasks.runtime import do
from tests.app import the_app
from tests.gateways.stand_in import TOKEN, StandIn
from tests.payments import Stage, attempt_statuses, claim_statuses, journal_of, lines_of, ready_jobs
from tests.service.test_batches_http import desk
from tests.world import World

EVIDENCE, OTHER = "e" * 64, "f" * 64
Agree = Callable[..., None]


@pytest.fixture
def agree(monkeypatch: pytest.MonkeyPatch) -> Agree:
    """Other terms for the batches that are opened from here on."""

    def agreed(**other: Any) -> None:
        monkeypatch.setattr("service.batches.commands.open.terms_of", lambda *_: replace(UNSAID, **other))

    return agreed


@pytest.fixture
async def stage(tx: Tx, world: World) -> Stage:
    return await Stage.build(tx, world, claims=2)


def people(stage: Stage) -> list[Actor]:
    return [stage.staff[post] for post in (Post.MAKER, Post.CHECKER, Post.RELEASER)]


async def refused(tx: Tx, act: Awaitable[object]) -> str:
    """The code of a refusal, and nothing of what was asked left behind."""
    savepoint = await tx.begin_nested()
    with pytest.raises(DomainError) as refusal:
        await act
    await savepoint.rollback()
    return refusal.value.code


async def by_sql(tx: Tx, statement: str, **given: Any) -> str:
    """The SQLSTATE with which the service's own role is refused."""
    savepoint = await tx.begin_nested()
    with pytest.raises(DBAPIError) as refusal:
        await tx.execute(text(statement), given)
    await savepoint.rollback()
    return str(refusal.value.orig.sqlstate)  # type: ignore[union-attr]  # asyncpg's errors have one


def handing(sha256: str) -> NewHandover:
    return NewHandover(sha256, EVIDENCE, "柜面回执")


# ---- carried


async def test_a_file_is_carried_by_two_persons(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(way=BankWay.FILES, format=BankFormat.AGENT_GBK)
    batch, (maker, checker, _), now = await stage.written(tx), people(stage), stage.world.now
    assert str(Job.SEND_BANK_FILE) not in await ready_jobs(tx, batch.id)  # nothing sends it by itself
    assert await commands.intend_to_send(tx, batch.id, now) is None
    assert await refused(tx, commands.open_file(tx, maker, batch.id, now)) == "bank_file.not_taken_out"
    about = await commands.take_file(tx, maker, batch.id, now)
    assert (about.name, [each.kind for each in about.sendings]) == (f"{batch.number}.txt", ["carried"])
    assert set(await attempt_statuses(tx, batch.id)) == {"sending"}
    hold = commands.hold(tx, checker, stage.claims[0], NewHold("risk", "…"), now)
    assert await refused(tx, hold) in {"claim.past_no_return", "batch.past_no_return"}
    assert await refused(tx, commands.take_file(tx, checker, batch.id, now)) == "bank_file.taken_out"
    assert await refused(tx, commands.open_file(tx, checker, batch.id, now)) == "bank_file.not_yours"
    for _ in range(2):  # the line may break; the bytes are the same, for the same person
        file = await commands.open_file(tx, maker, batch.id, now)
        assert (file.sha256, file.data.decode("gb18030").partition("|")[0]) == (about.sha256, "DF")
    over = commands.hand_over
    assert await refused(tx, over(tx, maker, batch.id, handing(about.sha256), now)) == "bank_file.same_person"
    assert await refused(tx, over(tx, checker, batch.id, handing(OTHER), now)) == "bank_file.hash_differs"
    sent = await over(tx, checker, batch.id, handing(about.sha256), now)
    assert (sent.status, set(await attempt_statuses(tx, batch.id))) == ("sent", {"sent"})
    assert await refused(tx, over(tx, checker, batch.id, handing(about.sha256), now)) == "bank_file.ended"
    assert await refused(tx, commands.open_file(tx, maker, batch.id, now)) == "bank_file.ended"
    journal = [row.action for row in await journal_of(tx, "bank_file", batch.id)]
    assert journal == ["write", "carried", "download", "download", "confirm_handed_over"]
    await settle(tx, stage, batch)
    assert sorted(await claim_statuses(tx, stage.claims)) == ["bounced", "paid"]
    assert not {str(Job.SEND_BANK_FILE), str(Job.FETCH_RETURN)} & {*await ready_jobs(tx, batch.id)}


async def settle(tx: Tx, stage: Stage, batch: BatchView) -> None:
    """The bank's result file, handed in by the maker: the first was paid, the second account does not exist."""
    first, second = await lines_of(tx, batch.id)
    total = f"{batch.sum_fen / 100:.2f}"  # type: ignore[operator]  # it is frozen
    rows = [
        f"{RESULT}|{batch.number}|20260901|{batch.debit_account}|2|{total}",
        f"1|{first.reference}|{first.amount_fen / 100:.2f}|0000|交易成功",
        f"2|{second.reference}|{second.amount_fen / 100:.2f}|1001|账号不存在",
        "",
    ]
    data, maker = "\r\n".join(rows).encode("gb18030"), stage.staff[Post.MAKER]
    by = By.actor(maker, Post.MAKER, stage.world.now)
    view = await reconciliation.take_return(tx, maker, reconciliation.read(data), data, "upload", by)
    assert (view.settled, view.open) == (2, 0)


async def test_a_return_of_another_form_is_refused(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(way=BankWay.FILES, format=BankFormat.ISO20022)
    batch = await stage.written(tx)
    with pytest.raises(DomainError, match=r"return\.other_form"):
        await settle(tx, stage, batch)


async def test_two_persons_say_that_the_bank_never_got_it(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(way=BankWay.FILES)
    batch, (maker, checker, releaser), now = await stage.written(tx), people(stage), stage.world.now
    never, unclear = (NewFileWord(said, EVIDENCE) for said in ("not_handed_over", "unclear"))  # type: ignore[arg-type]
    assert await refused(tx, commands.say_of_file(tx, maker, batch.id, never, now)) == "bank_file.not_taken_out"
    await commands.take_file(tx, maker, batch.id, now)
    assert (await commands.say_of_file(tx, maker, batch.id, never, now)).waiting == ["not_handed_over"]
    assert await refused(tx, commands.say_of_file(tx, maker, batch.id, never, now)) == "bank_file.same_person"
    assert (await commands.say_of_file(tx, checker, batch.id, unclear, now)).waiting == ["unclear"]  # replaces it
    assert set(await attempt_statuses(tx, batch.id)) == {"sending"}
    await commands.say_of_file(tx, checker, batch.id, never, now)
    await commands.say_of_file(tx, releaser, batch.id, never, now)
    assert set(await attempt_statuses(tx, batch.id)) == {"failed"}
    assert set(await claim_statuses(tx, stage.claims)) == {"payable"}
    assert (await stage.see(tx, batch.id)).status == "not_received"


async def test_two_persons_say_that_nobody_can_tell(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(way=BankWay.FILES)
    batch, (maker, checker, _), now = await stage.written(tx), people(stage), stage.world.now
    await commands.take_file(tx, maker, batch.id, now)
    for person in (maker, checker):
        await commands.say_of_file(tx, person, batch.id, NewFileWord("unclear", EVIDENCE), now)
    assert set(await attempt_statuses(tx, batch.id)) == {"unknown"}
    assert set(await claim_statuses(tx, stage.claims)) == {"batched"}


SENDING = """
    INSERT INTO bank_file_sendings (id, batch_id, kind, sha256, began_at, user_id, person_id, resend_id)
    VALUES (gen_random_uuid(), :id, :kind, coalesce(:sha256, (SELECT sha256 FROM bank_files WHERE batch_id = :id)),
            :at, :user, :person, :resend)
"""
MOVE = """
    WITH noted AS (INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
                   SELECT 'attempt', id, 'forged', jsonb_build_object('status', CAST(:status AS text)), 'x', now()
                     FROM payment_attempts WHERE batch_id = :id RETURNING 1)
    UPDATE payment_attempts SET status = :status WHERE batch_id = :id AND (SELECT count(*) FROM noted) >= 0
"""


async def test_the_database_lets_nobody_carry_alone(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(way=BankWay.FILES)
    batch, (maker, checker, _), now = await stage.written(tx), people(stage), stage.world.now
    carrier = {"id": batch.id, "at": now, "user": maker.user_id, "person": maker.person_id, "resend": None}
    nobody = {**carrier, "user": None, "person": None}
    assert await by_sql(tx, MOVE, id=batch.id, status="sending") == "ZD213"
    assert await by_sql(tx, SENDING, **nobody, kind="sent", sha256=None) == "ZD210"  # not the way that was agreed
    assert await by_sql(tx, SENDING, **carrier, kind="carried", sha256=OTHER) == "ZD210"  # other bytes
    assert await by_sql(tx, SENDING, **nobody, kind="carried", sha256=None) == "23514"  # by nobody
    await commands.take_file(tx, maker, batch.id, now)
    assert await by_sql(tx, SENDING, **carrier, kind="carried", sha256=None) == "23505"  # a second time
    for statement in ("UPDATE bank_file_sendings SET began_at = now()", "DELETE FROM bank_file_sendings"):
        assert await by_sql(tx, statement) == "42501"
    assert await by_sql(tx, MOVE, id=batch.id, status="sent") == "ZD214"
    assert await by_sql(tx, MOVE, id=batch.id, status="failed") == "ZD214"
    said = """INSERT INTO bank_file_handovers (id, batch_id, outcome, evidence_sha256, note, proposed_by,
                  proposed_person, proposed_at, confirmed_by, confirmed_person, closed_at)
              VALUES (gen_random_uuid(), :id, :outcome, 'x', '', :user, :person, :at, :user2, :person2, :at)"""
    first, second = (
        {"user": maker.user_id, "person": maker.person_id},
        {"user2": checker.user_id, "person2": checker.person_id},
    )
    alone = {**first, "user2": maker.user_id, "person2": maker.person_id}
    swapped = {
        "user": checker.user_id,
        "person": checker.person_id,
        "user2": maker.user_id,
        "person2": maker.person_id,
    }
    given = {"id": batch.id, "at": now}
    assert await by_sql(tx, said, **given, **alone, outcome="handed_over") == "23514"
    assert await by_sql(tx, said, **given, **swapped, outcome="handed_over") == "ZD215"
    assert await by_sql(tx, said, **given, **first, **second, outcome="lost") == "23514"
    await tx.execute(text(said), {**given, **first, **second, "outcome": "unclear"})
    assert await by_sql(tx, MOVE, id=batch.id, status="sent") == "ZD214"  # they said something else


async def test_over_http_the_bytes_are_for_who_carries_them(committed: World, agree: Agree) -> None:
    agree(way=BankWay.FILES, format=BankFormat.ISO20022)
    async with transaction() as tx:
        stage = await Stage.build(tx, committed, claims=1)
        batch = await stage.written(tx)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(the_app()), base_url="http://zhida.test") as client:
        maker, checker, _ = [await desk(client, actor) for actor in people(stage)]
        at = f"/batches/{batch.id}"
        assert (await maker.get(f"{at}/bank-file")).status_code == 409
        taken = await maker.post(f"{at}/take-file", None)
        assert (taken.status_code, taken.json()["name"]) == (200, f"{batch.number}.xml")
        assert (await checker.get(f"{at}/bank-file")).status_code == 403
        file = await maker.get(f"{at}/bank-file")
        assert (file.status_code, file.headers["content-type"]) == (200, "application/xml")
        assert file.headers["x-content-sha256"] == taken.json()["sha256"]
        assert b"pain.001.001.09" in file.content
        said = {"sha256": taken.json()["sha256"], "evidence_sha256": EVIDENCE}
        assert (await maker.post(f"{at}/handed-over", said)).status_code == 403
        assert (await checker.post(f"{at}/handed-over", said)).json()["status"] == "sent"


# ---- resent


async def lost(tx: Tx, stage: Stage) -> BatchView:
    """A batch whose file left over HTTP, and of which nothing was heard."""
    batch = await stage.written(tx)
    assert await commands.intend_to_send(tx, batch.id, stage.world.now)
    return batch


WHY = NewResend("银行说没有见到文件")


async def test_without_a_promise_of_the_bank_nothing_is_resent(tx: Tx, stage: Stage) -> None:
    batch, maker = await lost(tx, stage), stage.staff[Post.MAKER]
    assert (
        await refused(tx, commands.say_resend(tx, maker, batch.id, WHY, stage.world.now)) == "bank_file.window_closed"
    )


async def test_two_persons_resend_once_inside_the_window(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(duplicate_minutes=60)
    batch, (maker, checker, _), now = await lost(tx, stage), people(stage), stage.world.now
    late = now + timedelta(minutes=58)  # what leaves now may arrive after the window
    assert await refused(tx, commands.say_resend(tx, maker, batch.id, WHY, late)) == "bank_file.window_closed"
    assert (await commands.say_resend(tx, maker, batch.id, WHY, now)).waiting == ["resend"]
    assert await refused(tx, commands.say_resend(tx, maker, batch.id, WHY, now)) == "bank_file.same_person"
    assert await commands.intend_to_resend(tx, batch.id, now) is None  # one person is not enough
    await commands.say_resend(tx, checker, batch.id, WHY, now)
    assert str(Job.RESEND_BANK_FILE) in await ready_jobs(tx, batch.id)
    assert await commands.intend_to_resend(tx, batch.id, late) is None  # it closed while the job waited
    file = await commands.intend_to_resend(tx, batch.id, now)
    assert file is not None
    assert (file.sha256, file.first) == ((await queries.find_file(tx, maker, batch.id)).sha256, False)
    assert await commands.intend_to_resend(tx, batch.id, now) is None  # it is used up
    kinds = [each.kind for each in (await queries.find_file(tx, maker, batch.id)).sendings]
    assert sorted(kinds) == ["resent", "sent"]


async def test_what_is_known_is_not_resent(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(duplicate_minutes=60)
    batch, maker, now = await stage.sent(tx), stage.staff[Post.MAKER], stage.world.now
    assert await refused(tx, commands.say_resend(tx, maker, batch.id, WHY, now)) == "bank_file.not_unknown"


async def test_the_database_resends_nothing_by_itself(tx: Tx, stage: Stage, agree: Agree) -> None:
    agree(duplicate_minutes=60)
    batch, (maker, checker, _), now = await lost(tx, stage), people(stage), stage.world.now
    again = {"id": batch.id, "kind": "resent", "sha256": None, "user": None, "person": None}
    assert await by_sql(tx, SENDING, **{**again, "kind": "sent"}, at=now, resend=None) == "23505"
    assert await by_sql(tx, SENDING, **again, at=now, resend=None) == "ZD212"
    await commands.say_resend(tx, maker, batch.id, WHY, now)
    said = (
        await tx.execute(text("SELECT id FROM bank_file_resends WHERE batch_id = :id"), {"id": batch.id})
    ).scalar()
    assert await by_sql(tx, SENDING, **again, at=now, resend=said) == "ZD212"  # one person said so
    confirm = """UPDATE bank_file_resends SET confirmed_by = :user, confirmed_person = :person, closed_at = now()
                  WHERE id = :id"""
    assert await by_sql(tx, confirm, id=said, user=maker.user_id, person=maker.person_id) == "23514"
    await commands.say_resend(tx, checker, batch.id, WHY, now)
    assert await by_sql(tx, SENDING, **again, at=now + timedelta(hours=1), resend=said) == "ZD211"
    await tx.execute(text(SENDING), {**again, "at": now, "resend": said})
    assert await by_sql(tx, SENDING, **again, at=now, resend=said) == "23505"  # said once, done once
    assert await by_sql(tx, "UPDATE bank_file_resends SET note = 'x'") == "42501"


async def test_two_resends_at_once_are_one(committed: World, agree: Agree) -> None:
    agree(duplicate_minutes=60)
    now = committed.now
    async with transaction() as tx:
        stage = await Stage.build(tx, committed, claims=1)
        batch = await lost(tx, stage)
        await commands.say_resend(tx, stage.staff[Post.MAKER], batch.id, WHY, now)

    async def confirm(person: Actor) -> str:
        try:
            async with transaction() as tx:
                await commands.say_resend(tx, person, batch.id, WHY, now)
        except (Conflict, Forbidden) as refusal:
            return refusal.code
        return "said"

    async def resend() -> bool:
        async with transaction() as tx:
            return await commands.intend_to_resend(tx, batch.id, now) is not None

    # one of them confirms; the other then proposes anew, and nobody has confirmed that
    assert await asyncio.gather(*map(confirm, people(stage)[1:])) == ["said", "said"]
    assert sorted(await asyncio.gather(*(resend() for _ in range(4)))) == [False, False, False, True]


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


async def latest(job: Job, batch_id: UUID) -> int:
    async with transaction() as tx:
        found = await tx.execute(
            text("SELECT id FROM jobs WHERE kind = :kind AND subject = :id ORDER BY round DESC LIMIT 1"),
            {"kind": str(job), "id": batch_id},
        )
        return int(found.scalar_one())


@pytest.mark.parametrize("mode", ["drop_before", "drop_after"])
async def test_a_resend_pays_once_whether_or_not_the_first_came_through(
    bank: StandIn, committed: World, agree: Agree, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    agree(duplicate_minutes=60)
    monkeypatch.setattr("tasks.batches.now", lambda: committed.now)
    async with transaction() as tx:
        stage = await Stage.build(tx, committed, claims=2)
        batch = await stage.written(tx)
    bank.behave(mode=mode, until_calls=1, can_close=False)
    await do(send_bank_file, [await latest(Job.SEND_BANK_FILE, batch.id)])
    bank.behave(can_close=False)
    for person in people(stage)[:2]:
        async with transaction() as tx:
            await commands.say_resend(tx, person, batch.id, WHY, committed.now)
    for _ in range(2):  # the message comes twice
        await do(resend_bank_file, [await latest(Job.RESEND_BANK_FILE, batch.id)])
    await do(send_bank_file, [await latest(Job.SEND_BANK_FILE, batch.id)])
    async with transaction() as tx:
        assert set(await attempt_statuses(tx, batch.id)) == {"sent"}
        left = len((await queries.find_file(tx, stage.staff[Post.MAKER], batch.id)).sendings)
    assert [row["times"] for row in bank.see("ledger")] == [1, 1]
    calls = bank.see("calls")
    came = calls["received"] + calls.get("resent", 0)
    assert (left, came) == (2, 1 if mode == "drop_before" else 2)  # every time that bytes came is written down


@pytest.mark.parametrize("mode", ["drop_before", "drop_after"])
async def test_an_unknown_payment_is_asked_about_by_its_reference(bank: StandIn, committed: World, mode: str) -> None:
    """What the bank has settled is settled; what it does not know may still be on its way, and stays unknown."""
    async with transaction() as tx:
        stage = await Stage.build(tx, committed, claims=2)
        batch = await stage.written(tx)
    bank.behave(mode=mode, until_calls=1)
    await do(send_bank_file, [await latest(Job.SEND_BANK_FILE, batch.id)])
    async with transaction() as tx:
        file = await commands.intend_to_send(tx, batch.id, committed.now)
        assert file is not None
        assert not await commands.settle_answer(tx, file, FileState("not_received", closed=False), committed.now)
    for _ in range(2):
        await do(ask_payments, [await latest(Job.ASK_PAYMENTS, batch.id)])
    paid = mode == "drop_after"
    async with transaction() as tx:
        assert set(await attempt_statuses(tx, batch.id)) == ({"done"} if paid else {"unknown"})
        assert set(await claim_statuses(tx, stage.claims)) == ({"paid"} if paid else {"batched"})
        assert (await stage.see(tx, batch.id)).status == ("settled" if paid else "released")
    assert bank.see("calls")["asked_of_payments"] == (2 if paid else 1)
