"""What was paid too little is paid once, as a claim of its own, and goes the way of the claim it belongs to."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from domain.clawback import Cause
from service.audit.queries.checks import first_breach
from service.audit.queries.claims import SHARE
from service.audit.queries.corrections import CORRECTIONS
from service.audit.queries.decisions import recompute
from service.audit.queries.funds import MONEY_CONSERVED
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.audit.queries.story import story_of
from service.audit.queries.supplements import SUPPLEMENTS
from service.audit.queries.territory import TERRITORY
from service.batches.commands.taking_out import withdraw
from service.batches.schemas import BatchView
from service.claims.commands.mending import mend_account
from service.claims.queries.again import asked_again
from service.claims.queries.facts import facts_for
from service.claims.queries.views import claim_view
from service.claims.schemas import NewAccount, NewMending
from service.claims.tables import ClaimRow
from service.clawbacks.commands.raising import raise_what_stands
from service.clawbacks.commands.supplementing import pay_supplements
from service.clawbacks.tables import ClawbackRow, SupplementRow
from service.database import Tx
from service.journal import By
from service.reconciliation.commands import read, take_return
from tests.objections import PaidForThem
from tests.payments import a_return, claim_statuses, journal_of, lines_of, ready_jobs
from tests.service.test_clawbacks import Office, refusal
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World

MORE = 30_000


@dataclass
class Owed(Office):
    """A claim on which MORE is owed by an appeal, and the supplement's id."""

    supplement_id: UUID = field(default_factory=uuid4)

    @classmethod
    async def build(cls, tx: Tx, world: World, more: int = MORE) -> "Owed":
        office = cls(await PaidForThem.build(tx, world))
        await office.corrected(tx, AMOUNT + more)
        raised = await office.appeal(tx)
        world.now += timedelta(minutes=1)
        await office.answer(tx, raised.id, AMOUNT + more)
        row = SupplementRow
        found = await tx.execute(select(row.id).where(row.claim_id == office.paid.claim_id))
        office.supplement_id = found.scalar_one()
        return office

    async def pay(self, tx: Tx) -> dict[UUID, str]:
        """The job."""
        return await pay_supplements(tx, [self.supplement_id], self.world.now)

    async def statuses(self, tx: Tx) -> list[str]:
        """Of the claim, and of its supplement."""
        return await claim_statuses(tx, [self.paid.claim_id, self.supplement_id])

    async def told(self, tx: Tx, batch: BatchView, code: str, reference: str | None = None) -> None:
        """The bank says of each payment of the batch what became of it."""
        lines = [(each.reference, each.amount_fen, code, "") for each in await lines_of(tx, batch.id)]
        data = a_return(batch, [each for each in lines if reference in (None, each[0])])
        await take_return(tx, None, read(data), data, "bank", By("tests", self.world.now))

    async def follow(self, tx: Tx) -> list[UUID]:
        return await raise_what_stands(tx, [self.paid.claim_id], self.world.now)


@pytest.fixture
async def owed(tx: Tx, world: World) -> Owed:
    return await Owed.build(tx, world)


async def audited(tx: Tx) -> None:
    for promise in (SUPPLEMENTS, CORRECTIONS, JOURNALLED, LEGAL_MOVES, TERRITORY, MONEY_CONSERVED, SHARE):
        assert await first_breach(tx, promise.checks) is None


async def test_it_is_paid_once_and_by_the_same_hands(tx: Tx, owed: Owed) -> None:
    assert await ready_jobs(tx, owed.supplement_id) == ["clawbacks.pay_supplement"]
    for _ in range(2):
        assert await owed.pay(tx) == {}
    assert await owed.statuses(tx) == ["paid", "payable"]
    batch = await owed.paid.stage.sent(tx)
    (line,) = await lines_of(tx, batch.id)
    assert (line.claim_id, line.amount_fen, len(batch.signatures)) == (owed.supplement_id, MORE, 3)
    await owed.told(tx, batch, "done")
    assert await owed.pay(tx) == {}
    assert await owed.statuses(tx) == ["paid", "paid"]
    shown = await claim_view(tx, owed.paid.trainee.actor, owed.supplement_id)
    assert (shown.kind_name, shown.supplement_of, shown.amount_fen) == ("补发的差额", owed.paid.claim_id, MORE)
    steps = (await story_of(tx, owed.paid.trainee.actor, owed.supplement_id)).steps
    assert any(str(owed.paid.claim_id) in step.what for step in steps)
    assert "认定应补发。" in [step.what for step in steps]
    assert await recompute(tx) is None
    await audited(tx)


async def test_it_counts_as_no_other_claim_of_the_person(tx: Tx, owed: Owed) -> None:
    await owed.pay(tx)
    row = ClaimRow.__table__
    base = (await tx.execute(select(row, text("'6-18-02-04' AS code")).where(row.c.id == owed.paid.claim_id))).one()
    (facts,) = await facts_for(tx, [asked_again(base)], base.filed_on)
    assert facts.standing == ()
    me = owed.paid.trainee.actor
    assert await refusal(withdraw(tx, me, owed.supplement_id, "", owed.world.now)) == "supplement.not_withdrawn"
    await owed.told(tx, await owed.paid.stage.sent(tx), "done")
    owed.paid.claim_id = owed.supplement_id
    assert await refusal(owed.appeal(tx)) == "amount_appeal.of_supplement"


async def test_it_waits_for_money(tx: Tx, world: World) -> None:
    owed = await Owed.build(tx, world)
    position = text("SELECT free_fen FROM fund_positions WHERE district = :district")
    free = (await tx.execute(position, {"district": owed.paid.stage.district})).scalar_one()
    await world.appropriate(tx, owed.paid.stage.district, MORE - 1 - free)
    assert await owed.pay(tx) == {owed.supplement_id: "fund.insufficient"}
    assert await owed.statuses(tx) == ["paid", "filed"]
    await world.appropriate(tx, owed.paid.stage.district, MORE)
    assert await owed.pay(tx) == {}
    assert await owed.statuses(tx) == ["paid", "payable"]
    await audited(tx)


async def test_it_waits_while_the_money_of_its_claim_came_back(tx: Tx, owed: Owed) -> None:
    world, me = owed.world, owed.paid.trainee
    (attempt,) = (
        await tx.execute(text("SELECT * FROM payment_attempts WHERE claim_id = :id"), {"id": owed.paid.claim_id})
    ).all()
    batch = await owed.paid.stage.see(tx, attempt.batch_id)
    await owed.told(tx, batch, "returned")
    assert await owed.pay(tx) == {owed.supplement_id: "supplement.claim_not_paid"}
    account = NewAccount(world.maker.card(), me.made.name, world.maker.bank_code())
    await mend_account(tx, me.actor, owed.paid.claim_id, NewMending(account), world.now)
    await owed.told(tx, await owed.paid.stage.sent(tx), "done")
    assert await owed.pay(tx) == {}
    assert await owed.statuses(tx) == ["paid", "payable"]
    # on the account that the claim was paid to at last
    found = await tx.execute(select(ClaimRow.account_id).where(ClaimRow.supplement_of == owed.paid.claim_id))
    paid_to = await tx.execute(select(ClaimRow.account_id).where(ClaimRow.id == owed.paid.claim_id))
    assert found.scalar_one() == paid_to.scalar_one()
    await audited(tx)


async def test_what_is_owed_back_wholly_brings_no_supplement(tx: Tx, owed: Owed) -> None:
    await owed.revoke(tx)
    assert await owed.pay(tx) == {}
    found = await tx.execute(select(ClaimRow.id).where(ClaimRow.id == owed.supplement_id))
    assert found.all() == []
    await audited(tx)


async def test_who_asked_the_claim_back_had_what_follows_raised_too(tx: Tx, owed: Owed) -> None:
    """A job raises it: who may not answer the appeal against it is whoever raised that of the claim."""
    await owed.pay(tx)
    await owed.told(tx, await owed.paid.stage.sent(tx), "done")
    for_claim = await owed.by_hand(tx)
    await owed.follow(tx)
    asked = text("""
        SELECT k.raised_person, k.ground_id, ARRAY(SELECT raisers_of(k.id)) AS raisers FROM clawbacks k
         WHERE k.claim_id = :id""")
    (follows,) = await tx.execute(asked, {"id": owed.supplement_id})
    assert tuple(follows) == (None, for_claim.id, [owed.paid.reviewer.person_id])


@pytest.mark.parametrize("stands", ["payable", "batched", "bounced"])
async def test_a_revocation_ends_it_where_it_was_not_paid(tx: Tx, owed: Owed, stands: str) -> None:
    await owed.pay(tx)
    if stands == "batched":
        await owed.paid.stage.frozen(tx)
    if stands == "bounced":
        await owed.told(tx, await owed.paid.stage.sent(tx), "failed:permanent")
    assert await owed.statuses(tx) == ["paid", stands]
    assert await owed.revoke(tx) == []
    assert await owed.statuses(tx) == ["paid", "withdrawn"]
    await audited(tx)


async def test_a_revocation_asks_back_what_the_bank_paid_of_it(tx: Tx, owed: Owed) -> None:
    await owed.pay(tx)
    batch = await owed.paid.stage.sent(tx)
    assert await owed.revoke(tx) == [owed.paid.claim_id]  # stays owed: the bank has it
    assert await owed.statuses(tx) == ["paid", "batched"]
    await owed.told(tx, batch, "done")
    for _ in range(2):
        assert await owed.follow(tx) == []
    row = ClawbackRow
    found = await tx.execute(select(row.claim_id, row.cause, row.amount_fen).order_by(row.amount_fen))
    mine = [each for each in found if each.claim_id in (owed.paid.claim_id, owed.supplement_id)]
    assert [tuple(each) for each in mine] == [
        (owed.supplement_id, "revocation", MORE),
        (owed.paid.claim_id, "revocation", AMOUNT),
    ]
    await audited(tx)


async def test_a_part_asked_back_leaves_it_and_all_of_it_does_not(tx: Tx, owed: Owed) -> None:
    await owed.pay(tx)
    await owed.by_hand(tx, fen=AMOUNT - 1)
    assert "clawbacks.raise_clawback" not in await ready_jobs(tx, owed.paid.claim_id)
    await owed.follow(tx)
    assert await owed.statuses(tx) == ["paid", "payable"]
    await owed.by_hand(tx, Cause.SANCTION)
    assert "clawbacks.raise_clawback" in await ready_jobs(tx, owed.paid.claim_id)
    await owed.follow(tx)
    assert await owed.statuses(tx) == ["paid", "withdrawn"]
    await audited(tx)


async def test_a_claim_that_is_given_up_gives_its_supplement_up(tx: Tx, owed: Owed) -> None:
    await owed.pay(tx)
    attempt = await tx.execute(
        text("SELECT batch_id FROM payment_attempts WHERE claim_id = :id"), {"id": owed.paid.claim_id}
    )
    await owed.told(tx, await owed.paid.stage.see(tx, attempt.scalar_one()), "returned")
    await withdraw(tx, owed.paid.trainee.actor, owed.paid.claim_id, "", owed.world.now)
    assert "clawbacks.raise_clawback" in await ready_jobs(tx, owed.paid.claim_id)
    await owed.follow(tx)
    assert await owed.statuses(tx) == ["withdrawn", "withdrawn"]
    await audited(tx)


async def test_it_bounces_and_is_mended_as_every_payment(tx: Tx, owed: Owed) -> None:
    await owed.pay(tx)
    await owed.told(tx, await owed.paid.stage.sent(tx), "failed:temporary")
    seen = (await claim_view(tx, owed.paid.trainee.actor, owed.supplement_id)).to_do
    assert seen is not None
    assert seen.code == "to_do.try_again"
    me = owed.paid.trainee
    account = NewAccount(owed.world.maker.card(), me.made.name, owed.world.maker.bank_code())
    await mend_account(tx, me.actor, owed.supplement_id, NewMending(account), owed.world.now)
    batch = await owed.paid.stage.sent(tx)
    (line,) = await lines_of(tx, batch.id)
    assert (line.claim_id, line.account_tail) == (owed.supplement_id, account.number[-4:])
    await owed.told(tx, batch, "done")
    assert await owed.statuses(tx) == ["paid", "paid"]
    assert [row.action for row in await journal_of(tx, "claim", owed.supplement_id)] == [
        *("file", "grant", "batch", "bounce", "mend", "batch", "pay"),
    ]
    await audited(tx)


async def test_who_has_to_give_it_back_is_owed_nothing_more(tx: Tx, world: World) -> None:
    office = Office(await PaidForThem.build(tx, world))
    await office.corrected(tx, AMOUNT + MORE)
    raised = await office.appeal(tx)
    await office.by_hand(tx, fen=1)
    assert await refusal(office.answer(tx, raised.id, AMOUNT + MORE)) == "supplement.owed_back"
