"""A person's own pages: signing in with care, forms that outlive a session, and what a claim can still meet."""

import asyncio
import html
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from io import BytesIO
from uuid import uuid4

import httpx
import pyotp
import pytest
from openpyxl import load_workbook
from sqlalchemy import delete, func, insert, select, update

from domain.actor import Actor, Post
from service import clock
from service.access import commands as access
from service.access.commands.brakes import ADDRESS_WRONG_MAX, LOGIN_WRONG_MAX, watched
from service.access.schemas import NewSignUp
from service.access.tables import KeptFormRow, SignInBrakeRow, UserRow
from service.claims.commands.review import refuse_claim
from service.claims.schemas import NewRefusal
from service.database import transaction
from service.institutions.tables import InstitutionRow
from service.journal import By, record
from service.oversight.commands.complaining import complain
from service.oversight.schemas import NewComplaint
from service.security import COOKIE, SessionRow, digest, open_session
from tests.app import the_app
from tests.objections import PaidForThem
from tests.pages import Browser, at_a_browser, read
from tests.payments import journal_of
from tests.repayments import Owing
from tests.world import Trainee, World, new_maker

PASSWORD = "a quite long one"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with at_a_browser(follow=True) as somebody:
        yield somebody


async def somebody_new() -> str:
    """The login of a trainee who has just signed up."""
    login, made = f"p{uuid4().hex[:12]}", new_maker().person()
    await access.sign_up(NewSignUp(login, PASSWORD, made.name, made.id_number), clock.today())
    return login


@asynccontextmanager
async def the_browser_of(me: Actor) -> AsyncIterator[Browser]:
    async with transaction() as tx:
        session = await open_session(tx, me)
    async with at_a_browser(session.token, follow=True) as browser:
        yield browser


async def signs_in(browser: Browser, login: str, page: httpx.Response | None = None) -> httpx.Response:
    page = page or await browser.get("/sign-in")
    return await browser.send(page, "/sign-in", login=login, password=PASSWORD, next=next_of(page))


def next_of(page: httpx.Response) -> str:
    found = re.search(r'name="next" value="([^"]*)"', page.text)
    assert found is not None
    return found[1] or "/me"


async def let_run_out(browser: Browser, ago: timedelta = timedelta(seconds=1)) -> None:
    """The session of this browser's cookie has run out."""
    row, token = SessionRow.__table__, browser.client.cookies[COOKIE]
    async with transaction() as tx:  # the service may open and end sessions, and change none
        ended = await tx.execute(delete(row).where(row.c.token_sha256 == digest(token)).returning(row))
        await tx.execute(insert(row).values({**ended.one()._mapping, "expires_at": clock.now() - ago}))


# ---- signing in


async def test_a_login_is_braked_after_some_wrong_passwords_whether_or_not_somebody_has_it(browser: Browser) -> None:
    for login in (await somebody_new(), f"nobody{uuid4().hex[:8]}"):
        page = await browser.get("/sign-in")
        for _ in range(LOGIN_WRONG_MAX):
            wrong = await browser.send(page, "/sign-in", login=f" {login.upper()}", password="wrong")
            assert wrong.status_code == 401
            assert "登录名或密码不对" in read(wrong).text
        for password in (PASSWORD, "wrong"):
            braked = await browser.send(page, "/sign-in", login=login, password=password)
            assert braked.status_code == 429
            assert "错得太多次了，15 分钟后再试" in read(braked).text
            assert login in read(braked).values("value")
            assert COOKIE not in browser.client.cookies
        by_program = await browser.client.post("/api/sign-in", json={"login": login, "password": PASSWORD})
        assert by_program.status_code == 429
        assert by_program.json()["facts"] == {"minutes": 15}
        assert by_program.headers["retry-after"] == "900"
        async with transaction() as tx:
            (key,) = watched(login)
            past = {"locked_until": func.now() - timedelta(seconds=1)}
            await tx.execute(update(SignInBrakeRow).where(SignInBrakeRow.key == key).values(past))
        again = await browser.send(page, "/sign-in", login=login, password="wrong")
        assert again.status_code == 401  # the count begins anew


async def test_who_signs_in_has_no_wrong_passwords_behind_them(browser: Browser) -> None:
    login = await somebody_new()
    page = await browser.get("/sign-in")
    for _ in range(LOGIN_WRONG_MAX - 1):
        assert (await browser.send(page, "/sign-in", login=login, password="wrong")).status_code == 401
    assert (await signs_in(browser, login)).url.path == "/me"
    for _ in range(2):
        assert (await browser.send(page, "/sign-in", login=login, password="wrong")).status_code == 401


async def test_many_guesses_at_once_are_heard_as_often_as_one_after_the_other(browser: Browser) -> None:
    login = await somebody_new()
    guesses = [{"login": login, "password": f"wrong {each}"} for each in range(18)]
    answers = await asyncio.gather(*(browser.client.post("/api/sign-in", json=each) for each in guesses))
    assert Counter(each.status_code for each in answers) == {401: LOGIN_WRONG_MAX, 429: 18 - LOGIN_WRONG_MAX}
    last = await browser.client.post("/api/sign-in", json={"login": login, "password": PASSWORD})
    assert last.status_code == 429


async def test_an_address_is_braked_alone(browser: Browser) -> None:
    login = await somebody_new()
    async with transaction() as tx:
        for key, most in watched(login, "2001:db8::1").items():
            if most == ADDRESS_WRONG_MAX:
                tried = {"wrong_count": most - 1, "counted_since": func.now()}
                await tx.execute(SignInBrakeRow.__table__.insert().values(key=key, **tried))
    others = (("2001:db8:0:1::3", 201), ("127.0.0.1", 201))
    for address, status in (("2001:db8::2", 401), ("2001:db8::3", 429), *others):
        transport = httpx.ASGITransport(the_app(), client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="https://zhida.test") as client:
            password = "wrong" if status == 401 else PASSWORD
            answer = await client.post("/api/sign-in", json={"login": login, "password": password})
            assert answer.status_code == status
    async with transaction() as tx:
        stored = (await tx.execute(select(SignInBrakeRow.key))).scalars().all()
    assert not any(b"2001" in key or login.encode() in key for key in stored)


# ---- a session that ends


async def test_what_is_sent_too_late_stands_there_after_signing_in(browser: Browser) -> None:
    login = await somebody_new()
    await signs_in(browser, login)
    page = await browser.get("/me/claims/new")
    await let_run_out(browser)
    strange = '编号"><script>x</script>'
    late = await browser.send(
        page, "/me/claims/new", district="370102", group_proof_number=strange, password="secret"
    )
    assert late.url.path == "/sign-in"
    assert "刚才填的都在" in read(late).text
    assert strange not in str(late.url) + late.text
    async with transaction() as tx:
        kept = (await tx.execute(select(KeptFormRow.typed_sealed))).scalars().all()
    assert not any(b"370102" in each for each in kept)
    back = await signs_in(browser, login, late)
    assert (back.url.path, back.url.query) == ("/me/claims/new", b"told=kept")
    shown = read(back)
    assert "登录过期了，刚才填的都在" in shown.text
    assert '<option value="370102" selected>' in back.text
    assert strange in shown.values("value")
    assert "secret" not in back.text
    went_on = await browser.send(back, "/me/claims/new", district="370102")
    assert went_on.url.path.endswith("/certificate")


async def test_what_was_kept_is_for_who_typed_it_and_not_for_long(browser: Browser) -> None:
    mine, other = await somebody_new(), await somebody_new()
    await signs_in(browser, mine)
    page = await browser.get("/me/claims/new")
    await let_run_out(browser)
    late = await browser.send(page, "/me/claims/new", group_proof_number="MINE 1")
    seen = await signs_in(browser, other, late)
    assert "MINE 1" not in seen.text
    assert "刚才填的都在" not in read(seen).text
    await signs_in(browser, mine)
    assert "MINE 1" not in (await browser.get("/me/claims/new")).text  # only for who comes back for it
    assert "MINE 1" in (await browser.get("/me/claims/new?told=kept")).text
    async with transaction() as tx:
        kept = KeptFormRow.__table__
        found = (await tx.execute(delete(kept).returning(kept))).mappings().all()
        await tx.execute(insert(kept), [{**each, "kept_at": clock.now() - timedelta(hours=3)} for each in found])
    assert "MINE 1" not in (await browser.get("/me/claims/new?told=kept")).text
    async with transaction() as tx:
        await access.forget_forms(tx)
    assert await kept_forms() == 0


async def kept_forms() -> int:
    async with transaction() as tx:
        return (await tx.execute(select(func.count(KeptFormRow.id)))).scalar_one()


async def test_a_form_that_is_pressed_twice_too_late_is_kept_once(browser: Browser) -> None:
    await signs_in(browser, await somebody_new())
    page, before = await browser.get("/me/claims/new"), await kept_forms()
    await let_run_out(browser)
    async with transaction() as tx:
        assert await access.keep_form(tx, browser.client.cookies[COOKIE], "/me/claims/new", {"district": "370102"})
        second = asyncio.create_task(browser.send(page, "/me/claims/new", district="370102"))
        await asyncio.sleep(0.3)  # it waits for the first
    late = await second
    assert (late.url.path, late.status_code) == ("/sign-in", 200)
    assert "刚才填的都在" in read(late).text
    assert await kept_forms() == before + 1


async def test_nothing_is_kept_for_nobody(browser: Browser) -> None:
    before = await kept_forms()
    await signs_in(browser, await somebody_new())
    page = await browser.get("/me/claims/new")
    for spoilt in ("long ago", "never"):
        if spoilt == "long ago":
            await let_run_out(browser, timedelta(days=2))
        else:
            browser.client.cookies.set(COOKIE, "made up", domain="zhida.test")
        late = await browser.send(page, "/me/claims/new", district="370102")
        assert (late.url.path, late.url.params["next"]) == ("/sign-in", "/me/claims/new")
        assert "刚才填的都在" not in read(late).text
    huge = await browser.send(page, "/me/claims/new", district="3" * 11_000_000)
    assert (huge.status_code, "太大" in read(huge).text) == (413, True)
    refused = await browser.client.post("/me/claims/new", data={"district": "370102"})
    assert refused.status_code == 403  # another site's form is not kept either
    assert await kept_forms() == before


# ---- a telephone for signatures


async def test_a_signer_enrols_a_telephone_on_a_page_once() -> None:
    async with transaction() as tx:
        world = await World.build(tx)
        maker = world.staff[Post.MAKER]
        hashed = await access.hash_password(PASSWORD)
        await tx.execute(update(UserRow).where(UserRow.id == maker.user_id).values(password_hash=hashed))
    async with the_browser_of(maker) as browser:
        page = await browser.get("/account/code")
        assert "/account/code/confirm" not in read(page).values("action")
        wrong = await browser.send(page, "/account/code", password="wrong")
        assert (wrong.status_code, "密码不对" in read(wrong).text) == (422, True)
        once = await browser.send(page, "/account/code", password=PASSWORD)
        read(once)
        uri = html.unescape(next(each for each in read(once).values("href") if each.startswith("otpauth:")))
        known = pyotp.parse_uri(uri)
        assert isinstance(known, pyotp.TOTP)
        assert known.secret in read(once).text.replace(" ", "")
        assert once.headers["cache-control"] == "no-store"
        assert known.secret not in (await browser.get("/account/code")).text.replace(" ", "")
        for code in ("12345", "abcdef", "１２３４５６", '"><script>'):
            refused = await browser.send(once, "/account/code/confirm", code=code)
            assert (refused.status_code, "六位数字" in read(refused).text) == (422, True)
        async with transaction() as tx:
            at = (await tx.execute(select(func.now()))).scalar_one()
        told = await browser.send(once, "/account/code/confirm", code=f"{known.at(at)[:3]} {known.at(at)[3:]}")
        assert "已经启用" in read(told).text
        again = await browser.send(page, "/account/code", password=PASSWORD)
        assert again.status_code == 422
    async with the_browser_of((await trainee_of(world)).actor) as other:
        assert (await other.get("/account/code")).status_code == 403


async def trainee_of(world: World) -> Trainee:
    async with transaction() as tx:
        return await world.trainee(tx)


# ---- what is done in my name, and what is done to me


async def test_a_mandate_is_read_taken_back_and_what_was_paid_under_it_objected_to() -> None:
    async with transaction() as tx:
        paid = await PaidForThem.build(tx, await World.build(tx))
    revoke, claim = f"/me/mandates/{paid.mandate_id}/revoke", f"/me/claims/{paid.claim_id}"
    async with the_browser_of(paid.trainee.actor) as browser:
        assert "示例学校" in read(await browser.get("/me")).text
        listed = await browser.get("/me/mandates")
        assert {revoke, claim, f"{claim}/object"} <= set(read(listed).values("href"))
        form = await browser.get(revoke)
        for note, said in (("370102199003072326", "身份证号"), ("长" * 600, "格式不对")):
            wrong = await browser.send(form, revoke, note=note)
            assert wrong.status_code == 422
            assert said in read(wrong).text
        form = await browser.get(f"{claim}/object")
        nothing = await browser.send(form, f"{claim}/object", ground="", reason="")
        assert nothing.status_code == 422
        assert {"#ground", "#reason"} <= set(read(nothing).values("href"))
        stands = await browser.send(form, f"{claim}/object", ground="revoked", reason="我收回了")
        assert "这份代领协议还没有收回" in read(stands).text
        for _ in range(2):  # pressed twice
            told = await browser.send(wrong, revoke, note="不去上课了")
            assert (told.status_code, told.url.path) == (200, "/me/mandates")
            assert "你已收回" in read(told).text
        assert revoke not in read(told).values("href")
        strange = "没有<b>签过</b>"
        for _ in range(2):
            objected = await browser.send(stands, f"{claim}/object", ground="revoked", reason=strange)
            assert "异议收到了" in read(objected).text
        assert strange in read(objected).text
        assert f"{claim}/object" not in read(objected).values("href")
        assert (await browser.get(f"/me/mandates/{uuid4()}/revoke")).status_code == 404
    async with the_browser_of(paid.clerk) as clerk:
        assert (await clerk.get(revoke)).status_code == 403


async def test_who_gave_no_mandate_reads_what_one_is(browser: Browser) -> None:
    await signs_in(browser, await somebody_new())
    assert "什么是代领协议" in read(await browser.get("/me/mandates")).text
    assert "没有提过投诉" in read(await browser.get("/me/complaints")).text


async def test_what_is_demanded_back_says_how_and_the_amount_is_appealed_once() -> None:
    async with transaction() as tx:
        owing = await Owing.build(tx, await World.build(tx), fen=30_000)
    me, claim = owing.office.paid.trainee.actor, f"/me/claims/{owing.office.paid.claim_id}"
    async with the_browser_of(me) as browser:
        assert "请退回 300 元" in read(await browser.get("/me")).text
        page = read(await browser.get(claim))
        for said in ("请退回 300 元", "审计要求", "济人社追〔2026〕1号", owing.clawback.number, owing.account):
            assert said in page.text
        assert "行政复议" in page.text
        appeal = f"{claim}/appeal-amount"
        form = await browser.get(appeal)
        assert (await browser.send(form, appeal, reason="")).status_code == 422
        for _ in range(2):
            told = await browser.send(form, appeal, reason='少了"><script>x</script>')
            assert "金额复核的申请收到了" in read(told).text
        assert appeal not in read(told).values("href")
        anew = await browser.send(form, appeal, reason="再来一次", once=str(uuid4()))
        assert (anew.status_code, "已经申请过复核" in read(anew).text) == (422, True)


async def test_what_is_held_is_masked_on_the_page_and_whole_in_the_file_for_who_knows_the_password(
    browser: Browser,
) -> None:
    login, made = f"p{uuid4().hex[:12]}", new_maker().person()
    await access.sign_up(NewSignUp(login, PASSWORD, made.name, made.id_number), clock.today())
    await signs_in(browser, login)
    page = await browser.send(await browser.get("/me/claims/new"), "/me/claims/new", district="370102")
    page = await browser.get("/me/data")
    shown = read(page).text
    assert made.name in shown
    assert f"{made.id_number[:6]}********{made.id_number[14:]}" in shown
    assert made.id_number not in page.text
    assert "没有交完的申领（1）" in shown
    for password in ("", "wrong"):
        wrong = await browser.send(page, "/me/data/file", password=password)
        assert (wrong.status_code, "密码不对" in read(wrong).text) == (422, True)
    file = await browser.send(page, "/me/data/file", password=PASSWORD)
    assert file.headers["cache-control"] == "private, no-store"
    assert file.headers["content-disposition"].startswith("attachment")
    sheet = load_workbook(BytesIO(file.content)).worksheets[0]
    assert {made.name, made.id_number, "没有交完的申领"} <= {cell for row in sheet.values for cell in row}
    gone = await browser.send(page, "/me/data/drafts")
    assert "都删掉了" in read(gone).text
    assert "没有交完的申领（" not in read(gone).text
    async with transaction() as tx:
        who = select(UserRow.person_id).where(UserRow.login == login)
        person = (await tx.execute(who)).scalar_one()
        assert [each.action for each in await journal_of(tx, "person", person)] == ["export"]


async def test_who_handled_a_claim_and_who_looked_stands_there() -> None:
    async with transaction() as tx:
        world = await World.build(tx)
        trainee = await world.trainee(tx)
        claim = await world.claim(tx, "in_review", trainee)
        by = By.actor(world.staff[Post.REVIEWER], Post.REVIEWER, world.now)
        await record(tx, "claim_unmasking", [claim.id], "unmask", by, [{"why": "documents"}], reason="documents")
        await refuse_claim(tx, world.staff[Post.REVIEWER], claim.id, NewRefusal(["other"], "证书看不清"), world.now)
    async with the_browser_of(trainee.actor) as browser:
        shown = read(await browser.get("/me/data")).text
        assert "看了你的完整信息" in shown
        assert "documents" not in shown
        assert shown.count("是哪一笔") == 2
        assert "证书看不清" not in shown  # that is for the claim's own page


async def test_what_i_complained_of_stands_there_with_its_answer() -> None:
    async with transaction() as tx:
        world = await World.build(tx)
        school = select(InstitutionRow.credit_code).where(InstitutionRow.id == world.clerks[0].institution_id)
        trainee = await world.trainee(tx)
        new = NewComplaint((await tx.execute(school)).scalar_one(), "收了我<i>三百元</i>")
        await complain(tx, trainee.actor, new, world.today, world.now)
    async with the_browser_of(trainee.actor) as browser:
        page = read(await browser.get("/me/complaints")).text
        assert "收了我<i>三百元</i>" in page
        assert "最晚" in page
