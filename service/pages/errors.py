"""Refusals and failures for people: whoever asked for a page is told on a page, in the words of the problem."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from litestar import Request, Response
from litestar.exceptions import PermissionDeniedException
from litestar.types import ExceptionHandlersMap

from domain.errors import SignedOut
from service import clock
from service.pages.forms import see
from service.pages.language import in_language_of
from service.pages.rendering import page
from service.wording import spoken, wording, words

_Handler = Callable[[Request[Any, Any, Any], Any], Response[Any]]


def for_people(handlers: ExceptionHandlersMap) -> ExceptionHandlersMap:
    """The same handlers, which answer a browser outside /api with a page; programs are told as before."""
    return {kind: _on_a_page(handler) for kind, handler in handlers.items()}


def _on_a_page(handler: _Handler) -> _Handler:
    def told(request: Request[Any, Any, Any], failure: Exception) -> Response[Any]:
        if isinstance(failure, SignedOut) and _wants_a_page(request) and request.method == "GET":
            return see(f"/sign-in?next={quote(request.url.path)}")
        answer = handler(request, failure)
        with in_language_of(request):
            return _page_of(request, answer, failure) if _wants_a_page(request) else answer

    return told


def _wants_a_page(request: Request[Any, Any, Any]) -> bool:
    path = request.url.path
    return "text/html" in request.headers.get("accept", "") and not f"{path}/".startswith("/api/")


def _page_of(request: Request[Any, Any, Any], answer: Response[Any], failure: Exception) -> Response[bytes]:
    """The wording says first what is so, then what to do: a heading and a sentence.

    Our own refusals are of the domain: permission is denied by Litestar alone, to a form without its token.
    """
    problem = answer.content
    code = "page.form_expired" if isinstance(failure, PermissionDeniedException) else problem.code
    end = ". " if spoken.get() == "en" else "。"
    what, _, then = words(code, _in_words(problem.facts)).partition(end)
    at = f"{clock.now().astimezone(clock.SHANGHAI):%H:%M}"
    response = page(
        request,
        "public/error.html",
        clock.today(),
        status=problem.status,
        what=what.removesuffix("."),
        then=then,
        at_clock=at,
    )
    response.headers.update(answer.headers)
    return response


def _in_words(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same facts; fields are called as their forms call them, and one that has no such name is part of the
    address."""
    if "fields" not in facts:
        return facts
    codes = [f"field.{each}" for each in facts["fields"]]
    return {
        **facts,
        "fields": list(dict.fromkeys(words(each if each in wording() else "field.address") for each in codes)),
    }
