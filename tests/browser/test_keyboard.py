"""Without a mouse: Tab, Enter, arrows and typing are enough to sign in, to come through a claim's first form, and to
make a complaint."""

from playwright.async_api import Browser

from tests.browser.town import Town
from tests.browser.visitor import Visitor, visitor
from tests.flows.office import PASSWORD

_TABS_MAX = 40
_WHO = "(at => at.name || at.textContent.trim())(document.activeElement)"


async def tab_to(someone: Visitor, what: str) -> None:
    """Tab until the focus is on the field or link that is called so, and is to be seen."""
    for _ in range(_TABS_MAX):
        await someone.page.keyboard.press("Tab")
        if await someone.page.evaluate(_WHO) == what:
            shown = "getComputedStyle(document.activeElement).outlineStyle"
            assert await someone.page.evaluate(shown) != "none", f"nobody sees that {what} has the focus"
            return
    raise AssertionError(f"{_TABS_MAX} times Tab do not lead to {what} on {someone.path}")


async def write(someone: Visitor, what: str, typed: str) -> None:
    await tab_to(someone, what)
    await someone.page.keyboard.type(typed)


async def enter(someone: Visitor) -> None:
    """What Enter leads to."""
    before = someone.page.url
    await someone.page.keyboard.press("Enter")
    await someone.page.wait_for_url(lambda url: url != before)
    await someone.page.wait_for_load_state()


async def test_signing_in_and_reaching_the_first_step(browser: Browser, town: Town) -> None:
    office = town.office
    login = office.sign_up(office.maker.person())
    async with visitor(browser, office.stack.address, login, wide=True) as trainee:
        await trainee.go("/sign-in")
        await write(trainee, "login", login)
        await write(trainee, "password", PASSWORD)
        await enter(trainee)
        await tab_to(trainee, "申领一笔补贴")
        await enter(trainee)
        await tab_to(trainee, "district")
        await tab_to(trainee, "下一步：证书")
        await trainee.look()


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
