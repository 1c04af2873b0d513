"""Whoever follows the links from their first page comes to a whole page each time: axe finds nothing in it, and it
needs no word of English and no code to be understood."""

import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.async_api import Browser

from domain.actor import Post
from service.pages.demo_cast import CAST, PASSWORD
from tests.browser.visitor import Visitor, visitor
from tests.flows.office import Office
from tests.plain_words import FOR_PROGRAMMERS, foreign_in

_PAGES_MAX = 60
#: What stands for one thing of many: ids, codes, days, numbers.
_ONE_OF_MANY = re.compile(
    r"(?<=/policies)/[a-z_]+|/(?:[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9A-Z]?[\d.-]{2,}[0-9A-Z]*)(?=/|$)"
)
#: Answers of the API and files are not pages.
_NO_PAGE = re.compile(r"^/(?:api|static|metrics|health|sign-out|text)(?:/|$)|^/[^?]*\.(?:atom|json|csv|xlsx)$")
_LINK = re.compile(r'<a\s[^>]*?\bhref="([^"]*)"')
_TRAINEES = next(part.logins for part in CAST if part.post == Post.TRAINEE)
_FIRST = {part.post: part.logins[0] for part in CAST}
#: Who walks with a telephone, and so before others who come to the same pages.
_NARROW_LOGINS = ["", _FIRST[Post.TRAINEE], _FIRST[Post.INSPECTOR]]
#: An assessment body and an enterprise have other pages than a school, whose clerk is the first.
_OTHER_CLERKS = next(part.logins for part in CAST if part.post == Post.CLERK)[2:]
#: Whose first pages are walked: the public's, then one of each post.
LOGINS = dict.fromkeys([*_NARROW_LOGINS, *_FIRST.values(), *_OTHER_CLERKS])


def kind_of(path: str) -> str:
    """`/me/claims/{one}`: pages of one kind are made by one template."""
    return _ONE_OF_MANY.sub("/{one}", urlsplit(path).path)


#: Kinds of pages that axe has looked at, for anybody.
_LOOKED_AT: set[str] = set()
_A_BROWSER = {"Accept": "text/html"}
#: The narrowest telephone that pages are made for.
_NARROW = 320


@dataclass
class Walk:
    """Who walks, which kinds of pages they have seen, and all that was wrong on the way."""

    someone: Visitor
    seen: set[str] = field(default_factory=set)
    wrong: list[str] = field(default_factory=list)

    async def from_home(self) -> None:
        waiting = [("", "/home" if self.someone.name else "/")]
        while waiting and len(self.seen) < _PAGES_MAX:
            came_from, path = waiting.pop(0)
            if (kind := kind_of(path)) in self.seen or not self._may(path):
                continue
            self.seen.add(kind)
            answer = await self.someone.page.request.get(self.someone.address + path, headers=_A_BROWSER)
            if not answer.ok:
                self.wrong.append(f"{answer.status} {path}, from {came_from}")
            elif answer.headers.get("content-type", "").startswith("text/html"):
                here = answer.url.removeprefix(self.someone.address)
                source = await answer.text()
                waiting += [(path, each) for each in self._links(here, source)]
                if kind_of(here) != FOR_PROGRAMMERS:
                    self.wrong += [f"{here}: {each}" for each in foreign_in(source)]
                if kind_of(here) not in _LOOKED_AT:
                    _LOOKED_AT.add(kind_of(here))
                    await self._look(here)

    def _may(self, path: str) -> bool:
        """The public navigation leads everybody to the pages of trainees, who alone may open them."""
        return not path.startswith("/me") or self.someone.name in {"", *_TRAINEES}

    async def _look(self, path: str) -> None:
        await self.someone.go(path, look=False)
        self.wrong += await self.someone.found()
        await self.someone.shot(re.sub(r"[^a-z]+", "-", f"at{kind_of(path)}").strip("-"), whole=True)
        if not self.someone.wide:
            self.wrong += await self.someone.found_at(_NARROW)

    @staticmethod
    def _links(here: str, page: str) -> list[str]:
        found = (urljoin(here, unescape(each)).partition("#")[0] for each in _LINK.findall(page))
        return [each for each in dict.fromkeys(found) if each.startswith("/") and not _NO_PAGE.match(each)]


@pytest.mark.parametrize("login", LOGINS)
async def test_every_page_that_one_can_reach(browser: Browser, office: Office, login: str) -> None:
    async with visitor(browser, office.stack.address, login, wide=login not in _NARROW_LOGINS) as someone:
        if login:
            await someone.sign_in(PASSWORD)
        walk = Walk(someone)
        await walk.from_home()
        print(login or "the public", len(walk.seen), *sorted(walk.seen))
        assert not walk.wrong, "\n".join(["", *walk.wrong])
        assert len(walk.seen) > 1, f"{login or 'the public'} comes nowhere"
