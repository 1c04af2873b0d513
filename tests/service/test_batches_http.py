"""Batches as three persons use them over HTTP."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from domain.actor import Actor, Post
from service.batches import commands
from service.database import transaction
from service.security import open_session
from tests.app import the_app
from tests.payments import (
    Stage,
    journal_of,
    shown,
)
from tests.world import FUND, World


class Desk:
    """The API as one person uses it."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client, self.headers = client, {"Authorization": f"Bearer {token}"}

    async def post(self, path: str, content: Any, key: str | None = None) -> Any:
        headers = {**self.headers, "Idempotency-Key": key or str(uuid4())}
        return await self.client.post(f"/api{path}", json=content, headers=headers)

    async def get(self, path: str) -> Any:
        return await self.client.get(f"/api{path}", headers=self.headers)


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """The service inside this process and its event loop, which owns the pool of connections."""
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


@pytest.fixture
async def open_stage(committed: World) -> Stage:
    async with transaction() as tx:
        return await Stage.build(tx, committed)


async def desk(client: httpx.AsyncClient, actor: Actor) -> Desk:
    async with transaction() as tx:
        return Desk(client, (await open_session(tx, actor)).token)


async def test_over_http_from_opening_to_release(client: httpx.AsyncClient, open_stage: Stage) -> None:
    maker, checker, releaser = [await desk(client, actor) for actor in open_stage.staff.values()]
    opened = await maker.post("/batches", {"fund": FUND, "filter": {}}, key="one")
    assert (opened.status_code, opened.json()["status"]) == (202, "opened")
    replayed = await maker.post("/batches", {"fund": FUND, "filter": {}}, key="one")
    assert (replayed.json(), replayed.headers["Idempotent-Replayed"]) == (opened.json(), "true")
    at = f"/batches/{opened.json()['id']}"
    async with transaction() as tx:
        await commands.assemble(tx, UUID(opened.json()["id"]), open_stage.world.now)
    batch = (await checker.get(at)).json()
    seen = {name: batch[name] for name in ("content_hash", "line_count", "sum_fen")}
    assert (await maker.post(f"{at}/submit", seen)).json()["status"] == "submitted"
    assert (await checker.post(f"{at}/check", {**seen, "sum_fen": 1})).status_code == 409
    assert (await checker.post(f"{at}/check", seen)).json()["status"] == "checked"
    sign = {**seen, "voucher": f"2026-{uuid4()}", "transferred_on": str(open_stage.world.today)}
    released = await releaser.post(f"{at}/release", sign)
    assert (released.status_code, released.json()["status"]) == (200, "released")
    assert [each["step"] for each in released.json()["signatures"]] == ["assemble", "check", "release"]
    assert len((await releaser.get(f"{at}/lines?limit=2")).json()["lines"]) == 2
    assert [each["id"] for each in (await maker.get("/batches?status=released")).json()["batches"]] == [batch["id"]]


async def test_over_http_checking_ones_own_batch_is_refused_and_journalled(
    client: httpx.AsyncClient, open_stage: Stage
) -> None:
    async with transaction() as tx:
        batch = await open_stage.frozen(tx)
        await commands.submit_batch(tx, open_stage.staff[Post.MAKER], batch.id, shown(batch), open_stage.world.now)
    seen = {"content_hash": batch.content_hash, "line_count": batch.line_count, "sum_fen": batch.sum_fen}
    maker = await desk(client, open_stage.staff[Post.MAKER])
    refused = await maker.post(f"/batches/{batch.id}/check", seen)
    assert (refused.status_code, refused.json()["code"]) == (403, "batch.same_person")
    assert refused.headers["content-type"] == "application/problem+json"
    async with transaction() as tx:
        (noted,) = await journal_of(tx, "batch_refusal", batch.id)
        assert (noted.action, noted.after) == ("refused_check", {"refused": "batch.same_person"})
        assert noted.actor_person_id == open_stage.staff[Post.MAKER].person_id
        assert (await open_stage.see(tx, batch.id)).status == "submitted"


async def test_over_http_what_does_not_fit_is_refused(client: httpx.AsyncClient, open_stage: Stage) -> None:
    maker = await desk(client, open_stage.staff[Post.MAKER])
    async with transaction() as tx:
        foreign = await open_stage.world.user(tx, {Post.CHECKER}, open_stage.world.here)
        batch = await open_stage.frozen(tx)
    seen = {"content_hash": batch.content_hash, "line_count": batch.line_count, "sum_fen": batch.sum_fen}
    answers = [
        (404, await (await desk(client, foreign)).post(f"/batches/{batch.id}/check", seen)),
        (404, await maker.get(f"/batches/{uuid4()}")),
        (400, await maker.post("/batches", {"fund": FUND, "filter": {}, "limit": 100_001})),
        (400, await maker.post("/batches", {"fund": FUND, "filter": {"status": "paid"}})),
        (400, await maker.post("/batches", {"filter": {}})),
        (422, await maker.post("/batches", {"fund": "pocket_money", "filter": {}})),
        (400, await maker.post(f"/batches/{batch.id}/submit", {**seen, "sum_fen": True})),
        (400, await maker.post(f"/batches/{batch.id}/submit", {**seen, "sum_fen": 2**63})),
        (400, await maker.get("/batches?cursor=forged")),
        (400, await maker.get("/batches?limit=1000000000")),
        (400, await maker.get(f"/batches/{batch.id}/lines?cursor=%00")),
        (400, await maker.client.post("/api/batches", json={"fund": FUND, "filter": {}}, headers=maker.headers)),
        (401, await client.get("/api/batches")),
        (
            403,
            await (await desk(client, open_stage.staff[Post.CHECKER])).post("/batches", {"fund": FUND, "filter": {}}),
        ),
    ]
    assert [answer.status_code for _, answer in answers] == [status for status, _ in answers]
    assert all(answer.headers["content-type"] == "application/problem+json" for _, answer in answers)
