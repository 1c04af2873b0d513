"""The officers' desk on pages: what waits, one claim decided as it was seen, sets, notices, answers, the counter."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from domain.actor import Actor, Post
from domain.claim import ClaimAction
from domain.objection import Ground
from service.claims.commands.appeals import appeal
from service.claims.commands.mending import mend_account
from service.claims.commands.moves import move_claim
from service.claims.commands.objections import object_to
from service.claims.commands.review import refuse_claim
from service.claims.queries.accounts import open_checks
from service.claims.queries.views import claim_view
from service.claims.schemas import ClaimView, NewAccount, NewAppeal, NewMending, NewObjection, NewRefusal
from service.database import transaction
from service.journal import By
from service.reconciliation.commands import read as read_return
from service.reconciliation.commands import take_return
from service.security import open_session
from service.wording import words
from tests.desk import Desk, status_of
from tests.objections import PaidForThem
from tests.pages import Browser, at_a_browser, read
from tests.payments import Stage, a_return, journal_of, lines_of
from tests.world import Trainee, World

XSS = "<script>alert(1)</script><b onmouseover=x>"


@dataclass
class Office:
    """A desk that others' transactions see, and a browser for each of its officers."""

    desk: Desk
    world: World
    open_browser: Callable[[Actor], Awaitable[Browser]]
    trainees: dict[UUID, Trainee] = field(default_factory=dict)

    async def claim(self, status: str = "verified", level: str = "4") -> UUID:
        async with transaction() as tx:
            trainee, number = await self.world.trainee(tx), self.world.maker.certificate(level, self.world.today.year)
            about = {"level": level, "certificate_number": number}
            claim_id = await self.desk.claim(tx, status, trainee=trainee, **about)
        self.trainees[claim_id] = trainee
        return claim_id

    async def questioned(self, outcome: str = "mismatch", level: str = "4") -> UUID:
        """In review since the registry said so."""
        claim_id = await self.claim("filed", level)
        async with transaction() as tx:
            await self.world.registered(tx, claim_id, outcome)
            by = By("verification.verify_certificate", self.world.now)
            await move_claim(tx, ClaimAction.QUESTION, claim_id, by, reason=f"registry.{outcome}")
        return claim_id

    async def seen(self, claim_id: UUID) -> ClaimView:
        async with transaction() as tx:
            return await claim_view(tx, self.desk.reviewer, claim_id)

    async def status(self, claim_id: UUID) -> str:
        async with transaction() as tx:
            return await status_of(tx, claim_id)


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with AsyncExitStack() as stack:
        async with transaction() as tx:
            world = await World.build(tx)
            desk = await Desk.build(tx, world)

        async def open_browser(me: Actor) -> Browser:
            async with transaction() as tx:
                token = (await open_session(tx, me)).token
            return await stack.enter_async_context(at_a_browser(token))

        yield Office(desk, world, open_browser)


def form_of(page: httpx.Response, action: str) -> str:
    found = re.search(rf'<form[^>]* action="{re.escape(action)}".*?</form>', page.text, re.DOTALL)
    assert found is not None, action
    return found[0]


async def test_the_list_says_why_and_one_takes_the_next(office: Office) -> None:
    reviewer, colleague = [await office.open_browser(me) for me in (office.desk.reviewer, office.desk.colleague)]
    empty = read(await reviewer.get("/desk"))
    assert "没有要审的" in empty.text
    questioned, found = await office.questioned(), await office.claim()
    page = await reviewer.get("/desk")
    assert words("registry.mismatch") in read(page).text
    assert f"/desk/claims/{questioned}" in page.text
    assert f"/desk/claims/{found}" not in page.text  # it waits in the other tab
    assert f"/desk/claims/{found}" in (await reviewer.get("/desk?status=verified")).text
    assert "没有符合的" in read(await reviewer.get("/desk?why=<script>")).text
    took = await reviewer.send(page, "/desk/next")
    again = await reviewer.send(page, "/desk/next")  # pressed twice: the same one
    assert took.headers["location"] == again.headers["location"]
    assert took.headers["location"].endswith("?told=taken")
    mine = read(await reviewer.get(took.headers["location"]))
    assert "你已领取" in mine.text
    theirs = read(await colleague.get("/desk?status=verified"))
    assert "同事正在办的" in theirs.text
    taken = UUID(took.headers["location"].split("/")[-1].partition("?")[0])
    case = await colleague.get(f"/desk/claims/{taken}")
    refused = await colleague.send(case, f"/desk/claims/{taken}/take")
    assert refused.status_code == 409
    assert "正在办" in read(refused).text
    back = await reviewer.send(await reviewer.get(f"/desk/claims/{taken}"), f"/desk/claims/{taken}/return")
    assert back.headers["location"] == "/desk?told=given_back"
    again = await reviewer.get(f"/desk/claims/{taken}")
    assert "第 1 条" in read(again).text


async def test_one_claim_is_approved_as_it_was_seen_and_once(office: Office) -> None:
    claim, window = await office.claim(), await office.open_browser(office.desk.reviewer)
    at, trainee = f"/desk/claims/{claim}", office.trainees[claim]
    page = await window.get(at)
    shown = read(page).text
    for part in ("填写", "登记", "规则", "经过", "通过以后", "进入公示", "相近的申领", "没有同一个人"):
        assert part in shown
    assert trainee.made.id_number not in page.text
    assert trainee.made.name not in page.text
    assert f"{trainee.made.id_number[:6]}********" in shown
    assert "证书编号" in shown
    done = await window.send(page, f"{at}/approve", note=f"好{XSS}")
    again = await window.send(page, f"{at}/approve", note=f"好{XSS}")
    assert (done.status_code, done.headers["location"]) == (303, f"{at}?told=approved")
    assert again.headers["location"] == done.headers["location"]
    assert await office.status(claim) == "approved"
    after = await window.get(f"{at}?told=approved")
    assert "已通过" in read(after).text
    assert XSS not in after.text
    assert "退回补正" not in after.text
    assert "你上次办理" in read(await window.get("/desk")).text


async def test_what_changed_meanwhile_is_not_decided_and_both_are_shown(office: Office) -> None:
    claim = await office.claim()
    mine, theirs = [await office.open_browser(me) for me in (office.desk.reviewer, office.desk.colleague)]
    at = f"/desk/claims/{claim}"
    page, form = await mine.get(at), await mine.get(f"{at}/refuse")
    held = await theirs.send(await theirs.get(f"{at}/hold"), f"{at}/hold", code="identity_doubt", note="像别人的证件")
    assert held.headers["location"] == f"{at}?told=claim_held"
    refused = await mine.send(page, f"{at}/approve")
    assert refused.status_code == 409
    shown = read(refused)
    assert "你看的时候内容变了" in shown.text
    assert "你看的和现在的" in shown.text
    assert "differs" in refused.text
    assert (await mine.send(form, f"{at}/refuse", reason_other="yes")).status_code == 409
    forged = await mine.send(page, f"{at}/approve", seen="paid.1.2.3.4.5 OR true")
    assert forged.status_code == 409
    assert "你看的和现在的" not in read(forged).text
    assert await office.status(claim) == "verified"
    # read again, it is the hold itself that stops it, until somebody lifts it
    again = await mine.get(at)
    assert "像别人的证件" in again.text
    assert (await mine.send(again, f"{at}/approve")).status_code == 409
    no_word = await mine.send(await mine.get(f"{at}/hold"), f"{at}/lift", note="")
    assert no_word.status_code == 422
    lifted = await mine.send(await mine.get(f"{at}/hold"), f"{at}/lift", note="证件核对过")
    assert lifted.headers["location"] == f"{at}?told=claim_lifted"
    assert (await mine.send(await mine.get(at), f"{at}/approve")).status_code == 303


async def test_send_back_and_refuse_need_reasons_and_keep_what_was_typed(office: Office) -> None:
    window = await office.open_browser(office.desk.reviewer)
    back, refused = await office.claim(), await office.claim()
    at = f"/desk/claims/{back}/send-back"
    nothing = await window.send(await window.get(at), at)
    assert nothing.status_code == 422
    assert "还没有勾选要补改的" in read(nothing).text
    assert read(nothing).words["title"][0].startswith("有错误")
    fields = {"fault_day_differs": "yes", "note_day_differs": f"对不上{XSS}", "fault_other": "yes"}
    no_field = await window.send(nothing, at, **fields)
    assert no_field.status_code == 422
    assert "对不上&lt;script&gt;" in no_field.text
    numbers = await window.send(nothing, at, fault_day_differs="yes", note_day_differs="打 13812345678 问")
    assert numbers.status_code == 422
    assert "这里不要写身份证号" in read(numbers).text
    too_long = await window.send(nothing, at, fault_day_differs="yes", note_day_differs="长" * 501)
    assert too_long.status_code == 422
    sent = await window.send(no_field, at, **fields, field="level")
    assert sent.headers["location"] == f"/desk/claims/{back}?told=sent_back"
    to_do = (await office.seen(back)).to_do
    assert to_do is not None
    assert {(str(each.field), each.code) for each in to_do.faults} == {
        ("certificate_issued_on", "day_differs"),
        ("level", "other"),
    }
    at = f"/desk/claims/{refused}/refuse"
    nothing = await window.send(await window.get(at), at, note="没有理由")
    assert nothing.status_code == 422
    assert 'value="没有理由"' in nothing.text
    sent = await window.send(nothing, at, reason_not_trained="yes", reason_other="yes", note="没有来上过课")
    assert sent.headers["location"] == f"/desk/claims/{refused}?told=claim_refused"
    assert await office.status(refused) == "refused"


async def test_the_numbers_are_shown_for_a_reason_for_ten_minutes_and_that_is_kept(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, window = await office.claim(), await office.open_browser(office.desk.reviewer)
    at, made = f"/desk/claims/{claim}", office.trainees[claim].made
    page = await window.get(at)
    for why in ("", "nosiness", XSS):
        refused = await window.send(page, f"{at}/unmask", why=why)
        assert refused.status_code == 422
        assert made.id_number not in read(refused).answer.text
    told = await window.send(page, f"{at}/unmask", why="documents")
    assert told.headers["location"] == f"{at}?told=unmasked"
    shown = await window.get(at)
    assert made.id_number in shown.text
    assert made.name in shown.text
    assert shown.headers["cache-control"] == "no-store"
    async with transaction() as tx:
        (noted,) = await journal_of(tx, "claim_unmasking", claim)
    assert (noted.action, noted.reason) == ("unmask", "documents")
    colleague = await office.open_browser(office.desk.colleague)
    assert made.id_number not in (await colleague.get(at)).text
    story = read(await colleague.get(at))
    assert "看了申领人的完整信息" in story.text
    monkeypatch.setattr("service.claims.queries.claimants.IN_CLEAR_FOR", timedelta(0))
    assert made.id_number not in (await window.get(at)).text


async def test_a_check_by_hand_needs_evidence_and_another_person(office: Office) -> None:
    claim = await office.questioned("not_found", "2")  # much money: two persons
    first, second = [await office.open_browser(me) for me in (office.desk.reviewer, office.desk.colleague)]
    at = f"/desk/claims/{claim}"
    case = read(await first.get(at))
    assert "登记库" in case.text
    assert f"{at}/check" in case.answer.text
    stopped = await first.send(case.answer, f"{at}/approve")
    assert stopped.status_code == 409
    form, fields = await first.get(f"{at}/check"), {"finding": "genuine", "how": "letter", "note": "复函说属实"}
    assert (await first.send(form, f"{at}/check", **fields)).status_code == 422
    not_a_paper = {"evidence": ("<b>.pdf", b"MZ a program", "application/pdf")}
    wrong = await first.send(form, f"{at}/check", not_a_paper, **fields)
    assert wrong.status_code == 422
    assert 'value="复函说属实"' in read(wrong).answer.text
    paper = {"evidence": ("letter.pdf", b"%PDF-1.7 it is ours", "application/pdf")}
    for _ in range(2):  # pressed twice
        checked = await first.send(form, f"{at}/check", paper, **fields)
        assert checked.headers["location"] == f"{at}?told=checked", checked.text
    waits = await first.get(f"{at}/check")
    own = await first.send(waits, f"{at}/check-again", second_finding="genuine", second_note="")
    assert own.status_code == 409
    page = await second.get(f"{at}/check")
    (address,) = set(re.findall(rf"{at}/evidence/[0-9a-f]{{64}}", page.text))
    assert (await second.client.get(address)).content == b"%PDF-1.7 it is ours"
    agreed = await second.send(page, f"{at}/check-again", second_finding="genuine", second_note="也问过")
    assert agreed.headers["location"] == f"{at}?told=checked"
    approved = await first.send(await first.get(at), f"{at}/approve")
    assert approved.status_code == 303
    # what persons vouched for, a third one looks at again
    third = await office.open_browser(office.desk.second)
    assert str(claim) in (await third.get("/desk")).text
    looked = await third.get(at)
    no_reason = await third.send(looked, f"{at}/second-review", finding="overturned")
    assert no_reason.status_code == 422
    said = await third.send(looked, f"{at}/second-review", finding="overturned", note="复函没有盖章")
    assert said.headers["location"] == f"{at}?told=looked_again"
    assert await office.status(claim) == "in_review"


async def test_a_set_is_looked_at_then_approved_as_shown(office: Office) -> None:
    claims, window = [await office.claim() for _ in range(3)], await office.open_browser(office.desk.reviewer)
    at = "/desk/claims/set"
    for wrong in ("?limit=0", "?limit=1e3", "?filed_to=2026-02-30"):
        page = await window.get(f"{at}{wrong}")
        assert page.status_code == 422, wrong
    page = await window.get(at)
    shown = read(page).text
    assert "会通过3 笔" in shown
    assert "随机抽出 3 笔" in shown
    assert "现在可用的资金" in shown
    one = await window.get(f"/desk/claims/{claims[0]}/hold")
    await window.send(one, f"/desk/claims/{claims[0]}/hold", code="complaint", note="")
    changed = await window.send(page, at)
    assert changed.status_code == 409
    assert "会通过2 笔" in read(changed).text
    assert "已冻结" in read(changed).text
    assert (await window.send(changed, at, sum_fen="-1")).status_code == 409
    for _ in range(2):
        done = await window.send(changed, at)
        assert done.headers["location"] == f"{at}?told=set_approved"
    assert sorted([await office.status(each) for each in claims]) == ["approved", "approved", "verified"]
    assert "没有可以成批通过的" in read(await window.get(at)).text


async def test_notices_are_read_as_the_public_will_and_published_once(office: Office) -> None:
    window = await office.open_browser(office.desk.publisher)
    assert "没有可以公示的" in read(await window.get("/desk/notices")).text
    claim = await office.claim("approved")
    made = office.trainees[claim].made
    page = await window.get("/desk/notices")
    shown = read(page)
    assert made.name in shown.text
    assert made.id_number not in page.text
    assert made.phone not in page.text
    for _ in range(2):
        done = await window.send(page, "/desk/notices")
        assert done.headers["location"] == "/desk/notices?told=published"
    after = read(await window.get("/desk/notices?told=published"))
    assert "公示发出去了" in after.text
    assert "正在公示的" in after.text
    assert await office.status(claim) == "noticed"
    stale = await window.send(page, "/desk/notices", once=str(uuid4()))
    assert stale.status_code == 409
    assert "超期的申领" in read(await window.get("/desk/overdue")).text


async def test_another_person_answers_an_appeal(office: Office) -> None:
    claim = await office.questioned()
    first, second = [await office.open_browser(me) for me in (office.desk.reviewer, office.desk.colleague)]
    async with transaction() as tx:
        await refuse_claim(tx, office.desk.reviewer, claim, NewRefusal(["other"]), office.world.now)
        me, new = office.trainees[claim].actor, NewAppeal(f"请再看{XSS}")
        raised = await appeal(tx, me, claim, new, office.world.today, office.world.now)
    at = f"/desk/appeals/{raised.id}"
    page = await first.get("/desk/appeals")
    assert "还剩" in read(page).text
    assert XSS not in page.text
    own = await first.send(page, at, answer="deny", reason="维持")
    assert own.status_code == 409
    page = await second.get("/desk/appeals")
    for fields in ({"answer": "grant"}, {"reason": "证书属实"}):
        assert (await second.send(page, at, **fields)).status_code == 422
    long = await second.send(page, at, answer="grant", reason="长" * 501)
    assert long.status_code == 422
    assert "长" * 400 in read(long).answer.text
    for _ in range(2):
        done = await second.send(page, at, answer="grant", reason="证书属实")
        assert done.headers["location"] == "/desk/appeals?told=answered"
    assert await office.status(claim) == "in_review"
    assert "证书属实" in read(await second.get("/desk/appeals?closed=true")).text
    assert "没有等待核实的异议" in read(await second.get("/desk/objections")).text
    token = re.search(r'name="_csrf_token" value="([^"]+)"', page.text)
    assert token is not None
    for kind in ("objections", "amounts", "appeals"):
        data = {"_csrf_token": token[1], "answer": "upheld", "reason": "x", "right_fen": "1"}
        answer = await second.client.post(f"/desk/{kind}/{uuid4()}", data=data)
        assert answer.status_code == 404, kind


async def test_objections_and_new_cards_are_answered_by_those_of_the_district(office: Office) -> None:
    world = office.world
    async with transaction() as tx:
        paid = await PaidForThem.build(tx, world)
        raised = await object_to(
            tx, paid.trainee.actor, paid.claim_id, NewObjection(Ground.NEVER_GIVEN, XSS), world.now
        )
        stage, trainee = await Stage.build(tx, world, claims=0), await world.trainee(tx)
        number = world.maker.certificate("1", world.today.year)  # much money: the new card is checked
        claim = await stage.claim(tx, trainee, level="1", certificate_number=number)
        batch = await stage.sent(tx)
        (line,) = await lines_of(tx, batch.id)
        data = a_return(batch, [(line.reference, line.amount_fen, "failed:permanent", "")])
        await take_return(tx, None, read_return(data), data, "bank", By("tests", world.now))
        card = NewAccount(world.maker.card(), trainee.made.name, world.maker.bank_code())
        await mend_account(tx, trainee.actor, claim, NewMending(card), world.now)
        (check,) = (await open_checks(tx, stage.staff[Post.CHECKER], None, 10)).checks
    reviewer = await office.open_browser(paid.reviewer)
    page, at = await reviewer.get("/desk/objections"), f"/desk/objections/{raised.id}"
    assert XSS not in page.text
    assert (
        "没有等待核实的异议"
        in read(await (await office.open_browser(office.desk.reviewer)).get("/desk/objections")).text
    )
    assert (await reviewer.send(page, at, answer="perhaps", reason="x")).status_code in {409, 422}
    assert (await reviewer.send(page, at, answer="upheld", reason="协议上的签字不符")).status_code == 303
    assert "协议上的签字不符" in read(await reviewer.get("/desk/objections?closed=true")).text
    checker = await office.open_browser(stage.staff[Post.CHECKER])
    page, at = await checker.get("/desk/accounts"), f"/desk/accounts/{check.id}"
    assert card.number not in page.text
    assert card.number[-4:] in read(page).text
    assert (await checker.send(page, at, answer="confirm")).status_code == 422
    for _ in range(2):
        assert (await checker.send(page, at, answer="confirm", reason="已电话核对")).status_code == 303
    assert await office.status(claim) == "payable"
    assert "没有要核对的卡" in read(await checker.get("/desk/accounts")).text


async def test_at_the_counter_somebody_files_for_whoever_stands_there(office: Office) -> None:
    async with transaction() as tx:
        acceptor = await office.desk.another(tx, Post.ACCEPTOR)
        await office.world.provide(tx, office.desk.district)
        trainee = await office.world.trainee(tx)
        new = office.world.new_claim(trainee)
    window, made, day = await office.open_browser(acceptor), trainee.made, office.world.today
    assert new.account is not None
    fields = {
        "trainee_name": made.name,
        "trainee_id_number": made.id_number,
        "item": new.item_code,
        "level": new.level,
        "certificate_number": new.certificate_number,
        **dict(
            zip(
                ("certificate_issued_on_y", "certificate_issued_on_m", "certificate_issued_on_d"),
                f"{day}".split("-"),
                strict=True,
            )
        ),
        "account_bank_code": new.account.bank_code,
        "account_number": new.account.number,
    }
    page = await window.get("/desk/counter")
    empty = await window.send(page, "/desk/counter")
    assert empty.status_code == 422
    hostile = await window.send(page, "/desk/counter", **{**fields, "trainee_name": XSS, "item": XSS})
    assert hostile.status_code == 422
    assert "&lt;script&gt;" in read(hostile).answer.text
    number = await window.send(page, "/desk/counter", **{**fields, "trainee_id_number": "44030519900230123X"})
    assert number.status_code == 422
    assert f'value="{made.name}"' in read(number).answer.text
    for _ in range(2):
        done = await window.send(page, "/desk/counter", **fields)
        assert done.headers["location"] == "/desk/counter?told=counter_filed", done.text
    twice = await window.send(page, "/desk/counter", **{**fields, "once": str(uuid4())})
    assert twice.status_code == 409
    assert "已经" in read(twice).text


async def test_only_ones_own_district_and_posts(office: Office) -> None:
    claim = await office.claim()
    stranger = await office.open_browser(office.world.staff[Post.REVIEWER])
    assert (await stranger.client.get(f"/desk/claims/{claim}")).status_code == 404
    assert (await stranger.client.get(f"/desk/claims/{claim}/refuse")).status_code == 404
    own = await stranger.get("/desk")
    token = re.search(r'name="_csrf_token" value="([^"]+)"', own.text)
    assert token is not None
    for act in ("approve", "take", "recuse", "unmask", "hold", "refuse"):
        data = {"_csrf_token": token[1], "reason": "x", "code": "other", "why": "documents", "reason_other": "yes"}
        answer = await stranger.client.post(f"/desk/claims/{claim}/{act}", data=data)
        assert answer.status_code == 404, act
        bare = await stranger.client.post(f"/desk/claims/{claim}/{act}", data={"reason": "x"})
        assert bare.status_code == 403  # a form without its token
    assert (await stranger.client.get(f"/desk/claims/{claim}/nothing")).status_code == 404
    publisher = await office.open_browser(office.desk.publisher)
    assert (await publisher.client.get("/desk")).status_code == 403
    case = await publisher.get(f"/desk/claims/{claim}")
    assert "approve" not in case.text
    assert "unmask" not in case.text
    for doors, at in ((office.desk.reviewer, "/desk"), (office.desk.publisher, "/desk/notices")):
        window = await office.open_browser(doors)
        assert (await window.client.get("/home")).headers["location"] == at
    mine = await office.open_browser(office.desk.reviewer)
    at = f"/desk/claims/{claim}/recuse"
    assert (await mine.send(await mine.get(at), at, reason="")).status_code == 422
    left = await mine.send(await mine.get(at), at, reason="邻居")
    assert left.headers["location"] == "/desk?told=recused"
    refused = await mine.send(await mine.get(f"/desk/claims/{claim}"), f"/desk/claims/{claim}/approve")
    assert refused.status_code == 409
    assert "回避" in read(refused).text
