"""The registry and a whole round of selection over HTTP, as the days pass."""

import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.actor import Post
from service import clock
from service.database import transaction
from service.gateways.file_store import FILE_BYTES_MAX
from service.settings import settings
from tests.app import the_app
from tests.selection import A_DAY, PDF, Selecting
from tests.service.test_batches_http import Desk, desk
from tests.world import WELDER, World


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


@pytest.fixture
def passing_days() -> Iterator[None]:
    """The clock of this process may be moved, and is put back."""
    yield
    Path(settings().clock_offset.removeprefix("@")).write_text("0")


@pytest.fixture
async def played(committed: World) -> Selecting:
    async with transaction() as tx:
        return await Selecting.of(tx, committed)


async def handed_in(clerk: Desk, place: str, data: bytes, kind: str = "application/pdf") -> Any:
    headers = {**clerk.headers, "Content-Type": kind, "Idempotency-Key": str(uuid4())}
    return await clerk.client.post(f"/api{place}/documents?name=许可证", content=data, headers=headers)


@pytest.mark.usefixtures("passing_days")
async def test_a_round_over_http(client: httpx.AsyncClient, played: Selecting) -> None:
    officer, clerk = await desk(client, played.officer), await desk(client, played.clerk)
    today, place = played.world.today, f"/institutions/{played.institution_id}"
    first, last = today + A_DAY * 60, today + A_DAY * 424
    announcement = {
        "year": first.year,
        "title": "示例遴选",
        "kinds": ["private_school"],
        "criteria": [{"name": "师资", "weight": 60}, {"name": "场地", "weight": 40}],
        "pass_mark": 60,
        "assessors": 2,
        "applications": {"from": str(today), "to": str(today + A_DAY)},
        "admits": {"from": str(first), "to": str(last)},
    }
    announced = (await officer.post("/selections", announcement, key="a")).json()
    assert (await officer.post("/selections", announcement, key="a")).json() == announced
    at = f"/selections/{announced['id']}"
    document = (await handed_in(clerk, place, PDF)).json()
    assert document["sha256"] == hashlib.sha256(PDF).hexdigest()
    body = {"scopes": [{"occupation": WELDER, "levels": ["4"]}], "documents": [document["id"]]}
    answer = await clerk.post(f"{at}/applications", body)
    assert answer.status_code == 201, answer.text
    application = f"/selections/applications/{answer.json()['id']}"
    clock.advance(2)
    for assessor in played.assessors[:2]:
        sheet = {"points": {"师资": 90, "场地": 60}, "remark": "现场看过"}
        given = await (await desk(client, assessor)).post(f"{application}/scores", sheet)
        assert given.status_code == 201, given.text
    publicised = (await officer.post(f"{at}/publicise", {})).json()
    assert [(each["status"], each["score"]) for each in publicised["results"]] == [("nominated", 7_800)]
    assert (await client.get(f"/api{at}")).json() == publicised
    early = await officer.post(f"{application}/admit", {})
    assert (early.status_code, early.json()["code"]) == (409, "selection.in_publicity")
    assert (await client.get(f"/api{place}")).status_code == 404
    over = date.fromisoformat(publicised["publicity"]["last"]) + A_DAY
    clock.advance((over - clock.today()) // timedelta(days=1))
    assert (await officer.post(f"{application}/admit", {})).json()["status"] == "admitted"
    assert (await officer.post(f"{at}/close", {})).json()["status"] == "closed"
    query = f"on={first}&district={played.world.here}&standing=listed&limit=200"
    page = (await client.get(f"/api/institutions?{query}")).json()
    (shown,) = [each for each in page["institutions"] if each["id"] == str(played.institution_id)]
    assert (shown["standing_name"], shown["kind_name"]) == ("在目录", "民办培训机构")
    assert shown["scopes"] == [{"occupation": WELDER, "levels": ["4"]}]
    file = await client.get(f"/api/institutions/file?{query}")
    assert f"{shown['credit_code']},{shown['name']},民办培训机构,,370102,在目录,{WELDER} 四级" in file.text
    shown_late = (await client.get(f"/api{place}?on={last + A_DAY}")).json()
    assert shown_late["standing"] == "expired"
    record = (await clerk.get(f"{place}/record?on={first}")).json()
    assert record["institution"] == shown
    read = await clerk.get(f"{place}/documents/{document['id']}")
    assert (read.content, read.headers["x-content-type-options"]) == (PDF, "nosniff")


async def test_the_registry_over_http(client: httpx.AsyncClient, played: Selecting) -> None:
    officer, clerk = await desk(client, played.officer), await desk(client, played.clerk)
    async with transaction() as tx:
        other = await played.world.user(tx, {Post.INSTITUTION_OFFICER})
    today, place = str(played.world.today), f"/institutions/{played.institution_id}"
    added = {
        "branches": {"name": "东校区", "district": "370112", "address": "示例路 1 号", "from": today},
        "contacts": {"role": "training", "name": "张秀梅", "phone": "13800138000", "from": today},
        "grades": {"grade": "A", "source": "示例文件", "from": today},
        "scopes": {"scopes": [{"occupation": WELDER, "levels": ["4"]}], "source": "示例文件", "from": today},
    }
    for part, body in added.items():
        answer = await officer.post(f"{place}/{part}", body)
        assert answer.status_code == 201, answer.text
        assert (await clerk.post(f"{place}/{part}", body)).status_code == 403
        found = answer.json() if part != "scopes" else answer.json()[0]
        ended = await officer.post(f"{place}/ends", {"part": part, "id": found["id"], "to": today})
        assert ended.status_code == 200, ended.text
    account = {"number": "3701024009123456", "holder": "示例技能学校（历下）", "bank_code": "102100099996"}
    proposal = await clerk.post(f"{place}/accounts", {**account, "reason": "首次登记", "from": today})
    assert proposal.status_code == 201, proposal.text
    waiting = f"{place}/accounts/{proposal.json()['id']}"
    assert (await clerk.post(f"{waiting}/confirm", {})).status_code == 403
    assert (await officer.post(f"{waiting}/confirm", {})).status_code == 200
    again = await (await desk(client, other)).post(f"{waiting}/decline", {"reason": "不对"})
    assert (again.status_code, again.json()["code"]) == (409, "institution.account_answered")
    record = (await officer.get(f"{place}/record")).json()
    assert [len(record[part]) for part in (*added, "accounts")] == [1, 1, 1, 1, 1]
    assert record["accounts"][0]["answer"] == "confirmed"
    wrong = await officer.post(
        "/institutions", {"credit_code": "1", "name": "", "kind": "public_base", "district": "1"}
    )
    told = [(each["field"], each["code"]) for each in wrong.json()["errors"]]
    assert (wrong.status_code, told) == (
        422,
        [("credit_code", "credit_code.length"), ("name", "words.empty"), ("district", "district.unknown")],
    )
    for query in ("limit=201", "limit=0", "kind=school", "standing=x", "on=2025-02-29", "on=%00"):
        assert (await client.get(f"/api/institutions?{query}")).status_code in (400, 422), query
    assert (await handed_in(clerk, place, b"<html>", "text/html")).status_code == 415
    assert (await handed_in(clerk, place, PDF + b" " * FILE_BYTES_MAX)).status_code == 413
    assert (await handed_in(clerk, f"/institutions/{uuid4()}", PDF)).status_code == 404


async def test_another_institutions_things_are_not_there(client: httpx.AsyncClient, played: Selecting) -> None:
    async with transaction() as tx:
        announced = await played.announced(tx)
        application = await played.applied(tx, announced.id)
        document = await played.document(tx)
        _, stranger = await played.institution(tx, played.world, played.officer)
    other = await desk(client, stranger)
    place = f"/institutions/{played.institution_id}"
    for path in (f"{place}/record", f"{place}/documents/{document}", f"/selections/applications/{application.id}"):
        assert (await other.get(path)).status_code == 404, path
    assert (await other.post(f"/selections/applications/{application.id}/withdraw", {})).status_code == 404
    mine = (await other.get(f"/selections/{announced.id}/applications")).json()
    assert mine == {"applications": []}
