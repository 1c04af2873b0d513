"""What holds of every page, whoever wrote it: who may ask, what a form needs, who keeps the answer, and that it is a
page. The routes are read from the application, so that a new one is held against this too."""

import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from litestar.handlers import HTTPRouteHandler
from litestar.testing import RequestFactory

from domain.actor import Actor, Post
from service.database import transaction
from service.idempotency import Once
from service.pages import forms
from service.pages import routes as pages
from service.security import _WITHOUT_FORMS, PUBLIC, Allowed, open_session
from tests.app import the_app
from tests.pages import Browser, at_a_browser
from tests.world import World, new_maker

#: What stands at a place of an address that names nothing.
_NOWHERE = {"uuid": str(UUID(int=7)), "str": "nothing", "int": "7", "path": "nothing"}


def _asked(method: str) -> list[tuple[str, HTTPRouteHandler]]:
    """(address, handler) of every page that is asked by `method`."""
    mine = {each.fn for each in pages.ROUTES}
    return sorted(
        (re.sub(r"\{\w+:(\w+)\}", lambda found: _NOWHERE[found[1]], route.path), handler)
        for route in the_app().routes
        for handler in getattr(route, "route_handlers", ())
        if method in handler.http_methods and handler.fn in mine
    )


def _private(method: str) -> list[tuple[str, HTTPRouteHandler]]:
    return [(at, handler) for at, handler in _asked(method) if not handler.opt.get(PUBLIC)]


async def _session(*posts: Post) -> str:
    """The token of a session with these posts, which need be nobody's."""
    async with transaction() as tx:
        return (await open_session(tx, Actor(uuid4(), uuid4(), frozenset(posts), None, None))).token


@pytest.fixture
async def stranger() -> AsyncIterator[Browser]:
    """Signed in, and without any post."""
    async with at_a_browser(await _session()) as browser:
        yield browser


@pytest.fixture
async def nobody() -> AsyncIterator[Browser]:
    async with at_a_browser() as browser:
        yield browser


async def _token(browser: Browser) -> dict[str, str]:
    """A form's token, as any page gives it."""
    page = await browser.client.get("/sign-in")
    found = re.search(r'name="_csrf_token" value="([^"]+)"', page.text)
    assert found
    return {"_csrf_token": found[1]}


def test_every_page_is_public_or_says_for_whom_it_is() -> None:
    assert len(_asked("GET")) > 100
    for at, handler in _asked("GET") + _asked("POST"):
        guards = [each for each in handler.guards or () if isinstance(each, Allowed)]
        assert bool(guards) != bool(handler.opt.get(PUBLIC)), at
        assert all(each.posts for each in guards), f"{at} is for anybody who is signed in"


def test_only_what_nobody_signs_in_for_and_nobody_sends_is_without_tokens() -> None:
    """There no cookie is read either: a private page would never know who asks."""
    for at, _ in _private("GET") + _asked("POST"):
        assert not re.match(_WITHOUT_FORMS, at), at


async def test_who_is_not_signed_in_is_led_to_sign_in_and_comes_back(nobody: Browser) -> None:
    for at, _ in _private("GET"):
        answer = await nobody.client.get(at)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={at}")
    token = await _token(nobody)
    for at, _ in _private("POST"):
        assert (await nobody.client.post(at, data=token)).status_code == 401, at


async def test_who_has_no_post_for_it_sees_and_does_nothing(stranger: Browser) -> None:
    token = await _token(stranger)
    for at, _ in _private("GET"):
        answer = await stranger.client.get(at)
        assert answer.status_code == 403, at
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["cache-control"] == "no-store"
    for at, _ in _private("POST"):
        assert (await stranger.client.post(at, data=token)).status_code == 403, at


async def test_no_form_is_taken_without_its_token() -> None:
    """Whoever holds every post."""
    async with at_a_browser(await _session(*Post)) as browser:
        others = await _token(browser)
        browser.client.cookies.clear()
        for at, _ in _asked("POST"):
            for sent in ({}, others, {"_csrf_token": "0" * 128}):
                answer = await browser.client.post(at, data=sent)
                assert answer.status_code == 403, at
                assert "这张表过期了" in answer.text, at


@pytest.fixture
async def everybody() -> AsyncIterator[Browser]:
    """One who holds every post, of the city and of an institution."""
    async with transaction() as tx:
        world = await World.build(tx)
        me = Actor(uuid4(), (await world.person(tx))[0], frozenset(Post), None, world.clerks[0].institution_id)
        token = (await open_session(tx, me)).token
    async with at_a_browser(token) as browser:
        yield browser


async def test_no_page_fails_or_is_kept_on_the_way_and_what_is_not_there_is_not_found(everybody: Browser) -> None:
    for at, handler in _asked("GET"):
        answer = await everybody.client.get(at)
        assert answer.status_code < 500, at
        assert "json" not in answer.headers.get("content-type", ""), at
        if not handler.opt.get(PUBLIC) and answer.status_code != 303:
            assert "no-store" in answer.headers["cache-control"], at
        if _NOWHERE["uuid"] in at and at != f"/me/claims/draft/{_NOWHERE['uuid']}/nothing":
            assert answer.status_code == 404, f"{at}: {answer.status_code}"


async def test_what_stands_with_an_etag_gives_nobody_a_cookie_to_keep(nobody: Browser) -> None:
    """A cache in between would hand it to the next who asks, whose forms then have somebody else's token."""
    for at, handler in _asked("GET"):
        if handler.opt.get(PUBLIC):
            nobody.client.cookies.clear()
            answer = await nobody.client.get(at)
            assert not ("etag" in answer.headers and "set-cookie" in answer.headers), at


async def test_what_is_not_there_is_not_found_by_its_forms_either(everybody: Browser) -> None:
    token = await _token(everybody)
    for at, _ in _private("POST"):
        if _NOWHERE["uuid"] in at:
            answer = await everybody.client.post(at, data=token)
            assert 400 <= answer.status_code < 500, f"{at}: {answer.status_code}"
            assert answer.headers["content-type"].startswith("text/html"), at


# ---- forms that are sent twice


def _once(key: str, **given: str) -> Once:
    request = RequestFactory().post("/finance/batches/sign")
    return forms.once_of(request, Actor(UUID(int=1), UUID(int=2), frozenset(), None, None), given, key)


def test_no_password_can_be_guessed_from_what_is_kept_of_a_form() -> None:
    told = {"content_hash": "ab", "sum_fen": "100"}
    signed = _once("file", **told, password="correct horse", code="123456")
    assert signed == _once("file", **told, password="another", code="654321")  # it is the same signature
    assert signed == _once("file", **told)
    assert signed != _once("file", **{**told, "sum_fen": "101"})
    assert _once("file", code="identity_doubt") != _once("file", code="other")  # one of a list, and no secret
    assert signed.body == urlencode(sorted(told.items())).encode()


def test_only_the_keys_of_our_forms_are_kept() -> None:
    number, id_ = new_maker().person().id_number, uuid4()
    for ours in (str(id_), f"submit-{id_}", f"{id_}-12", f"{id_}-turn", f"{id_}-{id_}", "file"):
        assert _once(ours).key == ours
    for other in ("", number, f"{id_}-{number.lower()}", "x" * 5000, f"{id_}-{'a' * 100}", "1", f"{id_}\n", "\0"):
        key = _once(other).key
        assert UUID(key)
        assert key != _once(other).key  # so it is no replay of anything
