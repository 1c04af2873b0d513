"""The officers' desk on pages: what waits, one claim decided as it was seen, checks by hand, sets."""

import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from domain.actor import Post
from service.database import transaction
from service.wording import words
from tests.office import XSS, Office, office
from tests.pages import read
from tests.payments import journal_of

__all__ = ["office"]  # a fixture


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
        me = {"me": office.desk.reviewer.user_id}
        kept = await tx.execute(text("SELECT answer FROM idempotency_keys WHERE user_id = :me"), me)
        assert [str(claim) in each and made.id_number not in each for each in kept.scalars()] == [True]
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
    number = office.trainees[claim].made.id_number
    for hidden in ("申领人", number[:6], number[-4:], "岁"):  # as it is kept from a publisher who asks a program
        assert hidden not in read(case).words["main"][0]
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
