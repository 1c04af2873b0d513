"""Without a mouse: Tab, Enter, arrows and typing are enough to sign in, to claim, and to make a complaint."""

from datetime import date

from playwright.async_api import Browser

from tests.browser.town import BANK, Town
from tests.browser.visitor import Visitor, visitor
from tests.flows.office import PASSWORD

_TABS_MAX = 40
_WHO = "(at => at.name || at.textContent.trim())(document.activeElement)"


async def tab_to(someone: Visitor, what: str) -> None:
    """Tab until the focus is on the field or link whose name begins so, and is to be seen."""
    for _ in range(_TABS_MAX):
        await someone.page.keyboard.press("Tab")
        if (await someone.page.evaluate(_WHO)).startswith(what):
            shown = "getComputedStyle(document.activeElement).outlineStyle"
            assert await someone.page.evaluate(shown) != "none", f"nobody sees that {what} has the focus"
            return
    raise AssertionError(f"{_TABS_MAX} times Tab do not lead to {what} on {someone.path}")


async def write(someone: Visitor, what: str, typed: str) -> None:
    await tab_to(someone, what)
    await someone.page.keyboard.type(typed)


async def choose(someone: Visitor, what: str, value: str) -> None:
    """Arrows lead to each choice of a list."""
    await tab_to(someone, what)
    for _ in range(_TABS_MAX):
        if await someone.page.evaluate("document.activeElement.value") == value:
            return
        await someone.page.keyboard.press("ArrowDown")
    raise AssertionError(f"arrows do not lead to {value} in {what} on {someone.path}")


async def enter(someone: Visitor) -> None:
    """What Enter leads to."""
    before = someone.page.url
    await someone.page.keyboard.press("Enter")
    await someone.page.wait_for_url(lambda url: url != before)
    await someone.page.wait_for_load_state()


async def test_a_claim_is_filed(browser: Browser, town: Town) -> None:
    office = town.office
    made = office.maker.person()
    login, certificate, card = office.sign_up(made), office.certificate(made), office.maker.card()
    today = date.fromisoformat(office.today)
    async with visitor(browser, office.stack.address, login, wide=True) as trainee:
        await trainee.go("/sign-in")
        await write(trainee, "login", login)
        await write(trainee, "password", PASSWORD)
        await enter(trainee)
        await tab_to(trainee, "申领一笔补贴")
        await enter(trainee)
        await choose(trainee, "district", office.district)
        await tab_to(trainee, "下一步：证书")
        await enter(trainee)
        await write(trainee, "certificate_number", certificate)
        await write(trainee, "item", "焊工")
        await choose(trainee, "level", "4")
        for part, number in zip("ymd", (today.year, today.month, today.day), strict=True):
            await write(trainee, f"certificate_issued_on_{part}", f"{number}")
        await tab_to(trainee, "下一步：收款卡")
        await enter(trainee)
        await choose(trainee, "account_bank_code", BANK)
        await write(trainee, "account_number", card)
        await tab_to(trainee, "下一步：核对")
        await enter(trainee)
        await tab_to(trainee, "确认领取")
        await enter(trainee)
        await trainee.sees_within("等待审核")


async def test_a_complaint_is_made(browser: Browser, town: Town) -> None:
    """A whole form: lists are chosen from by arrows, the button is pressed by Enter, mistakes take the focus."""
    async with visitor(browser, town.office.stack.address) as someone:
        await someone.go("/complain")
        await tab_to(someone, "提交")
        async with someone.page.expect_navigation():
            await someone.page.keyboard.press("Enter")
        assert await someone.page.evaluate("document.activeElement.matches('[role=alert]')"), "mistakes go unheard"
        await tab_to(someone, "kind")
        await someone.page.keyboard.press("ArrowDown")
        await write(someone, "institution", "示例培训学校A")
        await write(someone, "words", "示例：收了两次钱")
        await tab_to(someone, "提交")
        await enter(someone)
        await someone.sees("收到了")
        await someone.look()
