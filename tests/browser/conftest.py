"""A whole stack and a real browser for the journeys of people."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from service.local.stack import StackHandle, run_stack
from tests.browser import chromium
from tests.browser.town import Town
from tests.flows.office import Office


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackHandle]:
    """`zhida up --demo` in a directory of its own: these journeys let days pass."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZHIDA_")}
    with run_stack(tmp_path_factory.mktemp("browser") / "data", environment=environment) as running:
        yield running


@pytest.fixture(scope="session")
def office(stack: StackHandle) -> Office:
    """The world outside: what the registry knows, what the bank does, days that pass."""
    return Office(stack)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        running = await chromium.start(playwright)
        yield running
        await running.close()


@pytest.fixture
async def town(browser: Browser, office: Office) -> Town:
    return Town(browser, office)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys share one worker and one stack; where no browser is found they say so."""
    here, lacking = Path(__file__).parent, chromium.missing()
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))
            if lacking:
                reason = f"missing on this machine: {' '.join(lacking)} (make browser installs it)"
                item.add_marker(pytest.mark.skip(reason=reason))
