"""Over HTTP: an institution fails, is talked to, must mend, is stopped on exactly its days, appeals and is back."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from domain.errors import Ineligible
from domain.institution import Standing, Stop
from domain.period import add_months
from service import clock
from service.audit.queries import verify
from service.claims.commands.filing import file_claim
from service.database import transaction
from tests.app import the_app
from tests.oversight import SHA, Oversight
from tests.service.test_batches_http import desk
from tests.world import World

Json = dict[str, Any]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


class Play:
    """Officers of the city and its districts, and a clerk, each at a desk."""

    def __init__(self, city: Oversight, client: httpx.AsyncClient) -> None:
        self.city, self.client, self.world = city, client, city.world

    async def post(self, who: Any, path: str, body: Json) -> Json:
        answer = await (await desk(self.client, who)).post(path, body)
        assert answer.status_code in {200, 201}, answer.text
        found: Json = answer.json()
        return found

    async def get(self, who: Any, path: str) -> Json:
        answer = await (await desk(self.client, who)).get(path)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def fails(self, points: int) -> Json:
        body = {"institution": self.city.code, "kind": "patrol_failed", "points": points, "words": "巡查时无人上课"}
        happened = {"happened_on": self.world.today.isoformat(), "document_sha256": SHA}
        await self.post(self.city.here, "/credit/events", {**body, **happened})
        return await self.get(self.city.here, f"/credit?institution={self.city.code}")

    async def penalised(self, step: str, first: date) -> Json:
        body = {"institution": self.city.code, "step": step, "first": first.isoformat(), "reason": "巡查不合格"}
        proposed = await self.post(self.city.here, "/penalties", {**body, "document_sha256": SHA})
        alone = await (await desk(self.client, self.city.there)).post(f"/penalties/{proposed['id']}/impose", {})
        assert alone.status_code == 404
        return await self.post(self.city.decider, f"/penalties/{proposed['id']}/impose", {})

    async def may(self, day: date) -> tuple[set[Stop], str | None]:
        """What is stopped on a day, and why the clerk may not file a claim on it; nothing stays."""
        world, before = self.world, (self.world.today, self.world.now)
        async with transaction() as tx:
            stops = set((await self.city.stands(tx, day)).stops)
        try:
            async with transaction() as tx:
                world.today, world.now = day, world.now + (day - world.today)
                trainee = await world.trainee(tx)
                mandate_id = await world.mandate(tx, self.city.clerk, trainee)
                new = world.new_claim(trainee, mandate_id=mandate_id, district=None)
                await file_claim(tx, self.city.clerk, new, day, world.now)
                raise _Undone
        except Ineligible as refused:
            (why,) = [each["code"] for each in refused.facts["decision"]["outcomes"] if each["outcome"] == "failed"]
            return stops, why
        except _Undone:
            return stops, None
        finally:
            world.today, world.now = before


class _Undone(Exception):
    """Rolls a trial back."""


async def test_from_failing_to_being_back(client: httpx.AsyncClient, committed: World) -> None:
    async with transaction() as tx:
        city = await Oversight.build(tx, committed)
    play, today = Play(city, client), committed.today
    assert today == clock.today()

    # talked to, twice, because the credit falls; then the rules call for the next step
    assert (await play.fails(-6))["due"] is None
    seen = await play.fails(-6)
    assert (seen["credit"], seen["due"]["step_name"], seen["due"]["rule"]) == (88, "约谈", "credit_below")
    talk = await play.penalised("talk", today)
    assert (talk["rule"], talk["stops"], talk["claims_in_flight_name"]) == (
        "credit_below",
        [],
        "在办的代领照常办理。",
    )
    assert (await play.get(city.here, f"/credit?institution={city.code}"))["due"] is None
    await play.fails(-3)
    await play.penalised("talk", today)
    assert await play.may(today) == (set(), None)
    listed = (await play.get(city.here, "/credit/due"))["due"]
    (due,) = [each for each in listed if each["institution"] == city.code]
    assert (due["step"], due["why"]) == ("rectify", "12 个月内受过 2 次惩戒，按下一步办。")

    # 整改: no new class for six months, and claims go on
    first = today + timedelta(days=3)
    rectify = await play.penalised("rectify", first)
    last = add_months(first, 6) - timedelta(days=1)
    assert (rectify["first"], rectify["last"], rectify["stops"]) == (str(first), str(last), ["file_classes"])
    assert rectify["rule"] == "repeated"
    for day, stops in (
        (first - timedelta(days=1), set()),
        (first, {Stop.FILE_CLASSES}),
        (last, {Stop.FILE_CLASSES}),
        (last + timedelta(days=1), set()),
    ):
        assert await play.may(day) == (stops, None), day

    # 通报: claims as well, on exactly its days
    first = today + timedelta(days=5)
    circulate = await play.penalised("circulate", first)
    last = date.fromisoformat(circulate["last"])
    both = {Stop.FILE_CLASSES, Stop.FILE_CLAIMS}
    assert await play.may(first - timedelta(days=1)) == ({Stop.FILE_CLASSES}, None)
    assert await play.may(first) == (both, "institution.suspended")
    assert await play.may(last) == (both, "institution.suspended")
    assert await play.may(last + timedelta(days=1)) == (set(), None)
    listed = (await client.get("/api/penalties")).json()["penalties"]
    mine = {each["step_name"]: each for each in listed if each["institution"] == city.code}
    assert set(mine) == {"整改", "通报"}
    assert (mine["通报"]["first"], mine["通报"]["last"]) == (circulate["first"], circulate["last"])
    assert "proposed" not in str(mine)

    # appealed by its clerk, granted by a third person: lifted from a day on
    desk_list = (await play.get(city.clerk, "/penalties/desk"))["penalties"]
    assert [each["step"] for each in desk_list] == ["circulate", "rectify", "talk", "talk"]
    at = f"/penalties/{circulate['id']}"
    await play.post(city.clerk, f"{at}/appeal", {"reason": "当天放假，已报备"})
    lifted_on = first + timedelta(days=4)
    granted = {"granted": True, "answer": "已报备属实", "points": 15, "document_sha256": SHA}
    granted["lifted_on"] = lifted_on.isoformat()
    for who in (city.here, city.decider):
        refused = await (await desk(client, who)).post(f"{at}/answer", granted)
        assert refused.status_code == 403
    answered = await play.post(city.third, f"{at}/answer", granted)
    assert (answered["status"], answered["appeal"]["granted"], answered["lifted_on"]) == (
        "overturned",
        True,
        str(lifted_on),
    )
    assert await play.may(lifted_on - timedelta(days=1)) == (both, "institution.suspended")
    assert await play.may(lifted_on) == ({Stop.FILE_CLASSES}, None)
    assert (await play.get(city.here, f"/credit?institution={city.code}"))["credit"] == 100
    listed = (await client.get("/api/penalties")).json()["penalties"]
    assert [each["step_name"] for each in listed if each["institution"] == city.code] == ["整改"]
    async with transaction() as tx:
        assert (await city.stands(tx, last + timedelta(days=1))).standing is Standing.LISTED
        broken = [each for each in await verify(tx) if not each.held]
    assert not [each.detail for each in broken if each.name in {"penalties_by_two_persons", "journal_equals_rows"}]

    exported = await (await desk(client, city.decider)).get(f"/credit/export?year={today.year}")
    assert exported.headers["content-type"].startswith("text/csv")
    assert exported.content.decode("utf-8-sig").count(city.code) == 5  # three failings, the appeal, 整改


async def test_doors(client: httpx.AsyncClient, committed: World) -> None:
    """Who is refused, what is repeated, and what nobody need sign in for."""
    async with transaction() as tx:
        city = await Oversight.build(tx, committed)
        trainee = (await committed.trainee(tx)).actor
    officer, clerk = await desk(client, city.here), await desk(client, city.clerk)
    me, evaluator = await desk(client, trainee), await desk(client, city.evaluators[0])
    for path in ("/penalties", "/evaluations?year=2025", "/complaints/counts"):
        assert (await client.get(f"/api{path}")).status_code == 200
    for path in ("/credit/due", "/credit/export", "/penalties/desk", "/complaints/mine", "/complaints"):
        assert (await client.get(f"/api{path}")).status_code == 401
    assert (await clerk.get("/credit/export")).status_code == 403
    assert (await officer.get("/credit/export")).json()["code"] == "city_only"
    assert (await me.get(f"/credit?institution={city.code}")).status_code == 403

    said = {"institution": city.code, "words": "老师不来，电话 13800001234"}
    first = await me.post("/complaints", said, key="one")
    assert first.status_code == 201
    assert (await me.post("/complaints", said, key="one")).headers["Idempotent-Replayed"] == "true"
    anonymous = await client.post("/api/complaints/anonymous", json=said)
    assert anonymous.status_code == 201
    too_long = await client.post("/api/complaints/anonymous", json={**said, "words": "字" * 2_001})
    assert too_long.status_code == 400
    seen = (await officer.get("/complaints")).json()["complaints"]
    assert {each["id"] for each in seen if each["institution"] == city.code} == {
        first.json()["id"],
        anonymous.json()["id"],
    }
    at = f"/complaints/{first.json()['id']}/answer"
    assert (await officer.post(at, {"answer": "已补课", "founded": True})).status_code == 200
    assert (await officer.post(at, {"answer": "再说", "founded": False})).json()["code"] == "complaint.answered"
    (mine,) = (await me.get("/complaints/mine")).json()["complaints"]
    assert (mine["answer"], mine["founded"]) == ("已补课", True)
    assert (await officer.get("/complaints?which=overdue")).json() == {"complaints": [], "next": None}

    indicators = ("pass", "attendance", "employment", "complaints", "patrols", "satisfaction")
    result = {
        "institution": city.code,
        "year": committed.today.year - 1,
        "values": dict.fromkeys(indicators, 59.9),
        "evidence": dict.fromkeys(indicators, SHA),
        "summary": "不合格",
    }
    recorded = await evaluator.post("/evaluations", result)
    assert (recorded.status_code, recorded.json()["score"], recorded.json()["passed"]) == (201, "59.90", False)
    assert (await officer.post("/evaluations", result)).status_code == 403
    whole = {**{name: result[name] for name in ("values", "evidence", "summary")}, "reason": "取数有误"}
    whole["values"] = dict.fromkeys(indicators, 60)
    at = f"/evaluations/{recorded.json()['id']}/correct"
    assert (await evaluator.post(at, whole)).json()["code"] == "evaluation.same_person"
    other = await desk(client, city.evaluators[1])
    assert (await other.post(at, whole)).json()["passed"] is True
    public = (await client.get("/api/evaluations")).json()
    assert [each["passed"] for each in public["results"] if each["institution"] == city.code] == [True]
    malformed = await evaluator.post("/evaluations", {**result, "values": {"charm": 1}})
    assert malformed.status_code == 400
