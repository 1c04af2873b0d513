"""免申即享: offered to exactly those who could claim and did not, priced as a claim, filed by them alone."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import asyncpg
import httpx
import pytest
from msgspec import to_builtins
from sqlalchemy import text

from domain.actor import Post
from domain.eligibility import decide
from domain.errors import Conflict, Ineligible, Invalid, NotFound
from service.audit.queries.checks import first_breach
from service.audit.queries.decisions import recompute
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.audit.queries.messages import TOLD
from service.audit.queries.offers import OFFERS
from service.audit.queries.territory import TERRITORY
from service.claims.commands.filing import file_claim
from service.claims.commands.mandates import revoke_mandate
from service.claims.commands.review import withdraw_claim
from service.claims.schemas import NewAccount
from service.database import Tx, transaction
from service.messages.commands import offer_portion
from service.messages.queries import my_messages
from service.offers import commands
from service.offers.commands import decline_offer
from service.offers.tables import OfferRow
from service.statistics.queries.offers import offers as figures_of
from service.statistics.queries.share import By, individual_share, parse_span
from tests.conftest import Databases
from tests.offers import Results
from tests.races.test_promises_by_sql import _refused
from tests.service.test_batches_http import client, desk
from tests.world import WELDER, WELDER_LEVEL_4_FEN, World

__all__ = ["client"]


@pytest.fixture
async def results(tx: Tx, world: World) -> Results:
    return await Results.build(tx, world)


async def _statuses(tx: Tx, results: Results) -> list[str]:
    return [row.status for row in await results.rows(tx)]


async def test_what_a_person_has_to_look_at_is_offered_too_and_says_so(tx: Tx, world: World) -> None:
    results = await Results.build(tx, world, of_years_ago=3)
    assert await results.prepare(tx) == list(range(len(results.trainees)))
    shown = [(await results.shown(tx, place))[0].needs_human for place in (0, 1)]
    assert shown == [True, False]
    confirmed = await results.confirm(tx, 0)
    assert confirmed.claim.decision is not None
    assert (confirmed.status, confirmed.claim.decision.verdict) == ("confirmed", "needs_human")


async def test_offered_to_exactly_those_who_could_claim_and_did_not(tx: Tx, results: Results) -> None:
    world, trainees = results.world, results.trainees
    await world.provide(tx, world.here)
    await file_claim(tx, trainees[0].actor, results.claim(0), world.today, world.now)
    withdrawn = await file_claim(tx, trainees[1].actor, results.claim(1), world.today, world.now)
    await withdraw_claim(tx, trainees[1].actor, withdrawn.id, "", world.now)
    await world.mandate(tx, world.clerks[0], trainees[2])
    revoked = await world.mandate(tx, world.clerks[0], trainees[3])
    await revoke_mandate(tx, trainees[3].actor, revoked, "示例", world.today, world.now)
    await world.mandate(tx, world.clerks[1], trainees[4])  # who taught somebody else
    other = world.new_claim(trainees[5])  # the same occupation and level by another certificate
    await file_claim(tx, trainees[5].actor, other, world.today, world.now)
    assert await results.prepare(tx) == [3, 4, 6, 7]
    assert await results.prepare(tx) == [3, 4, 6, 7]
    assert len(await results.rows(tx)) == 4
    for promise in (OFFERS, JOURNALLED, LEGAL_MOVES):
        assert await first_breach(tx, promise.checks) is None


async def test_shown_as_it_would_be_filed_and_counted_as_an_individual_claim(tx: Tx, results: Results) -> None:
    world, view = results.world, results.examined.view
    await results.prepare(tx)
    (shown,) = await results.shown(tx, 0)
    assert (shown.item_code, shown.level, shown.amount_fen) == (WELDER, "4", WELDER_LEVEL_4_FEN)
    assert (shown.class_number, shown.district) == (view.number, view.district)
    assert shown.expires_on == world.today + timedelta(days=60)
    span = parse_span(None, str(world.today), world.today)
    before = (await individual_share(tx, span, By.MONTH, public=False)).total.count
    confirmed = await results.confirm(tx, 0)
    claim = confirmed.claim
    assert (claim.channel, claim.status, claim.amount_fen) == ("individual", "filed", shown.amount_fen)
    assert (claim.certificate_number, claim.class_number) == (shown.certificate_number, view.number)
    assert not confirmed.amount_differs
    after = (await individual_share(tx, span, By.MONTH, public=False)).total.count
    assert after == {**before, "individual": before["individual"] + 1}
    (shown,) = await results.shown(tx, 0)
    assert (shown.status, shown.status_name, shown.claim_id) == ("confirmed", "已确认", claim.id)
    for promise in (OFFERS, JOURNALLED, LEGAL_MOVES, TERRITORY):
        assert await first_breach(tx, promise.checks) is None


async def test_the_rules_of_the_day_of_confirming_decide(tx: Tx, results: Results) -> None:
    await results.prepare(tx)
    await results.world.set_policy(tx, "subsidy_capped_by_fee", True)
    with pytest.raises(Ineligible) as refused:
        await results.confirm(tx, 0)
    failed = [each["code"] for each in refused.value.facts["decision"]["outcomes"] if each["outcome"] == "failed"]
    assert failed == ["fee.missing"]
    assert set(await _statuses(tx, results)) == {"offered"}


async def test_another_amount_than_was_shown_is_told(
    tx: Tx, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(commands, "decide", lambda facts: replace(decide(facts), amount_fen=100))
        await results.prepare(tx)
    confirmed = await results.confirm(tx, 0)
    assert (confirmed.offered_fen, confirmed.amount_differs) == (100, True)
    assert confirmed.claim.amount_fen == WELDER_LEVEL_4_FEN
    found = await recompute(tx)
    assert found is not None
    assert (found.table, found.says[:9]) == ("claim_offers", "由存下的事实重算，"[:9])


async def test_refused_as_a_claim_is_and_never_without_ones_word(tx: Tx, results: Results) -> None:
    world = results.world
    await results.prepare(tx)
    with pytest.raises(Invalid, match=r"offer\.truth"):
        await results.confirm(tx, 0, truth=False)
    with pytest.raises(Ineligible):  # another's account
        await results.confirm(tx, 0, account=results.confirmation(1).account)
    with pytest.raises(Invalid):
        await results.confirm(tx, 0, account=NewAccount("1", "张三", "102"))
    with pytest.raises(NotFound, match=r"offer\.not_found"):
        await results.confirm(tx, 0, me=results.trainees[1].actor)
    clerk = await world.user(tx, {Post.CLERK}, world.here, world.clerks[0].institution_id)
    with pytest.raises(NotFound):
        await results.confirm(tx, 0, me=clerk)
    assert set(await _statuses(tx, results)) == {"offered"}


async def test_declined_it_is_not_offered_again_but_may_be_claimed(tx: Tx, results: Results) -> None:
    world, me = results.world, results.trainees[0].actor
    await results.prepare(tx)
    offer_id = await results.offer_of(tx, 0)
    assert (await decline_offer(tx, me, offer_id, world.today, world.now)).status == "declined"
    for again in (decline_offer(tx, me, offer_id, world.today, world.now), results.confirm(tx, 0)):
        with pytest.raises(Conflict, match="wrong_status"):
            await again
    await results.prepare(tx)
    assert (await _statuses(tx, results)).count("declined") == 1
    await file_claim(tx, me, results.claim(0), world.today, world.now)


async def test_offers_end_with_their_days_with_another_claim_and_with_a_correction(tx: Tx, results: Results) -> None:
    world, examined = results.world, results.examined
    await results.prepare(tx)
    await world.provide(tx, world.here)
    await file_claim(tx, results.trainees[0].actor, results.claim(0), world.today, world.now)
    assert await results.shown(tx, 0) == []
    with pytest.raises(Conflict, match=r"claim\.already_filed"):
        await results.confirm(tx, 0)
    kept = [each for each in examined.results() if each.id_number != examined.trainees[1].id_number]
    failed = examined.results()[-2]
    struck = type(failed)(examined.trainees[1].name, examined.trainees[1].id_number, "failed", "50")
    await examined.file(tx, results=[kept[0], struck, *kept[1:]], reason="成绩登记错误", corrects=1)
    assert await results.shown(tx, 1) == []
    with pytest.raises(Conflict, match=r"offer\.over"):
        await results.confirm(tx, 1)
    await results.expire(tx)
    reasons = text(
        "SELECT reason, count(*) FROM journal WHERE subject_kind = 'offer' AND action = 'expire'"
        " AND subject_id IN (SELECT id FROM claim_offers WHERE class_id = :id) GROUP BY reason"
    )
    ended = dict(map(tuple, (await tx.execute(reasons, {"id": examined.view.id})).all()))
    # whoever the correction leaves as they were keeps their offer
    assert ended == {"claimed": 1, "corrected": 1}
    assert len(await results.shown(tx, 2)) == 1
    assert await results.prepare(tx) == list(range(8))
    assert len(await results.rows(tx)) == 8


async def test_expired_on_the_day_after_the_last(tx: Tx, results: Results) -> None:
    await results.prepare(tx)
    results.examined.school.let_pass(60)
    assert len(await results.shown(tx, 0)) == 1
    await results.expire(tx)
    assert set(await _statuses(tx, results)) == {"offered"}
    results.examined.school.let_pass(1)
    assert await results.shown(tx, 0) == []
    with pytest.raises(Conflict, match=r"offer\.over"):
        await results.confirm(tx, 0)
    await results.expire(tx)
    assert set(await _statuses(tx, results)) == {"expired"}
    (shown,) = await results.shown(tx, 0)
    assert shown.status_name == "已过期"


async def test_a_mandate_given_meanwhile_hides_the_offer_and_taken_back_shows_it(tx: Tx, results: Results) -> None:
    world, trainee = results.world, results.trainees[0]
    await results.prepare(tx)
    mandate_id = await world.mandate(tx, world.clerks[0], trainee)
    assert await results.shown(tx, 0) == []
    with pytest.raises(NotFound, match=r"offer\.not_found"):
        await results.confirm(tx, 0)
    await revoke_mandate(tx, trainee.actor, mandate_id, "示例", world.today, world.now)
    assert len(await results.shown(tx, 0)) == 1
    assert (await results.confirm(tx, 0)).claim.channel == "individual"


async def test_told_once_in_words_without_personal_data(tx: Tx, results: Results) -> None:
    world = results.world
    await results.prepare(tx)
    await world.mandate(tx, world.clerks[0], results.trainees[1])
    for _ in range(2):
        while await offer_portion(tx, world.today):
            pass
    (told,) = (await my_messages(tx, results.trainees[0].actor)).messages
    assert (await my_messages(tx, results.trainees[1].actor)).messages == []
    last = world.today + timedelta(days=60)
    day = f"{last.year}年{last.month}月{last.day}日"
    assert told.text == (
        f"【职业培训补贴】你的焊工（四级）证书可以领补贴1,200 元，材料已经核好。"
        f"请在{day}以前登录，填收款账户确认；不要的可以不理。"
    )
    assert told.claim_id is None
    assert await first_breach(tx, TOLD.checks) is None


async def test_figures_by_month_from_offers_to_claims(tx: Tx, results: Results) -> None:
    world = results.world
    span = parse_span(str(world.today), str(world.today), world.today)
    before = (await figures_of(tx, span)).total
    await results.prepare(tx)
    await results.confirm(tx, 0)
    await decline_offer(tx, results.trainees[1].actor, await results.offer_of(tx, 1), world.today, world.now)
    view = await figures_of(tx, span)
    (month,) = view.months
    assert month.month == f"{world.today:%Y-%m}"
    total = view.total
    more = [
        getattr(total, name) - getattr(before, name) for name in ("made", "open", "confirmed", "declined", "expired")
    ]
    assert more == [8, 6, 1, 1, 0]
    assert total.confirmed_share == round(total.confirmed / total.made, 4)
    assert month.figures == total


# ---- what the database keeps by itself


async def test_by_sql_an_offer_stays_as_shown_and_ends_as_ones_own_claim(tx: Tx, results: Results) -> None:
    world = results.world
    await results.prepare(tx)
    offer_id = await results.offer_of(tx, 0)
    through = await world.through_institution(tx)
    for attack, state in (
        ("DELETE FROM claim_offers WHERE id = :id", "42501"),
        ("UPDATE claim_offers SET amount_fen = 1 WHERE id = :id", "42501"),
        ("UPDATE claim_offers SET status = 'expired' WHERE id = :id", "ZD002"),
        ("UPDATE claim_offers SET status = 'confirmed' WHERE id = :id", "23514"),
    ):
        assert await _refused(tx, attack, id=offer_id) == state, attack
    noted = """
        WITH noted AS (
            INSERT INTO journal (subject_kind, subject_id, action, before, after, actor_name, at)
            VALUES ('offer', :id, 'confirm', '{"status": "offered"}', '{"status": "confirmed"}', 'trainee', now()))
        UPDATE claim_offers SET status = 'confirmed', claim_id = :claim WHERE id = :id"""
    assert await _refused(tx, noted, id=offer_id, claim=through.id) == "ZD151"
    another = await world.claim(tx)
    assert await _refused(tx, noted, id=offer_id, claim=another.id) == "ZD151"
    confirmed = await results.confirm(tx, 0)
    assert (
        await _refused(tx, "UPDATE claim_offers SET claim_id = :claim WHERE id = :id", id=offer_id, claim=through.id)
        == "ZD012"
    )
    assert confirmed.claim.id != through.id
    columns = ", ".join(set(OfferRow.__table__.c.keys()) - {"id", "certificate_number", "status", "claim_id"})
    made = f"""
        WITH noted AS (
            INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
            VALUES ('offer', :new, 'prepare', '{{"status": "offered"}}', 'x', now()))
        INSERT INTO claim_offers (id, certificate_number, status, {columns})
        SELECT :new, 'X1', 'offered', {columns} FROM claim_offers WHERE id = :id"""
    assert await _refused(tx, made, id=offer_id, new=uuid4()) == "ZD162"


async def test_what_stands_there_anyhow_is_named(databases: Databases, committed: World) -> None:
    async with transaction() as tx:
        results = await Results.build(tx, committed)
        await results.prepare(tx)
        confirmed = await results.confirm(tx, 0)
        through = await committed.through_institution(tx)
    admin = await asyncpg.connect(databases.admin_url)
    planting = admin.transaction()
    await planting.start()
    await admin.execute("SET LOCAL session_replication_role = replica")
    await admin.execute("UPDATE claim_offers SET claim_id = $1 WHERE id = $2", through.id, confirmed.id)
    assert [each[0] for each in await admin.fetch(OFFERS.checks[0].broken)] == [confirmed.id]
    await planting.rollback()
    await admin.close()


# ---- over HTTP


async def test_over_http_one_step_from_the_offer_to_the_claim(client: httpx.AsyncClient, committed: World) -> None:
    async with transaction() as tx:
        results = await Results.build(tx, committed)
        await results.prepare(tx)
        first, second = [await results.offer_of(tx, place) for place in (0, 1)]
    mine, others = [await desk(client, results.trainees[place].actor) for place in (0, 1)]
    (listed,) = (await mine.get("/offers")).json()["offers"]
    assert (listed["id"], listed["amount_fen"], listed["status"]) == (str(first), WELDER_LEVEL_4_FEN, "offered")
    account = to_builtins(results.confirmation(0).account)
    new, at = {"account": account, "truth": True}, f"/offers/{first}"
    assert (await others.post(f"{at}/confirm", new)).status_code == 404
    assert (await others.post(f"{at}/decline", {})).status_code == 404
    untrue = await mine.post(f"{at}/confirm", {**new, "truth": False})
    assert (untrue.status_code, untrue.json()["errors"][0]["field"]) == (422, "truth")
    missing = await mine.post(f"{at}/confirm", {"account": account})
    assert (missing.status_code, missing.json()["errors"][0]["field"]) == (400, "truth")
    wrong = await mine.post(f"{at}/confirm", {**new, "account": {**account, "number": "1"}})
    assert wrong.json()["errors"][0]["field"] == "account.number"
    confirmed = await mine.post(f"{at}/confirm", new, key="yes")
    assert (confirmed.status_code, confirmed.json()["claim"]["channel"]) == (201, "individual")
    replayed = await mine.post(f"{at}/confirm", new, key="yes")
    assert (replayed.json(), replayed.headers["Idempotent-Replayed"]) == (confirmed.json(), "true")
    again = await mine.post(f"{at}/confirm", new)
    assert (again.status_code, again.json()["code"]) == (409, "wrong_status")
    assert again.json()["detail"] == "这个提示现在是“已确认”，不能确认。请刷新后再看。"
    claim = await mine.get(f"/claims/{confirmed.json()['claim']['id']}")
    assert claim.json()["class_number"] == results.examined.view.number
    declined = await others.post(f"/offers/{second}/decline", {})
    assert (declined.status_code, declined.json()["status"]) == (200, "declined")
    assert (await mine.get("/statistics/offers")).status_code == 403
    officer = await desk(client, committed.staff[Post.REVIEWER])
    total = (await officer.get("/statistics/offers")).json()["total"]
    assert (total["confirmed"] >= 1, total["declined"] >= 1) == (True, True)
