"""Classes and inspections as people use them over HTTP, from the first inspection to the last day."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest

from domain.actor import Post
from service.database import transaction
from service.journal import By
from service.training.commands import deciding
from service.training.schemas import SESSIONS_MAX, TRAINEES_MAX
from tests.service.test_batches_http import Desk, client, desk
from tests.training import School, as_place, sessions
from tests.world import World

__all__ = ["client"]

NOWHERE = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
async def school(committed: World) -> School:
    async with transaction() as tx:
        return await School.build(tx, committed, inspected=False)


def body(school: School, **changed: Any) -> dict[str, Any]:
    return {**msgspec.to_builtins(school.new()), **changed}


async def inspected(client: httpx.AsyncClient, school: School) -> None:
    institution = str(school.world.clerks[0].institution_id)
    one, other = [await desk(client, each) for each in school.inspectors]
    opened = await one.post("/inspections", {"institution_id": institution})
    assert (opened.status_code, opened.json()["officers"]) == (201, 1)
    at = f"/inspections/{opened.json()['id']}"
    found = {"result": "passed", "inspected_on": str(school.world.today), "note": "场地、设备与申报一致"}
    alone = await one.post(f"{at}/result", found)
    assert (alone.status_code, alone.json()["code"]) == (409, "inspection.alone")
    stranger = await other.post(f"{at}/result", found)
    assert (stranger.status_code, stranger.json()["code"]) == (403, "inspection.not_there")
    assert (await other.post(f"{at}/join", {})).json()["officers"] == 2
    assert (await other.post(f"{at}/join", {})).json()["officers"] == 2
    early = {**found, "inspected_on": str(school.world.today - timedelta(days=1))}
    assert (await one.post(f"{at}/result", early)).json()["code"] == "inspection.before_opening"
    late = {**found, "inspected_on": str(school.world.today + timedelta(days=1))}
    assert (await one.post(f"{at}/result", late)).json()["code"] == "inspection.not_yet"
    named = {**found, "note": "校长 13812345678"}
    assert (await one.post(f"{at}/result", named)).json()["code"] == "text.personal_number"
    assert (await one.post(f"{at}/result", found)).json()["result"] == "passed"
    assert (await other.post(f"{at}/join", {})).json()["code"] == "inspection.over"


async def test_from_the_first_inspection_to_the_last_day(client: httpx.AsyncClient, school: School) -> None:
    clerk, officer = await desk(client, school.world.clerks[0]), await desk(client, school.officers[0])
    new = body(school)
    refused = await clerk.post("/classes", new, key="one")
    assert (refused.status_code, refused.json()["code"]) == (422, "class.ineligible")
    failed = [each for each in refused.json()["decision"]["outcomes"] if each["outcome"] == "failed"]
    assert [each["message"] for each in failed] == ["机构第一次开班，要先通过实地检查。请联系区里安排。"]
    await inspected(client, school)
    filed = await clerk.post("/classes", new, key="one")
    assert filed.status_code == 201, filed.text
    again = await clerk.post("/classes", new, key="one")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (filed.json(), "true")
    at = f"/classes/{filed.json()['id']}"
    sent = await officer.post(f"{at}/send-back", {"reason": "课程表请写明实训教室"})
    assert (sent.status_code, sent.json()["status_name"]) == (200, "退回补正")
    refiled = await clerk.post(f"{at}/refile", new)
    assert (refiled.status_code, refiled.json()["status"]) == (200, "filed")
    approved = (await officer.post(f"{at}/approve", {})).json()
    assert approved["number"].startswith(f"KB370102-{school.first.year}-")
    moved = msgspec.to_builtins(sessions(school.first, room=f"实训 {filed.json()['id'][:6]}"))
    changed = await clerk.post(f"{at}/change", {"reason": "换教室", "sessions": moved})
    assert (changed.status_code, changed.json()["steps"][-1]["parts"]) == (200, ["sessions"])
    async with transaction() as tx:
        await deciding.advance(tx, school.first + timedelta(days=30), By("tests", datetime.now(UTC)))  # noqa: TID251
    closed = (await officer.post(f"{at}/close", {})).json()
    assert (closed["status"], closed["status_name"]) == ("closed", "已办结")
    listed = (await clerk.get("/classes?status=closed")).json()["classes"]
    assert [each["id"] for each in listed] == [filed.json()["id"]]
    assert (await clerk.get("/classes/overlaps")).json() == {"overlaps": []}
    seen = (await officer.get(f"/inspections?institution_id={closed['institution_id']}")).json()["inspections"]
    assert [(each["result"], each["officers"]) for each in seen] == [("passed", 2)]


async def test_others_see_and_do_nothing(client: httpx.AsyncClient, school: School) -> None:
    await inspected(client, school)
    clerk = await desk(client, school.world.clerks[0])
    at = f"/classes/{(await clerk.post('/classes', body(school))).json()['id']}"
    stranger = await desk(client, school.world.clerks[1])
    elsewhere = await desk(client, school.officers[1])
    for who, path, given in (
        (stranger, f"{at}/withdraw", {"reason": "x"}),
        (stranger, f"{at}/refile", body(school)),
        (stranger, f"{at}/change", {"reason": "x", "sessions": body(school)["sessions"]}),
        (elsewhere, f"{at}/approve", {}),
        (elsewhere, f"{at}/deny", {"reason": "x"}),
        (elsewhere, f"{at}/send-back", {"reason": "x"}),
        (elsewhere, f"{at}/close", {}),
    ):
        answer = await who.post(path, given)
        assert (answer.status_code, answer.json()["code"]) == (404, "class.not_found"), path
    for who in (stranger, elsewhere):
        assert (await who.get(at)).status_code == 404
    reviewer = await desk(client, school.world.staff[Post.REVIEWER])
    assert (await reviewer.get(at)).status_code == 200
    for path in ("/approve", "/withdraw"):
        assert (await reviewer.post(f"{at}{path}", {"reason": "x"})).status_code == 403
    other_inspector = await _other_inspector(client, school)
    answer = await other_inspector.post(
        "/inspections", {"institution_id": str(school.world.clerks[0].institution_id)}
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "institution.not_found")


async def _other_inspector(client: httpx.AsyncClient, school: School) -> Desk:
    async with transaction() as tx:
        actor = await school.world.user(tx, {Post.INSPECTOR}, school.world.other)
    return await desk(client, actor)


async def test_bodies_that_cannot_be_are_refused_with_their_place(client: httpx.AsyncClient, school: School) -> None:
    clerk = await desk(client, school.world.clerks[0])
    good = body(school)
    session, trainee = good["sessions"][0], good["trainees"][0]
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"sessions": [session] * 10_000}, 400, "sessions"),
        ({"sessions": [session] * (SESSIONS_MAX + 1)}, 400, "sessions"),
        ({"trainees": [trainee] * (TRAINEES_MAX + 1)}, 400, "trainees"),
        ({"sessions": []}, 400, "sessions"),
        ({"teachers": []}, 400, "teachers"),
        ({"status": "approved"}, 400, "status"),
        ({"planned_hours": 0}, 400, "planned_hours"),
        ({"planned_hours": "60"}, 400, "planned_hours"),
        ({"planned_hours": 1e3}, 400, "planned_hours"),
        ({"sessions": [{**session, "hours": -1}]}, 400, "sessions[0].hours"),
        ({"sessions": [{**session, "teacher": 2}]}, 422, "sessions.1.teacher"),
        ({"sessions": [{**session, "day": "9999-12-31"}]}, 422, "sessions.1.day"),
        ({"sessions": [{**session, "ends": "24:00"}]}, 422, "sessions.1.ends"),
        ({"level": "0"}, 422, "level"),
        ({"item_code": "  "}, 422, "item_code"),
        ({"site": {**good["site"], "address": "——"}}, 422, "site.address"),
        ({"site": {**good["site"], "district": "370199"}}, 422, "site.district"),
        ({"trainees": [{**trainee, "id_number": 370102}]}, 400, "trainees[0].id_number"),
        ({"trainees": [{**trainee, "id_number": "370102199001011234"}]}, 422, "trainees.1.id_number"),
        ({"trainees": [{**trainee, "phone": "12"}]}, 422, "trainees.1.phone"),
    ]
    for changed, status, field in cases:
        answer = await clerk.post("/classes", {**good, **changed})
        assert answer.status_code == status, (changed, answer.text)
        assert answer.json()["errors"][0]["field"] == field, answer.text
    reversed_ = [{**session, "begins": "12:00", "ends": "09:00"}]
    decided = await clerk.post("/classes", {**good, "sessions": reversed_})
    codes = [each["code"] for each in decided.json()["decision"]["outcomes"]]
    assert "class.session_reversed" in codes
    twice = await clerk.post("/classes", {**good, "trainees": [*good["trainees"], good["trainees"][3]]})
    told = [each for each in twice.json()["decision"]["outcomes"] if each["code"] == "class.trainee_twice"]
    assert [each["facts"] for each in told] == [{"line": 11, "first": 4}]
    assert told[0]["message"] == "名册第 11 行和第 4 行是同一人。"
    for path in ("refile", "change", "withdraw"):
        given = good if path == "refile" else {"reason": "x", **({"sessions": [session]} if path == "change" else {})}
        answer = await clerk.post(f"/classes/{NOWHERE}/{path}", given)
        assert (answer.status_code, answer.json()["code"]) == (404, "class.not_found")
    forged = await clerk.get("/classes?cursor=AAAA")
    assert (forged.status_code, forged.json()["code"]) == (400, "cursor.forged")
    assert (await clerk.get("/classes?limit=1000000000")).status_code == 400


async def test_who_is_in_another_class_is_told_with_day_and_person_but_not_where(
    client: httpx.AsyncClient, school: School
) -> None:
    async with transaction() as tx:
        for each in school.world.clerks:
            assert each.institution_id is not None
            await school.inspect(tx, each.institution_id)
    made = school.world.maker.person()
    new = school.new()
    new.trainees[2] = as_place(made)
    first, second = [await desk(client, each) for each in school.world.clerks]
    mine = (await first.post("/classes", msgspec.to_builtins(new))).json()
    approved = await (await desk(client, school.officers[0])).post(f"/classes/{UUID(mine['id'])}/approve", {})
    theirs = school.new()
    theirs.trainees[7] = as_place(made)
    answer = await second.post("/classes", msgspec.to_builtins(theirs))
    (told,) = [each for each in answer.json()["decision"]["outcomes"] if each["outcome"] == "failed"]
    masked = f"{made.id_number[:6]}********{made.id_number[14:]}"
    assert told["message"].startswith("名册第 8 行")
    assert told["facts"]["day"] == str(school.first)
    for part in (masked, "08:30–11:30"):
        assert part in told["message"]
    for part in ("示例学校", str(mine["institution_id"]), mine["id"], approved.json()["number"]):
        assert part not in answer.text
    assert made.id_number not in answer.text
    assert made.name not in answer.text or len(made.name) < 2
