"""Appeals against demands on pages: from the demand to the answer and the waiver, and the lists a page at a time."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from domain.actor import Post
from domain.clawback import Cause
from service.clawbacks.commands.amounts import appeal_amount
from service.clawbacks.commands.raising import raise_by_hand
from service.clawbacks.queries.appealed import list_appeals
from service.clawbacks.schemas import NewAmountAppeal, NewClawback
from service.database import transaction
from service.pages import desk_answers
from service.security import open_session
from tests.pages import at_a_browser, read
from tests.repayments import Owing
from tests.service.test_amount_corrections import District
from tests.service.test_clawback_appeals import DENY, WHY, another, answer, appeal, appealed, claimant, claimant_of
from tests.world import World

NAMED = ("amounts", "demands")


def ids_of(page: str, before: str) -> set[UUID]:
    """Of what may be answered on the page."""
    return {UUID(each) for each in re.findall(rf'action="{before}([\w-]{{36}})', page)}


async def test_from_the_page_that_demands_it_to_the_answer(committed: World) -> None:
    async with transaction() as tx:
        owing = await Owing.build(tx, committed)
        people = (claimant(owing), await another(tx, owing), (await committed.trainee(tx)).actor)
        people += (owing.office.staff(Post.CHECKER),)
        tokens = [(await open_session(tx, each)).token for each in people]
    claim, form = f"/me/claims/{owing.clawback.claim_id}", f"/me/demands/{owing.clawback.id}/appeal"
    async with (
        at_a_browser(tokens[0]) as me,
        at_a_browser(tokens[1]) as desk,
        at_a_browser(tokens[2]) as stranger,
        at_a_browser(tokens[3]) as finance,
    ):
        assert (await stranger.client.get(form)).status_code == 404
        assert form in read(await me.get(claim)).values("href")
        page = await me.get(form)
        for wrong in ("", "见 13800001234"):
            assert (await me.send(page, form, reason=wrong)).status_code == 422
        for _ in range(2):
            done = await me.send(page, form, reason="<b>培训是真的")
            assert done.headers["location"] == f"{claim}?told=demand_appealed"
        shown = read(await me.get(claim))
        assert "在复核，还没有答复" in shown.text
        assert form not in shown.values("href")
        listed = await desk.get("/desk/appeals")
        assert "<b>培训是真的" in read(listed).text
        async with transaction() as tx:
            (opened,) = (await list_appeals(tx, people[1], committed.today, None, 50)).appeals
        address = f"/desk/demands/{opened.id}"
        assert (await desk.send(listed, address, reason="")).status_code == 422
        answered = await desk.send(listed, address, answer="grant", reason="照片对得上")
        assert answered.headers["location"] == "/desk/appeals?told=answered"
        assert "复核成立，不用退了，等财务" in read(await me.get(claim)).text
        form = f"/finance/acts/waiver-answer/{owing.clawback.id}"
        deciding = await finance.get(form)
        assert ("<b>培训是真的" in read(deciding).text, "照片对得上" in read(deciding).text) == (True, True)
        declined = await finance.send(deciding, form, grant="no", answer="<b>照片不清楚")
        assert declined.status_code == 303
        seen = read(await me.get(claim)).text
        for said in ("没有同意免于追回，还没有了结", "有人提出这笔钱不用退，另一个人没有同意。为什么：<b>照片不清楚"):
            assert said in seen
        async with transaction() as tx:
            await owing.office.propose(tx, owing.clawback.id)
        deciding = await finance.get(form)
        assert (await finance.send(deciding, form, grant="yes")).status_code == 303
        ended = read(await me.get(claim)).text
        for said in ("复核成立，不用退了。", "照片对得上", "<b>培训是真的"):
            assert said in ended


async def test_each_list_of_appeals_goes_on_page_by_page(committed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_answers, "_A_PAGE", 1)
    async with transaction() as tx:
        there = await District.build(tx, committed)
        for claim_id in there.stage.claims:
            await raise_by_hand(tx, there.one, NewClawback(claim_id, Cause.AUDIT, "审计发现", 100), committed.now)
            new = NewAmountAppeal("标准不对")
            await appeal_amount(tx, await claimant_of(tx, claim_id), claim_id, new, committed.today, committed.now)
        demands = {each.id for each in await appealed(tx, there, committed.today - timedelta(days=90))}
        another = await committed.user(tx, {Post.REVIEWER}, there.stage.district)
        token = (await open_session(tx, another)).token
    async with at_a_browser(token) as desk:
        first = await desk.get("/desk/appeals")
        further = {name: link for link in read(first).values("href") for name in NAMED if f"?{name}=" in link}
        assert set(further) == set(NAMED)
        for name, link in further.items():
            kind = f"/desk/{name}/"
            shown, then = ids_of(first.text, kind), await desk.get(link.partition("#")[0])
            assert (len(shown), len(ids_of(then.text, kind))) == (1, 1)
            assert shown != ids_of(then.text, kind)
            # the other list is at its first still, and this one has ended
            other = next(each for each in NAMED if each != name)
            assert ids_of(then.text, f"/desk/{other}/") == ids_of(first.text, f"/desk/{other}/")
            assert f"/desk/appeals?{name}=" not in then.text
        assert demands == ids_of(first.text, "/desk/demands/") | ids_of(then.text, "/desk/demands/")
        (last,) = ids_of(then.text, "/desk/demands/")
        seen = further["demands"].partition("?")[2].partition("#")[0]
        refused_there = await desk.send(then, f"/desk/demands/{last}?{seen}", answer="deny", reason="见 13800001234")
        assert refused_there.status_code == 422
        assert "见 13800001234" in read(refused_there).answer.text
        assert ids_of(refused_there.text, "/desk/demands/") == {last}
        listed = read(await desk.get("/desk")).text
        assert "复核 4 超期 2" in listed
        assert read(first).text.count("已超期") == 1  # of one demand a page


async def test_what_ended_otherwise_does_not_say_that_it_is_still_to_be_paid(committed: World) -> None:
    async with transaction() as tx:
        owing = await Owing.build(tx, committed)
        await answer(tx, owing, await appeal(tx, owing), DENY, await another(tx, owing))
        await owing.office.propose(tx, owing.clawback.id)
        token = (await open_session(tx, claimant(owing))).token
    claim, still = f"/me/claims/{owing.clawback.claim_id}", "复核以后，仍然要退"
    async with at_a_browser(token) as me:
        before = read(await me.get(claim)).text
        async with transaction() as tx:
            await owing.office.waive(tx, owing.clawback.id)
        after = read(await me.get(claim)).text
    assert (still in before, still in after) == (True, False)
    for said in (DENY.answer, WHY.reason):
        assert (said in before, said in after) == (True, True)
