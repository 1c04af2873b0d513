"""A person's own pages: signing in with care, forms that outlive a session, and what a claim can still meet."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import delete, func, insert, select, update

from service import clock
from service.access import commands as access
from service.access.commands.brakes import ADDRESS_WRONG_MAX, LOGIN_WRONG_MAX, watched
from service.access.schemas import NewSignUp
from service.access.tables import KeptFormRow, SignInBrakeRow
from service.database import transaction
from service.local.made_up import Maker
from service.security import COOKIE, SessionRow, digest
from tests.app import the_app
from tests.pages import Browser, at_a_browser, read

PASSWORD = "a quite long one"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with at_a_browser(follow=True) as somebody:
        yield somebody


async def somebody_new() -> str:
    """The login of a trainee who has just signed up."""
    login, made = f"p{uuid4().hex[:12]}", Maker(uuid4().int).person()
    await access.sign_up(NewSignUp(login, PASSWORD, made.name, made.id_number), clock.today())
    return login


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
    for _ in range(2):
        for _ in range(LOGIN_WRONG_MAX - 1):
            page = await browser.get("/sign-in")
            assert (await browser.send(page, "/sign-in", login=login, password="wrong")).status_code == 401
        assert (await signs_in(browser, login)).url.path == "/me"


async def test_many_guesses_at_once_are_heard_as_often_as_one_after_the_other(browser: Browser) -> None:
    login = await somebody_new()
    guesses = [{"login": login, "password": f"wrong {each}"} for each in range(30)]
    answers = await asyncio.gather(*(browser.client.post("/api/sign-in", json=each) for each in guesses))
    assert [each.status_code for each in answers].count(401) <= LOGIN_WRONG_MAX + 12  # those in flight already
    last = await browser.client.post("/api/sign-in", json={"login": login, "password": PASSWORD})
    assert last.status_code == 429


async def test_an_address_is_braked_alone(browser: Browser) -> None:
    login = await somebody_new()
    async with transaction() as tx:
        for key, most in watched(login, "2001:db8::1").items():
            if most == ADDRESS_WRONG_MAX:
                tried = {"wrong_count": most - 1, "counted_since": func.now()}
                await tx.execute(SignInBrakeRow.__table__.insert().values(key=key, **tried))
    for address, status in (("2001:db8::2", 401), ("2001:db8::3", 429), ("2001:db8:0:1::3", 201)):
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
    refused = await browser.client.post("/me/claims/new", data={"district": "370102"})
    assert refused.status_code == 403  # another site's form is not kept either
    assert await kept_forms() == before
