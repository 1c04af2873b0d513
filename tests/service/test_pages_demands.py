"""What an institution was paid and is to pay back, on its clerks' pages, with the appeal against it."""

import re
from uuid import uuid4

from sqlalchemy import select

from domain.actor import Post
from domain.claim import ClaimAction
from service.batches.tables import BatchRow
from service.claims.commands.moves import move_claim
from service.clawbacks.queries.appealed import list_appeals
from service.clawbacks.queries.mine import our_demands
from service.database import Tx, transaction
from service.journal import By
from tests.clerks import MARKUP, led_to, window
from tests.enterprises import Enterprise
from tests.objections import PaidForThem
from tests.pages import read, token_of
from tests.payments import Stage
from tests.repayments import Owing
from tests.service.test_clawbacks import Office
from tests.world import World


async def paid_to_an_enterprise(tx: Tx, world: World) -> tuple[Enterprise, Office]:
    """It claimed for somebody whom it hired."""
    stage = await Stage.build(tx, world, claims=0)
    enterprise = await Enterprise.build(tx, world, stage.district)
    claim = await enterprise.claim(tx)
    for action in (ClaimAction.VERIFY, ClaimAction.APPROVE, ClaimAction.PUBLISH, ClaimAction.CLEAR):
        await move_claim(tx, action, claim.id, By("tests", world.now))
    reviewer = await world.user(tx, {Post.REVIEWER}, stage.district)
    paid = PaidForThem(stage, enterprise.hired[0], enterprise.clerk, reviewer, claim.id, claim.id)
    await paid.pay(tx)
    return enterprise, Office(paid)


async def owing_enterprise(tx: Tx, world: World, fen: int) -> tuple[Enterprise, Owing]:
    """Of which some of it is demanded back."""
    enterprise, office = await paid_to_an_enterprise(tx, world)
    demanded = await office.demand(tx, (await office.by_hand(tx, fen=fen)).id)
    account = select(BatchRow.debit_account).where(BatchRow.district == office.paid.stage.district)
    return enterprise, Owing(office, (await tx.execute(account)).scalar_one(), demanded)


async def test_what_was_paid_to_us_and_is_asked_back(committed: World) -> None:
    async with transaction() as tx:
        enterprise, office = await paid_to_an_enterprise(tx, committed)
        owed = await office.by_hand(tx, fen=30_000)
    async with window(enterprise.clerk) as mine:
        at = f"/institution/claims/{office.paid.claim_id}"
        page = await mine.get(at)
        refused = await mine.send(page, f"{at}/appeal-amount", reason="")
        assert (refused.status_code, "有 1 处要改" in read(refused).text) == (422, True)
        for _ in range(2):
            said = await mine.send(page, f"{at}/appeal-amount", reason=f"少了一档 {MARKUP}")
            assert led_to(said) == (at, {"told": "appeal_amount"})
        appealed = await mine.get(at)
        assert "少了一档" in read(appealed).text
        assert (MARKUP in appealed.text, "appeal-amount" in appealed.text) == (False, False)  # once
        shown = read(await mine.get("/institution/money")).text
        assert re.search(r"10\.001,200\.00", shown)  # one payment: nothing to others, all of it to us
        assert owed.number not in shown  # nobody has told us of it yet
        async with transaction() as tx:
            demanded = await office.demand(tx, owed.id)
        asked = read(await mine.get("/institution/money")).text
        assert f"{owed.number}审计" in asked.replace(" ", "")
        assert "300.000.00" in asked
        assert demanded.due_on is None or f"{demanded.due_on.month}月{demanded.due_on.day}日" in asked
    async with window(committed.clerks[0]) as stranger:
        assert owed.number not in (await stranger.get("/institution/money")).text


async def test_an_institution_appeals_against_what_is_demanded_of_it(committed: World) -> None:
    async with transaction() as tx:
        enterprise, owing = await owing_enterprise(tx, committed, 30_000)
        await owing.take(tx, owing.paid_in(10_000))
        await owing.settle(tx)
        reviewer = await committed.user(tx, {Post.REVIEWER}, owing.office.paid.stage.district)
    owed, at = owing.clawback, f"/institution/demands/{owing.clawback.id}"
    form = f"{at}/appeal"
    async with window(enterprise.clerk) as mine, window(reviewer) as desk:
        for leads in ("/institution", "/institution/money", f"/institution/claims/{owed.claim_id}"):
            assert at in read(await mine.get(leads)).values("href"), leads
        page = read(await mine.get(at))
        assert owed.due_on is not None
        due = f"{owed.due_on.year}年{owed.due_on.month}月{owed.due_on.day}日"
        said = ("请退回 200 元", "已退回 100 元", "到账 100 元", "审计要求", "审计发现", owed.letter_number)
        for each in (*said, owed.number, owing.account, f"{due}前可以申请复核一次", "行政复议"):
            assert each in page.text, each
        shown = await mine.get(form)
        for wrong in ("", "见 13800001234"):
            refused = await mine.send(shown, form, reason=wrong)
            assert (refused.status_code, wrong in refused.text) == (422, True)
        for _ in range(2):  # pressed twice
            assert led_to(await mine.send(shown, form, reason=f"人还在我们这里 {MARKUP}")) == (
                at,
                {"told": "demand_appealed"},
            )
        asked = await mine.get(at)
        assert (MARKUP in asked.text, form in asked.text) == (False, False)  # once
        assert "你们在" in read(asked).text
        assert "在复核，还没有答复" in read(asked).text
        assert "在复核，还没有答复" in read(await mine.get("/institution/money")).text
        anew = await mine.send(shown, form, reason="再来一次", once=str(uuid4()))
        assert (anew.status_code, "有 1 处要改" in read(anew).text) == (422, True)
        async with transaction() as tx:
            (opened,) = (await list_appeals(tx, reviewer, committed.today, None, 50)).appeals
        answer = f"/desk/demands/{opened.id}"
        listed = await desk.get("/desk/appeals")
        assert (await desk.send(listed, answer, answer="deny", reason="签到是代签的")).status_code == 303
        answered = read(await mine.get(at)).text
        assert "复核以后，仍然要退。签到是代签的" in answered
        assert "行政复议" in answered
        async with transaction() as tx:
            await owing.take(tx, owing.paid_in(20_000))
            await owing.settle(tx)
        over = read(await mine.get(at)).text
        for each in ("不用再做什么", "到账 100 元", "到账 200 元", "签到是代签的"):
            assert each in over, each
        assert "仍然要退" not in over  # nothing is owed any more
        assert at not in read(await mine.get("/institution")).values("href")


async def test_what_is_demanded_of_others_is_not_ours_to_read(committed: World) -> None:
    async with transaction() as tx:
        enterprise, owing = await owing_enterprise(tx, committed, 30_000)
        of_trainee = await Owing.build(tx, committed)
        never = Office((await paid_to_an_enterprise(tx, committed))[1].paid)
        raised = await never.by_hand(tx)
        today, clerk = committed.today, of_trainee.office.paid.clerk
        assert [each.clawback.id for each in await our_demands(tx, enterprise.clerk, today)] == [owing.clawback.id]
        # the institution filed for the trainee, who was paid; and nobody has demanded yet what was only raised
        assert await our_demands(tx, clerk, today) == await our_demands(tx, never.paid.clerk, today) == []
        hired = enterprise.hired[0].actor
    at = f"/institution/demands/{owing.clawback.id}"
    others = (
        (committed.clerks[0], at),
        (clerk, f"/institution/demands/{of_trainee.clawback.id}"),
        (never.paid.clerk, f"/institution/demands/{raised.id}"),
    )
    for who, address in others:
        async with window(who) as stranger:
            assert owing.clawback.number not in (await stranger.get("/institution/money")).text
            for each in (address, f"{address}/appeal"):
                assert (await stranger.client.get(each)).status_code == 404
            sent = {**token_of(await stranger.get("/institution/account")), "reason": "不是我们的"}
            assert (await stranger.client.post(f"{address}/appeal", data=sent)).status_code == 404
    async with window(hired) as trainee:
        assert (await trainee.client.get(f"/me/demands/{owing.clawback.id}/appeal")).status_code == 404
        assert (await trainee.client.get(at)).status_code == 403
