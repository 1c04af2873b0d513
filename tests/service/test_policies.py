"""Policy parameters: anybody reads them, one person proposes a change, another confirms it."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from domain.actor import Actor, Post
from domain.errors import Conflict, Forbidden, Invalid, NotFound
from service.database import Tx, transaction
from service.journal import JournalRow
from service.policies import commands, queries
from service.policies.schemas import NewPolicy, PolicyView
from service.security import open_session
from tests.app import the_app
from tests.world import World

KEY = "claim_window_months"


def _new(world: World, days: int = 1, value: Any = 18, **given: str) -> NewPolicy:
    first = (world.today + timedelta(days=days)).isoformat()
    return NewPolicy(**{"key": KEY, "value": value, "first": first, "source": "示例文件", "basis": "示例", **given})


@pytest.fixture
async def editor(tx: Tx, world: World) -> Actor:
    return await world.user(tx, {Post.CATALOG_EDITOR})


@pytest.fixture
async def publisher(tx: Tx, world: World) -> Actor:
    return await world.user(tx, {Post.CATALOG_PUBLISHER})


async def _on(tx: Tx, day: date, key: str = KEY) -> PolicyView:
    return next(each for each in (await queries.policies_on(tx, day)).policies if each.key == key)


async def test_what_two_persons_signed_holds_from_its_day_and_ends_what_held_before(
    tx: Tx, world: World, editor: Actor, publisher: Actor
) -> None:
    tomorrow = world.today + timedelta(days=1)
    proposal = await commands.propose(tx, editor, _new(world), world.today, world.now)
    assert (proposal.mine, proposal.confirmed) == (True, False)
    assert (await _on(tx, tomorrow)).value == 12
    confirmed = await commands.confirm(tx, publisher, proposal.id, world.today, world.now)
    assert (confirmed.mine, confirmed.confirmed) == (False, True)
    before, after = await _on(tx, world.today), await _on(tx, tomorrow)
    assert (before.value, before.last) == (12, world.today)
    assert (after.value, after.first, after.last, after.source) == (18, tomorrow, None, "示例文件")
    steps = select(JournalRow.action, JournalRow.actor_person_id).where(JournalRow.subject_id == proposal.id)
    assert (await tx.execute(steps.order_by(JournalRow.id))).all() == [
        ("propose", editor.person_id),
        ("confirm", publisher.person_id),
    ]


async def test_a_change_may_begin_today(tx: Tx, world: World, editor: Actor, publisher: Actor) -> None:
    proposal = await commands.propose(tx, editor, _new(world, days=0), world.today, world.now)
    await commands.confirm(tx, publisher, proposal.id, world.today, world.now)
    assert (await _on(tx, world.today)).value == 18
    assert (await _on(tx, world.today - timedelta(days=1))).value == 12


async def test_one_person_does_not_do_both(tx: Tx, world: World) -> None:
    both = await world.user(tx, {Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER})
    proposal = await commands.propose(tx, both, _new(world), world.today, world.now)
    with pytest.raises(Forbidden, match=r"policy\.same_person"):
        await commands.confirm(tx, both, proposal.id, world.today, world.now)
    assert (await _on(tx, world.today + timedelta(days=1))).value == 12


async def test_posts_are_kept_apart(tx: Tx, world: World, editor: Actor, publisher: Actor) -> None:
    with pytest.raises(Forbidden, match="post_missing"):
        await commands.propose(tx, publisher, _new(world), world.today, world.now)
    proposal = await commands.propose(tx, editor, _new(world), world.today, world.now)
    for other in (editor, world.staff[Post.REVIEWER]):
        with pytest.raises(Forbidden, match="post_missing"):
            await commands.confirm(tx, other, proposal.id, world.today, world.now)


@pytest.mark.parametrize(
    ("given", "code", "field"),
    [
        ({"key": "no_such_key"}, "policy.unknown", "key"),
        ({"value": -1}, "policy.not_whole", "value"),
        ({"value": "NaN"}, "policy.not_whole", "value"),
        ({"value": True}, "policy.not_whole", "value"),
        ({"first": "2020-01-01"}, "policy.in_past", "from"),
        ({"first": "2026-02-30"}, "date.no_such_day", "from"),
        ({"source": " "}, "words.empty", "source"),
        ({"source": "联系 13800138000"}, "text.personal_number", "source"),
        ({"basis": ""}, "words.empty", "basis"),
    ],
)
async def test_what_may_not_be_proposed(
    tx: Tx, world: World, editor: Actor, given: dict[str, Any], code: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await commands.propose(tx, editor, _new(world, **given), world.today, world.now)
    assert (refused.value.code, refused.value.field) == (code, field)


async def test_nothing_changes_the_past_or_what_comes_later(
    tx: Tx, world: World, editor: Actor, publisher: Actor
) -> None:
    late = await commands.propose(tx, editor, _new(world), world.today, world.now)
    day_after = world.today + timedelta(days=2)
    with pytest.raises(Conflict, match=r"policy\.too_late"):
        await commands.confirm(tx, publisher, late.id, day_after, world.now)
    first, same, later = [
        await commands.propose(tx, editor, _new(world, days), world.today, world.now) for days in (10, 10, 5)
    ]
    await commands.confirm(tx, publisher, first.id, world.today, world.now)
    for other, code in ((first, "confirmed"), (same, "later_in_force"), (later, "later_in_force")):
        with pytest.raises(Conflict, match=rf"policy\.{code}"):
            await commands.confirm(tx, publisher, other.id, world.today, world.now)
    with pytest.raises(NotFound):
        await commands.confirm(tx, publisher, uuid4(), world.today, world.now)


async def test_loading_again_does_not_touch_what_persons_changed(tx: Tx, world: World) -> None:
    row = {"key": KEY, "value": 24, "from": date(2030, 1, 1), "source": "示例", "basis": "示例"}
    assert await commands.load_parameters(tx, [row]) == 0
    assert (await _on(tx, date(2031, 1, 1))).value == 12


# ---- over HTTP


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


async def _session(world: World, post: Post) -> dict[str, str]:
    async with transaction() as tx:
        token = (await open_session(tx, await world.user(tx, {post}))).token
    return {"Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid4())}


async def test_over_http(client: httpx.AsyncClient, committed: World) -> None:
    body = {
        "key": "notice_working_days",
        "value": 7,
        "from": "2090-01-02",
        "source": "示例文件",
        "basis": "公示 7 个工作日",
    }
    editor, publisher = [await _session(committed, post) for post in (Post.CATALOG_EDITOR, Post.CATALOG_PUBLISHER)]
    proposed = await client.post("/api/policies", json=body, headers=editor)
    assert proposed.status_code == 201
    again = await client.post("/api/policies", json=body, headers=editor)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (proposed.json(), "true")
    path = f"/api/policies/{proposed.json()['id']}/confirm"
    assert (await client.post(path, headers=editor)).status_code == 403
    listed = await client.get("/api/policies/proposals", headers=publisher)
    assert proposed.json()["id"] in {each["id"] for each in listed.json()["proposals"]}
    confirmed = await client.post(path, headers=publisher)
    assert (confirmed.status_code, confirmed.json()["confirmed"]) == (200, True)
    again = await client.post(path, headers={**publisher, "Idempotency-Key": "another"})
    assert (again.status_code, again.json()["code"]) == (409, "policy.confirmed")
    for on, value, last in (("2090-01-01", 5, "2090-01-01"), ("2090-01-02", 7, None)):
        answer = (await client.get(f"/api/policies?on={on}")).json()
        policy = next(each for each in answer["policies"] if each["key"] == "notice_working_days")
        assert (answer["on"], policy["value"], policy["last"]) == (on, value, last)
    unreal = await client.post(
        "/api/policies", json={**body, "value": -1}, headers={**editor, "Idempotency-Key": "x"}
    )
    assert (unreal.status_code, unreal.json()["errors"][0]["field"]) == (422, "value")


async def test_groups_are_there_to_choose_from(client: httpx.AsyncClient, committed: World) -> None:
    groups = (await client.get("/api/groups")).json()["groups"]
    assert len(groups) == 7
    assert all(group["proofs"] and group["name"] for group in groups)
