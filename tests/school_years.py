"""The people of an institution's story, each at a desk, and what they do there: everything by the service's own HTTP,
the day moved by the demo's clock, owed jobs done by the tasks themselves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from sqlalchemy import select

from domain.actor import Actor, Post
from domain.institution import History, StandingOn, Stop, standing_on
from domain.training import draw
from service import clock
from service.app import create_app
from service.database import dispose, transaction
from service.institutions.queries.standing import histories_of
from service.jobs import JobRow
from service.local.made_up import MadeUpPerson
from service.queue import Job
from service.settings import settings
from tasks.oversight import credit_patrols, hold_claims
from tasks.runtime import do
from tasks.training import advance_classes
from tests.attendance import event
from tests.conftest import Databases
from tests.oversight import SHA
from tests.selection import A_DAY, PDF
from tests.service.season import fresh_database
from tests.service.test_batches_http import Desk, desk
from tests.training import School, sessions
from tests.world import WELDER, Trainee, World

Json = dict[str, Any]
_TASKS = {Job.CREDIT_PATROL: credit_patrols, Job.HOLD_CLAIMS: hold_claims}


def it_is(day: date) -> None:
    """The business day from now on."""
    clock.advance((day - clock.today()).days)
    assert clock.today() == day


@asynccontextmanager
async def a_city_of_its_own(databases: Databases, first: date) -> AsyncIterator[None]:
    """A database into which nobody else writes, and a clock that stands at `first`; both put back afterwards."""
    await dispose()
    async with fresh_database(databases.admin_url, "story") as name:
        patch = pytest.MonkeyPatch()
        patch.setenv("ZHIDA_DATABASE_URL", f"{databases.app_url.rpartition('/')[0]}/{name}")
        settings.cache_clear()
        try:
            it_is(first)
            yield
        finally:
            clock.advance(-clock.offset().days)
            await dispose()
            patch.undo()
            settings.cache_clear()


@dataclass
class Held:
    """A class that was filed, as its clerk typed it; `number` once it is approved."""

    id: str
    typed: Json
    number: str = ""

    @property
    def at(self) -> str:
        return f"/classes/{self.id}"


@dataclass
class Town:
    """`proposer`, `decider` and `third` are officers of the city, `district` one of the district; the school is
    registered, has a clerk, and was never listed. `claimed`: the claims that it filed."""

    world: World
    client: httpx.AsyncClient
    proposer: Desk
    decider: Desk
    third: Desk
    district: Desk
    inspectors: list[Desk]
    assessors: list[Desk]
    evaluators: list[Desk]
    clerk: Desk
    clerk_actor: Actor
    id: UUID
    code: str
    claimed: list[str]
    _money: set[int]

    @classmethod
    async def founded(cls, client: httpx.AsyncClient) -> "Town":
        async with transaction() as tx:
            world = await World.build(tx)
            officer, inspector = Post.INSTITUTION_OFFICER, Post.INSPECTOR
            officers = [await world.user(tx, {officer}, district) for district in (None, None, None, world.here)]
            inspectors = [await world.user(tx, {inspector}, world.here) for _ in range(2)]
            assessors = [await world.user(tx, {Post.ASSESSOR}) for _ in range(2)]
            evaluators = [await world.user(tx, {Post.EVALUATOR}) for _ in range(2)]
        proposer, decider, third, district = [await desk(client, each) for each in officers]
        code = world.maker.credit_code()
        new = {"credit_code": code, "name": "示例技能学校（历下）", "kind": "private_school", "district": world.here}
        school = done(await proposer.post("/institutions", new), 201)
        async with transaction() as tx:
            clerk = await world.user(tx, {Post.CLERK}, world.here, UUID(school["id"]))
        others = [[await desk(client, each) for each in people] for people in (inspectors, assessors, evaluators)]
        at_desks = (proposer, decider, third, district, *others, await desk(client, clerk), clerk)
        return cls(world, client, *at_desks, UUID(school["id"]), code, [], set())

    # ---- selection

    async def announces(self, title: str, applications: tuple[date, date], admits: tuple[date, date]) -> str:
        """A round of selection; the path under which it stands."""
        body = {
            "year": admits[0].year,
            "title": title,
            "kinds": ["private_school"],
            "criteria": [{"name": "师资", "weight": 60}, {"name": "场地", "weight": 40}],
            "pass_mark": 60,
            "assessors": 2,
            "applications": {"from": str(applications[0]), "to": str(applications[1])},
            "admits": {"from": str(admits[0]), "to": str(admits[1])},
        }
        return f"/selections/{done(await self.proposer.post('/selections', body), 201)['id']}"

    async def applies(self, round_at: str) -> httpx.Response:
        """The clerk hands the licence in and applies to teach the welder's levels 4 and 5."""
        headers = {**self.clerk.headers, "Content-Type": "application/pdf", "Idempotency-Key": str(uuid4())}
        place = f"/api/institutions/{self.id}/documents?name=办学许可证"
        document = done(await self.client.post(place, content=PDF, headers=headers), 201)
        scopes = [{"occupation": WELDER, "levels": ["4", "5"]}]
        body = {"scopes": scopes, "documents": [document["id"]]}
        answer: httpx.Response = await self.clerk.post(f"{round_at}/applications", body)
        return answer

    async def is_scored(self, application_at: str) -> None:
        for assessor in self.assessors:
            sheet = {"points": {"师资": 80, "场地": 70}, "remark": "现场看过"}
            done(await assessor.post(f"{application_at}/scores", sheet), 201)

    async def is_publicised(self, round_at: str) -> date:
        """The first day after publicity, in which everybody saw the nominated."""
        publicised = done(await self.proposer.post(f"{round_at}/publicise", {}))
        assert [each["status"] for each in publicised["results"]] == ["nominated"]
        assert done(await self.client.get(f"/api{round_at}")) == publicised
        return date.fromisoformat(publicised["publicity"]["last"]) + A_DAY

    # ---- classes

    async def files(self, first: date, **changed: Any) -> httpx.Response:
        """A class of ten new people, sixty hours in half days from `first` on."""
        timetable = sessions(first, room=f"{uuid4().hex[:8]}室")
        typed = msgspec.to_builtins(School(self.world, [], []).new(sessions=timetable, **changed))
        answer: httpx.Response = await self.clerk.post("/classes", typed)
        answer.extensions["typed"] = typed
        return answer

    async def has_approved(self, first: date) -> Held:
        """Filed and approved, with money of the year in the district."""
        answer = await self.files(first)
        filed = done(answer, 201)
        if first.year not in self._money:
            self._money.add(first.year)
            self.world.today, self.world.now = clock.today(), clock.now()
            async with transaction() as tx:
                await self.world.provide(tx, self.world.here)
        approved = done(await self.district.post(f"/classes/{filed['id']}/approve", {}))
        return Held(filed["id"], answer.extensions["typed"], approved["number"])

    async def night_passes(self, held: Held) -> str:
        """What beat starts every night; the status of the class after it."""
        await advance_classes()
        return str(done(await self.clerk.get(held.at))["status"])

    async def device_marks(self, held: Held, until: date) -> list[Json]:
        """Everybody at every session, by a device with a key of its own, handed in twice; what it comes to."""
        issued = done(await self.clerk.post("/attendance/keys", {"name": "一楼闸机", "until": str(until)}), 201)
        marks = [
            event(f"{n}-{line}", each["id_number"], date.fromisoformat(it["day"]), it["begins"], it["ends"])
            for n, it in enumerate(held.typed["sessions"])
            for line, each in enumerate(held.typed["trainees"])
        ]
        body = {"class_number": held.number, "marks": msgspec.to_builtins(marks)}
        headers = {"Authorization": f"Bearer {issued['key']}"}
        told = [await self.client.post("/api/attendance/device", json=body, headers=headers) for _ in range(2)]
        assert [(each.json()["new"], each.json()["known"]) for each in told] == [(150, 0), (0, 150)]
        people: list[Json] = done(await self.district.get(f"{held.at}/attendance"))["people"]
        return people

    # ---- patrols

    async def is_drawn(self, day: date, held: Held) -> str:
        """One session of tomorrow, by a seed that is kept: drawn again from it, it is the same one."""
        drawn = done(
            await self.inspectors[0].post("/patrols/draw", {"day": str(day), "count": 1, "kind": "on_site"}), 201
        )
        shown = done(await self.district.get(f"/patrols/draws/{drawn['id']}"))
        weights = [each["weight"] for each in shown["candidates"]]
        again = draw(bytes.fromhex(shown["seed"]), weights, 1)
        assert again == [place for place, each in enumerate(shown["candidates"]) if each["turn"] == 0]
        assert {each["class_id"] for each in shown["candidates"]} == {held.id}
        (patrol,) = done(await self.district.get(f"/patrols?day={day}"))["patrols"]
        return f"/patrols/{patrol['id']}"

    async def is_patrolled(self, held: Held, day: date, result: str) -> UUID:
        """Drawn the day before, gone to by two, told the day after."""
        it_is(day - A_DAY)
        await advance_classes()
        at = await self.is_drawn(day, held)
        for each in self.inspectors:
            done(await each.post(f"{at}/join", {}))
        headers = {**self.inspectors[0].headers, "Content-Type": "image/jpeg", "Idempotency-Key": str(uuid4())}
        photo = b"\xff\xd8\xff" + uuid4().bytes
        done(await self.client.post(f"/api{at}/evidence", content=photo, headers=headers), 201)
        it_is(day + A_DAY)
        found = {"result": result, "headcount": 10 if result == "passed" else 2, "findings": "现场点名"}
        told = done(await self.inspectors[1].post(f"{at}/result", found))
        assert (told["result"], told["officers"], told["late"]) == (result, 2, False)
        return UUID(told["id"])

    async def owed(self, kind: Job, subject: UUID) -> int:
        """Do what is owed, twice, as messages come; how many jobs there were."""
        async with transaction() as tx:
            asked = select(JobRow.id).where(JobRow.kind == kind, JobRow.subject == subject)
            ids = list((await tx.execute(asked)).scalars())
        for _ in range(2):
            await do(_TASKS[kind], ids)
        async with transaction() as tx:
            assert set((await tx.execute(select(JobRow.state).where(JobRow.id.in_(ids)))).scalars()) <= {"done"}
        return len(ids)

    # ---- oversight

    async def credit(self) -> Json:
        return done(await self.district.get(f"/credit?institution={self.code}"))

    async def happens(self, kind: str, points: int, words: str) -> Json:
        told = {"institution": self.code, "kind": kind, "points": points, "words": words}
        today = {"happened_on": str(clock.today()), "document_sha256": SHA}
        return done(await self.district.post("/credit/events", {**told, **today}), 201)

    async def is_penalised(self, step: str, first: date, reason: str) -> Json:
        """Proposed by one officer of the city, who cannot decide it, and decided by another."""
        body = {"institution": self.code, "step": step, "first": str(first), "reason": reason, "document_sha256": SHA}
        at = f"/penalties/{done(await self.proposer.post('/penalties', body), 201)['id']}"
        assert refusal(await self.proposer.post(f"{at}/impose", {})) == (403, "penalty.same_person")
        return done(await self.decider.post(f"{at}/impose", {}))

    def evaluation(self, points: int) -> Json:
        names = ("pass", "attendance", "employment", "complaints", "patrols", "satisfaction")
        values = dict.fromkeys(names, 90) | {"patrols": points, "pass": points}
        return {"values": values, "evidence": dict.fromkeys(names, SHA), "summary": f"全年巡查得分 {points}"}

    # ---- what an institution may do today

    async def claims(self, trained_on: date | None = None, taught_in: Held | None = None) -> httpx.Response:
        """A claim by mandate for somebody new, whose training began today unless it is said otherwise; or for the
        first on the roster of a class, which it names."""
        maker, today = self.world.maker, clock.today()
        made = MadeUpPerson(**taught_in.typed["trainees"][0]) if taught_in else maker.person()
        signed = {"signed_on": str(today), "valid_from": str(today), "valid_to": str(today + timedelta(days=90))}
        who = {"name": made.name, "id_number": made.id_number, "phone": made.phone}
        paper = {"trainee": who, **signed, "document_sha256": SHA, "fee_fen": 0}
        mandate = done(await self.clerk.post("/mandates", paper), 201)
        self.world.today = today
        new = self.world.new_claim(Trainee(self.clerk_actor, made, maker.card()), district=None)
        began = {"class_number": taught_in.number} if taught_in else {"training_started_on": str(trained_on or today)}
        body = msgspec.to_builtins(new) | {"mandate_id": mandate["id"], **began}
        answer: httpx.Response = await self.clerk.post("/claims", body)
        self.claimed += [answer.json()["id"]] if answer.status_code == 201 else []
        return answer

    async def refused_today(self, class_on: date) -> Json:
        """Each action by its own endpoint: why it is refused, where it is. A class that was filed is given up again,
        and a claim stays."""
        filed, claimed = await self.files(class_on), await self.claims()
        if filed.status_code == 201:
            done(await self.clerk.post(f"/classes/{filed.json()['id']}/withdraw", {"reason": "改期"}))
        tried = {Stop.FILE_CLASSES: filed, Stop.FILE_CLAIMS: claimed}
        return {each: failed(answer) for each, answer in tried.items() if answer.status_code != 201}

    async def stands(self, day: date) -> str:
        """As everybody reads it: in the list, on its own page, or nowhere yet."""
        query = f"on={day}&district={self.world.here}&limit=200"
        page = done(await self.client.get(f"/api/institutions?{query}"))["institutions"]
        listed = [each["standing"] for each in page if each["id"] == str(self.id)]
        own = done(await self.client.get(f"/api/institutions/{self.id}?on={day}"))["standing"]
        assert listed == [own] or (listed, own) == ([], "never")
        return str(own)

    async def derived(self, first: date, last: date) -> list[tuple[date, StandingOn]]:
        """By the domain from the dated facts, for every day."""
        async with transaction() as tx:
            history: History = (await histories_of(tx, [self.id]))[self.id]
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return [(day, standing_on(history, day)) for day in days]


@asynccontextmanager
async def the_service() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


def done(answer: Any, status: int = 200) -> Json:
    assert answer.status_code == status, answer.text
    found: Json = answer.json()
    return found


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def failed(answer: Any) -> list[str]:
    """Everything that a decision refuses, each reason once for however many days it was asked."""
    assert answer.status_code == 422, answer.text
    return sorted({each["code"] for each in answer.json()["decision"]["outcomes"] if each["outcome"] == "failed"})
