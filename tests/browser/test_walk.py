"""Whoever follows the links from their first page comes to a whole page each time: axe finds nothing in it, and it
needs no code to be understood, and no word of another language than it was asked for in."""

import re
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urljoin, urlsplit

import pytest
from playwright.async_api import Browser

from domain.actor import Post
from service.pages.demo_cast import CAST, PASSWORD
from service.pages.language import ASKED, COOKIE
from tests.browser.visitor import Visitor, visitor
from tests.flows.office import Office
from tests.plain_words import FOR_PROGRAMMERS, chinese_in, codes_in, foreign_in

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
#: Then those whose pages are there in English.
WALKERS = [*((login, "zh") for login in LOGINS), ("", "en"), (_FIRST[Post.TRAINEE], "en")]


def kind_of(path: str) -> str:
    """`/me/claims/{one}`: pages of one kind are made by one template."""
    return _ONE_OF_MANY.sub("/{one}", urlsplit(path).path)


#: Kinds of pages that axe has looked at, for anybody, and in which language.
_LOOKED_AT: set[tuple[str, str]] = set()
_A_BROWSER = {"Accept": "text/html"}
#: The narrowest telephone that pages are made for.
_NARROW = 320


@dataclass
class Walk:
    """Who walks, in which language, which kinds of pages they have seen, and all that was wrong on the way."""

    someone: Visitor
    language: str
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
                    self.wrong += [f"{here}: {each}" for each in self._unsaid(source)]
                if (self.language, kind_of(here)) not in _LOOKED_AT:
                    _LOOKED_AT.add((self.language, kind_of(here)))
                    await self._look(here)

    def _unsaid(self, source: str) -> list[str]:
        """What does not belong on a page in this language."""
        return foreign_in(source) if self.language == "zh" else [*chinese_in(source), *codes_in(source)]

    def _may(self, path: str) -> bool:
        """The public navigation leads everybody to the pages of trainees, who alone may open them."""
        return not path.startswith("/me") or self.someone.name in {"", *_TRAINEES}

    async def _look(self, path: str) -> None:
        await self.someone.go(path, look=False)
        self.wrong += await self.someone.found()
        if self.language == "zh":
            await self.someone.shot(re.sub(r"[^a-z]+", "-", f"at{kind_of(path)}").strip("-"), whole=True)
        elif path == "/me":
            await self.someone.shot("english", whole=True)
        if not self.someone.wide:
            self.wrong += await self.someone.found_at(_NARROW)

    @staticmethod
    def _links(here: str, page: str) -> list[str]:
        found = (urljoin(here, unescape(each)).partition("#")[0] for each in _LINK.findall(page))
        return [each for each in dict.fromkeys(found) if each.startswith("/") and _leads_on(each)]


def _leads_on(path: str) -> bool:
    """To a page, and not to the same one in the other language."""
    return not _NO_PAGE.match(path) and f"{ASKED}=" not in urlsplit(path).query


@pytest.mark.parametrize(("login", "language"), WALKERS)
async def test_every_page_that_one_can_reach(browser: Browser, office: Office, login: str, language: str) -> None:
    async with visitor(browser, office.stack.address, login, wide=login not in _NARROW_LOGINS) as someone:
        if login:
            await someone.sign_in(PASSWORD)
        if language == "en":
            chosen = {"name": COOKIE, "value": "en", "url": office.stack.address}
            await someone.page.context.add_cookies([chosen])  # type: ignore[list-item]
        walk = Walk(someone, language)
        await walk.from_home()
        print(login or "the public", len(walk.seen), *sorted(walk.seen))
        assert not walk.wrong, "\n".join(["", *walk.wrong])
        assert len(walk.seen) > 1, f"{login or 'the public'} comes nowhere"
