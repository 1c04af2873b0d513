"""Somebody who claims reads English all the way, and what they do is kept and told in Chinese as anybody's."""

import re
from collections.abc import AsyncIterator
from io import BytesIO
from uuid import uuid4

import httpx
import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from domain.actor import Actor, Post
from domain.correction import Correctable
from service import clock
from service.access import commands as access
from service.access.schemas import NewSignUp
from service.claims.commands.review import refuse_claim
from service.claims.commands.sending_back import send_back
from service.claims.schemas import NewFault, NewRefusal, NewSendBack
from service.database import Tx, transaction
from service.institutions.tables import InstitutionRow
from service.journal import By, record
from service.messages.commands import tell_portion
from service.oversight.commands.complaining import complain
from service.oversight.schemas import NewComplaint
from service.pages import complaint_pages
from service.pages.language import COOKIE, english
from service.security import open_session
from service.wording import spoken
from tests.objections import PaidForThem
from tests.offers import Results
from tests.pages import at_a_browser, read
from tests.payments import Stage
from tests.reader import Reader, english_in, in_english, kept_of, reading
from tests.repayments import Owing
from tests.service.test_mending import bounced
from tests.world import World, new_maker

PASSWORD = "a quite long one"
CARD = "6222 0212 3456 7890 128"
BANK = "102100099996"
TYPED = "我没有<i>同意</i>"


@pytest.fixture
async def reader() -> AsyncIterator[Reader]:
    async with reading() as browser:
        yield browser


@pytest.fixture
async def me(reader: Reader) -> Reader:
    """Signed in, with a login of their own."""
    login, made = f"e{uuid4().hex[:12]}", new_maker().person()
    await access.sign_up(NewSignUp(login, PASSWORD, made.name, made.id_number), clock.today())
    page = await reader.fill(await reader.get("/me"), login=login, password=PASSWORD)
    assert page.url.path == "/me"
    return reader


def a_certificate(**changed: str) -> dict[str, str]:
    today = clock.today()
    day = {f"certificate_issued_on_{part}": f"{value}" for part, value in zip("ymd", today.timetuple(), strict=False)}
    number = new_maker().certificate("4", today.year)
    return {"certificate_number": number, "item": "养老护理员", "level": "4", **day, **changed}


async def filed_by(me: Reader) -> httpx.Response:
    page = await me.fill(await me.get("/me/claims/new"), district="370102")
    page = await me.fill(page, **a_certificate())
    page = await me.fill(page, account_bank_code=BANK, account_number=CARD)
    return await me.fill(page)


# ---- signing in


async def test_signing_in(reader: Reader) -> None:
    page = await reader.get("/sign-in?next=/me?told=kept")
    assert "Pages for staff are in Chinese only" in read(page).text
    assert "What you typed is kept" in read(page).text
    wrong = await reader.send(page, "/sign-in", login="nobody", password="nothing")
    assert (wrong.status_code, "The login or the password is wrong" in read(wrong).text) == (401, True)
    assert read(wrong).words["title"][0] == "Errors: Sign in · Zhida"


async def test_what_a_page_cannot_do_is_said_in_english(me: Reader) -> None:
    expired = await me.client.post("/me/claims/new", data={"district": "370102"})
    assert (expired.status_code, "This form has expired" in read(expired).text) == (403, True)
    assert "Nothing was stored" in read(expired).text
    assert in_english(await me.client.get(f"/me/claims/{uuid4()}")).status_code == 404
    assert in_english(await me.client.get("/nowhere")).status_code == 404


async def test_staff_read_chinese_whatever_they_chose(committed: World) -> None:
    async with transaction() as tx:
        token = (await open_session(tx, committed.staff[Post.REVIEWER])).token
    async with at_a_browser(token, follow=True) as browser:
        browser.client.cookies.set(COOKIE, "en", domain="zhida.test")
        page = read(await browser.get("/desk"))
        assert page.elements[0] == ("html", {"lang": "zh-CN"})
        assert read(await browser.get("/account/code")).elements[0] == ("html", {"lang": "zh-CN"})


# ---- filing


async def test_four_steps_with_what_is_wrong_in_each(me: Reader) -> None:
    assert "You have no claims yet" in read(await me.get("/me")).text
    nowhere = await me.fill(await me.get("/me/claims/new"), place_link="residence", group_code="graduate/diploma")
    shown = read(nowhere)
    assert nowhere.status_code == 422
    assert "District in which you claim: The district is not chosen yet." in " ".join(shown.words["li"])
    assert shown.words["title"][0] == "Errors: Step 1: Identity · Zhida"
    page = await me.fill(nowhere, district="370102", place_link="residence", group_code="")
    assert "You have a claim that is not sent yet." in read(await me.get("/me")).text
    for item in ("养老", "", "Welder", '养老"><script>x</script>'):
        wrong = await me.fill(page, item=item, level="9", certificate_number="", certificate_issued_on_m="13")
        assert wrong.status_code == 422
        assert {"#item", "#level", "#certificate_number", "#certificate_issued_on"} <= set(read(wrong).values("href"))
    for number in ("S00003701022640000l234", "S0000370102264000O1234", "S0000370102264"):
        wrong = await me.fill(page, **a_certificate(certificate_number=number))
        assert wrong.status_code in {200, 422}
    long_ago = a_certificate(certificate_issued_on_y=f"{clock.today().year - 2}")
    refused = read(await me.fill(page, **long_ago))
    assert "By the rules there is no subsidy for this." in refused.text
    assert "Basis: " in refused.text
    assert "I can appeal after a refusal" in refused.text
    page = await me.fill(page, **a_certificate())
    assert re.search(r"You can get ?CNY [\d,]+", read(page).text)
    for number, field in (("6222 0212", "#account_number"), (CARD, "#account_bank_code")):
        wrong = await me.fill(page, account_bank_code="", account_number=number)
        assert (wrong.status_code, field in read(wrong).values("href")) == (422, True)
    page = await me.fill(wrong, account_bank_code=BANK, account_number=CARD)
    check = read(page).text
    assert re.search(r"Confirm and claim CNY [\d,]+", check)
    assert "ending 0128" in check
    assert "Level 4" in check
    filed = await me.fill(page)
    assert "We have your claim" in read(filed).text
    assert re.search(r"养老护理员 yǎng lǎo hù lǐ yuán level 4 CNY [\d,]+ Submitted", read(await me.get("/me")).text)
    claim_id = filed.url.path.rpartition("/")[2]
    withdraw = await me.get(f"{filed.url.path}/withdraw")
    assert (await me.fill(withdraw, note="370102199003072326")).status_code == 422
    for _ in range(2):
        assert "Withdrawn." in read(await me.fill(withdraw, note="mistyped")).text
    assert (await me.fill(await me.get(f"{filed.url.path}/withdraw"))).status_code == 422
    async with transaction() as tx:
        assert english_in(await kept_of(tx, claim_id)) == []


async def test_who_insists_is_refused_and_appeals(me: Reader) -> None:
    page = await me.fill(await me.get("/me/claims/new"), district="370102")
    long_ago = a_certificate(certificate_issued_on_y=f"{clock.today().year - 2}")
    page = await me.fill(page, **long_ago, insist="yes")
    filed = await me.fill(await me.fill(page, account_bank_code=BANK, account_number=CARD))
    assert "The claim was refused." in read(filed).text
    assert "administrative reconsideration" in read(filed).text
    appeal = await me.get(f"{filed.url.path}/appeal")
    assert (await me.fill(appeal, reason="")).status_code == 422
    appealed = read(await me.fill(appeal, reason=TYPED))
    assert "Your appeal is being looked at" in appealed.text
    assert TYPED in appealed.text
    again = await me.send(appeal, f"{filed.url.path}/appeal", reason="once more", once=str(uuid4()))
    assert (again.status_code, "There is an appeal" in read(again).text) == (422, True)
    async with transaction() as tx:
        assert english_in(await kept_of(tx, filed.url.path.rpartition("/")[2])) == []


async def test_who_has_claimed_before_is_told_of_it(me: Reader) -> None:
    await filed_by(me)
    page = await me.fill(await me.get("/me/claims/new"), district="370102")
    refused = read(await me.fill(page, **a_certificate()))
    assert re.search(r"were claimed before \(\d+ \w+ \d{4}, filed in person, Submitted\)", refused.text)


# ---- what becomes of a claim


@pytest.mark.parametrize(
    ("status", "now"),
    [
        ("filed", "We are checking your certificate"),
        ("verified", "The district reviews the claim"),
        ("in_review", "An officer has to look at something"),
        ("approved", "The claim is approved: CNY "),
        ("noticed", "The claim is on public notice"),
        ("payable", "Nobody objected"),
        ("refused", "The claim was refused"),
        ("withdrawn", "You withdrew this claim"),
    ],
)
async def test_a_claim_says_where_it_is(committed: World, status: str, now: str) -> None:
    async with transaction() as tx:
        trainee = await committed.trainee(tx)
        claim = await committed.claim(tx, status, trainee)
    async with reading(trainee.actor) as me:
        page = read(await me.get(f"/me/claims/{claim.id}")).text
        assert now in page
        assert "How far it is" in page or status in {"refused", "withdrawn"}
        read(await me.get("/me"))


async def test_a_claim_that_is_sent_back_is_corrected(committed: World) -> None:
    faults = [NewFault("other", field, "看不清 A 面") for field in Correctable]
    async with transaction() as tx:
        trainee = await committed.trainee(tx)
        claim = await committed.claim(tx, "in_review", trainee)
        reviewer = committed.staff[Post.REVIEWER]
        await send_back(tx, reviewer, claim.id, NewSendBack(faults), committed.today, committed.now)
        looked_at: int | None = 0
        while looked_at is not None:
            looked_at = await tell_portion(tx, looked_at)
    at = f"/me/claims/{claim.id}"
    async with reading(trainee.actor) as me:
        assert "Please correct" in read(await me.get("/me")).text
        assert "Something else, see the note (看不清 A 面)" in read(await me.get(at)).text
        form = await me.get(f"{at}/correct")
        wrong = await me.fill(form, certificate_number="", level="9", item_code="x", account_number="1")
        assert wrong.status_code == 422
        again = new_maker().certificate("4", committed.today.year)
        day = dict(zip("ymd", map(str, committed.today.timetuple()), strict=False))
        good = {
            **{f"certificate_issued_on_{part}": value for part, value in day.items()},
            **{f"training_started_on_{part}": value for part, value in day.items()},
            "certificate_number": again,
            "level": claim.level,
            "item_code": claim.item_code or "",
            "account_bank_code": BANK,
            "account_number": CARD,
        }
        done = await me.fill(wrong, **good)
        assert "Corrected and filed again." in read(done).text
        assert "Nothing in this claim needs correcting now" in read(await me.get(f"{at}/correct")).text
        told = read(await me.get("/me/data")).text
        assert "【职业培训补贴】你的焊工（四级）补贴申领要补正，请在20" in told  # as it was sent
    async with transaction() as tx:
        assert english_in(await kept_of(tx, claim.id)) == []


@pytest.mark.parametrize(
    ("code", "why"),
    [("failed:permanent", "The card cannot be used"), ("failed:temporary", "could not pay this time")],
)
async def test_money_that_came_back_is_sent_to_another_card(committed: World, code: str, why: str) -> None:
    async with transaction() as tx:
        trainee, claim_id = await bounced(tx, await Stage.build(tx, committed, claims=0), code)
    async with reading(trainee.actor) as me:
        page = read(await me.get(f"/me/claims/{claim_id}")).text
        assert why in page
        assert why in read(await me.get(f"/me/claims/{claim_id}/account")).text
        form = await me.get(f"/me/claims/{claim_id}/account")
        wrong = await me.fill(form, account_bank_code="", account_number="12x")
        assert wrong.status_code == 422
        await me.fill(wrong, account_bank_code=BANK, account_number=CARD)
    async with transaction() as tx:
        assert english_in(await kept_of(tx, claim_id)) == []


async def test_a_mandate_is_taken_back_and_what_was_paid_under_it_objected_to(committed: World) -> None:
    async with transaction() as tx:
        paid = await PaidForThem.build(tx, committed)
    revoke, claim = f"/me/mandates/{paid.mandate_id}/revoke", f"/me/claims/{paid.claim_id}"
    async with reading(paid.trainee.actor) as me:
        assert "by an institution or employer for you" in read(await me.get("/me")).text
        assert "示例学校" in read(await me.get("/me/mandates")).text
        form = await me.get(f"{claim}/object")
        nothing = await me.fill(form, ground="", reason="")
        assert {"#ground", "#reason"} <= set(read(nothing).values("href"))
        stands = await me.fill(form, ground="revoked", reason=TYPED)
        assert "You have not taken this mandate back." in read(stands).text
        form = await me.get(revoke)
        assert (await me.fill(form, note="见 13800001234")).status_code == 422
        assert "Taken back" in read(await me.fill(form, note="no more classes")).text
        objected = read(await me.fill(stands, ground="revoked", reason=TYPED)).text
        assert "You objected: I have taken the mandate back. It is being looked into." in objected
        assert TYPED in objected
        read(await me.get("/me"))
    async with transaction() as tx:
        assert english_in(await kept_of(tx, paid.claim_id)) == []


async def test_what_is_demanded_back_is_appealed_against(committed: World) -> None:
    async with transaction() as tx:
        owing = await Owing.build(tx, committed, fen=30_000)
        await owing.take(tx, owing.paid_in(10_000))
        await owing.settle(tx)
    trainee, claim = owing.office.paid.trainee.actor, f"/me/claims/{owing.office.paid.claim_id}"
    demand = f"/me/demands/{owing.clawback.id}/appeal"
    async with reading(trainee) as me:
        assert "Please pay back CNY 200" in read(await me.get("/me")).text
        page = read(await me.get(claim)).text
        for said in ("Reason: an audit requires it.", "Paid back so far: CNY 100.", "Received: CNY 100 on "):
            assert said in page
        appeal = f"{claim}/appeal-amount"
        assert (await me.fill(await me.get(appeal), reason="")).status_code == 422
        told = read(await me.fill(await me.get(appeal), reason=TYPED)).text
        assert "The amount is being looked at." in told
        assert (await me.fill(await me.get(appeal), reason="once more")).status_code == 422
        form = await me.get(demand)
        assert (await me.fill(form, reason="")).status_code == 422
        asked = read(await me.fill(form, reason=TYPED)).text
        assert re.search(r"On \d+ \w+ \d\d:\d\d you appealed: 我没有", asked)
        read(await me.get("/me/data"))
    async with transaction() as tx:
        assert english_in(await kept_of(tx, owing.office.paid.claim_id)) == []
        await owing.take(tx, owing.paid_in(20_000))
        await owing.settle(tx)
    async with reading(trainee) as me:
        assert "You need do nothing more" in read(await me.get(claim)).text


async def test_an_offer_is_confirmed_or_declined(committed: World) -> None:
    async with transaction() as tx:
        results = await Results.build(tx, committed)
        await results.prepare(tx)
        await committed.provide(tx, committed.here)
        offers = [await results.offer_of(tx, place) for place in (0, 1)]
    async with reading(results.trainees[0].actor) as me:
        assert "A subsidy waits for your confirmation" in read(await me.get("/me")).text
        at = f"/me/offers/{offers[0]}"
        wrong = await me.send(await me.get(at), at, answer="confirm", account_bank_code="", account_number="1")
        assert wrong.status_code == 422
        untrue = await me.send(wrong, at, answer="confirm", account_bank_code=BANK, account_number=CARD)
        assert "Please confirm that what is listed is true" in read(untrue).text
        done = await me.send(untrue, at, answer="confirm", account_bank_code=BANK, account_number=CARD, truth="yes")
        assert "We have your claim" in read(done).text
    async with transaction() as tx:
        assert english_in(await kept_of(tx, done.url.path.rpartition("/")[2])) == []
    async with reading(results.trainees[1].actor) as me:
        at = f"/me/offers/{offers[1]}"
        gone = await me.send(await me.get(at), at, answer="decline")
        assert "This offer is not paid" in read(gone).text


# ---- what is held


async def test_complaints_and_what_is_held(committed: World) -> None:
    async with transaction() as tx:
        trainee = await committed.trainee(tx)
        claim = await committed.claim(tx, "in_review", trainee)
        reviewer = committed.staff[Post.REVIEWER]
        by = By.actor(reviewer, Post.REVIEWER, committed.now)
        await record(tx, "claim_unmasking", [claim.id], "unmask", by, [{"why": "documents"}], reason="documents")
        await refuse_claim(tx, reviewer, claim.id, NewRefusal(["other"], "证书看不清 A 面"), committed.now)
        school = select(InstitutionRow.credit_code).where(InstitutionRow.id == committed.clerks[0].institution_id)
        code = (await tx.execute(school)).scalar_one()
        await complain(tx, trainee.actor, NewComplaint(code, "收了我三百元"), committed.today, committed.now)
    async with reading(trainee.actor) as me:
        assert "证书看不清 A 面" in read(await me.get(f"/me/claims/{claim.id}")).text
        complaints = read(await me.get("/me/complaints")).text
        assert re.search(r"Complaint, sent on \d+ \w+ \d{4} Being looked into 收了我三百元", complaints)
        data = read(await me.get("/me/data")).text
        assert "reviewer: saw your full details: to compare with documents" in data
        assert "Claim (1)" in data


async def test_the_file_is_in_chinese_for_who_reads_english(me: Reader) -> None:
    await me.fill(await me.get("/me/claims/new"), district="370102")
    page = await me.get("/me/data")
    wrong = await me.send(page, "/me/data/file", password="wrong")
    assert (wrong.status_code, "The password is wrong" in read(wrong).text) == (422, True)
    file = await me.send(page, "/me/data/file", password=PASSWORD)
    cells = {cell for row in load_workbook(BytesIO(file.content)).worksheets[0].values for cell in row}
    assert {"没有交完的申领", "身份证号", "没有"} <= cells
    assert not cells & {*english().values()}
    assert "are deleted" in read(await me.send(page, "/me/data/drafts")).text
    assert "You have given no mandate" in read(await me.get("/me/mandates")).text
    assert "You have sent no complaints" in read(await me.get("/me/complaints")).text


async def test_how_to_reach_somebody_is_kept_in_chinese(committed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A complaint that was sent from an English page is read by staff."""
    kept = list[str]()

    async def taken(tx: Tx, me: Actor | None, new: NewComplaint, *_: object) -> None:
        kept.append(new.words)

    monkeypatch.setattr(complaint_pages, "complain", taken)
    asked = select(InstitutionRow.credit_code).where(InstitutionRow.id == committed.clerks[0].institution_id)
    token = spoken.set("en")
    try:
        async with transaction() as tx:
            code = (await tx.execute(asked)).scalar_one()
            typed = {"institution": code, "words": "took money", "contact": "at home"}
            _, faults = await complaint_pages.filed(tx, None, typed, committed.today, committed.now)
    finally:
        spoken.reset(token)
    assert (kept, faults) == (["took money\n联系方式：at home"], [])
