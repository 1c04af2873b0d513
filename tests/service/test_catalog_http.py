"""The catalog over HTTP: what anybody may ask, from memory where it can be; and a draft as an editor works on it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.actor import Post
from service import database
from service.catalog.commands.references import load_trades
from service.catalog.queries import published
from service.database import transaction
from service.security import open_session
from tests.app import the_app
from tests.world import World

SHEET = "目录,序号,编码,名称,行业分类\n急需紧缺,1,6-18-02-04,焊工,加工维修\n急需紧缺,3,6-18-02-05,铸造工,加工维休\n"


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


class Desk:
    """The API as one person of a post uses it."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}

    async def post(self, path: str, answer: Any = None, **about: Any) -> httpx.Response:
        headers = {**self.headers, "Idempotency-Key": str(uuid4()), **about.pop("headers", {})}
        body = about or {"json": answer}
        return await self.client.post(f"/api/catalog/drafts{path}", headers=headers, **body)

    async def get(self, path: str) -> Any:
        return (await self.client.get(f"/api/catalog/drafts{path}", headers=self.headers)).json()


@pytest.fixture
async def desks(client: httpx.AsyncClient, committed: World) -> tuple[Desk, Desk]:
    """An editor's and a publisher's."""
    async with transaction() as tx:
        tokens = [
            (await open_session(tx, await committed.user(tx, {post}))).token
            for post in (Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER)
        ]
    return Desk(client, tokens[0]), Desk(client, tokens[1])


@pytest.mark.parametrize(("text", "found"), [("焊工", True), ("6-18-02-04", True), ("hg", True), ("飞行员", False)])
async def test_items_are_found_by_name_code_and_initials(client: httpx.AsyncClient, text: str, found: bool) -> None:
    answer = (await client.get("/api/catalog", params={"q": text})).json()
    assert ("6-18-02-04" in {item["code"] for item in answer["items"]}) == found
    assert answer["edition"]["year"] == 2023


async def test_a_trade_finds_its_occupation(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async with transaction() as tx:
        await load_trades(tx, [{"name": "气焊工", "code": "6-18-02-04", "source": "示例"}])
    monkeypatch.setattr(published, "_memory", published._Memory())
    answer = (await client.get("/api/catalog", params={"q": "气焊"})).json()
    assert {item["name"] for item in answer["items"]} == {"焊工"}


async def test_what_has_not_changed_is_answered_without_the_database(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await client.get("/api/catalog", params={"q": "焊"})
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "public, max-age=60"

    def away() -> None:
        raise AssertionError("the database was asked")

    monkeypatch.setattr(database, "engine", away)
    same = await client.get("/api/catalog", params={"q": "焊"}, headers={"If-None-Match": tag})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    again = await client.get("/api/catalog", params={"q": "焊"}, headers={"If-None-Match": 'W/"other"'})
    assert (again.status_code, again.json()) == (200, first.json())


async def test_a_day_without_an_edition_is_an_answer(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/catalog", params={"on": "2019-05-01"})
    assert (answer.status_code, answer.json()) == (200, {"edition": None, "items": []})


async def test_an_edition_is_published_as_files_feed_and_text(client: httpx.AsyncClient) -> None:
    (edition,) = (await client.get("/api/catalog/editions")).json()["editions"]
    at = f"/api/catalog/editions/{edition['id']}"
    book = await client.get(f"{at}/file")
    assert book.content[:2] == b"PK"
    assert "catalog-2023-0.xlsx" in book.headers["content-disposition"]
    assert (await client.get(f"{at}/file", headers={"If-None-Match": book.headers["etag"]})).status_code == 304
    lines = (await client.get(f"{at}/file", params={"kind": "csv"})).content.decode("utf-8-sig").splitlines()
    assert (len(lines), lines[0]) == (779, "目录,序号,编码,名称,标识,行业分类")
    text = (await client.get(f"{at}/announcement")).json()["text"]
    assert text == (
        "【公告】2023 年职业培训项目目录自2023年9月18日起施行。共 778 项。"
        "学什么、补多少，请查：http://zhida.test/catalog"
    )
    feed = await client.get("/catalog/feed.atom")
    assert feed.headers["content-type"].startswith("application/atom+xml")
    assert "共 778 项" in feed.text
    assert (
        await client.get("/catalog/feed.atom", headers={"If-None-Match": feed.headers["etag"]})
    ).status_code == 304


async def test_a_draft_goes_from_upload_to_approval(client: httpx.AsyncClient, desks: tuple[Desk, Desk]) -> None:
    editor, publisher = desks
    upload = {"content": SHEET.encode("gb18030"), "params": {"year": 2090, "source": "示例.csv"}}
    made = await editor.post("", headers={"Content-Type": "text/csv"}, **upload)
    assert (made.status_code, made.json()["status"]) == (201, "draft")
    at = f"/{made.json()['id']}"
    assert (await client.get(f"/api/catalog/editions{at}/announcement")).status_code == 404
    assert (await client.get(f"/api/catalog/editions{at}/file")).status_code == 404
    found = await editor.get(f"{at}/findings")
    assert (found["open_errors"], found["open_warnings"]) == (0, 2)
    gap = next(each["id"] for each in found["findings"] if each["kind"] == "serial_gap")
    decided = await editor.post(f"{at}/findings/{gap}", {"decision": "accept", "note": "编号跳号"})
    assert decided.json()["decision"] == "accept"
    row = next(each for each in (await editor.get(at))["items"] if each["name"] == "铸造工")
    values = {"list_name": "急需紧缺", "name": "铸造工", "code": row["code"], "serial": 3, "reason": "错字"}
    assert (await editor.post(f"{at}/items/{row['id']}", {**values, "industry": "加工维修"})).json()["corrected"]
    added = await editor.post(
        f"{at}/items", {**values, "name": "锻造工", "code": "6-18-02-06", "industry": "加工维修"}
    )
    assert (await editor.post(f"{at}/items/{added.json()['id']}/remove", {"reason": "录错"})).status_code == 204
    assert (await publisher.post(f"{at}/items", values)).status_code == 403
    today = made.json() and (await client.get("/api/today")).json()["today"]
    await editor.post(f"{at}/consult", {"first": today, "last": today})
    early = await publisher.post(f"{at}/approve", {"reason": ""})
    assert (early.status_code, early.json()["code"]) == (409, "edition.consultation_runs")
    changed = (await editor.get("/difference/2023/2090"))["removed"]
    assert len(changed) > 700


async def test_only_editors_and_publishers_see_drafts(client: httpx.AsyncClient, committed: World) -> None:
    async with transaction() as tx:
        trainee = await committed.trainee(tx)
        token = (await open_session(tx, trainee.actor)).token
    refused = await Desk(client, token).get("")
    assert refused["status"] == 403
    assert (await client.get("/api/catalog/drafts")).status_code == 401
    hidden = await client.get("/api/catalog/difference/2023/2090")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "edition.none_of_year")


@pytest.mark.parametrize(
    ("content", "kind", "status", "code"),
    [
        (b"\xff\xfe\x00garbage\x81", "text/csv", 422, "file.not_text"),
        (b"a,b,c\n1,2,3\n", "text/csv", 422, "sheet.no_headings"),
        (b"PK\x03\x04 no workbook", "text/csv", 422, "file.not_text"),
        (b"x", "application/pdf", 415, "http.415"),
    ],
)
async def test_what_is_no_catalog_is_refused_and_leaves_nothing(
    desks: tuple[Desk, Desk], content: bytes, kind: str, status: int, code: str
) -> None:
    editor, _ = desks
    upload = {"content": content, "params": {"year": 2091}, "headers": {"Content-Type": kind}}
    refused = await editor.post("", **upload)
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert 2091 not in {each["year"] for each in (await editor.get(""))["editions"]}


async def test_memory_of_days_ends(monkeypatch: pytest.MonkeyPatch, committed: World) -> None:
    monkeypatch.setattr(published, "_DAYS_KEPT", 3)
    for days in range(9):
        await published.published_on(committed.today - timedelta(days=days))
    assert len(published._memory.days) <= 3


async def test_many_findings_are_answered_in_one_call_and_once(
    client: httpx.AsyncClient, desks: tuple[Desk, Desk]
) -> None:
    editor, publisher = desks
    upload = {"content": SHEET.encode(), "params": {"year": 2089, "source": "示例.csv"}}
    at = f"/{(await editor.post('', headers={'Content-Type': 'text/csv'}, **upload)).json()['id']}"
    found = (await editor.get(f"{at}/findings"))["findings"]
    seen = [{"id": each["id"], "version": each["version"]} for each in found]
    await editor.post(f"{at}/findings/{seen[0]['id']}", {"decision": "ask", "note": "问了省厅"})
    body = {"decision": "accept", "note": "照发布的", "findings": seen}
    key = {"Idempotency-Key": str(uuid4())}
    first, second = [await editor.post(f"{at}/findings", headers=key, json=body) for _ in range(2)]
    assert (first.status_code, first.json()["decided"]) == (200, len(seen) - 1)
    assert [(each["id"], each["note"]) for each in first.json()["changed"]] == [(seen[0]["id"], "问了省厅")]
    assert (second.json(), second.headers["idempotent-replayed"]) == (first.json(), "true")
    assert (await editor.post(f"{at}/findings", {**body, "findings": []})).status_code in (400, 422)
    many = [{"id": str(uuid4()), "version": "x"}] * 501
    assert (await editor.post(f"{at}/findings", {**body, "findings": many})).status_code in (400, 422)
    foreign = await editor.post(f"{at}/findings", {**body, "findings": [*seen, many[0]]})
    assert (foreign.status_code, foreign.json()["code"]) == (404, "finding.none")
    assert (await publisher.post(f"{at}/findings", body)).status_code == 403
