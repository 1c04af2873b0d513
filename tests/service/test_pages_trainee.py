"""A trainee's whole way on pages, in this process: signing in, four steps, the claim, and what is refused."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select, update

from service import clock
from service.access import commands as access
from service.access.schemas import NewSignUp
from service.claims.commands.drafts import DRAFTS_MAX, forget_drafts
from service.claims.tables import ClaimDraftRow
from service.database import transaction
from service.pages.homes import local
from tests.pages import Browser, at_a_browser, read
from tests.world import new_maker

PASSWORD = "a quite long one"
CARD = "6222 0212 3456 7890 128"


@dataclass
class Visitor(Browser):
    """Somebody who fills in the one form of a page."""

    async def fill(self, page: httpx.Response, **fields: str) -> httpx.Response:
        action = re.search(r'<form method="post"(?: id="form")? action="(/(?:me|sign-in)[^"]*)"', page.text)
        assert action is not None
        return await self.send(page, action[1], **fields)


@pytest.fixture
async def visitor() -> AsyncIterator[Visitor]:
    async with at_a_browser(follow=True) as browser:
        yield Visitor(browser.client)


@pytest.fixture
async def trainee(visitor: Visitor) -> Visitor:
    login, made = f"t{uuid4().hex[:12]}", new_maker().person()
    await access.sign_up(NewSignUp(login, PASSWORD, made.name, made.id_number), clock.today())
    page = await visitor.fill(await visitor.get("/me"), login=login, password=PASSWORD, next="/me")
    assert page.url.path == "/me"
    return visitor


def a_certificate() -> dict[str, str]:
    """Of today, with a number that nobody else has."""
    today = clock.today()
    return {
        "certificate_number": new_maker().certificate("4", today.year),
        "item": "养老护理员",
        "level": "4",
        "certificate_issued_on_y": f"{today.year}",
        "certificate_issued_on_m": f"{today.month}",
        "certificate_issued_on_d": f"{today.day}",
    }


async def test_whoever_is_not_signed_in_is_asked_to_and_comes_back(visitor: Visitor) -> None:
    page = await visitor.get("/me/claims/new")
    assert (page.url.path, page.url.params["next"]) == ("/sign-in", "/me/claims/new")
    wrong = await visitor.fill(page, login="nobody", password="nothing", next="/me")
    assert wrong.status_code == 401
    assert "登录名或密码不对" in read(wrong).text
    assert wrong.headers["cache-control"] == "no-store"
    assert "zhida_session" not in visitor.client.cookies


@pytest.mark.parametrize(
    "address", ["https://evil.test/", "//evil.test", "/\\evil.test", "\\\\evil.test", "me", "javascript:x", "/a\nb"]
)
def test_no_form_leads_elsewhere(address: str) -> None:
    assert local(address) == ""
    assert local("/me/claims/1?told=x") == "/me/claims/1?told=x"


async def test_a_form_without_its_token_or_cookie_is_refused(trainee: Visitor) -> None:
    for data in ({}, {"_csrf_token": "0" * 128}, {"_csrf_token": ""}):
        answer = await trainee.client.post("/me/claims/new", data={"district": "370102", **data})
        assert answer.status_code == 403
    assert "接着填" not in (await trainee.get("/me")).text


async def test_the_cookie_opens_pages_and_not_the_api(trainee: Visitor) -> None:
    assert (await trainee.get("/me")).status_code == 200
    assert (await trainee.client.get("/api/claims")).status_code == 401
    cookie = next(each for each in trainee.client.cookies.jar if each.name == "zhida_session")
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "lax"


async def test_four_steps_from_nothing_to_a_filed_claim(trainee: Visitor) -> None:
    page = await trainee.fill(await trainee.get("/me/claims/new"), district="370102")
    page = await trainee.fill(page, **a_certificate())
    assert page.url.path.endswith("/account")
    assert "你可以领" in read(page).text
    page = await trainee.fill(page, account_bank_code="102100099996", account_number=CARD)
    check = read(page).text
    assert page.url.path.endswith("/check")
    amount = re.search(r"确认领取 ([\d,]+) 元", check)
    assert amount is not None
    assert "尾号 0128" in check
    filed = await trainee.fill(page)
    told = read(filed).text
    assert re.fullmatch(r"/me/claims/[0-9a-f-]{36}", filed.url.path)
    assert "收到了" in told
    assert CARD.replace(" ", "") not in filed.text
    home = read(await trainee.get("/me")).text
    assert f"养老护理员 四级 {amount[1]} 元 已提交" in home
    assert "接着填" not in home
    again = await trainee.fill(page)  # the form once more, from an older window
    assert again.url.path == filed.url.path
    assert home == read(await trainee.get("/me")).text


async def test_what_is_wrong_is_said_at_its_field_and_nothing_typed_is_lost(trainee: Visitor) -> None:
    nowhere = await trainee.fill(await trainee.get("/me/claims/new"), place_link="residence")
    assert nowhere.status_code == 422
    assert read(nowhere).values("aria-invalid") == ["true"]
    assert "有错误：" in read(nowhere).words["title"][0]
    page = await trainee.fill(nowhere, district="370102", place_link="residence")
    strange = {
        "item": '养老"><script>x</script>',
        "level": "9",
        "certificate_number": "",
        "certificate_issued_on_m": "13",
    }
    wrong = await trainee.fill(page, **strange)
    shown = read(wrong)
    assert wrong.status_code == 422
    assert strange["item"] in shown.values("value")
    assert {"#item", "#level", "#certificate_number", "#certificate_issued_on"} <= set(shown.values("href"))
    early = await trainee.get(page.url.path.replace("/certificate", "/check"))
    assert early.url.path.endswith("/certificate")
    assert strange["item"] in read(early).values("value")


async def test_what_is_wrong_with_a_card_is_said_where_it_is_named(trainee: Visitor) -> None:
    page = await trainee.fill(await trainee.get("/me/claims/new"), district="370102")
    page = await trainee.fill(page, **a_certificate())
    for typed, field in (("6222 0212", "account_number"), (CARD, "account_bank_code")):
        wrong = await trainee.fill(page, account_bank_code="", account_number=typed)
        shown = read(wrong)
        assert (wrong.status_code, wrong.url.path) == (422, page.url.path)
        assert f"#{field}" in shown.values("href")
        assert typed in shown.values("value")
    assert (await trainee.get(page.url.path.replace("/account", "/check"))).url.path == page.url.path


async def test_who_is_refused_is_told_why_and_may_insist(trainee: Visitor) -> None:
    page = await trainee.fill(await trainee.get("/me/claims/new"), district="370102")
    long_ago = {**a_certificate(), "certificate_issued_on_y": f"{clock.today().year - 2}"}
    refused = await trainee.fill(page, **long_ago)
    told = read(refused).text
    assert refused.url.path.endswith("/certificate")
    assert "依据：" in told
    assert "正式的书面答复" in told
    page = await trainee.fill(refused, **long_ago, insist="yes")
    page = await trainee.fill(page, account_bank_code="102100099996", account_number=CARD)
    filed = await trainee.fill(page)
    assert "申请复核" in read(filed).text
    appeal = await trainee.get(f"{filed.url.path}/appeal")
    empty = await trainee.fill(appeal, reason="")
    assert empty.status_code == 422
    assert "复核申请收到了" in read(await trainee.fill(empty, reason="证书是那年补发的")).text


async def test_a_claim_is_withdrawn_once(trainee: Visitor) -> None:
    page = await trainee.fill(await trainee.get("/me/claims/new"), district="370102")
    page = await trainee.fill(page, **a_certificate())
    page = await trainee.fill(page, account_bank_code="102100099996", account_number=CARD)
    filed = await trainee.fill(page)
    form = await trainee.get(f"{filed.url.path}/withdraw")
    assert "已撤回。" in read(await trainee.fill(form)).text
    assert "已撤回。" in read(await trainee.fill(form)).text  # pressed twice, it is done once
    anew = await trainee.get(f"{filed.url.path}/withdraw")
    assert (await trainee.fill(anew)).status_code == 422


async def test_nobody_sees_or_touches_what_is_anothers(trainee: Visitor) -> None:
    for path in (f"/me/claims/{uuid4()}", f"/me/claims/{uuid4()}/withdraw", f"/me/claims/draft/{uuid4()}/account"):
        assert (await trainee.get(path)).status_code == 404
    assert (await trainee.get(f"/me/claims/{uuid4()}/steal")).status_code == 404
    assert (await trainee.get(f"/me/offers/{uuid4()}")).status_code == 404


async def test_drafts_are_sealed_few_and_forgotten_after_a_week(trainee: Visitor) -> None:
    page = await trainee.fill(await trainee.get("/me/claims/new"), district="370102")
    draft_id = page.url.path.split("/")[4]
    await trainee.fill(page, **a_certificate())
    async with transaction() as tx:
        asked = select(ClaimDraftRow.typed_sealed, ClaimDraftRow.touched_at).where(ClaimDraftRow.id == draft_id)
        (kept,) = (await tx.execute(asked)).all()
        assert "养老护理员".encode() not in kept.typed_sealed
        await forget_drafts(tx, kept.touched_at + timedelta(days=6))
        assert (await tx.execute(asked)).all()
        long_ago = {"touched_at": clock.now() - timedelta(days=8)}
        await tx.execute(update(ClaimDraftRow).where(ClaimDraftRow.id == draft_id).values(**long_ago))
        assert await forget_drafts(tx, clock.now()) >= 1
        assert not (await tx.execute(asked)).all()
    for _ in range(DRAFTS_MAX):
        assert (await trainee.fill(await trainee.get("/me/claims/new"), district="370102")).status_code == 200
    assert (await trainee.fill(await trainee.get("/me/claims/new"), district="370102")).status_code == 409
