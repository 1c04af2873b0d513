"""Pages as a browser gets them: the frame that all share, the first page, and what is said when there is no page."""

import re
import tomllib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.routes import HTTPRoute
from sqlalchemy import event, insert, select
from sqlalchemy.ext.asyncio import create_async_engine

from domain.share import DEFINITION, percent_of, share_of
from service import clock, database
from service.access.tables import UserPostRow, UserRow
from service.claims.tables import ClaimTallyDeltaRow
from service.database import Tx, transaction
from service.local import cast
from service.pages import demo_cast, gathering
from service.pages.rendering import HERE, assets
from service.settings import settings
from service.statistics.queries.share import By, individual_share, parse_span
from tests.app import the_app
from tests.pages import read

_CSS_MAX = 20_000


def test_what_others_wrote_is_as_they_published_it() -> None:
    vendored = tomllib.loads((HERE / "vendor.toml").read_text("utf-8"))["file"]
    for each in vendored:
        content = (HERE / "static" / each["name"]).read_bytes()
        assert (len(content), sha256(content).hexdigest()) == (each["bytes"], each["sha256"])
    ours = {"zhida.css", "zhida.js", "mark.svg"}
    assert {file.name for file in (HERE / "static").iterdir()} == ours | {each["name"] for each in vendored}


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """The service inside this process, asked as browsers ask."""
    headers = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test", headers=headers) as client:
        yield client


@contextmanager
def on_day(day: date) -> Iterator[None]:
    """The demo plays another day for a while."""
    file = Path(settings().clock_offset.removeprefix("@"))
    before = file.read_text()
    file.write_text(str(int(before) + (day - clock.today()).days))
    try:
        yield
    finally:
        file.write_text(before)


@pytest.fixture
def bureau(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same service as a bureau runs it: no demo, the real clock."""
    monkeypatch.setenv("ZHIDA_DEMO", "0")
    monkeypatch.setenv("ZHIDA_CLOCK_OFFSET", "")
    settings.cache_clear()
    yield
    monkeypatch.undo()
    settings.cache_clear()


# ---- the first page


async def _file(tx: Tx, on: date, channel: str, count: int, amount_fen: int) -> None:
    where = {"filed_on": on, "district": "370102", "list_kind": "shortage", "industry": "加工维修", "level": "4"}
    await tx.execute(
        insert(ClaimTallyDeltaRow).values(**where, channel=channel, count=count, amount_fen=amount_fen * count)
    )


FILED_IN = date(2051, 7, 1)


@pytest.fixture
async def filed() -> AsyncIterator[None]:
    """1,234 claims of individuals and 600 of others in a year of their own, taken back afterwards."""
    changes = (("individual", 1234, 120_000), ("institution", 500, 240_000), ("enterprise", 100, 70_000))
    async with transaction() as tx:
        for channel, count, amount_fen in changes:
            await _file(tx, FILED_IN, channel, count, amount_fen)
    yield
    async with transaction() as tx:
        for channel, count, amount_fen in changes:
            await _file(tx, FILED_IN, channel, -count, amount_fen)


async def test_the_share_is_the_one_of_the_statistics(browser: httpx.AsyncClient, filed: None) -> None:
    with on_day(today := date(2051, 11, 24)):
        page = read(await browser.get("/"))
    async with transaction() as tx:
        total = (await individual_share(tx, parse_span(None, None, today), By.MONTH, public=True)).total
    count, amount_fen = share_of(total.count), share_of(total.amount_fen)  # type: ignore[arg-type]
    assert (percent_of(count), percent_of(amount_fen)) == ("67.3%", "53.8%")
    panel = page.words["aside"][1]
    assert re.findall(r"[\d.]+%", panel) == ["67.3%", "53.8%"]
    assert "提交的 1,834 笔申领里，1,234 笔是本人提交的" in panel
    assert "2051年11月24日" in panel
    assert DEFINITION in panel


async def test_without_claims_the_first_page_says_so_in_words(browser: httpx.AsyncClient, filed: None) -> None:
    with on_day(date(2052, 1, 1)):
        panel = read(await browser.get("/")).words["aside"][1]
    assert "今年到 2052年1月1日，还没有人提交申领，所以没有占比" in panel
    assert "%" not in panel
    assert DEFINITION in panel


async def test_the_first_page_counts_the_lists_of_the_edition_in_force(browser: httpx.AsyncClient) -> None:
    page = read(await browser.get("/"))
    for line in ("急需紧缺企业最缺人的职业89", "一般性覆盖面最广449", "专项职业能力单项技能本版未列"):
        assert line in "".join(page.words["table"][0].split())
    assert "538 个职业编码" in page.text
    assert "济人社函〔2023〕28号" in page.text
    with on_day(date(2023, 9, 17)):
        before = read(await browser.get("/"))
    assert "目录还没有发布" in before.text
    assert "449" not in before.text


async def test_the_demo_says_who_is_there_and_which_day_it_plays(browser: httpx.AsyncClient) -> None:
    page = read(await browser.get("/"))
    for part in demo_cast.CAST:
        assert part.who in page.words["th"]
        assert part.may in page.words["td"]
        assert set(part.logins) <= set(page.words["code"])
    assert demo_cast.PASSWORD in page.words["code"]
    band = page.words["aside"][0]
    assert "演示" in band
    assert f"{clock.today().year}年{clock.today().month}月{clock.today().day}日" in band


async def test_a_bureau_shows_no_cast(browser: httpx.AsyncClient, bureau: None) -> None:
    page = read(await browser.get("/"))
    assert "演示" not in page.source
    assert demo_cast.PASSWORD not in page.source
    assert not [login for part in demo_cast.CAST for login in part.logins if login in page.source]
    assert "金额为示例标准，不是实际发布的标准" in page.words["aside"][0]


async def test_the_cast_on_the_page_is_the_cast_that_is_made(tx: Tx) -> None:
    asked = select(UserRow.login, UserPostRow.post).join(UserPostRow, UserPostRow.user_id == UserRow.id)
    before = {(login, post) for login, post in await tx.execute(asked)}
    await cast._make(tx, clock.today(), clock.now())
    made = {(login, post) for login, post in await tx.execute(asked)} - before
    assert made == {(login, str(part.post)) for part in demo_cast.CAST for login in part.logins}
    assert (demo_cast.PASSWORD, demo_cast.DISTRICTS) == (cast.PASSWORD, cast.DISTRICTS)


async def test_every_link_of_the_first_pages_leads_somewhere(browser: httpx.AsyncClient) -> None:
    paths = ("/", "/catalog", "/catalog/6-18-02-04", "/nowhere", "/schema")
    pages = [read(await browser.get(path)) for path in paths]
    addresses = {each.partition("#")[0] for page in pages for each in page.values("href")} - {"", "/nowhere?lang=en"}
    assert len(addresses) > 30
    assert {"/schema", "/schema/openapi.json"} <= addresses
    assert not [each for each in addresses if (await browser.get(each, follow_redirects=True)).status_code != 200]


# ---- the frame


@pytest.mark.parametrize("path", ["/", "/catalog?q=焊", "/catalog/6-18-02-04", "/schema"])
async def test_a_page_that_the_browser_has_is_not_sent_again(browser: httpx.AsyncClient, path: str) -> None:
    first = await browser.get(path)
    assert first.headers["cache-control"] == "no-cache"
    for known in (first.headers["etag"], f"W/{first.headers['etag']}", f'"other", {first.headers["etag"]}'):
        again = await browser.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        assert again.headers["content-security-policy"] == first.headers["content-security-policy"]
    other = await browser.get(path, headers={"If-None-Match": '"other"'})
    assert (other.status_code, other.text) == (200, first.text)
    with on_day(date(2051, 1, 1)):
        later = await browser.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert later.status_code == 200


async def test_files_stand_at_the_address_of_their_bytes(browser: httpx.AsyncClient) -> None:
    used = set(read(await browser.get("/")).values("href", "link"))
    assert used <= set(assets())
    for address in used:
        answer = await browser.get(address)
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"] in {
            *("text/css; charset=utf-8", "text/javascript; charset=utf-8", "image/svg+xml"),
        }
        digest, name = address.split("/")[2:]
        assert sha256(answer.content).hexdigest()[:8] == digest
        assert (await browser.get(f"/static/00000000/{name}")).status_code == 404
    assert (await browser.get("/static/00000000/..%2frendering.py")).status_code == 404


async def test_pages_are_not_in_the_document_of_the_api(browser: httpx.AsyncClient) -> None:
    app = the_app()
    described = (await browser.get("/schema/openapi.json")).json()["paths"]
    here = {route.path for route in app.routes if isinstance(route, HTTPRoute)}
    pages = {"/", "/catalog", "/catalog/{code:str}", "/static/{digest:str}/{name:str}"}
    assert pages <= here
    assert all(path.startswith(("/api/", "/health")) for path in described)


# ---- when there is no page


@pytest.mark.parametrize("path", ["/nowhere", "/health/nowhere", "/apis", "/catalog/a/b", "/schema/x"])
async def test_people_are_told_on_a_page_and_programs_by_a_problem(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    page = read(answer)
    assert answer.status_code == 404
    assert page.words["h1"] == ["没有找到"]
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    told = await browser.get(path, headers={"Accept": "*/*"})
    assert (told.status_code, told.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/api", "/api/nowhere", "/api/claims"])
async def test_the_api_tells_problems_to_everybody(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code in {401, 404}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_what_a_refusal_says_in_its_headers_is_kept(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/catalog")
    read(answer)
    assert (answer.status_code, "GET" in answer.headers["allow"]) == (405, True)


async def test_a_failure_is_told_in_chinese_whatever_the_browser_speaks(
    browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(gathering, "home", fail)
    answer = await browser.get("/", headers={"Accept-Language": "en"})
    page = read(answer)
    assert answer.status_code == 500
    assert page.words["h1"] == ["我们这边出错了，没有提交，没有重复"]
    assert "请稍后再试。" in page.words["p"]
    assert "secret" not in page.source
    assert (await browser.get("/catalog")).status_code == 200


async def test_without_the_database_the_page_says_so(
    browser: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    nowhere = create_async_engine("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr(database, "engine", lambda: nowhere)
    answer = await browser.get("/")
    page = read(answer)
    assert answer.status_code == 503
    assert page.words["h1"] == ["服务暂时停了，没有提交，没有重复"]
    assert (await browser.get("/api/catalog")).headers["content-type"] == "application/problem+json"


# ---- how templates and the stylesheet are written

_FORBIDDEN = re.compile(
    r"""\|\s*safe\b|\sstyle=|<style|<script(?! defer src="\{\{ asset)|\son\w+=|autoescape|javascript:|Markup"""
)


def test_templates_hold_no_style_no_script_and_trust_no_text() -> None:
    planted = ("{{ x|safe }}", "{{ x | safe }}", '<p style="x">', "<script>", '<a onclick="x">')
    assert all(_FORBIDDEN.search(each) for each in planted)
    templates = sorted((HERE / "templates").rglob("*.html"))
    assert len(templates) > 8
    assert not [file.name for file in templates if _FORBIDDEN.search(file.read_text("utf-8"))]


async def test_the_stylesheet_holds_what_pages_use(browser: httpx.AsyncClient, filed: None) -> None:
    css = (HERE / "static/zhida.css").read_text("utf-8")
    assert len(css.encode()) <= _CSS_MAX
    paths = ["/", "/catalog?q=工", "/catalog?q=2-02", "/catalog?q=照护", "/catalog?q=养老护工", "/catalog/6-18-02-04"]
    with on_day(date(2051, 11, 24)):
        pages = [read(await browser.get(path)) for path in [*paths, "/catalog/0", "/nowhere", "/schema"]]
    used = {each for page in pages for classes in page.values("class") for each in classes.split()}
    without_comments = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    assert used <= set(re.findall(r"\.([a-z][\w-]*)", without_comments))
    assert "url(" not in css


async def test_a_page_costs_a_few_statements_however_much_it_shows(browser: httpx.AsyncClient) -> None:
    said: list[str] = []

    def note(_c: Any, _u: Any, statement: str, *_: Any) -> None:
        said.append(statement)

    event.listen(database.engine().sync_engine, "before_cursor_execute", note)
    try:
        costs = {}
        for path in ("/", "/catalog", "/catalog?q=焊", "/catalog/6-18-02-04", "/catalog/0"):
            said.clear()
            await browser.get(path)
            costs[path] = len(said)
    finally:
        event.remove(database.engine().sync_engine, "before_cursor_execute", note)
    assert costs["/catalog"] == costs["/catalog?q=焊"]
    assert 0 < min(costs.values()) <= max(costs.values()) <= 16, costs
