"""The page of the OpenAPI document: all that the document says, once, in groups; and what stands beside it."""

import re
from html import unescape
from typing import Any

import httpx
import pytest

from service.app import create_app
from service.pages import api_document
from service.pages.api_document import HEADINGS, Content, Field, groups_of, part_of, refusals_of
from service.pages.routes import schema
from service.wording import wording, words
from tests.pages import Page, read
from tests.service.test_pages import browser

__all__ = ["browser"]  # a fixture

Told = tuple[str, str, dict[str, Any]]


@pytest.fixture
async def document(browser: httpx.AsyncClient) -> dict[str, Any]:
    """As programs are given it."""
    answer = await browser.get("/schema/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    return dict(answer.json())


@pytest.fixture
async def page(browser: httpx.AsyncClient) -> Page:
    answer = await browser.get("/schema")
    assert answer.status_code == 200
    return read(answer)


def operations(document: dict[str, Any]) -> list[Told]:
    return [(m.upper(), path, told) for path, methods in document["paths"].items() for m, told in methods.items()]


def article(page: Page, method: str, path: str) -> str:
    """What the page says of one operation, which stands there once."""
    articles = re.findall(r"<article.*?</article>", page.source, re.DOTALL)
    texts = [" ".join(unescape(re.sub(r"<[^>]*>", " ", each)).split()) for each in articles]
    (found,) = [each for each in texts if each.startswith(f"{method} {path} ")]
    return found


# ---- what the page shows


async def test_every_operation_stands_on_the_page_once(page: Page, document: dict[str, Any]) -> None:
    told = operations(document)
    assert len(told) > 30
    shown = [tuple(each.split()) for each in page.words["h3"]]
    assert sorted(shown) == sorted((method, path) for method, path, _ in told)
    assert len(page.words["article"]) == len(page.words["details"]) == len(told)


async def test_an_operation_says_what_the_document_says(page: Page, document: dict[str, Any]) -> None:
    for method, path, told in operations(document):
        shown = article(page, method, path)
        assert f"{method} {path} {told['description'].splitlines()[0]} 谁能用：" in shown
        names = [each["name"] for each in told.get("parameters", ())]
        assert ("要 Idempotency-Key" in shown) == ("Idempotency-Key" in names), path
        assert all(f" {name} " in shown for name in names), path
        assert all(kind in shown for kind in told.get("requestBody", {}).get("content", ()))
        assert shown.endswith("拒绝 " + " ".join(sorted(status for status in told["responses"] if status >= "400")))


@pytest.mark.parametrize(
    ("operation", "who"),
    [
        ("GET /api/catalog", "任何人"),
        ("GET /api/claims", "登录的人"),
        ("POST /api/claims", "学员、机构经办"),
        ("POST /api/claims/approve", "审核"),
        ("GET /api/batches", "经办、复核、拨付、审计"),
    ],
)
async def test_who_may_ask_is_said_in_the_names_of_posts(page: Page, operation: str, who: str) -> None:
    assert f"谁能用：{who} " in article(page, *operation.split())


async def test_a_body_is_shown_field_by_field(page: Page) -> None:
    claim = article(page, "POST", "/api/claims")
    for line in ("account object | null 可不填 —", "account.number string 必填 —", "district string | null 可不填 —"):
        assert f" {line} " in claim
    assert " via web | counter | platform | public_account 可不填 不填为 web " in claim
    assert " Idempotency-Key string 必填 请求头，最长 128 " in claim
    assert " limit integer 可不填 查询参数，最小 1，最大 200，不填为 50 " in article(page, "GET", "/api/claims")
    assert "提交的内容 text/csv " in article(page, "POST", "/api/returns")
    assert "办成了 204 拒绝" in article(page, "POST", "/api/sign-out")


async def test_one_paragraph_says_how_to_begin(page: Page) -> None:
    assert page.words["h1"] == ["接口说明"]
    (told,) = [each for each in page.words["p"] if "Bearer" in each]
    for name in ("POST /api/sign-in", "Idempotency-Key", "application/problem+json", "Accept-Language", "8 小时"):
        assert name in told


async def test_refusals_are_explained_in_chinese(page: Page, document: dict[str, Any]) -> None:
    refusals = refusals_of(groups_of(document))
    assert refusals.keys() == {
        code for _, _, told in operations(document) for code in told["responses"] if code >= "4"
    }
    assert all(f"http.{status}" in wording() for status in refusals)
    assert page.words["dd"] == list(refusals.values())
    assert words("http.409") in page.words["dd"]


# ---- groups


async def test_every_group_has_a_chinese_heading(page: Page, document: dict[str, Any]) -> None:
    """A new first part of a path needs its line in HEADINGS."""
    parts = {part_of(path) for path in document["paths"]}
    assert parts <= HEADINGS.keys()
    headings = [heading for heading in dict.fromkeys(HEADINGS.values()) if heading in page.words["h2"]]
    assert page.words["h2"] == [*headings, "拒绝的状态码"]
    assert {HEADINGS[part] for part in parts} == set(headings)
    assert all("\u4e00" <= each[0] <= "\u9fff" for each in HEADINGS.values())


def _document(*paths: str, **schemas: Any) -> dict[str, Any]:
    told = {"operationId": "x", "description": "Does it.\n\nAnd more.", "responses": {"200": {}, "503": {}}}
    return {"paths": {path: {"get": told} for path in paths}, "components": {"schemas": schemas}}


def test_what_has_no_heading_is_shown_all_the_same_and_last() -> None:
    groups = groups_of(_document("/api/unheard/of", "/health", "/api/claims", "/api/claims/{claim_id}"))
    assert [(each.heading, len(each.operations)) for each in groups] == [
        ("申领", 2),
        ("服务和日期", 1),
        ("unheard", 1),
    ]
    assert (groups[2].operations[0].summary, groups[2].operations[0].more) == ("Does it.", "And more.")


def test_schemas_are_read_through_their_names() -> None:
    node = {"title": "Node", "properties": {"next": {"oneOf": [{"$ref": "#/s/Node"}, {"type": "null"}]}}}
    lines = {"items": {"$ref": "#/s/Line"}, "type": "array"}
    line = {
        "title": "Line",
        "properties": {
            "on": {"type": "string", "format": "date"},
            "root": {"$ref": "#/s/Node"},
            "all": {"default": []},
        },
        "required": ["on"],
    }
    planted = _document("/api/claims", Node=node, Line=line)
    planted["paths"]["/api/claims"]["get"]["requestBody"] = {
        "content": {"application/json": {"schema": {"properties": {"lines": lines}, "required": ["lines"]}}}
    }
    (group,) = groups_of(planted)
    assert group.operations[0].body == Content(
        "application/json",
        (
            Field("lines", "any[]", True, ""),
            Field("lines[].on", "string (date)", True, ""),
            Field("lines[].root", "any", False, ""),
            Field("lines[].root.next", "any | null", False, ""),
            Field("lines[].all", "any", False, "不填为 []"),
        ),
    )


# ---- how it is served


async def test_the_document_is_put_into_html_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read_times: list[int] = []

    def counting(document: dict[str, Any]) -> list[api_document.Group]:
        read_times.append(1)
        return groups_of(document)

    monkeypatch.setattr(schema, "groups_of", counting)
    fresh = httpx.ASGITransport(create_app())
    async with httpx.AsyncClient(transport=fresh, base_url="http://zhida.test") as visitor:
        first, again = await visitor.get("/schema"), await visitor.get("/schema/")
    assert (first.text, len(read_times)) == (again.text, 1)


@pytest.mark.parametrize(
    "path", ["/schema/x", "/schema/x/y", "/schema/openapi.yaml", "/schema/x.json", "/schema/redoc"]
)
async def test_there_is_nothing_else_below_it(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert (answer.status_code, read(answer).words["h1"]) == (404, ["没有找到"])
    told = await browser.get(path, headers={"Accept": "application/json"})
    assert (told.status_code, told.headers["content-type"]) == (404, "application/problem+json")
    assert told.json()["code"] == "http.404"
