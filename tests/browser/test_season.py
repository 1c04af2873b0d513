"""A season as its people play it, each in a browser of their own: pages alone, but for the world outside."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from playwright.async_api import Browser

from service.local.sample_codes import SampleCodes
from tests.browser.visitor import Visitor, visitor
from tests.flows.office import PASSWORD, Office

_CODES = SampleCodes()


@dataclass
class Town:
    """The people of one district, and their browsers."""

    browser: Browser
    office: Office

    def at(self, login: str, *, wide: bool = True) -> "SignedIn":
        return SignedIn(self, login, wide)

    def staff(self, post: str) -> "SignedIn":
        return self.at(f"{post}-{self.office.district}")


@dataclass
class SignedIn:
    """`async with` gives the browser of somebody who has signed in."""

    town: Town
    login: str
    wide: bool

    async def __aenter__(self) -> Visitor:
        self._open = visitor(self.town.browser, self.town.office.stack.address, self.login, wide=self.wide)
        someone = await self._open.__aenter__()
        await someone.sign_in(PASSWORD)
        return someone

    async def __aexit__(self, *failure: object) -> None:
        await self._open.__aexit__(*failure)


@pytest.fixture
async def town(browser: Browser, office: Office) -> AsyncIterator[Town]:
    return Town(browser, office)


async def files(someone: Visitor, town: Town, certificate: str, card: str) -> str:
    """Four steps; the claim's id."""
    office = town.office
    await someone.press("申领一笔补贴")
    await someone.fill(district=office.district)
    await someone.press("下一步：证书")
    await someone.fill(certificate_number=certificate, item="焊工", level="4")
    await someone.fill_day("certificate_issued_on", office.today)
    await someone.shot("claim-certificate", whole=True)
    await someone.press("下一步：收款卡")
    await someone.sees("元")
    await someone.fill(account_bank_code="102100099996", account_number=card)
    await someone.press("下一步：核对")
    await someone.shot("claim-check", whole=True)
    await someone.press("确认领取")
    await someone.sees_within("等待审核")
    await someone.shot("claim", whole=True)
    return someone.id


async def signs(town: Town, post: str, batch: str, **more: str) -> None:
    """One of the three persons looks at the batch and signs."""
    async with town.staff(post) as signer:
        await signer.press(batch)
        await signer.shot(f"sign-{post}", whole=True)
        day = more.pop("transferred_on", "")
        code, wait = _CODES.next(f"{post}-{town.office.district}")
        await signer.page.wait_for_timeout(wait * 1000)
        if day:
            await signer.fill_day("transferred_on", day)
        await signer.fill(password=PASSWORD, code=code, **more)
        await signer.press("签署同意")
        await signer.sees("已签")


async def pays(town: Town) -> str:
    """The maker puts together what is due, three persons sign; the batch's number."""
    async with town.staff("maker") as maker:
        await maker.press("编成批次")
        await maker.sees_within("等待签署")
        batch = (await maker.page.locator("h1").inner_text()).split()[1]
    for post in ("maker", "checker"):
        await signs(town, post, batch)
    await signs(town, "releaser", batch, voucher=f"V-{batch}", transferred_on=town.office.today)
    return batch


async def test_the_season(town: Town) -> None:
    office = town.office
    made = office.maker.person()
    login = office.sign_up(made)
    async with town.at(login, wide=False) as trainee:
        claim = await files(trainee, town, office.certificate(made), office.maker.card())
        office.staff("reviewer").do(f"/api/claims/{claim}/approve", {"note": ""})
        office.publish_and_let_pass()
        await trainee.sees_within("等待拨付")
        batch = await pays(town)
        await trainee.sees_within("已到账")
        assert batch
