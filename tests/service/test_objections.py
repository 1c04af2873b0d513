"""A trainee objects to a paid claim of an institution; a reviewer of the district closes it; all is recorded."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import pytest

from domain.actor import Actor, Post
from domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from domain.objection import Finding, Ground
from service.audit.queries.checks import first_breach
from service.audit.queries.objections import OBJECTIONS
from service.audit.queries.story import story_of
from service.batches import commands as batches
from service.claims.commands.objections import close_objection, object_to
from service.claims.queries.objections import list_objections
from service.claims.schemas import NewFinding, NewObjection, ObjectionView
from service.database import Tx, transaction
from tests.app import the_app
from tests.objections import PaidForThem
from tests.payments import claim_statuses, journal_of, ready_jobs
from tests.service.test_batches_http import desk
from tests.world import World

REVOKED = NewObjection(Ground.REVOKED, "收回后机构仍然领取")
NEVER = NewObjection(Ground.NEVER_GIVEN, "没有签过字")
UPHELD, NOT_UPHELD = NewFinding(Finding.UPHELD, "协议上的签字不符"), NewFinding(Finding.NOT_UPHELD, "签字属实")


@pytest.fixture
async def paid(tx: Tx, world: World) -> PaidForThem:
    return await PaidForThem.build(tx, world)


async def raise_one(tx: Tx, paid: PaidForThem, new: NewObjection = NEVER) -> ObjectionView:
    return await object_to(tx, paid.trainee.actor, paid.claim_id, new, paid.stage.world.now)


async def listed(tx: Tx, me: Actor, *, closed: bool = False) -> list[UUID]:
    return [each.id for each in (await list_objections(tx, me, None, 50, closed=closed)).objections]


async def test_an_objection_is_open_for_the_districts_reviewers(tx: Tx, paid: PaidForThem) -> None:
    world, now = paid.stage.world, paid.stage.world.now
    said = await batches.revoke(tx, paid.trainee.actor, paid.mandate_id, "", world.today, now)
    assert (said.withdrawn, said.past_no_return) == ([], [paid.claim_id])
    opened = await raise_one(tx, paid, REVOKED)
    assert (opened.claim_id, opened.ground_name, opened.finding, opened.message) == (
        paid.claim_id,
        "代领协议已收回",
        None,
        "在查，还没有认定。",
    )
    for reader in (paid.trainee.actor, paid.reviewer):
        assert await listed(tx, reader) == [opened.id]
    assert opened.id in await listed(tx, world.staff[Post.AUDITOR])
    stranger = (await world.trainee(tx)).actor
    for other in (world.staff[Post.REVIEWER], paid.clerk, stranger):
        assert opened.id not in await listed(tx, other)
    (noted,) = await journal_of(tx, "claim_objection", opened.id)
    assert (noted.action, noted.actor_person_id, noted.reason) == (
        "object",
        paid.trainee.actor.person_id,
        "revoked 收回后机构仍然领取",
    )


@pytest.mark.parametrize(
    ("finding", "told"), [(UPHELD, "核查认定，异议成立。"), (NOT_UPHELD, "核查认定，异议不成立。")]
)
async def test_a_reviewer_closes_it_and_only_records(
    tx: Tx, paid: PaidForThem, finding: NewFinding, told: str
) -> None:
    opened, now = await raise_one(tx, paid), paid.stage.world.now
    closed = await close_objection(tx, paid.reviewer, opened.id, finding, now)
    assert (closed.finding, closed.finding_reason, closed.closed_at) == (finding.finding, finding.reason, now)
    assert ("已发的要退回" in closed.message) == (finding is UPHELD)
    assert ("clawbacks.raise_clawback" in await ready_jobs(tx, paid.claim_id)) == (finding is UPHELD)
    assert await claim_statuses(tx, [paid.claim_id]) == ["paid"]
    assert (await listed(tx, paid.reviewer), await listed(tx, paid.reviewer, closed=True)) == ([], [opened.id])
    with pytest.raises(Conflict, match=r"objection\.closed"):
        await close_objection(tx, paid.reviewer, opened.id, finding, now)
    story = await story_of(tx, paid.stage.world.staff[Post.AUDITOR], paid.claim_id)
    steps = {step.what: step.evidence for step in story.steps}
    assert steps["申领人提出异议，等待核查。"] == ["没有签过代领协议 没有签过字"]
    assert finding.reason in steps[told][0]
    assert await first_breach(tx, OBJECTIONS.checks) is None


async def test_what_was_upheld_stands_and_what_was_not_may_be_raised_again(tx: Tx, paid: PaidForThem) -> None:
    for finding in (NOT_UPHELD, UPHELD):
        now = paid.stage.world.now = paid.stage.world.now + timedelta(days=1)
        opened = await raise_one(tx, paid)
        with pytest.raises(Conflict, match=r"objection\.standing"):
            await raise_one(tx, paid)
        await close_objection(tx, paid.reviewer, opened.id, finding, now)
    with pytest.raises(Conflict, match=r"objection\.standing"):
        await raise_one(tx, paid)
    page = await list_objections(tx, paid.reviewer, None, 1, closed=True)
    rest = await list_objections(tx, paid.reviewer, page.next, 1, closed=True)
    assert ([each.finding for each in page.objections + rest.objections], rest.next) == (
        ["not_upheld", "upheld"],
        None,
    )


async def refused(tx: Tx, me: Actor, claim_id: UUID, new: NewObjection, world: World) -> DomainError:
    with pytest.raises(DomainError) as caught:
        await object_to(tx, me, claim_id, new, world.now)
    return caught.value


async def test_only_the_claimant_objects_and_only_to_what_was_paid(tx: Tx, world: World) -> None:
    early = await PaidForThem.build(tx, world, paid=False)
    mine, stranger = early.trainee.actor, (await world.trainee(tx)).actor
    assert isinstance(await refused(tx, stranger, early.claim_id, NEVER, world), NotFound)
    assert isinstance(await refused(tx, early.clerk, early.claim_id, NEVER, world), Forbidden)
    assert isinstance(await refused(tx, mine, uuid4(), NEVER, world), NotFound)
    assert (await refused(tx, mine, early.claim_id, NEVER, world)).code == "objection.not_paid"
    await early.pay(tx)
    assert (await refused(tx, mine, early.claim_id, REVOKED, world)).code == "objection.mandate_stands"
    blank = await refused(tx, mine, early.claim_id, NewObjection(Ground.NEVER_GIVEN, "  "), world)
    assert (type(blank), blank.code) == (Invalid, "words.empty")
    numbered = NewObjection(Ground.NEVER_GIVEN, "我的电话 13800001234")
    assert (await refused(tx, mine, early.claim_id, numbered, world)).code == "text.personal_number"
    other = await world.trainee(tx)
    own = await world.claim(tx, "payable", other)
    assert (await refused(tx, other.actor, own.id, NEVER, world)).code == "objection.own_filing"


async def test_nobody_closes_their_own_or_another_districts(tx: Tx, paid: PaidForThem) -> None:
    opened, world = await raise_one(tx, paid), paid.stage.world
    mine = replace(paid.trainee.actor, posts=frozenset({Post.REVIEWER}), district=paid.stage.district)
    for who, why, code in (
        (mine, Forbidden, "claim.own"),
        (world.staff[Post.REVIEWER], NotFound, "objection.not_found"),
        (paid.stage.staff[Post.CHECKER], Forbidden, "post_missing"),
    ):
        with pytest.raises(why) as caught:
            await close_objection(tx, who, opened.id, UPHELD, world.now)
        assert caught.value.code == code
    with pytest.raises(NotFound):
        await close_objection(tx, paid.reviewer, uuid4(), UPHELD, world.now)


# ---- over HTTP


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


async def test_over_http_an_objection_is_raised_once_and_closed_once(
    client: httpx.AsyncClient, committed: World
) -> None:
    async with transaction() as tx:
        paid = await PaidForThem.build(tx, committed)
        stranger = await committed.trainee(tx)
    me, reviewer = await desk(client, paid.trainee.actor), await desk(client, paid.reviewer)
    path, body = f"/claims/{paid.claim_id}/object", {"ground": "never_given", "reason": "没有签过字"}
    wrong = [
        (400, await me.post(path, {"ground": "unheard_of", "reason": "x"})),
        (400, await me.post(path, {"ground": "never_given", "reason": ""})),
        (400, await me.client.post(f"/api{path}", json=body, headers=me.headers)),
        (409, await me.post(path, {**body, "ground": "revoked"})),
        (404, await (await desk(client, stranger.actor)).post(path, body)),
        (403, await (await desk(client, paid.clerk)).post(path, body)),
    ]
    assert [answer.status_code for _, answer in wrong] == [status for status, _ in wrong]
    raised = await me.post(path, body, key="one")
    assert (raised.status_code, raised.json()["finding"]) == (201, None)
    replayed = await me.post(path, body, key="one")
    assert (replayed.json(), replayed.headers["Idempotent-Replayed"]) == (raised.json(), "true")
    again = await me.post(path, body)
    assert (again.status_code, again.json()["code"]) == (409, "objection.standing")

    (seen,) = (await reviewer.get("/objections")).json()["objections"]
    assert seen == raised.json()
    close, found = f"/objections/{seen['id']}/close", {"finding": "upheld", "reason": "签字不符"}
    foreign = await desk(client, committed.other_staff[Post.REVIEWER])
    assert (await foreign.post(close, found)).status_code == 404
    assert (await me.post(close, found)).status_code == 403
    closed = await reviewer.post(close, found, key="two")
    assert (closed.status_code, closed.json()["finding"]) == (200, "upheld")
    assert (await reviewer.post(close, found, key="two")).headers["Idempotent-Replayed"] == "true"
    assert (await reviewer.post(close, found)).json()["code"] == "objection.closed"
    assert (await me.get("/objections?closed=true")).json()["objections"] == [closed.json()]
    assert (await (await desk(client, paid.stage.staff[Post.MAKER])).get("/objections")).status_code == 403
