"""Approved claims stand before the public for a period, masked, and then go on to the money."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.middleware import DefineMiddleware
from sqlalchemy import func, select

from domain.actor import Actor, Post
from domain.claim import ClaimAction
from domain.errors import Conflict, Forbidden, NotFound
from domain.identity import CreditCode
from service.access.commands import load_districts
from service.claims.commands.moves import move_claim
from service.claims.commands.review import approve_claim, withdraw_claim
from service.claims.tables import ClaimRow
from service.database import Tx, transaction
from service.institutions.commands import list_institution
from service.journal import By, JournalRow
from service.notices import commands, routes
from service.notices.commands import close_portion, publish_notice
from service.notices.queries import notice_page, open_notices
from service.notices.schemas import PublishedView
from service.notices.tables import NoticeLineRow, NoticeRow
from service.problems import HANDLERS
from service.security import Authentication, open_session
from service.web import DEPENDENCIES, StrictRequest
from tasks.notices import close_notices
from tests.world import WELDER_LEVEL_4_FEN, World

#: The Monday before a National Day: 1 to 7 October are off, Saturday the 10th is worked.
BEFORE_THE_HOLIDAY, LAST_DAY = date(2026, 9, 28), date(2026, 10, 10)


@pytest.fixture
async def world(tx: Tx, world: World) -> World:
    """The stage in a district of its own, so that what committed tests left behind is not published here."""
    world.here = f"T{uuid4().hex[:12]}"
    await load_districts(tx, [{"code": world.here, "name": "试验区", "parent": None, "kind": "district"}])
    world.staff[Post.NOTICE_PUBLISHER] = await world.user(tx, {Post.NOTICE_PUBLISHER}, world.here)
    return world


def publisher(world: World) -> Actor:
    return world.staff[Post.NOTICE_PUBLISHER]


async def publish(tx: Tx, world: World, me: Actor | None = None) -> PublishedView:
    return await publish_notice(tx, me or publisher(world), BEFORE_THE_HOLIDAY, world.now)


async def status_of(tx: Tx, *claim_ids: UUID) -> list[str]:
    rows = await tx.execute(select(ClaimRow.id, ClaimRow.status).where(ClaimRow.id.in_(claim_ids)))
    now = {row.id: row.status for row in rows}
    return [now[each] for each in claim_ids]


async def close_all(tx: Tx, today: date, world: World) -> None:
    while await close_portion(tx, today, world.now):
        pass  # one portion after the other


async def test_all_approved_claims_of_the_district_are_published_for_five_working_days(tx: Tx, world: World) -> None:
    approved = [(await world.claim(tx, "approved")).id for _ in range(2)]
    others = [(await world.claim(tx, status)).id for status in ("verified", "in_review", "payable")]
    elsewhere = (await world.claim(tx, "approved", district=world.other)).id
    notice = await publish(tx, world)
    assert (notice.opens_on, notice.closes_on, notice.provisional) == (BEFORE_THE_HOLIDAY, LAST_DAY, False)
    assert (notice.district, notice.line_count, notice.excluded, notice.left) == (world.here, 2, 0, 0)
    assert await status_of(tx, *approved) == ["noticed", "noticed"]
    assert await status_of(tx, *others, elsewhere) == ["verified", "in_review", "payable", "approved"]
    journalled = await tx.execute(
        select(JournalRow.actor_user_id, JournalRow.actor_name).where(
            JournalRow.subject_id.in_(approved), JournalRow.action == "publish"
        )
    )
    assert set(journalled.all()) == {(publisher(world).user_id, "notice_publisher")}


async def test_a_notice_shows_what_the_public_may_see_and_nothing_else(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    await world.claim(tx, "approved", trainee)
    notice = await publish(tx, world)
    page = await notice_page(tx, notice.id, BEFORE_THE_HOLIDAY)
    assert page is not None
    number = trainee.made.id_number
    assert [json.loads(msgspec.json.encode(line)) for line in page.lines] == [
        {
            "name": trainee.made.name,
            "id_number": f"{number[:6]}********{number[14:]}",
            "occupation": "焊工",
            "level": "四级/中级工",
            "amount": "1,200 元",
            "amount_fen": WELDER_LEVEL_4_FEN,
            "institution": "",
        }
    ]


async def test_a_claim_through_an_institution_names_it(tx: Tx, world: World) -> None:
    code = CreditCode.parse(world.maker.credit_code())
    school = await list_institution(tx, code, "示例一校", world.here, date(2020, 1, 1), "示例")
    claim = await world.through_institution(tx, await world.user(tx, {Post.CLERK}, world.here, school))
    for action in (ClaimAction.VERIFY, ClaimAction.APPROVE):
        await move_claim(tx, action, claim.id, By("a test", world.now))
    notice = await publish(tx, world)
    page = await notice_page(tx, notice.id, BEFORE_THE_HOLIDAY)
    assert page is not None
    assert [line.institution for line in page.lines] == ["示例一校"]


async def test_whoever_reads_every_page_can_compute_the_hash(tx: Tx, world: World) -> None:
    for _ in range(5):
        await world.claim(tx, "approved")
    notice = await publish(tx, world)
    whole, cursor, sizes = hashlib.sha256(), None, []
    while True:
        page = await notice_page(tx, notice.id, LAST_DAY, cursor, limit=2)
        assert page is not None
        for line in page.lines:
            whole.update(msgspec.json.encode(line) + b"\n")
        sizes.append(len(page.lines))
        cursor = page.next
        if cursor is None:
            break
    assert sizes == [2, 2, 1]
    assert whole.hexdigest() == notice.content_hash


async def test_nobody_publishes_what_they_reviewed_or_what_is_their_own(tx: Tx, world: World) -> None:
    both = await world.user(tx, {Post.REVIEWER, Post.NOTICE_PUBLISHER}, world.here)
    other_user = await world.user(tx, {Post.TRAINEE})
    me = Actor(both.user_id, both.person_id, both.posts, both.district)
    reviewed = (await world.claim(tx, "verified")).id
    await approve_claim(tx, me, reviewed, "", world.now)
    own_trainee = await world.trainee(tx)
    own = (await world.claim(tx, "approved", own_trainee)).id
    mine_too = Actor(other_user.user_id, own_trainee.actor.person_id, both.posts, world.here)

    first = await publish(tx, world, me)
    assert (first.line_count, first.excluded) == (1, 1)
    assert await status_of(tx, reviewed, own) == ["approved", "noticed"]

    number = world.maker.certificate("3", world.today.year)
    again = await world.claim(tx, "approved", own_trainee, level="3", certificate_number=number)
    second = await publish(tx, world, mine_too)
    assert (second.line_count, second.excluded) == (1, 1)
    assert await status_of(tx, reviewed, again.id) == ["noticed", "approved"]

    with pytest.raises(Conflict) as left:
        await publish(tx, world, mine_too)
    assert (left.value.code, left.value.facts) == ("notice.nothing", {"excluded": 1})


async def test_only_a_publisher_of_a_district_publishes(tx: Tx, world: World) -> None:
    await world.claim(tx, "approved")
    for post in (Post.REVIEWER, Post.MAKER, Post.AUDITOR):
        with pytest.raises(Forbidden):
            await publish(tx, world, world.staff[post])
    everywhere = await world.user(tx, {Post.NOTICE_PUBLISHER})
    with pytest.raises(Forbidden) as refusal:
        await publish(tx, world, everywhere)
    assert refusal.value.code == "district_missing"


async def test_without_a_period_in_force_nothing_is_published(tx: Tx, world: World) -> None:
    claim = await world.claim(tx, "approved")
    with pytest.raises(Conflict) as refusal:
        await publish_notice(tx, publisher(world), date(2018, 12, 31), world.now)
    assert (refusal.value.code, refusal.value.facts["key"]) == ("policy.missing", "notice_working_days")
    assert await status_of(tx, claim.id) == ["approved"]


async def test_a_notice_has_a_size_and_the_rest_waits_for_the_next(
    tx: Tx, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "LINES_MAX", 2)
    for _ in range(3):
        await world.claim(tx, "approved")
    first, second = await publish(tx, world), await publish(tx, world)
    assert (first.line_count, first.left, second.line_count, second.left) == (2, 1, 1, 0)


async def test_claims_go_on_to_the_money_the_day_after_the_last(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    withdrawn = await world.claim(tx, "approved", trainee)
    staying = await world.claim(tx, "approved")
    notice = await publish(tx, world)
    await withdraw_claim(tx, trainee.actor, withdrawn.id, "", world.now)
    await close_all(tx, LAST_DAY, world)
    assert await status_of(tx, staying.id) == ["noticed"]
    assert notice.id in {each.id for each in await open_notices(tx, LAST_DAY)}

    after = LAST_DAY + timedelta(days=1)
    # down before any sweep has come by
    assert notice.id not in {each.id for each in await open_notices(tx, after)}
    assert await notice_page(tx, notice.id, after) is None
    await close_all(tx, after, world)
    assert await status_of(tx, withdrawn.id, staying.id) == ["withdrawn", "payable"]
    assert await notice_page(tx, notice.id, LAST_DAY) is None


async def test_a_large_notice_is_cleared_in_portions_and_closed_with_its_last_claim(
    tx: Tx, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "CLEARED_MAX", 2)
    claims = [(await world.claim(tx, "approved")).id for _ in range(4)]
    notice = await publish_notice(tx, publisher(world), date(2019, 1, 2), world.now)  # over before any other
    after, closed_at = date(2019, 2, 1), select(NoticeRow.closed_at).where(NoticeRow.id == notice.id)
    assert await close_portion(tx, after, world.now)
    assert sorted(await status_of(tx, *claims)) == ["noticed", "noticed", "payable", "payable"]
    assert (await tx.execute(closed_at)).scalar_one() is None
    await close_all(tx, after, world)
    assert await status_of(tx, *claims) == ["payable"] * 4
    assert (await tx.execute(closed_at)).scalar_one() == world.now


async def test_a_claim_that_was_objected_to_waits_for_its_later_notice(tx: Tx, world: World) -> None:
    claim = (await world.claim(tx, "approved")).id
    first = await publish(tx, world)
    for action in (ClaimAction.OBJECT, ClaimAction.APPROVE):
        await move_claim(tx, action, claim, By("a test", world.now))
    second = await publish_notice(tx, publisher(world), LAST_DAY, world.now)
    await close_all(tx, first.closes_on + timedelta(days=1), world)
    assert await status_of(tx, claim) == ["noticed"]
    await close_all(tx, second.closes_on + timedelta(days=1), world)
    assert await status_of(tx, claim) == ["payable"]


async def test_publishers_that_race_publish_each_claim_once(committed: World) -> None:
    async with transaction() as tx:
        claims = [(await committed.claim(tx, "approved")).id for _ in range(3)]
        rival = await committed.user(tx, {Post.NOTICE_PUBLISHER}, committed.here)

    async def race(me: Actor) -> str:
        try:
            async with transaction() as tx:
                await publish(tx, committed, me)
        except Conflict as refusal:
            return refusal.code
        return "published"

    outcomes = await asyncio.gather(*(race(me) for me in (publisher(committed), rival) * 2))
    assert sorted(outcomes) == ["notice.nothing"] * 3 + ["published"]
    async with transaction() as tx:
        stands = select(func.count()).where(NoticeLineRow.claim_id.in_(claims))
        assert (await tx.execute(stands)).scalar_one() == len(claims)


async def test_sweeps_that_come_twice_clear_each_claim_once(committed: World) -> None:
    async with transaction() as tx:
        claims = [(await committed.claim(tx, "approved")).id for _ in range(3)]
        notice = await publish_notice(tx, publisher(committed), date(2019, 1, 2), committed.now)
    await asyncio.gather(*(close_notices() for _ in range(4)))
    async with transaction() as tx:
        assert await status_of(tx, *claims) == ["payable"] * 3
        noted = select(func.count()).where(
            JournalRow.subject_id.in_([*claims, notice.id]), JournalRow.action.in_(["clear", "close"])
        )
        assert (await tx.execute(noted)).scalar_one() == 4


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = Litestar(
        routes.ROUTES,
        dependencies=DEPENDENCIES,
        exception_handlers=HANDLERS,
        middleware=[DefineMiddleware(Authentication)],
        request_class=StrictRequest,
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://zhida") as client:
        yield client


async def bearer(me: Actor) -> dict[str, str]:
    async with transaction() as tx:
        return {"Authorization": f"Bearer {(await open_session(tx, me)).token}"}


async def test_over_http_an_officer_publishes_and_anybody_reads_until_it_is_over(
    committed: World, client: httpx.AsyncClient
) -> None:
    async with transaction() as tx:
        trainee = await committed.trainee(tx)
        await committed.claim(tx, "approved", trainee)
    signed_in = await bearer(publisher(committed))
    published = await client.post("/api/notices", json={}, headers=signed_in)
    assert published.status_code == 201, published.text
    notice = published.json()
    assert notice["line_count"] >= 1

    nothing = await client.post("/api/notices", json={}, headers=signed_in)
    assert (nothing.status_code, nothing.json()["code"]) == (409, "notice.nothing")

    listed = await client.get("/api/notices")
    assert notice["id"] in {each["id"] for each in listed.json()["notices"]}
    page = await client.get(f"/api/notices/{notice['id']}")
    assert page.status_code == 200
    assert trainee.made.name in {line["name"] for line in page.json()["lines"]}
    assert trainee.made.id_number not in page.text
    assert trainee.made.id_number[6:14] not in page.text

    async with transaction() as tx:
        await close_all(tx, date.fromisoformat(notice["closes_on"]) + timedelta(days=1), committed)
    gone = await client.get(f"/api/notices/{notice['id']}")
    assert (gone.status_code, gone.json()["code"]) == (410, "http.410")
    assert gone.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/api/notices/{UUID(int=1)}", 404),
        ("/api/notices/nothing", 404),
        (f"/api/notices/{UUID(int=1)}?cursor=forged", 400),
        (f"/api/notices/{UUID(int=1)}?limit=201", 400),
        (f"/api/notices/{UUID(int=1)}?limit=0", 400),
        (f"/api/notices/{UUID(int=1)}?limit=1000000000", 400),
    ],
)
async def test_what_is_not_there_or_not_well_asked_is_a_problem(
    client: httpx.AsyncClient, path: str, status: int
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_publishing_asks_who_one_is_and_takes_no_unknown_field(
    committed: World, client: httpx.AsyncClient
) -> None:
    assert (await client.post("/api/notices", json={})).status_code == 401
    reviewer = await bearer(committed.staff[Post.REVIEWER])
    assert (await client.post("/api/notices", json={}, headers=reviewer)).status_code == 403
    mine = await bearer(publisher(committed))
    unknown = await client.post("/api/notices", json={"district": committed.other}, headers=mine)
    assert unknown.status_code == 400


async def test_a_notice_nobody_published_is_not_found(tx: Tx, world: World) -> None:
    with pytest.raises(NotFound):
        await notice_page(tx, uuid4(), world.today)
