"""Patrols as officers and institutions use them over HTTP, to the credit that a failed one costs."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import select

from service import clock
from service.clock import now, today
from service.database import transaction
from service.jobs import JobRow
from service.oversight.tables import CreditEventRow
from service.settings import settings
from service.training.commands.weighing import tell_weights
from service.training.schemas.patrols import Weight
from tasks.oversight import credit_patrols
from tasks.runtime import do
from tasks.training import weigh_institutions
from tests.attendance import held, school_of_before
from tests.service.test_batches_http import Desk, client, desk
from tests.service.test_patrols import JPEG
from tests.training import School, sessions
from tests.world import World

__all__ = ["client"]


@pytest.fixture
async def school(committed: World) -> School:
    async with transaction() as tx:
        return await school_of_before(tx, committed)


@pytest.fixture(autouse=True)
def back_to_today() -> Iterator[None]:
    """Where days pass here, they pass for this test only."""
    yield
    Path(settings().clock_offset.removeprefix("@")).write_text("0")


async def hand_in(who: Desk, at: str, data: bytes, kind: str = "image/jpeg") -> Any:
    headers = {**who.headers, "Content-Type": kind, "Idempotency-Key": str(uuid4())}
    return await who.client.post(f"/api{at}/evidence", content=data, headers=headers)


async def test_from_the_draw_to_the_credit_event(client: httpx.AsyncClient, school: School) -> None:
    tomorrow = today() + timedelta(days=1)
    async with transaction() as tx:
        of = await held(tx, school, sessions=sessions(tomorrow, room=f"{uuid4().hex[:8]}室"))
    one, other = [await desk(client, each) for each in school.inspectors]
    clerk = await desk(client, school.world.clerks[0])
    officer, elsewhere = [await desk(client, each) for each in school.officers]
    new = {"day": str(tomorrow), "count": 100, "kind": "on_site", "district": school.world.here}
    drawn = await one.post("/patrols/draw", new, key="one")
    assert drawn.status_code == 201, drawn.text
    again = await one.post("/patrols/draw", new, key="one")
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (drawn.json(), "true")
    empty = await one.post("/patrols/draw", new)
    assert (empty.status_code, empty.json()["code"]) == (409, "patrol.nothing_to_draw")
    draw = (await officer.get(f"/patrols/draws/{drawn.json()['id']}")).json()
    assert (draw["candidates"], len(draw["seed"])) == (drawn.json()["candidates"], 64)
    for path, who, status in (
        (f"/patrols/draws/{draw['id']}", elsewhere, 404),
        (f"/patrols/draws/{draw['id']}", clerk, 403),
        ("/patrols/coverage?from=2026-01-01&to=2026-01-31", clerk, 403),
        (f"/patrols/coverage?from={tomorrow}&to=2026-02-30", officer, 422),
        ("/patrols/coverage?from=2026-01-31&to=2026-01-01", officer, 422),
        ("/patrols?day=2026-02-30", officer, 422),
    ):
        assert (await who.get(path)).status_code == status, path
    for bad in ({"count": 0}, {"count": 101}, {"kind": "by_phone"}, {"seed": "00"}, {"count": "1"}):
        assert (await one.post("/patrols/draw", {**new, **bad})).status_code == 400, bad
    assert (await clerk.post("/patrols/draw", new)).status_code == 403
    listed = (await officer.get(f"/patrols?day={tomorrow}")).json()["patrols"]
    mine = [each for each in listed if each["class_id"] == str(of.id)]
    assert sorted(each["begins"] for each in mine) == ["08:30", "13:30"]
    assert (await clerk.get("/patrols")).json()["patrols"] == []
    at = f"/patrols/{mine[0]['id']}"
    for who in (clerk, elsewhere):
        assert (await who.get(at)).status_code == 404
    assert (await elsewhere.post(f"{at}/join", {})).json()["code"] == "patrol.not_found"
    for who in (one, other):
        assert (await who.post(f"{at}/join", {})).status_code == 200
    for data, kind, status in ((JPEG, "image/gif", 415), (b"GIF", "image/jpeg", 422), (b"", "image/png", 422)):
        assert (await hand_in(one, at, data, kind)).status_code == status
    paper = (await hand_in(one, at, JPEG + uuid4().bytes)).json()["sha256"]
    found = {"result": "failed", "headcount": 2, "findings": "只有两人在场"}
    early = await one.post(f"{at}/result", found)
    assert (early.status_code, early.json()["code"]) == (409, "patrol.not_yet")
    clock.advance(2)
    named = await one.post(f"{at}/result", {**found, "findings": "张三 13812345678"})
    assert named.json()["code"] == "text.personal_number"
    told = await one.post(f"{at}/result", found)
    assert (told.status_code, told.json()["result"], told.json()["evidence"]) == (200, "failed", [paper])
    file = await client.get(f"/api{at}/evidence/{paper}", headers=clerk.headers)
    assert (file.status_code, file.content[:3], file.headers["content-type"]) == (200, JPEG[:3], "image/jpeg")
    assert (await clerk.get(f"{at}/evidence/{'0' * 64}")).status_code == 404
    covered = (await officer.get(f"/patrols/coverage?from={tomorrow}&to={tomorrow}")).json()
    own = [each for each in covered["institutions"] if each["institution_id"] == told.json()["institution_id"]]
    assert [(each["classes"], each["patrolled"], each["percent"], each["failed"]) for each in own] == [(1, 1, 100, 1)]
    await do_jobs("oversight.credit_patrol", UUID(mine[0]["id"]))
    async with transaction() as tx:
        row = CreditEventRow
        asked = select(row.kind, row.points, row.institution_id).where(row.patrol_id == UUID(mine[0]["id"]))
        assert (await tx.execute(asked)).all() == [("patrol_failed", -6, school.world.clerks[0].institution_id)]


async def do_jobs(kind: str, subject: UUID) -> None:
    """Twice, as messages come."""
    async with transaction() as tx:
        asked = select(JobRow.id).where(JobRow.kind == kind, JobRow.subject == subject)
        ids = list((await tx.execute(asked)).scalars())
    assert len(ids) == 1
    work = {"oversight.credit_patrol": credit_patrols, "training.weigh": weigh_institutions}[kind]
    for _ in range(2):
        await do(work, ids)
    async with transaction() as tx:
        states = select(JobRow.state).where(JobRow.id.in_(ids))
        assert set((await tx.execute(states)).scalars()) == {"done"}


async def test_weights_come_by_a_job(client: httpx.AsyncClient, school: School) -> None:
    tomorrow = today() + timedelta(days=1)
    institution = school.world.clerks[0].institution_id
    assert institution is not None
    async with transaction() as tx:
        of = await held(tx, school, sessions=sessions(tomorrow, room=f"{uuid4().hex[:8]}室"))
        weighing = await tell_weights(tx, [Weight(institution, 9, ["近满分通过率"])], now())
    await do_jobs("training.weigh", weighing)
    officer = await desk(client, school.officers[0])
    drawn = await officer.post("/patrols/draw", {"day": str(tomorrow), "count": 1, "kind": "live_online"})
    weights = {each["class_id"]: each["weight"] for each in drawn.json()["candidates"]}
    assert weights[str(of.id)] == 9
