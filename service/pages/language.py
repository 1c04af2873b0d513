"""Pages that people who claim and everybody read are there in English too; those of staff are in Chinese alone.

A page's text is written in Chinese where it stands, and `english/*.po` says the same in English. What is said for a
code stands in `wording.toml` in both.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from babel.messages.pofile import read_po
from litestar import Request
from litestar.datastructures import Cookie
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send
from markupsafe import Markup, escape

from service.pages import forms
from service.settings import settings
from service.wording import spoken

ENGLISH = Path(__file__).parent / "english"
#: The cookie of who reads English, and the field of an address that sets it (`?lang=en`) or ends it (`?lang=zh`).
COOKIE, ASKED = "zhida_language", "lang"
#: The modules of routes whose pages are there in English.
IN_ENGLISH = frozenset(
    f"service.pages.routes.{name}"
    for name in ("figures", "information", "notices", "person", "public", "registry", "session", "trainee")
)
_A_YEAR = 365 * 24 * 3600
#: From the first Chinese sign to the last before other words begin.
_SIGN = "[\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff]"
_NAMES = re.compile(f"{_SIGN}(?:[^A-Za-z&<>]*{_SIGN})?")


@cache
def english() -> Mapping[str, str]:
    """Chinese → English, of every page."""
    catalogs = [read_po(file.open("rb")) for file in sorted(ENGLISH.glob("*.po"))]
    return {str(each.id): str(each.string) for catalog in catalogs for each in catalog if each.id and each.string}


def gettext(text: str) -> str:
    """`text` in the language of the page."""
    return english().get(text, text) if spoken.get() == "en" else text


def later(text: str) -> str:
    """`text`, which is written down here and said in the language of the page where that shows it."""
    return text


def said(text: str, **given: Any) -> str:
    """`text` in the language of the page, with what is `given` at its places: `%(count)s`."""
    return gettext(text) % given


def as_written(text: Any) -> Any:
    """What was written in Chinese and stays so (a name, an item, somebody's words): marked, where the page is not."""
    if spoken.get() == "zh" or str(text).isascii():
        return text
    return Markup('<span lang="zh-CN">{}</span>').format(escape(text))


def with_names(text: Any) -> Any:
    """A sentence that was said for a code: the names in it that are Chinese are marked, where the page is not."""
    if spoken.get() == "zh" or isinstance(text, Markup):
        return text
    return Markup(_NAMES.sub(lambda found: as_written(found[0]), escape(text)))  # noqa: S704 (escaped before)


def capital(text: Any) -> Any:
    """What stands alone, with its first letter large; what is said for codes begins with a small one."""
    return text if spoken.get() == "zh" else text[:1].upper() + text[1:]


def written_in(text: Any) -> Markup:
    """The attribute of an element that holds nothing but `text`, and no other element, such as an option."""
    marked = spoken.get() == "en" and not str(text).isascii()
    return Markup(' lang="zh-CN"') if marked else Markup()


@contextmanager
def in_language_of(request: Request[Any, Any, Any]) -> Iterator[None]:
    """What is said meanwhile is said in English to whoever chose it, on a page that is there in English."""
    token = spoken.set("en" if _is_there(request) and request.cookies.get(COOKIE) == "en" else "zh")
    try:
        yield
    finally:
        spoken.reset(token)


def other_address(request: Request[Any, Any, Any]) -> str:
    """This page in the other language; empty where it is in Chinese alone."""
    if not _is_there(request):
        return ""
    chosen = (ASKED, "zh" if spoken.get() == "en" else "en")
    if request.scope.get("route_handler") is None:  # nobody answers at this address, so nobody would choose there
        return f"/?{urlencode([chosen])}"
    query = _without(request, {ASKED, "told"}) if request.method == "GET" else []
    return f"{request.url.path}?{urlencode([*query, chosen])}"


def _is_there(request: Request[Any, Any, Any]) -> bool:
    """Whether this page is there in English, as one is that says that there is no such page."""
    handler = request.scope.get("route_handler")
    return handler is None or handler.fn.__module__ in IN_ENGLISH


def _without(request: Request[Any, Any, Any], names: Iterable[str]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.query_params.multi_items() if name not in names]


class InLanguage(ASGIMiddleware):
    """What is said while a request is answered is said in the language of who reads."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Answer in the language that was chosen; choose it where the address asks for that."""
        request: Request[Any, Any, Any] = Request(scope)
        chosen = request.query_params.get(ASKED) if scope.get("method") == "GET" and _is_there(request) else None
        if chosen in {"en", "zh"}:
            await _choose(request, chosen)(scope, receive, send)
            return
        with in_language_of(request):
            await next_app(scope, receive, send)


def _choose(request: Request[Any, Any, Any], chosen: str | None) -> ASGIApp:
    """To the same page; that it is read in English is kept for a year."""
    query = urlencode(_without(request, {ASKED}))
    answer = forms.see(f"{request.url.path}?{query}" if query else request.url.path)
    kept = _A_YEAR if chosen == "en" else 0
    secure = not settings().demo
    answer.set_cookie(Cookie(COOKIE, value="en", max_age=kept, httponly=True, samesite="lax", secure=secure))
    return answer.to_asgi_response(None, request)
