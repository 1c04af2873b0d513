"""A session ends while somebody types: what they send is kept for them, and stands there again once they signed in.

What was typed is never in an address, nor with the browser. It is found by who asks for which page; `told=kept` in
the address only says that somebody comes back for it.
"""

from typing import Any
from urllib.parse import quote, urlsplit

from litestar import Litestar, Request
from litestar.enums import RequestEncodingType, ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.middleware.csrf import CSRFMiddleware
from litestar.routes import HTTPRoute
from litestar.types import ASGIApp, Receive, Scope, Send

from service.access.commands import keep_form
from service.access.queries import kept_form
from service.database import transaction
from service.pages import forms, homes
from service.pages.rendering import KEPT
from service.security import COOKIE, PUBLIC

_COMES_BACK = b"told=kept"
_FORMS = {RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART}


class KeepForms(ASGIMiddleware):
    """Stands behind `Authentication`; other sites' forms are refused here as they are at the pages."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Send whoever is not signed in any more to sign in, with their form kept; give it back when they return."""
        if scope.get("method") == "POST" and scope["user"] is None and _is_too_late(Request(scope)):
            config = scope["litestar_app"].csrf_config
            assert config is not None, "this service has pages with forms"
            await CSRFMiddleware(_keep, config)(scope, receive, send)
            return
        if scope.get("method") == "GET" and scope["user"] and _COMES_BACK in scope["query_string"]:
            await _give_back(Request(scope))
        await next_app(scope, receive, send)


def _is_too_late(request: Request[Any, Any, Any]) -> bool:
    """Whether nobody sends a form of a page that one signs in for, with a cookie that opens nothing any more."""
    closed = COOKIE in request.cookies and not request.route_handler.opt.get(PUBLIC)
    is_page = not request.url.path.startswith("/api/") and request.content_type[0] in _FORMS
    return closed and is_page and "authorization" not in request.headers


async def _keep(scope: Scope, receive: Receive, send: Send) -> None:
    """Keep the form, and ask for the password first; the page to come back to says whether it was kept."""
    app: Litestar = scope["litestar_app"]
    request: Request[Any, Any, Any] = app.request_class(scope, receive)
    page, typed = _page_of(request, app), await forms.typed(request)
    async with transaction() as tx:
        kept = await keep_form(tx, request.cookies[COOKIE], page, typed)
    answer = forms.see(f"/sign-in?next={quote(f'{page}?{_COMES_BACK.decode()}' if kept else page)}")
    await answer.to_asgi_response(None, request)(scope, receive, send)


async def _give_back(request: Request[Any, Any, Any]) -> None:
    async with transaction() as tx:
        typed = await kept_form(tx, request.user, request.url.path)
    if typed is not None:
        request.scope["state"][KEPT] = typed


def _page_of(request: Request[Any, Any, Any], app: Litestar) -> str:
    """Where the form stood: the page it was sent from, else its own address, or the next above that can be looked at.

    A page that was shown again with what was wrong has the address of its form.
    """
    came_from, path = urlsplit(request.headers.get("referer", "")), request.url.path
    if came_from.netloc == request.url.netloc and came_from.path != path and homes.local(came_from.path):
        return came_from.path
    pages = {route.path_format for route in app.routes if isinstance(route, HTTPRoute) and "GET" in route.methods}
    template = request.scope["path_template"]
    while template not in pages:
        template, path = template.rpartition("/")[0], path.rpartition("/")[0]
        if not template:
            return "/home"
    return path
