"""The catalog's pages: what is found, what is paid, and what becomes of strange questions."""

import re
from collections.abc import AsyncIterator
from datetime import date
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import asyncpg
import httpx
import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from service import database
from service.catalog.queries.published import catalog_on
from service.catalog.schemas import ItemView
from service.clock import today
from service.database import Tx, async_url
from service.pages.catalog_pages import Search, Slice, entries_of, names_near, readable
from service.pages.rendering import _marked
from service.standards.queries.amounts import standards_on
from tests.conftest import Databases
from tests.pages import Page, read
from tests.service.season import fresh_database
from tests.service.test_pages import browser, bureau, on_day

__all__ = ["browser", "bureau"]  # fixtures

WELDER = "6-18-02-04"


async def search(browser: httpx.AsyncClient, **asked: str | int) -> Page:
    answer = await browser.get(f"/catalog?{urlencode(asked, errors='surrogatepass')}")
    assert answer.status_code == 200
    return read(answer)


def codes(page: Page) -> list[str]:
    return [each.rpartition("/")[2] for each in page.values("href") if re.match("/catalog/[0-9]", each)]


def total(page: Page) -> int:
    found = re.search(r"找到 ([\d,]+) 项", page.text)
    return int(found[1].replace(",", "")) if found else 0


# ---- looking for something


async def test_a_search_finds_what_the_query_finds_once_a_code(browser: httpx.AsyncClient, tx: Tx) -> None:
    for text in ("护理", "6-18-02", "焊工", "工程技术人员"):
        wanted = list(dict.fromkeys(row.code for row in (await catalog_on(tx, today(), text)).items))
        page = await search(browser, q=text)
        assert codes(page) == wanted
        assert total(page) == len(wanted) > 0
        assert page.values("value", "input") == [text]
    assert all("护理" in each for each in (await search(browser, q="护理")).words["mark"])


async def test_lists_and_industries_narrow_what_is_found(browser: httpx.AsyncClient, tx: Tx) -> None:
    rows = (await catalog_on(tx, today())).items
    both = {row.code for row in rows if row.list_kind == "manufacturing" and row.industry == "加工维修"}
    page = await search(browser, list="manufacturing", industry="加工维修")
    assert total(page) == len(both) > 5
    assert set(codes(page)) <= both
    chosen = [
        each["value"] for tag, each in page.elements if tag == "option" and "selected" in each and "value" in each
    ]
    assert chosen == ["manufacturing"]
    assert total(await search(browser, list="manufacturing")) > len(both)
    welder = await search(browser, q=WELDER, list="shortage")
    assert {"急需紧缺", "制造业"} <= set(welder.words["span"])  # what was found says where else it stands


async def test_pages_of_thirty_meet(browser: httpx.AsyncClient, tx: Tx) -> None:
    wanted = list(dict.fromkeys(row.code for row in (await catalog_on(tx, today(), "", "shortage")).items))
    found: list[str] = []
    address = "/catalog?list=shortage"
    for size in (30, 30, 29):
        page = read(await browser.get(address))
        assert len(codes(page)) == size
        found += codes(page)
        address = next((each["href"] or "" for tag, each in page.elements if each.get("rel") == "next"), "")
    assert (found, address) == (wanted, "")
    back = next(each["href"] or "" for tag, each in page.elements if each.get("rel") == "prev")
    assert parse_qs(urlsplit(back).query) == {"list": ["shortage"], "first": ["31"]}
    assert "第 61–89 项，共 89 项" in page.text
    assert total(await search(browser, first=1_000_000_000)) == total(await search(browser))


async def test_project_items_have_no_amount_and_no_page(browser: httpx.AsyncClient) -> None:
    page = await search(browser, q="老年失能照护")
    assert (total(page), codes(page)) == (1, [])
    assert "个人不用申领" in page.text
    assert "元／人" not in page.text


async def test_nothing_found_offers_names_that_are_near(browser: httpx.AsyncClient) -> None:
    page = await search(browser, q="养老护工")
    assert "没有符合的" in page.text
    near = [each for each in page.values("href") if each.startswith("/catalog?q=") and "lang=" not in each]
    assert near[0] == f"/catalog?q={quote('养老护理员')}"
    assert codes(read(await browser.get(near[0]))) == ["4-10-01-05"]
    narrowed = await search(browser, q="焊工", list="project")
    assert "没有符合的" in narrowed.text
    assert "/catalog" in narrowed.values("href")


async def test_before_the_first_edition_there_is_nothing_to_search(browser: httpx.AsyncClient) -> None:
    with on_day(date(2023, 9, 17)):
        page, item = await search(browser, q="焊工"), await browser.get(f"/catalog/{WELDER}")
    assert "目录还没有发布" in page.text
    assert not page.values("value", "input")
    assert (item.status_code, "目录还没有发布" in read(item).text) == (404, True)


# ---- strange questions


STRANGE = {
    "nul": "q=%00",
    "nul inside": "q=%E7%84%8A%00%E5%B7%A5",
    "lone surrogate": "q=%ED%A0%80",
    "no utf-8": "q=%FF%FE",
    "percent": "q=%",
    "wildcards": "q=%25",
    "underline": "q=_",
    "backslash": "q=%5C",
    "quote": "q='%20OR%201=1--",
    "long": "q=" + "%E5%B7%A5" * 2000,
    "direction": "q=%E2%80%AE%E5%B7%A5",
    "twice": "q=a&q=b&list=x&list=y",
    "brackets": "q[]=a&list[$ne]=x",
    "unknown list": "list=startup",
    "list nul": "list=%00",
    "page": "first=1000000000",
    "page below": "first=-31",
    "page nought": "first=0",
    "page other digits": "first=%C2%B2",
    "page full-width": "first=%EF%BC%93%EF%BC%91",
    "page of many digits": "first=" + "9" * 5000,
    "page no number": "first=1e3",
}


@pytest.mark.parametrize("query", STRANGE.values(), ids=STRANGE)
async def test_strange_questions_get_a_page(browser: httpx.AsyncClient, query: str) -> None:
    answer = await browser.get(f"/catalog?{query}")
    read(answer)
    assert answer.status_code == (400 if "%00" in query else 200)


@pytest.mark.parametrize("text", ["%", "_", "\\", "焊_", "' OR 1=1"])
async def test_what_means_something_to_a_database_is_only_text(browser: httpx.AsyncClient, text: str) -> None:
    assert total(await search(browser, q=text)) == 0


@pytest.mark.parametrize(
    "code", ["%00", "%FF", "%ED%A0%80", "%20", "..%2f..", "6-18-02-0", "6-18-02-04x", "%25", "焊工"]
)
async def test_strange_codes_are_not_found(browser: httpx.AsyncClient, code: str) -> None:
    answer = await browser.get(f"/catalog/{code}")
    page = read(answer)
    assert answer.status_code == 404
    assert page.words["h1"][0] in {"目录里没有这个编码", "没有找到"}


ATTACKS = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus='alert(1)",
    "</title>{{7*7}}",
)


@pytest.mark.parametrize("attack", ATTACKS)
async def test_what_was_typed_is_shown_and_never_run(browser: httpx.AsyncClient, attack: str) -> None:
    page = await search(browser, q=attack, list=attack, industry=attack)
    assert page.values("value", "input") == [attack]
    assert page.words["title"][0].startswith(attack)
    assert "img" not in {tag for tag, _ in page.elements}
    item = await browser.get(f"/catalog/{quote(attack.replace('/', '|'), safe='')}")
    assert item.status_code == 404
    assert attack.replace("/", "|") in read(item).text


def test_marks_stand_around_escaped_text() -> None:
    assert _marked("a<b>c", "<b>") == "a<mark>&lt;b&gt;</mark>c"
    assert _marked("<i>", "") == "&lt;i&gt;"
    assert _marked("养老护理员", "护理") == "养老<mark>护理</mark>员"


def test_what_is_typed_is_read_kindly() -> None:
    assert Search.of({"q": " ６－１８ ", "first": "31"}) == Search("6-18", "", "", 31)
    assert readable("养老（护理）") == "养老（护理）"
    assert readable("a\0b\ud800c\u202e\n") == "abc"
    assert len(readable("工" * 1000)) == 60


def test_a_slice_knows_its_neighbours() -> None:
    rows = [_row(str(number)) for number in range(61)]
    entries = entries_of(rows, rows)
    slices = [Slice.of(entries, first) for first in (1, 31, 61, 62, 5)]
    assert [(each.first, each.last, each.before, each.after) for each in slices] == [
        (1, 30, None, 31),
        (31, 60, 1, 61),
        (61, 61, 31, None),
        (1, 30, None, 31),
        (5, 34, 1, 35),
    ]
    assert not Slice.of([], 1).entries


def test_names_near_come_likest_first() -> None:
    rows = [_row("1", "养老护理员"), _row("2", "公路养护工"), _row("3", "车工")]
    assert names_near("养老护理", rows) == ["养老护理员", "公路养护工"]
    assert names_near("", rows) == []


def _row(code: str, name: str = "工") -> ItemView:
    return ItemView(None, "general", "", "", code, name, "", "")  # type: ignore[arg-type]


# ---- what one gets


async def test_an_occupation_shows_every_row_and_every_amount(browser: httpx.AsyncClient, tx: Tx) -> None:
    answer = await browser.get("/catalog/6-17-05-04")
    page = read(answer)
    catalog = await catalog_on(tx, today(), "6-17-05-04")
    assert len(catalog.items) == 2
    assert catalog.edition is not None
    for row in catalog.items:
        assert {row.list_name, row.serial, row.name, row.industry} <= {*page.words["th"], *page.words["td"]}
    for view in await standards_on(tx, "6-17-05-04", today()):
        assert view.amount in page.words["td"]
        assert view.level_name in page.words["th"]
    assert "1,000 × 1.1" in page.words["td"]
    assert "1.1 是“制造业”目录的系数" in page.text
    assert "同一编码还印作：重冶金法冶炼工" in page.text
    assert {catalog.edition.source_name, catalog.edition.source_sha256} <= set(page.words["dd"])
    assert "示例标准" in page.words["h2"][0]
    assert "证书日期起 12 个月内" in page.text


async def test_engineers_have_levels_of_their_own(browser: httpx.AsyncClient) -> None:
    found = await search(browser, q="2-02-10-11")
    assert "初级 1,800 中级 2,400 高级 3,600" in found.text
    page = read(await browser.get("/catalog/2-02-10-11"))
    assert [each for each in page.words["th"] if each.endswith("级")][-3:] == ["初级", "中级", "高级"]
    assert "2-02-38-03" in page.text


async def test_no_standard_that_day_is_said_and_never_nought(
    browser: httpx.AsyncClient, apart: asyncpg.Connection
) -> None:
    await apart.execute("DELETE FROM standards WHERE occupation = $1", WELDER)
    page, item = await search(browser, q=WELDER), read(await browser.get(f"/catalog/{WELDER}"))
    for each in (page, item):
        assert "没有有效的补贴标准" in each.text
        assert not {"0", "0 元", "0.00"} & {text.strip() for text in each.words["td"]}
        assert "元／人" not in each.text


async def test_only_samples_are_marked_as_samples(
    browser: httpx.AsyncClient, bureau: None, apart: asyncpg.Connection
) -> None:
    paths = ("/", "/catalog?q=焊工", f"/catalog/{WELDER}")
    for path in paths:
        assert "示例标准" in read(await browser.get(path)).source
    await apart.execute("UPDATE standards SET sample = false")
    await apart.execute("UPDATE standard_sets SET sample = false, formula = NULL, source = '另一份通知'")
    for path in paths:
        page = read(await browser.get(path))
        assert "示例" not in page.source
        assert "ribbon" not in page.source
    assert "1,200 元" in page.text


@pytest.fixture
async def apart(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[asyncpg.Connection]:
    """The service on a database of its own, and the superuser's connection to it, who changes what nobody may."""
    server = databases.app_url.rpartition("/")[0]
    async with fresh_database(databases.admin_url, "pages") as name:
        engine = create_async_engine(async_url(f"{server}/{name}"))
        admin = await asyncpg.connect(f"{databases.admin_url.rpartition('/')[0]}/{name}")
        await admin.execute("SET session_replication_role = replica")  # no guard stands in the way
        monkeypatch.setattr(database, "engine", lambda: engine)
        yield admin
        await admin.close()
        await engine.dispose()
