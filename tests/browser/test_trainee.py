"""A trainee with a telephone: files in four steps, follows, is sent money back by the bank, mends the card."""

from playwright.async_api import Browser

from tests.browser.visitor import visitor
from tests.flows.office import PASSWORD, Office


async def test_a_trainee_files_on_a_telephone(browser: Browser, office: Office) -> None:
    _, made = office.trainee()
    async with visitor(browser, office.stack.address, wide=False) as someone:
        await someone.go("/")
        await someone.shot("home-phone")
