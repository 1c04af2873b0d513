"""The list of work, who takes what from it, and sets that are looked at before they are approved."""

from datetime import timedelta
from uuid import UUID

import pytest

from domain.actor import Post
from domain.correction import Correctable
from domain.errors import DomainError
from service.audit.queries.checks import first_breach
from service.audit.queries.messages import TOLD
from service.claims.commands.appeals import appeal
from service.claims.commands.approving import approve_set, preview
from service.claims.commands.holds import place_hold
from service.claims.commands.review import approve_claim, refuse_claim
from service.claims.commands.sending_back import send_back
from service.claims.schemas import (
    NewAppeal,
    NewApproval,
    NewApprovalPreview,
    NewFault,
    NewHold,
    NewRefusal,
    NewSendBack,
    PreviewView,
    ShownSet,
)
from service.database import Tx
from service.messages.commands import tell_officers
from service.messages.queries import my_messages
from service.work.commands.taking import return_one, take_next, take_one
from service.work.queries.due import summary
from service.work.queries.waiting import Chosen, work
from service.work.schemas import Kind, NewTaking
from tests.desk import Desk, status_of
from tests.world import WELDER_LEVEL_4_FEN, World


async def refusal(asked: object) -> DomainError:
    with pytest.raises(DomainError) as caught:
        await asked  # type: ignore[misc]
    return caught.value


async def test_the_oldest_first_page_by_page(tx: Tx, world: World) -> None:
    desk, filed = await Desk.build(tx, world), list[UUID]()
    for _ in range(3):
        filed.append(await desk.claim(tx))
        world.today += timedelta(days=1)
    questioned = await desk.claim(tx, "in_review")
    await desk.claim(tx, "approved")
    assert await desk.waits(tx) == [*filed, questioned]
    assert await desk.waits(tx, status="in_review") == [questioned]
    seen, cursor = list[UUID](), None
    for _ in range(2):
        page = await work(tx, desk.reviewer, Chosen(), cursor, 2, world.now)
        seen, cursor = [*seen, *(each.claim_id for each in page.work)], page.next
    assert (seen, cursor) == ([*filed, questioned], None)


async def test_what_a_line_says(tx: Tx, world: World) -> None:
    desk = await Desk.build(tx, world)
    claim = await desk.claim(tx)
    await place_hold(tx, desk.colleague, claim, NewHold("other"), world.now)
    (shown,) = (await desk.work(tx)).work
    assert (shown.amount_fen, shown.level_name, shown.held, shown.overdue) == (
        WELDER_LEVEL_4_FEN,
        "四级/中级工",
        True,
        False,
    )
    assert shown.due_on is not None
    late = await work(tx, desk.reviewer, Chosen(), None, 1, world.now + timedelta(days=60))
    assert late.work[0].overdue
    told = (await summary(tx, desk.reviewer, shown.due_on)).work[0]
    assert (told.kind, told.waiting, told.due_today, told.overdue) == (Kind.REVIEW, 1, 1, 0)
    told = (await summary(tx, desk.reviewer, shown.due_on + timedelta(days=1))).work[0]
    assert (told.due_today, told.overdue) == (0, 1)


async def test_only_ones_own_district_is_ones_own_work(tx: Tx, world: World) -> None:
    desk = await Desk.build(tx, world)
    claim = await desk.claim(tx)
    elsewhere = world.staff[Post.REVIEWER]
    assert claim not in await desk.waits(tx, elsewhere)
    assert (await refusal(desk.work(tx, elsewhere, district=desk.district))).code == "work.other_district"
    assert (await refusal(desk.work(tx, kind=Kind.SECOND_REVIEW))).code == "post_missing"
    city = await world.user(tx, {Post.REVIEWER})
    assert await desk.waits(tx, city, district=desk.district) == [claim]


async def test_appeals_wait_too_but_not_for_who_refused(tx: Tx, world: World) -> None:
    desk, trainee = await Desk.build(tx, world), await world.trainee(tx)
    claim = await desk.claim(tx, trainee=trainee)
    await refuse_claim(tx, desk.reviewer, claim, NewRefusal(["other"]), world.now)
    await appeal(tx, trainee.actor, claim, NewAppeal("请再看一次"), world.today, world.now)
    assert await desk.waits(tx, desk.reviewer, Kind.APPEAL) == []
    (waiting,) = (await desk.work(tx, desk.colleague, Kind.APPEAL)).work
    assert (waiting.claim_id, waiting.due_on is not None) == (claim, True)
    assert (await desk.work(tx, desk.colleague, Kind.OBJECTION)).work == []


async def test_what_one_has_taken_another_does_not_get_until_it_is_over(tx: Tx, world: World) -> None:
    desk, now = await Desk.build(tx, world), world.now
    claims = [await desk.claim(tx) for _ in range(3)]
    mine = await take_next(tx, desk.reviewer, NewTaking(count=2), world.today, now)
    taken = {each.claim_id for each in mine.taken}
    (left,) = await desk.waits(tx, desk.colleague)
    assert {left, *taken} == set(claims)
    theirs = await take_next(tx, desk.colleague, NewTaking(count=5), world.today, now)
    assert [each.claim_id for each in theirs.taken] == [left]
    one = next(iter(taken))
    refused = await refusal(approve_claim(tx, desk.colleague, one, "", now))
    assert refused.code == "claim.leased"
    assert "*" in refused.facts["who"]
    assert (await refusal(take_one(tx, desk.colleague, one, world.today, now))).code == "claim.leased"
    later = now + timedelta(minutes=31)
    await approve_claim(tx, desk.colleague, one, "", later)
    assert [await status_of(tx, one), await status_of(tx, left)] == ["approved", "verified"]


async def test_what_is_given_back_or_decided_is_nobodys(tx: Tx, world: World) -> None:
    desk, now = await Desk.build(tx, world), world.now
    first, second = [await desk.claim(tx) for _ in range(2)]
    for each in (first, second):
        await take_one(tx, desk.reviewer, each, world.today, now)
    assert await desk.waits(tx, desk.colleague) == []
    assert all(each.mine_until for each in (await desk.work(tx)).work)
    await return_one(tx, desk.colleague, first)  # not theirs: nothing happens
    assert await desk.waits(tx, desk.colleague) == []
    await return_one(tx, desk.reviewer, first)
    assert await desk.waits(tx, desk.colleague) == [first]
    fault = NewSendBack([NewFault("other", Correctable.CERTIFICATE_NUMBER)])
    await send_back(tx, desk.reviewer, second, fault, world.today, now)
    refused = await refusal(take_one(tx, desk.reviewer, second, world.today, now))
    assert refused.code == "wrong_status"


async def test_a_city_that_has_not_said_for_how_long_lets_nobody_take(tx: Tx, world: World) -> None:
    desk = await Desk.build(tx, world)
    await desk.claim(tx)
    before = world.today.replace(year=2018)
    assert (await refusal(take_next(tx, desk.reviewer, NewTaking(), before, world.now))).code == "policy.missing"
    assert (
        await refusal(take_next(tx, desk.reviewer, NewTaking(Kind.APPEAL), before, world.now))
    ).code == "work.not_taken"


def shown(told: PreviewView) -> ShownSet:
    return ShownSet(told.count, told.sum_fen, told.hash)


async def test_a_preview_changes_nothing_and_says_what_is_left_out(tx: Tx, world: World) -> None:
    desk, now = await Desk.build(tx, world), world.now
    await world.set_policy(tx, "second_review_from_fen", WELDER_LEVEL_4_FEN)
    free, held, leased, mine = [await desk.claim(tx) for _ in range(4)]
    await place_hold(tx, desk.colleague, held, NewHold("other"), now)
    await take_one(tx, desk.colleague, leased, world.today, now)
    await take_one(tx, desk.reviewer, mine, world.today, now)
    told = await preview(tx, desk.reviewer, NewApprovalPreview(), now)
    assert (told.count, told.sum_fen, told.sum) == (2, 2 * WELDER_LEVEL_4_FEN, "2,400 元")
    assert [(each.code, each.count) for each in told.by_level] == [("4", 2)]
    assert [(each.code, each.name, each.count) for each in told.by_item] == [("6-18-02-04", "焊工", 2)]
    assert [(each.code, each.sum_fen) for each in told.by_channel] == [("individual", told.sum_fen)]
    assert {str(each.bar): each.count for each in told.left_out} == {"held": 1, "leased": 1}
    assert (told.unfunded, told.second_reviews) == (0, 2)
    assert {await status_of(tx, each) for each in (free, held, leased, mine)} == {"verified"}
    answer = await approve_set(tx, desk.reviewer, NewApproval(shown=shown(told)), now)
    assert (answer.approved, answer.left, answer.second_reviews) == (2, 0, 2)
    assert [await status_of(tx, each) for each in (free, held, leased, mine)] == [
        "approved",
        "verified",
        "verified",
        "approved",
    ]


async def test_what_is_not_as_it_was_shown_is_not_approved(tx: Tx, world: World) -> None:
    desk, now = await Desk.build(tx, world), world.now
    claim = await desk.claim(tx)
    told = await preview(tx, desk.reviewer, NewApprovalPreview(), now)
    another = await desk.claim(tx)
    refused = await refusal(approve_set(tx, desk.reviewer, NewApproval(shown=shown(told)), now))
    assert (refused.code, refused.facts) == ("approve.changed", {"count": 2, "sum_fen": 2 * WELDER_LEVEL_4_FEN})
    await approve_claim(tx, desk.colleague, claim, "", now)
    same_sum = await refusal(approve_set(tx, desk.reviewer, NewApproval(shown=shown(told)), now))
    assert same_sum.code == "approve.changed"  # as many, as much, but others
    assert await status_of(tx, another) == "verified"


async def test_officers_are_told_once_a_day_what_is_due(tx: Tx, world: World) -> None:
    desk = await Desk.build(tx, world)
    await desk.claim(tx)
    due_on = (await desk.work(tx)).work[0].due_on
    assert due_on is not None
    for day in (due_on - timedelta(days=1), due_on, due_on):
        await tell_officers(tx, day)
    told = [each.text for each in (await my_messages(tx, desk.reviewer)).messages]
    assert told == ["【职业培训补贴】今天有1笔审核到期，另有0笔已经超期。请登录办理。"]
    assert (await my_messages(tx, desk.second)).messages == []
    assert await first_breach(tx, TOLD.checks) is None
