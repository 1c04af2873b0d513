"""The batch desk: filters, series, lines that leave before signing, holds, city finance."""

from collections.abc import Awaitable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text, update

from domain.actor import Actor, Post
from domain.batch import Step, content_of
from domain.claim import ClaimAction, ClaimKind
from domain.errors import DomainError
from service.access.tables import UserRow
from service.batches import commands, queries
from service.batches.commands import confirm_delegation, propose_delegation
from service.batches.schemas import (
    BatchFilter,
    BatchView,
    ContentView,
    NewBatch,
    NewBatchHold,
    NewDelegation,
)
from service.batches.tables import BatchRow
from service.claims.commands.moves import move_claim
from service.claims.schemas import NewAccount
from service.database import Tx
from service.journal import By
from service.pages import finance
from service.pages.acts import Asked
from service.people.tables import PersonRow
from service.queue import Job
from tests.oversight import Oversight
from tests.payments import Stage, attempt_statuses, claim_statuses, journal_of, lines_of, ready_jobs, shown
from tests.service.test_mending import take
from tests.world import FUND, WELDER_LEVEL_4_FEN, World


@pytest.fixture
async def stage(tx: Tx, world: World) -> Stage:
    return await Stage.build(tx, world)


async def code_of(act: Awaitable[object]) -> str:
    try:
        await act
    except DomainError as refusal:
        return refusal.code
    return "done"


async def checkers(tx: Tx, stage: Stage, count: int) -> list[Actor]:
    return [await stage.world.user(tx, {Post.CHECKER}, stage.district) for _ in range(count)]


async def submitted(tx: Tx, stage: Stage) -> BatchView:
    batch = await stage.frozen(tx)
    return await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), stage.world.now)


# ---- filters and series


async def test_what_a_filter_takes_is_shown_before(tx: Tx, stage: Stage) -> None:
    maker, today = stage.staff[Post.MAKER], stage.world.today
    for filtered, count in (
        (BatchFilter(filed_from=today), 3),
        (BatchFilter(filed_from=today + timedelta(days=1)), 0),
        (BatchFilter(kinds=[ClaimKind.TRAINING], payee="person"), 3),
        (BatchFilter(kinds=[ClaimKind.PROJECT]), 0),
        (BatchFilter(payee="institution"), 0),
        (BatchFilter(payee="enterprise"), 0),
    ):
        due = (await queries.list_due(tx, maker, filtered, FUND, stage.district)).due
        assert [(each.count, each.sum_fen) for each in due] == [(count, count * WELDER_LEVEL_4_FEN)] * (count > 0)
        opened = await commands.open_batch(tx, maker, NewBatch(FUND, filtered), today, stage.world.now)
        await commands.assemble(tx, opened.id, stage.world.now)
        seen = await stage.see(tx, opened.id)
        assert (seen.line_count or 0) == count
        if seen.status == "frozen":
            await commands.dissolve_batch(tx, maker, seen.id, "…", stage.world.now)
    assert (await queries.list_due(tx, maker, None, "special_account")).due == []


async def test_more_than_a_file_holds_becomes_a_series(tx: Tx, stage: Stage) -> None:
    for _ in range(4):
        await stage.claim(tx)
    first = await stage.open(tx, limit=6)
    terms = {**first.terms, "lines_max": 3}
    # the agreement with the bank, as another city has it: what is written once cannot be changed by the service
    series = [await _opened_under(tx, stage, first, terms)]
    while owed := await opened_by_the_job(tx, stage, series):
        series.append(owed)
    seen = [await stage.see(tx, each) for each in series]
    assert [(each.status, each.line_count) for each in seen] == [("frozen", 3), ("frozen", 3)]
    assert [each.filter["limit"] for each in seen] == [6, 3]
    assert [[other.id for other in each.siblings] for each in seen] == [[series[1]], [series[0]]]
    assert len({each.number for each in seen}) == 2
    assert {each.opened_at for each in seen} == {stage.world.now}
    assert (await claim_statuses(tx, stage.claims)).count("payable") == 1
    (opened, *_) = await journal_of(tx, "batch", series[1])
    assert (opened.action, opened.actor_name, opened.after["series"]) == ("open", Job.ASSEMBLE_BATCH, str(series[0]))


async def _opened_under(tx: Tx, stage: Stage, like: BatchView, terms: dict[str, object]) -> UUID:
    await stage.world.set_policy(tx, "agent_bank", {"default": terms, "funds": {}})
    batch = await stage.open(tx, limit=like.filter["limit"])
    await commands.assemble(tx, batch.id, stage.world.now)
    return batch.id


async def opened_by_the_job(tx: Tx, stage: Stage, series: list[UUID]) -> UUID | None:
    row = BatchRow
    asked = select(row.id).where(row.series == series[0], row.id.not_in(series))
    found = (await tx.execute(asked)).scalar_one_or_none()
    if found is not None:
        assert await ready_jobs(tx, found) == [Job.ASSEMBLE_BATCH]
        await commands.assemble(tx, found, stage.world.now)
    return found


# ---- lines that leave before anybody signs


async def test_what_fails_leaves_with_its_reasons_and_the_rest_is_signed_anew(tx: Tx, stage: Stage) -> None:
    batch, maker, now = await stage.frozen(tx), stage.staff[Post.MAKER], stage.world.now
    gone = stage.claims[1]
    await stage.world.registered(tx, gone, "revoked", now + timedelta(minutes=1))
    left = await commands.submit_batch(tx, maker, batch.id, shown(batch), now)
    assert (left.status, left.line_count, left.signatures) == ("frozen", 2, [])
    assert left.content_hash != batch.content_hash
    assert left.sum_fen == 2 * WELDER_LEVEL_4_FEN
    (line,) = left.left_out
    assert (line.claim_id, line.codes, left.left_out_count) == (gone, ["registry.revoked"], 1)
    assert line.said
    assert line.reference in {each.reference for each in await lines_of(tx, batch.id)}
    assert sorted(await attempt_statuses(tx, batch.id)) == ["prepared", "prepared", "void"]
    assert await claim_statuses(tx, stage.claims) == ["batched", "in_review", "batched"]
    assert (
        left.content_hash == content_of([line async for line in queries.each_payment_line(tx, batch.id)]).content_hash
    )
    # what was shown first is no more what is there
    assert await code_of(commands.submit_batch(tx, maker, batch.id, shown(batch), now)) == "batch.changed"
    signed = await commands.submit_batch(tx, maker, batch.id, shown(left), now)
    assert (signed.status, [each.step for each in signed.signatures]) == ("submitted", [Step.ASSEMBLE])


async def test_what_many_lines_come_to_is_kept_and_counted_anew_once_lines_have_left(
    tx: Tx, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finance, "_MANY_LINES", 0)
    batch, maker, now = await stage.frozen(tx), stage.staff[Post.MAKER], stage.world.now
    asked = Asked(tx, maker, stage.world.today, now, {}, str(batch.id))

    async def seen() -> ContentView:
        content: ContentView = (await finance.batch(asked, None, []))["content"]
        return content

    first = await seen()
    assert (first.payees, await seen() is first) == (3, True)
    await stage.world.registered(tx, stage.claims[1], "revoked", now + timedelta(minutes=1))
    await commands.submit_batch(tx, maker, batch.id, shown(batch), now)
    assert (await seen()).payees == 2


async def test_a_batch_of_which_nothing_is_left_is_dissolved(tx: Tx, stage: Stage) -> None:
    batch, now = await stage.frozen(tx), stage.world.now
    for claim in stage.claims:
        await stage.world.registered(tx, claim, "revoked", now + timedelta(minutes=1))
    seen = await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), now)
    assert (seen.status, seen.given_up and seen.given_up.reason) == ("dissolved", "batch.nothing_left")
    assert await claim_statuses(tx, stage.claims) == ["in_review"] * 3


async def test_two_records_of_one_human_are_paid_once(tx: Tx, stage: Stage) -> None:
    batch, world = await stage.frozen(tx), stage.world
    one, other = [await world.trainee(tx) for _ in range(2)]
    first = await stage.claim(tx, one)
    await world.claim(tx, "filed", other)
    again = await stage.frozen(tx)
    assert again.line_count == 1
    await tx.execute(
        update(PersonRow).where(PersonRow.id == other.actor.person_id).values(merged_into=one.actor.person_id)
    )
    seen = await commands.submit_batch(tx, stage.staff[Post.MAKER], again.id, shown(again), world.now)
    assert (seen.status, [each.codes for each in seen.left_out]) == ("dissolved", [["batch.duplicate"]])
    assert await claim_statuses(tx, [first]) == ["in_review"]
    kept = await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), world.now)
    assert kept.status == "submitted"


async def test_an_account_from_which_money_came_back_is_not_paid_to(tx: Tx, stage: Stage) -> None:
    world, trainee = stage.world, await stage.world.trainee(tx)
    account = NewAccount(trainee.card, trainee.made.name, world.maker.bank_code())
    await stage.claim(tx, trainee, account=account)
    sent = await stage.sent(tx)
    third = world.maker.certificate("3", world.today.year)
    second = await stage.claim(tx, trainee, account=account, level="3", certificate_number=third)
    batch = await stage.frozen(tx)
    assert batch.line_count == 1
    paid_to = [line.account_tail == trainee.card[-4:] for line in await lines_of(tx, sent.id)]
    await take(tx, stage, sent, *("failed:permanent" if mine else "done" for mine in paid_to))
    seen = await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), world.now)
    assert [each.codes for each in seen.left_out] == [["batch.account_closed"]]
    assert await claim_statuses(tx, [second]) == ["in_review"]
    # nor does a batch take it that is put together afterwards
    third_claim = await stage.claim(tx)
    assert [line.claim_id for line in await lines_of(tx, (await stage.frozen(tx)).id)] == [third_claim]


# ---- a hold on the whole batch


async def test_a_held_batch_is_not_signed_and_not_sent_until_another_lifts_it(tx: Tx, stage: Stage) -> None:
    batch, now, checker = await stage.written(tx), stage.world.now, stage.staff[Post.CHECKER]
    releaser = stage.staff[Post.RELEASER]
    new = NewBatchHold("bank_trouble", "示例")
    held = await commands.hold_batch(tx, checker, batch.id, new, now)
    assert [(each.code, each.lifted_at) for each in held.holds] == [("bank_trouble", None)]
    assert held.holds[0].said
    assert held.goes_to_bank_at is None
    assert await code_of(commands.hold_batch(tx, releaser, batch.id, new, now)) == "batch.held"
    assert await code_of(commands.intend_to_send(tx, batch.id, now)) == "batch.held"
    waiting = await queries.waits_for(tx, batch.id, now)
    assert waiting
    assert waiting.why == "batch.held"
    assert await code_of(commands.lift_batch(tx, checker, batch.id, "", now)) == "batch.hold_is_own"
    lifted = await commands.lift_batch(tx, releaser, batch.id, "好了", now)
    assert lifted.holds[0].lifted_at == now
    assert await code_of(commands.lift_batch(tx, releaser, batch.id, "", now)) == "holding.none"
    assert await queries.waits_for(tx, batch.id, now) is None
    assert await commands.intend_to_send(tx, batch.id, now)
    assert await code_of(commands.hold_batch(tx, checker, batch.id, new, now)) == "batch.past_no_return"


async def test_who_may_hold_and_what_a_hold_stops(tx: Tx, stage: Stage) -> None:
    batch, now, maker = await stage.frozen(tx), stage.world.now, stage.staff[Post.MAKER]
    assert await code_of(commands.hold_batch(tx, maker, batch.id, NewBatchHold("nonsense"), now)) == "holding.reason"
    foreign = await stage.world.user(tx, {Post.CHECKER}, stage.world.other)
    new = NewBatchHold("other")
    assert await code_of(commands.hold_batch(tx, foreign, batch.id, new, now)) == "batch.not_found"
    await commands.hold_batch(tx, maker, batch.id, new, now)
    assert await code_of(commands.submit_batch(tx, maker, batch.id, shown(batch), now)) == "batch.held"
    assert await code_of(commands.lift_batch(tx, maker, batch.id, "", now)) == "post_missing"
    assert (await commands.dissolve_batch(tx, maker, batch.id, "…", now)).status == "dissolved"
    assert await code_of(commands.hold_batch(tx, maker, batch.id, new, now)) == "wrong_status"


# ---- city finance stands in


async def _city(tx: Tx, stage: Stage, *posts: Post) -> list[Actor]:
    return [await stage.world.user(tx, {post}) for post in posts]


async def _proposal(tx: Tx, stage: Stage, who: Actor, post: Post, days: int = 0) -> NewDelegation:
    login = (await tx.execute(select(UserRow.login).where(UserRow.id == who.user_id))).scalar_one()
    today = stage.world.today
    return NewDelegation(stage.district, post.value, login, today, today + timedelta(days=days), "示例")  # type: ignore[arg-type]


async def test_city_finance_signs_by_a_delegation_of_two_others(tx: Tx, stage: Stage) -> None:
    now, today = stage.world.now, stage.world.today
    proposer, confirmer, delegate = await _city(tx, stage, Post.FINANCE_SIGNER, Post.RELEASER, Post.CHECKER)
    batch = await submitted(tx, stage)
    check = lambda: code_of(commands.check_batch(tx, delegate, batch.id, shown(batch), now))  # noqa: E731
    assert await check() == "batch.no_delegation"
    new = await _proposal(tx, stage, delegate, Post.CHECKER)
    local = stage.staff[Post.CHECKER]
    assert await code_of(propose_delegation(tx, local, new, today, now)) == "city_only"
    proposed = await propose_delegation(tx, proposer, new, today, now)
    assert await check() == "batch.no_delegation"
    for wrong in (proposer, delegate):
        assert await code_of(confirm_delegation(tx, wrong, proposed.id, now)) == "delegation.same_person"
    assert (await confirm_delegation(tx, confirmer, proposed.id, now)).confirmed_at == now
    assert await code_of(confirm_delegation(tx, confirmer, proposed.id, now)) == "delegation.confirmed"
    late = now + timedelta(days=1)
    assert await code_of(commands.check_batch(tx, delegate, batch.id, shown(batch), late)) == "batch.no_delegation"
    seen = await commands.check_batch(tx, delegate, batch.id, shown(batch), now)
    assert [(each.step, each.stands_in) for each in seen.signatures] == [("assemble", False), ("check", True)]
    assert [each.login for each in (await queries.list_delegations(tx, local)).delegations] == [new.login]


async def test_a_delegation_is_for_one_post_of_one_district_and_some_days(tx: Tx, stage: Stage) -> None:
    now, today, world = stage.world.now, stage.world.today, stage.world
    proposer, confirmer, maker = await _city(tx, stage, Post.FINANCE_SIGNER, Post.RELEASER, Post.MAKER)
    new = await _proposal(tx, stage, maker, Post.MAKER)
    for other, code in (
        ({"login": "nobody"}, "delegation.nobody"),
        ({"post": "checker"}, "delegation.nobody"),
        ({"district": "nowhere"}, "delegation.district"),
        ({"first_day": today - timedelta(days=1)}, "delegation.days"),
        ({"last_day": today + timedelta(days=367)}, "delegation.days"),
    ):
        given = {**{name: getattr(new, name) for name in new.__struct_fields__}, **other}
        assert await code_of(propose_delegation(tx, proposer, NewDelegation(**given), today, now)) == code
    filtered = BatchFilter()
    here, there = (NewBatch(FUND, filtered, district=each) for each in (stage.district, world.other))
    assert await code_of(commands.open_batch(tx, maker, NewBatch(FUND, filtered), today, now)) == "district_missing"
    assert await code_of(commands.open_batch(tx, maker, here, today, now)) == "batch.no_delegation"
    await confirm_delegation(tx, confirmer, (await propose_delegation(tx, proposer, new, today, now)).id, now)
    assert await code_of(commands.open_batch(tx, maker, there, today, now)) == "batch.no_delegation"
    opened = await commands.open_batch(tx, maker, here, today, now)
    await commands.assemble(tx, opened.id, now)
    batch = await stage.see(tx, opened.id)
    assert (batch.district, batch.line_count) == (stage.district, 3)
    signed = await commands.submit_batch(tx, maker, batch.id, shown(batch), now)
    assert signed.signatures[0].stands_in


# ---- the bank's hours


async def test_a_file_waits_until_the_bank_takes_it(tx: Tx, stage: Stage) -> None:
    like = await stage.open(tx)
    await commands.dissolve_batch(tx, stage.staff[Post.MAKER], like.id, "…", stage.world.now)
    terms = {**like.terms, "cut_off": "16:30", "opens": "09:00", "every_day": False}
    await stage.world.set_policy(tx, "agent_bank", {"default": terms, "funds": {}})
    batch = await stage.written(tx)
    seen = await stage.see(tx, batch.id)
    assert seen.goes_to_bank_at is not None
    assert f"{seen.goes_to_bank_at:%H:%M}" in seen.goes_to_bank
    taken = seen.goes_to_bank_at
    assert await queries.waits_for(tx, batch.id, taken) is None
    evening = taken.replace(hour=20)
    waiting = await queries.waits_for(tx, batch.id, evening)
    assert waiting
    assert (waiting.why, waiting.seconds >= 13 * 3600) == ("bank.closed", True)


async def test_how_far_assembling_is(tx: Tx, stage: Stage) -> None:
    batch, told = await stage.open(tx), []

    async def tell(done: int, total: int) -> None:
        told.append((done, total))
        await commands.tell_progress(tx, batch.id, done, total)

    await commands.assemble(tx, batch.id, stage.world.now, tell)
    assert told == [(3, 3)]
    seen = await queries.find_progress(tx, stage.staff[Post.MAKER], batch.id)
    assert (seen.status, seen.done, seen.total) == ("frozen", 3, 3)
    foreign = await stage.world.user(tx, {Post.CHECKER}, stage.world.other)
    assert await code_of(queries.find_progress(tx, foreign, batch.id)) == "batch.not_found"
    assert (await tx.execute(text("SELECT count(*) FROM batch_progress"))).scalar_one()


async def test_a_penalty_that_begins_keeps_the_institutions_claims_out(tx: Tx, world: World) -> None:
    city = await Oversight.build(tx, world)
    district = city.clerk.district
    assert district
    claim = await world.through_institution(tx, city.clerk)
    assert claim.status == "filed"
    staff = {post: await world.user(tx, {post}, district) for post in (Post.MAKER, Post.CHECKER, Post.RELEASER)}
    stage = Stage(world, district, staff)
    await world.registered(tx, claim.id)
    for action in (ClaimAction.VERIFY, ClaimAction.APPROVE, ClaimAction.PUBLISH, ClaimAction.CLEAR):
        await move_claim(tx, action, claim.id, By("tests", world.now))
    batch = await stage.frozen(tx)
    assert claim.id in {line.claim_id for line in await lines_of(tx, batch.id)}
    await city.imposed(tx, "dismiss")
    seen = await commands.submit_batch(tx, staff[Post.MAKER], batch.id, shown(batch), world.now)
    assert [(each.claim_id, each.codes) for each in seen.left_out] == [(claim.id, ["batch.sanctioned"])]
    held = await tx.execute(
        text("SELECT code, lifted_at FROM claim_holds WHERE claim_id = :claim"), {"claim": claim.id}
    )
    assert held.all() == [("penalty", None)]
