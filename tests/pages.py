"""Pages as a strict browser reads them, and somebody who sends their forms."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx

from tests.app import the_app
from tests.plain_words import FOR_PROGRAMMERS, chinese_in, codes_in

_VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """A page, read as strictly as the house wants it written."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.answer, self.source = answer, answer.text
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: dict[str, list[str]] = {}  # by element
        self._open: list[str] = []
        self.feed(answer.text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in {tag}"
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)
            self.words.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.words[tag][-1] += data

    def values(self, attribute: str, tag: str | None = None) -> list[str]:
        return [each[attribute] or "" for name, each in self.elements if attribute in each and tag in {None, name}]

    @property
    def text(self) -> str:
        return " ".join(self.words["body"][0].split())


def read(answer: httpx.Response) -> Page:
    """The page, once it has kept every rule that holds for all of them."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = Page(answer)
    tag, marked = page.elements[0]
    assert (tag, marked.get("lang"), marked.get("class", "big")) in {("html", "zh-CN", "big"), ("html", "en", "big")}
    chinese = chinese_in(page.source) if marked["lang"] == "en" else []
    assert not chinese, chinese
    assert len(page.words["h1"]) == len(page.words["main"]) == len(page.words["title"]) == 1
    assert page.words["title"][0].removesuffix(" · 直达").removesuffix(" · Zhida").strip()
    assert not {"style", "onclick", "onload", "onerror"} & {name for _, each in page.elements for name in each}
    assert "style" not in page.words
    assert not any(page.words.get("script", []))
    assert all(each.startswith("/static/") for each in page.values("src", "script"))
    codes = [] if answer.url.path == FOR_PROGRAMMERS else codes_in(page.source)
    assert not codes, codes
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    described = " ".join(page.values("aria-describedby")).split()
    named = [*page.values("for"), *page.values("aria-labelledby"), *described]
    inner = [each.removeprefix("#") for each in page.values("href") if each.startswith("#")]
    assert {*named, *inner} <= set(ids)
    _says_every_fault_at_its_field(page.source)
    asked = [each for tag, each in page.elements if tag in {"input", "select", "textarea"}]
    # what stands inside of its label, or is one of several boxes, has its name otherwise
    named_else = [each for each in asked if each.get("type") in {"hidden", "checkbox"} or "aria-label" in each]
    assert {each["id"] for each in asked if each not in named_else} <= set(page.values("for"))
    return page


def _says_every_fault_at_its_field(source: str) -> None:
    """Each of several faults of a field, as the summary has them; fields without a place for it have none."""
    for field, said in re.findall(r'<li><a href="#([\w-]+)">(.*?)</a></li>', source):
        beside = "".join(
            re.split(rf'id="{field}-err"><span class="vh">(?:错误：|Error: )</span>', source, maxsplit=1)[1:]
        )
        assert not beside or any(map(said.endswith, beside.partition("</p>")[0].split("<br>"))), said


def token_of(page: httpx.Response) -> dict[str, str]:
    """What a form of this page would prove by, for who sends another than it has."""
    found = re.search(r'name="_csrf_token" value="([^"]*)"', page.text)
    assert found is not None
    return {"_csrf_token": found[1]}


@dataclass
class Browser:
    """Somebody at a browser: with the cookies it keeps, or signed in by a session's token."""

    client: httpx.AsyncClient

    async def get(self, path: str) -> httpx.Response:
        """The page, read by every rule of the house."""
        answer = await self.client.get(path)
        if answer.headers.get("content-type", "").startswith("text/html") and answer.status_code != 404:
            read(answer)
        return answer

    async def send(
        self, page: httpx.Response, action: str, files: dict[str, tuple[str, bytes, str]] | None = None, **fields: str
    ) -> httpx.Response:
        """The form of `page` for `action`, with what stands in it hidden, `fields` and `files`."""
        form = re.search(rf'<form[^>]* action="{re.escape(action)}".*?</form>', page.text, re.DOTALL)
        assert form is not None, f"no form for {action}"
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form[0]))
        return await self.client.post(action, data={**hidden, **fields}, files=files)


@asynccontextmanager
async def at_a_browser(token: str = "", *, follow: bool = False) -> AsyncIterator[Browser]:
    """A browser of its own; with `token` it is signed in as whoever has that session.

    The service is asked as a real one: its cookies want TLS.
    """
    signed_in = {"Authorization": f"Bearer {token}"} if token else {}
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(the_app()),
        base_url="https://zhida.test",
        headers={"Accept": "text/html", **signed_in},
        follow_redirects=follow,
    )
    async with client:
        yield Browser(client)
