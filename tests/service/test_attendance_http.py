"""Attendance as clerks, devices and officers use it over HTTP."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import msgspec
import pytest

from domain.actor import Post
from service.database import transaction
from service.gateways.sheet_files import CSV_TYPE, XLSX_TYPE
from tests.attendance import AGO, HeldClassOf, event, held, school_of_before, sheet, whole_days
from tests.conftest import Databases
from tests.service.test_batches_http import Desk, client, desk
from tests.training import School
from tests.world import World

__all__ = ["client"]


@pytest.fixture
async def school(committed: World) -> School:
    async with transaction() as tx:
        return await school_of_before(tx, committed)


@pytest.fixture
async def of(school: School) -> HeldClassOf:
    async with transaction() as tx:
        found = await held(tx, school)
    school.let_pass(AGO.days)
    return found


async def hand_in(who: Desk, of: HeldClassOf, data: bytes, kind: str = CSV_TYPE, key: str = "") -> Any:
    headers = {**who.headers, "Content-Type": kind, "Idempotency-Key": key or str(uuid4())}
    return await who.client.post(f"/api/classes/{of.id}/attendance", content=data, headers=headers)


async def test_a_sheet_over_http(client: httpx.AsyncClient, school: School, of: HeldClassOf) -> None:
    clerk, stranger = [await desk(client, each) for each in school.world.clerks]
    lines = whole_days(of, school.first, 8)
    data = sheet([*lines[:15], (school.world.maker.person().id_number, school.first, "08:30", "11:30")], "xlsx")
    answer = await hand_in(clerk, of, data, XLSX_TYPE, key="one")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["new"], told["known"], told["refused"]) == (15, 0, 1)
    assert [each["message"] for each in told["refusals"]] == ["这个人不在这个班的名册上。"]
    again = await hand_in(clerk, of, data, XLSX_TYPE, key="one")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (told, "true")
    other = await hand_in(clerk, of, data, XLSX_TYPE)
    assert (other.json()["new"], other.json()["known"]) == (0, 15)
    assert (await hand_in(stranger, of, data, XLSX_TYPE)).json()["code"] == "class.not_found"
    for content, kind, status, code in (
        (data, "application/json", 415, "http.415"),
        (data, CSV_TYPE, 422, "file.not_text"),
        (sheet(lines), XLSX_TYPE, 422, "file.not_a_workbook"),
        (b"a,b", CSV_TYPE, 422, "sheet.no_headings"),
    ):
        refused = await hand_in(clerk, of, content, kind)
        assert (refused.status_code, refused.json()["code"]) == (status, code)
    officer = await desk(client, school.officers[0])
    view = (await officer.get(f"/classes/{of.id}/attendance")).json()
    assert (view["people"][0]["hours"], view["people"][0]["percent"], view["people"][0]["below"]) == (60, 100, False)
    assert [each["below"] for each in view["people"][1:]] == [True] * 9
    marks = (await officer.get(f"/classes/{of.id}/attendance/marks?line=1")).json()["marks"]
    assert len(marks) == 15
    corrected = await officer.post(f"/attendance/marks/{marks[0]['id']}/correct", {"reason": "巡查时不在"})
    assert (corrected.status_code, corrected.json()["came"]) == (201, None)
    view = (await clerk.get(f"/classes/{of.id}/attendance")).json()
    assert (view["people"][0]["hours"], view["people"][0]["percent"]) == (56, 93)
    assert (await officer.get("/attendance/flags")).status_code == 200
    assert (await officer.get("/attendance/flags?from=2026-02-30")).status_code == 422
    assert (await clerk.get("/attendance/flags")).status_code == 403
    for number in [each.id_number for each in of.new.trainees]:
        assert number not in answer.text + str(view) + str(marks)
    elsewhere = await desk(client, school.officers[1])
    for path in (f"/classes/{of.id}/attendance", f"/classes/{of.id}/attendance/marks?line=1"):
        assert (await elsewhere.get(path)).status_code == 404
    template = await client.get("/api/attendance/template?kind=csv", headers=clerk.headers)
    assert template.text.strip("\ufeff\r\n") == "身份证号,日期,签到,签退"


async def test_a_device_has_a_key_of_its_own(client: httpx.AsyncClient, school: School, of: HeldClassOf) -> None:
    clerk = await desk(client, school.world.clerks[0])
    until = str(school.world.today + timedelta(days=90))
    issued = await clerk.post("/attendance/keys", {"name": "一楼闸机", "until": until})
    assert issued.status_code == 201, issued.text
    key = issued.json()["key"]
    mark = event("e1", of.number_of(1), school.first, "08:20", "11:35")
    body = {"class_number": of.number, "marks": [msgspec.to_builtins(mark)]}

    async def tell(key: str, body: Any = body) -> httpx.Response:
        return await client.post("/api/attendance/device", json=body, headers={"Authorization": f"Bearer {key}"})

    assert (await tell(key)).json() == {"class_id": str(of.id), "new": 1, "known": 0, "refused": 0, "refusals": []}
    assert (await tell(key)).json()["known"] == 1
    other = f"zdk_{uuid4().hex}_{key[-43:]}"
    for wrong in (
        key[:-1] + ("a" if key[-1] != "a" else "b"),
        other,
        key.upper(),
        "none",
        clerk.headers["Authorization"],
    ):
        refused = await tell(wrong)
        assert (refused.status_code, refused.json()["code"]) == (401, "signed_out"), wrong
    assert (await client.get("/api/classes", headers={"Authorization": f"Bearer {key}"})).status_code == 401
    assert (await tell(key, {**body, "marks": [{**body["marks"][0], "status": "x"}]})).status_code == 400
    assert (await tell(key, {**body, "marks": []})).status_code == 400
    told = await tell(key, {**body, "marks": [{**body["marks"][0], "event": "e2", "came": "8:20"}]})
    assert [(each["at"], each["field"], each["code"]) for each in told.json()["refusals"]] == [
        (1, "came", "instant.format")
    ]
    async with transaction() as tx:
        theirs = await held_elsewhere(tx, school)
    assert (await tell(key, {**body, "class_number": theirs.number})).json()["code"] == "class.not_found"
    listed = (await clerk.get("/attendance/keys")).json()["keys"]
    assert [each["id"] for each in listed] == [issued.json()["id"]]
    assert "key" not in listed[0]
    revoked = await clerk.post(f"/attendance/keys/{issued.json()['id']}/revoke", {"reason": "设备丢失"})
    assert (revoked.status_code, (await tell(key)).status_code) == (200, 401)
    auditor = await desk(client, school.world.staff[Post.AUDITOR])
    assert (await auditor.post("/attendance/keys", {"name": "x", "until": until})).status_code == 403


async def held_elsewhere(tx: Any, school: School) -> HeldClassOf:
    """A class of the other institution, filed when it was to be."""
    school.let_pass(-AGO.days)
    of = await held(tx, school, clerk=1)
    school.let_pass(AGO.days)
    return of


async def test_a_key_of_yesterday_opens_nothing(
    client: httpx.AsyncClient, school: School, of: HeldClassOf, databases: Databases
) -> None:
    clerk = await desk(client, school.world.clerks[0])
    issued = (await clerk.post("/attendance/keys", {"name": "闸机", "until": str(school.world.today)})).json()
    headers = {"Authorization": f"Bearer {issued['key']}"}
    body = {"class_number": "x", "marks": [{"event": "e", "id_number": "x", "came": "x", "left": "x"}]}
    assert (await client.post("/api/attendance/device", json=body, headers=headers)).status_code == 404
    admin = await asyncpg.connect(databases.admin_url)
    await admin.execute("SET session_replication_role = replica")
    ended = "UPDATE attendance_keys SET in_force = daterange($2::date - 9, $2::date) WHERE id = $1"
    await admin.execute(ended, UUID(issued["id"]), school.world.today)
    await admin.close()
    assert (await client.post("/api/attendance/device", json=body, headers=headers)).status_code == 401
