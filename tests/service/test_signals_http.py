"""Risk signals over HTTP: the city asks, the worker does it, each district reads its own."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from service.database import transaction
from service.oversight.commands.signalling import do_run
from tests.app import the_app
from tests.oversight import Oversight, many_with_one_phone
from tests.service.test_batches_http import desk
from tests.world import World


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


async def test_the_city_asks_and_districts_read(client: httpx.AsyncClient, committed: World) -> None:
    async with transaction() as tx:
        city = await Oversight.build(tx, committed)
        await many_with_one_phone(tx, city)
    desks = {name: await desk(client, me) for name, me in vars(city).items() if name in {"third", "here", "there"}}
    assert (await desks["here"].post("/signals/run", {})).status_code == 403
    asked = await desks["third"].post("/signals/run", {}, key="one")
    assert (asked.status_code, asked.json()["done_at"], asked.json()["origin_name"]) == (202, None, "工作人员要求")
    assert (await desks["third"].post("/signals/run", {}, key="one")).json() == asked.json()
    run_id = asked.json()["id"]
    assert (await desks["here"].get(f"/signals?run={run_id}")).json()["findings"] == []
    async with transaction() as tx:
        await do_run(tx, UUID(run_id), committed.now)
    seen = {name: (await each.get(f"/signals?run={run_id}")).json() for name, each in desks.items()}
    (found,) = [each for each in seen["here"]["findings"] if each["institution"] == city.code]
    assert (found["signal_name"], found["why"]) == ("多人同用一个手机号", "5 名学员用同一个手机号。")
    assert (len(found["rows"]), found["rows_found"]) == (5, 5)
    assert found in seen["third"]["findings"]
    assert city.code not in {each["institution"] for each in seen["there"]["findings"]}
    latest = (await desks["here"].get("/signals")).json()
    assert latest["run"]["id"] == run_id
    clerk = await desk(client, city.clerk)
    assert (await clerk.get("/signals")).status_code == 403
    unknown = await desks["here"].get(f"/signals?run={UUID(int=7)}")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "signal.no_run")
