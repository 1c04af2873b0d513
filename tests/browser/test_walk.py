"""Whoever follows the links from their first page comes to a whole page each time, and axe finds nothing in it."""

import re
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.async_api import Browser

from service.pages.demo_cast import CAST, PASSWORD
from tests.browser.visitor import Visitor, visitor
from tests.flows.office import Office

_PAGES_MAX = 60
#: What stands for one thing of many: ids, codes, days, numbers.
_ONE_OF_MANY = re.compile(r"/(?:[0-9a-f]{8}-[0-9a-f-]{27}|[0-9A-Z]?[\d.-]{2,}[0-9A-Z]*)(?=/|$)")
#: Answers of the API and files are not pages.
_NO_PAGE = re.compile(r"^/(?:api|static|metrics|health|sign-out)(?:/|$)|^/[^?]*\.(?:atom|json|csv|xlsx)$")
#: Whose first pages are walked: the public, then everybody of the cast once.
LOGINS = ["", *(part.logins[0] for part in CAST)]


def kind_of(path: str) -> str:
    """`/me/claims/{one}`: pages of one kind are made by one template."""
    return _ONE_OF_MANY.sub("/{one}", urlsplit(path).path)


#: Kinds of pages that axe has looked at, for anybody.
_LOOKED_AT: set[str] = set()


@dataclass
class Walk:
    """Who walks, and which kinds of pages they have seen."""

    someone: Visitor
    seen: set[str] = field(default_factory=set)
    dead: list[str] = field(default_factory=list)

    async def from_home(self) -> None:
        waiting = [("", "/home" if self.someone.name else "/")]
        while waiting and len(self.seen) < _PAGES_MAX:
            came_from, path = waiting.pop(0)
            if (kind := kind_of(path)) in self.seen:
                continue
            self.seen.add(kind)
            answer = await self.someone.page.request.get(self.someone.address + path)
            if not answer.ok:
                self.dead.append(f"{answer.status} {path}, from {came_from}")
            elif answer.headers.get("content-type", "").startswith("text/html"):
                await self.someone.go(path, look=kind not in _LOOKED_AT)
                _LOOKED_AT.add(kind)
                waiting += [(path, each) for each in await self._links()]

    async def _links(self) -> list[str]:
        found = await self.someone.page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
        here = [urljoin(self.someone.path, each).partition("#")[0] for each in found]
        return [each for each in dict.fromkeys(here) if each.startswith("/") and not _NO_PAGE.match(each)]


@pytest.mark.parametrize("login", LOGINS)
async def test_every_page_that_one_can_reach(browser: Browser, office: Office, login: str) -> None:
    wide = bool(login) and login not in {"xuehua"} and not login.startswith("inspector")
    async with visitor(browser, office.stack.address, login, wide=wide) as someone:
        if login:
            await someone.sign_in(PASSWORD)
        walk = Walk(someone)
        await walk.from_home()
        assert not walk.dead
        assert len(walk.seen) > 1, f"{login or 'the public'} comes nowhere"
