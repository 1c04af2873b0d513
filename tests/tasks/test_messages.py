"""People are told by SMS what becomes of their claims: once an event, whatever the gateway does."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Text, Uuid, bindparam, select, text
from sqlalchemy.exc import DBAPIError

from domain.actor import Post
from domain.claim import ClaimAction
from domain.correction import Correctable
from service.audit.queries.checks import first_breach
from service.audit.queries.messages import TOLD
from service.claims.commands.filing import file_claim
from service.claims.commands.mandates import revoke_mandate
from service.claims.commands.moves import move_claim
from service.claims.commands.sending_back import send_back
from service.claims.schemas import ClaimView, NewFault, NewSendBack
from service.claims.tables import ClaimRow
from service.database import Tx, engine, transaction
from service.gateways.asking import new_client
from service.gateways.sms import HttpGateway
from service.jobs import JobRow
from service.journal import By
from service.messages import commands
from service.messages.queries import my_messages
from service.messages.tables import MessageRow
from tasks import messages
from tasks.runtime import Owed, do
from tests.gateways.stand_in import TOKEN, StandIn
from tests.world import World


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    with StandIn("sms", tmp_path_factory.mktemp("sms")) as gateway:
        yield gateway


@pytest.fixture
async def phone(running: StandIn) -> AsyncIterator["Phone"]:
    running.behave(mode="well")
    async with new_client() as client:
        yield Phone(running, HttpGateway(running.url, TOKEN, client))


@dataclass
class Phone:
    """The gateway, and what it has of a claim's messages."""

    stand_in: StandIn
    gateway: HttpGateway

    async def send(self, claims: Sequence[UUID]) -> None:
        async def work(owed: Owed) -> None:
            await messages.send(owed, self.gateway)

        of_claims = select(MessageRow.id).where(MessageRow.claim_id.in_(claims))
        async with transaction() as tx:
            jobs = (await tx.execute(select(JobRow.id).where(JobRow.subject.in_(of_claims)))).scalars().all()
        await do(work, jobs)

    async def received(self, claim_id: UUID) -> list[dict[str, Any]]:
        ids = [str(each.id) for each in await told(claim_id)]
        return [each for each in self.stand_in.see("messages") if each["id"] in ids]


async def told(claim_id: UUID) -> Sequence[Any]:
    row = MessageRow
    async with transaction() as tx:
        asked = select(row.id, row.template, row.state, row.why, row.event).where(row.claim_id == claim_id)
        return (await tx.execute(asked.order_by(row.made_at, row.event))).all()


async def templates(claim_id: UUID) -> list[str]:
    return sorted(each.template for each in await told(claim_id))


async def filed_for(world: World) -> ClaimView:
    async with transaction() as tx:
        return await world.through_institution(tx)


async def test_who_is_claimed_for_hears_of_it_in_their_words(committed: World, phone: Phone) -> None:
    claim = await filed_for(committed)
    async with transaction() as tx:
        alone = await committed.claim(tx)
    await messages.read_journal(telling=True)
    await messages.read_journal(telling=True)
    assert await templates(claim.id) == ["file"]
    assert await templates(alone.id) == []
    await phone.send([claim.id])
    (message,) = await phone.received(claim.id)
    said = "示例学校以你的名义提交了焊工（四级）补贴申领，金额1,200 元。不是你的意思，请登录撤销代领协议。"
    assert message["text"] == f"【职业培训补贴】{said}"
    assert message["phone"].startswith("1")
    async with transaction() as tx:
        person = (await tx.execute(select(ClaimRow.person_id).where(ClaimRow.id == claim.id))).scalar_one()
        rows = text("SELECT m::text FROM messages m WHERE claim_id = :id")
        assert message["phone"] not in (await tx.execute(rows, {"id": claim.id})).scalar_one()
        actor = (await committed.trainee(tx)).actor
        assert (await my_messages(tx, actor)).messages == []
        mine = type(actor)(actor.user_id, person, actor.posts, None, None)
        (shown,) = (await my_messages(tx, mine)).messages
    assert (shown.text, shown.state_name) == (message["text"], "已发送")


async def test_each_step_is_told_once(committed: World, phone: Phone) -> None:
    async with transaction() as tx:
        claim = await committed.claim(tx, "payable")
        other = await committed.claim(tx, "in_review")
        reviewer = committed.staff[Post.REVIEWER]
        faults = NewSendBack([NewFault("other", Correctable.ACCOUNT, "请看说明")])
        await send_back(tx, reviewer, other.id, faults, committed.today, committed.now)
    for _ in range(2):
        await messages.read_journal(telling=True)
    assert await templates(claim.id) == ["approve"]
    assert await templates(other.id) == ["send_back"]
    async with transaction() as tx:
        due = text("SELECT facts ->> 'due' FROM messages WHERE claim_id = :id")
        assert (await tx.execute(due, {"id": other.id})).scalar_one() > committed.today.isoformat()


async def test_who_revokes_the_mandate_knows_that_the_claim_is_withdrawn(committed: World) -> None:
    async with transaction() as tx:
        trainee = await committed.trainee(tx)
        mandate = await committed.mandate(tx, committed.clerks[0], trainee)
        await committed.provide(tx, committed.here)
        new = committed.new_claim(trainee, mandate_id=mandate, district=None)
        claim = await file_claim(tx, committed.clerks[0], new, committed.today, committed.now)
    async with transaction() as tx:
        await revoke_mandate(tx, trainee.actor, mandate, "示例", committed.today, committed.now)
    await messages.read_journal(telling=True)
    assert await templates(claim.id) == ["file"]


async def test_reminders_come_when_the_day_is_near_and_once(committed: World) -> None:
    async with transaction() as tx:
        claim = await committed.claim(tx, "in_review")
        faults = NewSendBack([NewFault("other", Correctable.ACCOUNT, "请看说明")])
        await send_back(tx, committed.staff[Post.REVIEWER], claim.id, faults, committed.today, committed.now)
        due = text("SELECT due_on FROM claim_corrections WHERE claim_id = :id")
        last = (await tx.execute(due, {"id": claim.id})).scalar_one()
    for day, reminders in ((committed.today, 0), (last, 1), (last, 1), (last + timedelta(days=1), 1)):
        async with transaction() as tx:
            await commands.remind_portion(tx, day)
        assert (await templates(claim.id)).count("remind") == reminders


@pytest.mark.parametrize("mode", ["down", "deaf"])
async def test_a_gateway_that_is_silent_is_asked_again_and_sends_once(
    committed: World, phone: Phone, mode: str
) -> None:
    claim = await filed_for(committed)
    await messages.read_journal(telling=True)
    phone.stand_in.behave(mode=mode)
    for _ in range(2):
        await phone.send([claim.id])
    assert [each.state for each in await told(claim.id)] == ["owed"]
    phone.stand_in.behave(mode="well")
    await asyncio.gather(*(phone.send([claim.id]) for _ in range(3)))
    assert [each.state for each in await told(claim.id)] == ["sent"]
    (message,) = await phone.received(claim.id)
    assert message["times"] >= 1


async def test_what_the_gateway_says_nothing_about_stays_owed(committed: World, phone: Phone) -> None:
    claims = [(await filed_for(committed)).id for _ in range(4)]
    await messages.read_journal(telling=True)
    phone.stand_in.behave(mode="half")
    await phone.send(claims)
    states = [each.state for claim in claims for each in await told(claim)]
    assert sorted(states) == ["owed", "owed", "sent", "sent"]
    phone.stand_in.behave(mode="well")
    await phone.send(claims)
    assert [each.state for claim in claims for each in await told(claim)] == ["sent"] * 4


async def test_no_such_number_and_no_number_at_all_end_it(committed: World, phone: Phone) -> None:
    refused, without = [await filed_for(committed) for _ in range(2)]
    async with transaction() as tx:
        owner = text("UPDATE people SET phone_sealed = NULL WHERE id = (SELECT person_id FROM claims WHERE id = :id)")
        await tx.execute(owner, {"id": without.id})
    await messages.read_journal(telling=True)
    phone.stand_in.behave(mode="refuses")
    await phone.send([refused.id, without.id])
    assert [(each.state, each.why) for each in await told(refused.id)] == [("undeliverable", "no_such_number")]
    assert [(each.state, each.why) for each in await told(without.id)] == [("undeliverable", "no_number")]


async def test_who_commits_late_is_told_all_the_same(committed: World) -> None:
    """A row of the journal gets its number before its transaction ends: others overtake it."""
    early, late = [await filed_for(committed) for _ in range(2)]
    await messages.read_journal(telling=True)
    slow = await engine().connect()
    begun = await slow.begin()
    by = By("tests.messages", committed.now)
    try:
        await move_claim(slow, ClaimAction.QUESTION, late.id, by)
        await move_claim(slow, ClaimAction.REFUSE, late.id, by)
        async with transaction() as tx:
            await move_claim(tx, ClaimAction.QUESTION, early.id, by)
            await move_claim(tx, ClaimAction.REFUSE, early.id, by)
        for _ in range(3):
            await messages.read_journal(telling=True)
        assert await templates(early.id) == ["file", "refuse"]
        assert await templates(late.id) == ["file"]
        await begun.commit()
    finally:
        await slow.close()
    for _ in range(3):
        await messages.read_journal(telling=True)
    assert await templates(late.id) == ["file", "refuse"]


async def test_without_a_gateway_nothing_is_kept_for_later(committed: World) -> None:
    claim = await filed_for(committed)
    async with transaction() as tx:
        latest = (await tx.execute(text("SELECT max(id) FROM journal"))).scalar_one()
    for _ in range(300):  # a transaction in another database of the server holds it up, too
        await messages.read_journal(telling=False)
        async with transaction() as tx:
            floor = (await tx.execute(text("SELECT floor FROM message_floor"))).scalar_one()
        if floor >= latest:
            break
        await asyncio.sleep(0.1)
    await messages.read_journal(telling=True)
    assert await templates(claim.id) == []


async def test_the_audit_names_what_never_happened_and_what_went_to_another(committed: World, tx: Tx) -> None:
    claim = await filed_for(committed)
    await messages.read_journal(telling=True)
    assert await first_breach(tx, TOLD.checks) is None
    other, _ = await committed.person(tx)
    for event, person, says in (
        ("journal:0", None, "没有发生过"),
        (f"remind:{claim.id}", None, "没有发生过"),
        (None, other, "发给了别人"),
    ):
        savepoint = await tx.begin_nested()
        planted = text("""
            INSERT INTO messages (id, event, person_id, claim_id, template, facts)
            SELECT gen_random_uuid(), coalesce(:event, 'journal:' || j.id), coalesce(:person, c.person_id), c.id,
                   CASE WHEN CAST(:event AS text) IS NULL THEN 'verify' ELSE 'file' END, '{}'
              FROM claims c JOIN journal j ON j.subject_id = c.id WHERE c.id = :id
             ORDER BY j.id DESC LIMIT 1""").bindparams(
            bindparam("person", type_=Uuid), bindparam("event", type_=Text)
        )
        if event is None:
            await move_claim(tx, ClaimAction.VERIFY, claim.id, By("tests.messages", committed.now))
        await tx.execute(planted, {"event": event, "person": person, "id": claim.id})
        breach = await first_breach(tx, TOLD.checks)
        assert breach is not None
        assert says in breach.says
        await savepoint.rollback()


async def test_by_sql_a_message_is_neither_sent_twice_nor_rewritten(committed: World) -> None:
    claim = await filed_for(committed)
    await messages.read_journal(telling=True)
    (message,) = await told(claim.id)
    async with transaction() as tx:
        await commands.settle(tx, {message.id}, {}, committed.now)
    for attack in (
        "UPDATE messages SET state = 'owed', ended_at = NULL WHERE id = :id",
        "UPDATE messages SET event = 'journal:0' WHERE id = :id",
        "DELETE FROM messages WHERE id = :id",
    ):
        with pytest.raises(DBAPIError):
            async with transaction() as tx:
                await tx.execute(text(attack), {"id": message.id})
    assert [each.state for each in await told(claim.id)] == ["sent"]
