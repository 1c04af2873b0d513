"""Objections and appeals that nobody may answer are counted for operators, and only those."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text, update

from domain.actor import Post
from domain.relative import Relation
from service.access.commands import declare_relative
from service.access.schemas import NewRelative
from service.access.tables import UserPostRow, UserRow
from service.database import Tx, transaction
from service.journal import By, record
from service.operations.queries.desk import desk
from service.operations.queries.figures import exposition
from service.operations.queries.unanswered import unanswered
from service.operations.schemas import UnansweredView
from service.security import open_session
from service.wording import words
from service.work.commands.taking import recuse
from service.work.schemas import NewRecusal
from tests.pages import at_a_browser, read
from tests.plain_words import foreign_in
from tests.repayments import Owing
from tests.service.test_clawback_appeals import DENY, answer, appeal, owing
from tests.service.test_notice_objections import NOT_UPHELD, Notice, notice
from tests.world import World

__all__ = ["notice", "owing"]  # fixtures


@pytest.fixture(autouse=True)
async def nobody_else(tx: Tx) -> None:
    """Other tests leave people who work for the whole city."""
    city = select(UserRow.id).where(UserRow.district.is_(None))
    posts = UserPostRow.post.in_([str(Post.REVIEWER), str(Post.NOTICE_PUBLISHER)])
    await tx.execute(delete(UserPostRow).where(posts, UserPostRow.user_id.in_(city)))


async def counted(tx: Tx, district: str) -> dict[str, int]:
    return {each.kind: each.count for each in await unanswered(tx, district)}


async def test_an_objection_whose_every_publisher_is_kept_from_it_alarms_until_a_person_is_added(
    tx: Tx, notice: Notice
) -> None:
    world, here = notice.world, notice.world.here
    since = world.now
    await notice.object(tx)
    world.now += timedelta(hours=1)
    await notice.object(tx)
    await notice.object(tx, 2)
    assert await counted(tx, here) == {}
    me = replace(notice.publisher, posts=frozenset({Post.REVIEWER, Post.NOTICE_PUBLISHER}))
    await recuse(tx, me, notice.claims[0], NewRecusal("认识申领人"), world.now)
    (seen,) = await unanswered(tx, here)
    assert (seen.district, seen.kind, seen.count, seen.oldest) == (here, "notice_objection", 2, since)
    assert "公示" in seen.then
    view = await desk(tx, here, world.now)
    assert {each.code: each.count for each in view.alarms} == {"unanswered": 2}
    assert 'zhida_alarm{kind="unanswered"} 2.0' in exposition(view).decode()
    city = (await desk(tx, None, world.now)).unanswered
    assert [each.count for each in city if each.district == here] == [2]
    world.staff[Post.AUDITOR] = await world.user(tx, {Post.ACCEPTOR}, here)  # of another post
    elsewhere = await world.user(tx, {Post.NOTICE_PUBLISHER}, "370112")
    assert await counted(tx, here) == {"notice_objection": 2}
    assert elsewhere.district != here
    added = await world.user(tx, {Post.NOTICE_PUBLISHER}, here)
    assert await counted(tx, here) == {}
    await tx.execute(update(UserRow).where(UserRow.id == added.user_id).values(disabled_at=world.now))
    assert await counted(tx, here) == {"notice_objection": 2}  # who cannot sign in answers nothing
    of_city = await world.user(tx, {Post.NOTICE_PUBLISHER}, None)
    assert await counted(tx, here) == {}
    made = notice.of[notice.claims[0]].made
    await declare_relative(tx, of_city, NewRelative(made.id_number, Relation.SIBLING), world.today, world.now)
    assert await counted(tx, here) == {"notice_objection": 2}


async def test_a_whole_notice_wants_a_publisher_and_who_objected_is_none(tx: Tx, notice: Notice) -> None:
    world, here = notice.world, notice.world.here
    whole = await notice.object(tx, None)
    assert await counted(tx, here) == {}
    await tx.execute(delete(UserPostRow).where(UserPostRow.user_id == notice.publisher.user_id))
    assert await counted(tx, here) == {"notice_objection": 1}
    another = await world.user(tx, {Post.NOTICE_PUBLISHER}, here)
    assert await counted(tx, here) == {}
    await notice.answer(tx, whole, NOT_UPHELD, another)
    await tx.execute(delete(UserPostRow).where(UserPostRow.user_id == another.user_id))
    assert await counted(tx, here) == {}  # it is answered


async def test_who_reviewed_the_claim_is_no_publisher_of_it(tx: Tx, notice: Notice) -> None:
    await notice.object(tx)
    by = By.actor(notice.publisher, Post.REVIEWER, notice.world.now)
    await record(tx, "claim", [notice.claims[0]], "unmask", by, [{}])
    assert await counted(tx, notice.world.here) == {"notice_objection": 1}


async def test_an_appeal_against_a_demand_wants_another_than_who_raised_it(tx: Tx, owing: Owing) -> None:
    district = owing.office.paid.stage.district
    await tx.execute(
        text(
            "DELETE FROM user_posts p USING users u WHERE u.id = p.user_id AND u.district = :here"
            " AND p.post = 'reviewer' AND u.id <> :me"
        ),
        {"here": district, "me": owing.office.paid.reviewer.user_id},
    )
    before = await counted(tx, district)
    opened = await appeal(tx, owing)
    assert await counted(tx, district) == {**before, "demand_appeal": before.get("demand_appeal", 0) + 1}
    another = await owing.world.user(tx, {Post.REVIEWER}, district)
    assert "demand_appeal" not in await counted(tx, district)
    await answer(tx, owing, opened, DENY, another)
    await tx.execute(delete(UserPostRow).where(UserPostRow.user_id == another.user_id))
    assert await counted(tx, district) == before


async def test_operators_read_how_many_and_what_helps(committed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page alone: whom other tests leave in the city may answer everything."""

    async def two(_tx: Tx, _district: str | None) -> list[UnansweredView]:
        then = words("unanswered.then", {"post": "post.reviewer"})
        return [UnansweredView("370102", "appeal", words("unanswered.appeal"), then, 2, committed.now)]

    monkeypatch.setattr("service.operations.queries.desk.unanswered", two)
    async with transaction() as tx:
        token = (await open_session(tx, await committed.user(tx, {Post.OPERATOR}, None))).token
    async with at_a_browser(token) as operator:
        page = await operator.get("/operate")
        assert not foreign_in(page.text)
        for said in ("2件异议或复核没有人能答复", "对不通过的复核申请，2 件", "有“审核”岗位的人都要回避"):
            assert said in read(page).text
