"""Anybody objects to a notice while it stands; the line's money waits for the answer, which its desk gives once."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from domain import notice_objection as rules
from domain.actor import Actor, Post
from domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from domain.objection import Finding
from domain.relative import Relation
from service.access.commands import declare_relative, load_districts
from service.access.schemas import NewRelative
from service.audit.queries.checks import first_breach
from service.audit.queries.objections import TO_NOTICES
from service.batches.commands import hold, lift
from service.claims.commands.review import approve_claim
from service.claims.schemas import NewHold
from service.database import Tx
from service.journal import JournalRow
from service.notices.commands import answer_objection, close_portion, object_to, publish_notice
from service.notices.queries import list_objections, notice_page, objection_state, objections_waiting
from service.notices.schemas import NewNoticeAnswer, NewNoticeObjection
from service.notices.tables import NoticeLineRow, NoticeObjectionRow
from service.people.tables import PersonRow
from service.work.commands.taking import recuse
from service.work.schemas import NewRecusal
from tests.races.test_standards_by_sql import refused
from tests.service.test_notices import status_of
from tests.world import Trainee, World

BEFORE_THE_HOLIDAY, LAST_DAY, AFTER = date(2026, 9, 28), date(2026, 10, 10), date(2026, 10, 12)
#: Of an objection of the first day: 29 and 30 September, 8, 9 and 10 October.
ANSWERED_BY = date(2026, 10, 10)
UPHELD = NewNoticeAnswer(Finding.UPHELD, "核实了，没有上过课")
NOT_UPHELD = NewNoticeAnswer(Finding.NOT_UPHELD, "查了签到和证书，都属实")
ANSWER = """
    INSERT INTO notice_objection_answers
           (objection_id, finding, answer, answered_by, answered_person, answered_on, answered_at)
    VALUES (:id, 'not_upheld', 'x', :user, :person, :on, now())"""


@dataclass
class Notice:
    """A notice of two claims in a district of its own, the lines in order."""

    world: World
    id: UUID
    claims: list[UUID]
    of: dict[UUID, Trainee]
    publisher: Actor

    async def object(
        self,
        tx: Tx,
        line: int | None = 1,
        me: Actor | None = None,
        on: date = BEFORE_THE_HOLIDAY,
        words: str = "没有上过课",
    ) -> UUID:
        new = NewNoticeObjection(words, line, "")
        return (await object_to(tx, me, self.id, new, on, self.world.now)).id

    async def answer(self, tx: Tx, objection: UUID, new: NewNoticeAnswer, me: Actor | None = None) -> None:
        await answer_objection(tx, me or self.publisher, objection, new, AFTER, self.world.now)

    async def closed(self, tx: Tx) -> list[str]:
        """Its claims, after the sweep has been there behind its last day."""
        while await close_portion(tx, AFTER, self.world.now):
            pass  # one portion after the other
        return await status_of(tx, *self.claims)


@pytest.fixture
async def notice(tx: Tx, world: World) -> Notice:
    world.here = f"T{uuid4().hex[:12]}"
    await load_districts(tx, [{"code": world.here, "name": "试验区", "parent": None, "kind": "district"}])
    world.staff[Post.REVIEWER] = await world.user(tx, {Post.REVIEWER}, world.here)
    publisher = await world.user(tx, {Post.NOTICE_PUBLISHER}, world.here)
    of = {}
    for _ in range(2):
        trainee = await world.trainee(tx)
        of[(await world.claim(tx, "approved", trainee)).id] = trainee
    published = await publish_notice(tx, publisher, BEFORE_THE_HOLIDAY, world.now)
    lines = select(NoticeLineRow.claim_id).where(NoticeLineRow.notice_id == published.id)
    claims = list((await tx.execute(lines.order_by(NoticeLineRow.claim_id))).scalars())
    return Notice(world, published.id, claims, of, publisher)


async def test_the_line_waits_for_the_answer_and_the_others_do_not(tx: Tx, notice: Notice) -> None:
    receipt = await object_to(
        tx, None, notice.id, NewNoticeObjection("没有上过课", 2, "王某 13800001234"), LAST_DAY, notice.world.now
    )
    assert receipt.due_on == date(2026, 10, 16)
    assert await notice.closed(tx) == ["payable", "noticed"]
    (waits,) = (await list_objections(tx, notice.publisher, AFTER, None, 50)).objections
    assert (waits.id, waits.line, waits.claim_id) == (receipt.id, 2, notice.claims[1])
    assert (waits.words, waits.contact, waits.signed_in) == ("没有上过课", "王某 13800001234", False)
    assert waits.shown is not None
    assert waits.shown.name == notice.of[notice.claims[1]].made.name
    await notice.answer(tx, receipt.id, NOT_UPHELD)
    assert await status_of(tx, *notice.claims) == ["payable", "payable"]
    state = await objection_state(tx, receipt.id, AFTER)
    assert (state.finding, state.answer, state.overdue) == (Finding.NOT_UPHELD, NOT_UPHELD.answer, False)
    assert (await list_objections(tx, notice.publisher, AFTER, None, 50)).objections == []
    (closed,) = (await list_objections(tx, notice.publisher, AFTER, None, 50, closed=True)).objections
    assert closed.id == receipt.id
    with pytest.raises(Conflict) as again:
        await notice.answer(tx, receipt.id, UPHELD)
    assert again.value.code == "notice_objection.answered"
    assert await first_breach(tx, TO_NOTICES.checks) is None


async def test_upheld_the_claim_is_reviewed_again_and_may_be_published_again(tx: Tx, notice: Notice) -> None:
    first, second = await notice.object(tx), await notice.object(tx)
    await notice.answer(tx, first, UPHELD)
    assert await status_of(tx, *notice.claims) == ["in_review", "noticed"]
    row = JournalRow
    told = select(row.actor_name, row.reason).where(row.subject_id == notice.claims[0], row.action == "object")
    assert (await tx.execute(told)).all() == [("notice_publisher", UPHELD.answer)]
    reviewer = notice.world.staff[Post.REVIEWER]
    await approve_claim(tx, reviewer, notice.claims[0], "", notice.world.now)
    later = await publish_notice(tx, notice.publisher, BEFORE_THE_HOLIDAY, notice.world.now)
    assert later.line_count == 1
    # what was said of it before is still to be answered, and keeps it
    assert await notice.closed(tx) == ["noticed", "payable"]
    await notice.answer(tx, second, NOT_UPHELD)
    assert await status_of(tx, notice.claims[0]) == ["payable"]


async def test_what_is_upheld_later_has_the_claim_reviewed_again_too(tx: Tx, notice: Notice) -> None:
    """Whoever approved it anew had read the first objection alone; and says nothing of the second themself."""
    first, second, claim = await notice.object(tx), await notice.object(tx), notice.claims[0]
    await notice.answer(tx, first, UPHELD)
    reviewer = await notice.world.user(tx, {Post.REVIEWER, Post.NOTICE_PUBLISHER}, notice.world.here)
    await approve_claim(tx, reviewer, claim, "", notice.world.now)
    assert await status_of(tx, claim) == ["approved"]
    with pytest.raises(Forbidden, match=r"post\.excluded"):
        await notice.answer(tx, second, NOT_UPHELD, reviewer)
    await notice.answer(tx, second, UPHELD)
    assert await status_of(tx, claim) == ["in_review"]
    assert await first_breach(tx, TO_NOTICES.checks) is None


async def test_a_hold_and_an_objection_each_keep_it(tx: Tx, notice: Notice) -> None:
    objection, claim, reviewer = await notice.object(tx), notice.claims[0], notice.world.staff[Post.REVIEWER]
    await hold(tx, reviewer, claim, NewHold("complaint"), notice.world.now)
    assert await notice.closed(tx) == ["noticed", "payable"]
    await lift(tx, reviewer, claim, "查过了", AFTER, notice.world.now)
    assert await status_of(tx, claim) == ["noticed"]
    await notice.answer(tx, objection, NOT_UPHELD)
    assert await status_of(tx, claim) == ["payable"]


async def test_the_whole_notice_is_objected_to_without_keeping_anybodys_money(tx: Tx, notice: Notice) -> None:
    objection = await notice.object(tx, line=None)
    assert await notice.closed(tx) == ["payable", "payable"]
    await notice.answer(tx, objection, UPHELD)
    state = await objection_state(tx, objection, AFTER)
    assert (state.line, state.message) == (None, "异议成立。")
    assert await status_of(tx, *notice.claims) == ["payable", "payable"]


@pytest.mark.parametrize(
    ("line", "on", "refusal"),
    [
        (1, AFTER, "notice.over"),
        (None, AFTER, "notice.over"),
        (3, BEFORE_THE_HOLIDAY, "notice.no_line"),
        (0, BEFORE_THE_HOLIDAY, "notice.no_line"),
    ],
)
async def test_only_a_line_that_is_there_and_only_while_it_stands(
    tx: Tx, notice: Notice, line: int | None, on: date, refusal: str
) -> None:
    with pytest.raises(DomainError) as caught:
        await notice.object(tx, line, on=on)
    assert caught.value.code == refusal
    with pytest.raises(Invalid):
        await notice.object(tx, 1, words=" 　 ")
    with pytest.raises(NotFound):
        await object_to(tx, None, uuid4(), NewNoticeObjection("x"), BEFORE_THE_HOLIDAY, notice.world.now)


async def test_nobody_keeps_back_a_districts_money_by_sending_forms(
    tx: Tx, notice: Notice, monkeypatch: pytest.MonkeyPatch
) -> None:
    me = (await notice.world.trainee(tx)).actor
    await notice.object(tx, 1, me)
    for code, said in (("notice_objection.standing", (1, me)), ("notice_objection.too_many", (2, None))):
        monkeypatch.setattr(rules, "UNSIGNED_MAX", 0)
        with pytest.raises(Conflict) as caught:
            await notice.object(tx, *said)
        assert caught.value.code == code
    monkeypatch.setattr(rules, "OF_ONE_MAX", 1)
    with pytest.raises(Conflict) as caught:
        await notice.object(tx, 2, me)
    assert caught.value.code == "notice_objection.too_many"


async def test_only_the_desk_that_runs_it_answers_and_nobody_in_their_own_cause(tx: Tx, notice: Notice) -> None:
    world, objection = notice.world, await notice.object(tx)
    elsewhere = await world.user(tx, {Post.NOTICE_PUBLISHER}, world.other)
    with pytest.raises(NotFound):
        await notice.answer(tx, objection, UPHELD, elsewhere)
    assert (await list_objections(tx, elsewhere, AFTER, None, 50)).objections == []
    with pytest.raises(Forbidden):
        await notice.answer(tx, objection, UPHELD, world.staff[Post.REVIEWER])
    with pytest.raises(Invalid):
        await notice.answer(tx, objection, NewNoticeAnswer(Finding.UPHELD, "见 13800001234"))
    claimant = notice.of[notice.claims[0]].actor
    own = Actor(notice.publisher.user_id, claimant.person_id, notice.publisher.posts, notice.publisher.district)
    with pytest.raises(Forbidden) as caught:
        await notice.answer(tx, objection, NOT_UPHELD, own)
    assert caught.value.code == "claim.own"
    raised = await notice.object(tx, 2, claimant)
    with pytest.raises(Forbidden) as caught:
        await notice.answer(tx, raised, NOT_UPHELD, own)
    assert caught.value.code == "notice_objection.own"


async def _answered_by_sql(tx: Tx, objection: UUID, me: Actor) -> str | None:
    given = {"id": objection, "user": me.user_id, "person": me.person_id, "on": AFTER}
    return await refused(tx, ANSWER, **given)


async def test_who_reviewed_the_claim_neither_reads_nor_answers_what_is_said_of_it(tx: Tx, notice: Notice) -> None:
    first, second, claim, world = await notice.object(tx), await notice.object(tx), notice.claims[0], notice.world
    whole = await notice.object(tx, None)
    await notice.answer(tx, first, UPHELD)
    posts = {Post.REVIEWER, Post.NOTICE_PUBLISHER}
    reviewer, colleague, twin = [await world.user(tx, posts, world.here) for _ in range(3)]
    await tx.execute(update(PersonRow).where(PersonRow.id == twin.person_id).values(merged_into=reviewer.person_id))
    assert await read_by(tx, reviewer) == [{second, whole}, {first}]
    await approve_claim(tx, reviewer, claim, "", world.now)
    for me in (reviewer, twin):
        assert await read_by(tx, me) == [{whole}, set()]
        assert (await objections_waiting(tx, me))[0] == 1
        with pytest.raises(Forbidden, match=r"post\.excluded"):
            await notice.answer(tx, second, NOT_UPHELD, me)
        assert await _answered_by_sql(tx, second, me) == "ZD266"
        assert await _answered_by_sql(tx, whole, me) is None
    assert await read_by(tx, colleague) == [{second, whole}, {first}]
    assert await _answered_by_sql(tx, second, colleague) is None
    assert await first_breach(tx, TO_NOTICES.checks) is None


async def test_who_is_partial_to_the_claim_neither_reads_nor_answers_what_is_said_of_it(
    tx: Tx, notice: Notice
) -> None:
    answered, objection, claim = await notice.object(tx), await notice.object(tx), notice.claims[0]
    another, world = await notice.object(tx, 2), notice.world
    await notice.answer(tx, answered, NOT_UPHELD)
    posts = {Post.REVIEWER, Post.NOTICE_PUBLISHER}
    related, recused = [await world.user(tx, posts, world.here) for _ in range(2)]
    for me in (related, recused):
        assert await read_by(tx, me) == [{objection, another}, {answered}]
    relative = NewRelative(notice.of[claim].made.id_number, Relation.SIBLING)
    await declare_relative(tx, related, relative, world.today, world.now)
    await recuse(tx, recused, claim, NewRecusal("认识申领人"), world.now)
    claimant = notice.of[claim].actor
    own = Actor(notice.publisher.user_id, claimant.person_id, notice.publisher.posts, notice.publisher.district)
    for me, code in ((related, "ZD267"), (recused, "ZD267"), (own, "ZD261")):
        assert await read_by(tx, me) == [{another}, set()]
        with pytest.raises(Forbidden):
            await notice.answer(tx, objection, NOT_UPHELD, me)
        assert await _answered_by_sql(tx, objection, me) == code
        assert await _answered_by_sql(tx, another, me) is None


async def read_by(tx: Tx, me: Actor) -> list[set[UUID]]:
    """What waits, and what is answered, as their list shows it."""
    pages = [await list_objections(tx, me, AFTER, None, 50, closed=closed) for closed in (False, True)]
    return [{each.id for each in page.objections} for page in pages]


async def test_a_page_says_which_lines_it_shows(tx: Tx, notice: Notice) -> None:
    first = await notice_page(tx, notice.id, BEFORE_THE_HOLIDAY, None, 1)
    assert first is not None
    second = await notice_page(tx, notice.id, BEFORE_THE_HOLIDAY, first.next, 1)
    assert second is not None
    assert (first.first_line, second.first_line) == (1, 2)


async def test_by_sql_neither_the_money_nor_the_answer_is_had_around_it(tx: Tx, notice: Notice) -> None:
    objection, claimant = await notice.object(tx), notice.of[notice.claims[0]].actor
    values = {"id": objection, "user": notice.publisher.user_id}
    before = BEFORE_THE_HOLIDAY - timedelta(days=1)
    assert await refused(tx, "UPDATE claims SET status = 'payable' WHERE id = :id", id=notice.claims[0]) == "ZD262"
    assert await refused(tx, ANSWER, person=claimant.person_id, on=AFTER, **values) == "ZD261"
    assert await refused(tx, ANSWER, person=notice.publisher.person_id, on=before, **values) == "ZD261"
    assert await refused(tx, ANSWER, person=notice.publisher.person_id, on=AFTER, **values) is None
    for statement in ("DELETE FROM notice_objections", "UPDATE notice_objections SET claim_id = NULL, line = NULL"):
        assert await refused(tx, f"{statement} WHERE id = :id", id=objection) == "42501"
    fresh = {"id", "filed_on", "due_on", "serial"}
    names = [each.name for each in NoticeObjectionRow.__table__.c if each.name not in fresh]
    copied = ", ".join(names)
    again = f"""
        INSERT INTO notice_objections (id, filed_on, due_on, {copied})
        SELECT gen_random_uuid(), :on, :due, {copied} FROM notice_objections WHERE id = :id"""
    assert await refused(tx, again, id=objection, on=AFTER, due=AFTER) == "ZD260"
    assert await refused(tx, again, id=objection, on=LAST_DAY, due=LAST_DAY) is None
    assert await refused(tx, again, id=objection, on=LAST_DAY, due=BEFORE_THE_HOLIDAY) == "23514"
