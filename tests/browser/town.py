"""The people of one district at their browsers: what several journeys have in common."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from playwright.async_api import Browser

from service.local.made_up import MadeUpPerson
from service.local.sample_codes import SampleCodes
from tests.browser.visitor import Visitor, visitor
from tests.flows.office import PASSWORD, Office
from tests.sheets import line_for, sheet

BANK = "102100099996"
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

    def let_pass(self, last: date) -> None:
        """Days pass until `last` is over."""
        while date.fromisoformat(self.office.today) <= last:
            assert self.office.http.post("/api/demo/clock", json={"days": 1}).status_code == 201


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


async def files(someone: Visitor, town: Town, certificate: str, card: str) -> str:
    """Four steps; the claim's id."""
    office = town.office
    await someone.shot("home-trainee", whole=True)
    await someone.press("申领一笔补贴")
    await someone.fill(district=office.district)
    await someone.press("下一步：证书")
    await someone.fill(certificate_number=certificate, item="焊工", level="4")
    await someone.fill_day("certificate_issued_on", office.today)
    await someone.shot("claim-certificate", whole=True)
    await someone.press("下一步：收款卡")
    await someone.sees("元")
    await someone.fill(account_bank_code=BANK, account_number=card)
    await someone.press("下一步：核对")
    await someone.shot("claim-check", whole=True)
    await someone.press("确认领取")
    await someone.sees_within("等待审核")
    await someone.shot("claim", whole=True)
    return someone.id


async def approves(town: Town, claim: str) -> None:
    """The officer approves; a second one looks again where that is asked for."""
    async with town.staff("reviewer") as officer:
        await officer.press("可成批通过")
        await officer.has_within(f"/desk/claims/{claim}")
        await officer.shot("desk")
        await officer.follow(f"/desk/claims/{claim}")
        await officer.shot("desk-claim")
        await officer.press("领取这一条")
        await officer.press("通过", at=officer.page.locator("main .bar"))
        await officer.sees("已通过")
    async with town.staff("second") as second:
        if await second.leads_to(f"/desk/claims/{claim}"):
            await second.follow(f"/desk/claims/{claim}")
            await second.press("同意通过", at=second.page.locator("main .bar"))


async def publishes(town: Town) -> None:
    """What is approved is published, and the days of the notice pass."""
    async with town.staff("publisher") as publisher:
        await publisher.shot("desk-notices")
        await publisher.press("发出公示")
        running = publisher.page.get_by_role("region", name="正在公示的")
        last = running.locator("tbody tr").first.locator("time").nth(1)
        closes_on = date.fromisoformat(await last.get_attribute("datetime") or "")
    town.let_pass(closes_on)


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
        await maker.shot("finance")
        await maker.press("编一个批次")
        await maker.shot("finance-new")
        await maker.press("编成批次")
        await maker.sees_within("等待签署")
        batch = (await maker.page.locator("h1").inner_text()).split()[1]
    for post in ("maker", "checker"):
        await signs(town, post, batch)
    await signs(town, "releaser", batch, voucher=f"V-{batch}", transferred_on=town.office.today)
    return batch


async def hands_in(clerk: Visitor, rows: list[Mapping[str, str]], class_number: str = "") -> None:
    """A roster, from the page where it is handed in to its result."""
    await clerk.go("/institution/rosters/new")
    await clerk.shot("roster-new")
    if class_number:
        await clerk.fill(class_number=class_number)
    data = sheet([dict(each) for each in rows], "xlsx")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    await clerk.page.locator('[name="sheet"]').set_input_files(
        {"name": "名册.xlsx", "mimeType": kind, "buffer": data}
    )
    await clerk.sees("已选：名册.xlsx")
    await clerk.hit("上传并核对")
    await clerk.page.wait_for_url(re.compile(r"/institution/rosters/[0-9a-f-]{36}"))
    await clerk.look()
    await clerk.shot("roster-progress")
    await clerk.sees_within("行都看完了")
    await clerk.shot("roster")


def row_of(town: Town, made: MadeUpPerson, **other: str) -> dict[str, str]:
    """A row of a roster, for somebody who has a certificate."""
    office = town.office
    number = other.get("证书编号") or office.certificate(made)
    return line_for(made, office.maker, date.fromisoformat(office.today), **{**other, "证书编号": number})
