"""Not eligible: the whole decision and nothing stored; or, for who insists, stored and refused in one step."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from domain.actor import Post
from domain.errors import Conflict, Ineligible
from service.audit.queries import verify
from service.audit.queries.story import story_of
from service.claims.commands.filing import check_claim, file_claim
from service.claims.commands.review import refuse_claim
from service.claims.queries.views import claim_view, claims_page
from service.claims.schemas import ClaimView, NewInvoice, NewRefusal
from service.claims.tables import ClaimRow, ClaimTallyDeltaRow
from service.database import Tx
from service.jobs import JobRow
from service.journal import JournalRow
from tests.world import WELDER_LEVEL_4_FEN, Trainee, World

#: In the catalog and with a standard on every day of these tests, but long over.
OVERDUE = {"certificate_issued_on": "2025-03-02", "training_started_on": "2025-01-05"}


async def _claims_of(tx: Tx, trainee: Trainee) -> int:
    mine = select(func.count()).where(ClaimRow.person_id == trainee.actor.person_id)
    return int((await tx.execute(mine)).scalar_one())


async def _counted(tx: Tx, world: World) -> int:
    figure = ClaimTallyDeltaRow
    counted = select(func.coalesce(func.sum(figure.count), 0)).where(figure.district == world.here)
    return int((await tx.execute(counted)).scalar_one())


async def _file(tx: Tx, world: World, trainee: Trainee, **given: Any) -> ClaimView:
    new = world.new_claim(trainee, **{"certificate_number": world.maker.certificate("4", 2025), **OVERDUE, **given})
    return await file_claim(tx, trainee.actor, new, world.today, world.now)


async def test_without_insisting_the_decision_is_answered_and_nothing_is_stored(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    before = await _counted(tx, world)
    with pytest.raises(Ineligible) as refused:
        await _file(tx, world, trainee)
    decision = refused.value.facts["decision"]
    assert (decision["eligible"], decision["may_insist"], decision["amount_fen"]) == (False, True, None)
    over = next(each for each in decision["outcomes"] if each["code"] == "window.over")
    assert (over["message"], over["next"]) == (
        "过期了：证书日期后 12 个月内申领，2026年3月2日已截止。",
        "日期填错了就改好再交；没有填错，可以坚持提交，再申请复核。",
    )
    assert all(each["next"] == "" for each in decision["outcomes"] if each["outcome"] == "passed")
    assert (await _claims_of(tx, trainee), await _counted(tx, world)) == (0, before)


async def test_who_insists_is_refused_in_due_form(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    before = await _counted(tx, world)
    view = await _file(tx, world, trainee, insist=True)
    assert (view.status, view.amount_fen) == ("refused", WELDER_LEVEL_4_FEN)
    assert view.decision is not None
    assert not view.decision.eligible
    assert view.refusal is not None
    assert view.refusal.refused_on == world.today
    assert view.refusal.reasons == ["过期了：证书日期后 12 个月内申领，2026年3月2日已截止。"]
    assert [(each.kind, each.last) for each in view.refusal.remedies][:2] == [
        ("review", world.today + timedelta(days=60)),
        ("reconsideration", world.today + timedelta(days=60)),
    ]
    assert view.refusal.remedies[2].kind == "lawsuit"
    assert all(each.message and "{" not in each.message for each in view.refusal.remedies)
    journal = select(JournalRow.action, JournalRow.actor_name, JournalRow.reason, JournalRow.before, JournalRow.after)
    steps = (await tx.execute(journal.where(JournalRow.subject_id == view.id).order_by(JournalRow.id))).all()
    assert [(step.action, step.actor_name, step.reason) for step in steps] == [
        ("file", "trainee", ""),
        ("refuse", "claims.rules", "not_eligible"),
    ]
    assert (steps[1].before, steps[1].after) == ({"status": "filed"}, {"status": "refused"})
    owed = await tx.execute(select(func.count()).where(JobRow.subject == view.id))
    assert owed.scalar_one() == 0
    assert await _counted(tx, world) == before + 1
    # only one claim at a time is told so in full
    page = await claims_page(tx, trainee.actor, status="refused", district=None, cursor=None, limit=5)
    assert [each.refusal for each in page.claims] == [None]


async def test_a_refused_claim_keeps_nobody_out(tx: Tx, world: World) -> None:
    """Neither itself once more, nor the same certificate rightly claimed, nor anything that counts."""
    trainee, number = await world.trainee(tx), world.maker.certificate("4", world.today.year)
    late = {"certificate_number": number, "training_started_on": world.today.isoformat(), "insist": True}
    given: dict[str, Any] = {"number": "26372000000012345678", "amount_fen": 98_050, "payer": trainee.made.name}
    for _ in range(4):
        view = await _file(tx, world, trainee, invoice=_invoice(given), **late)
        assert view.status == "refused"
    filed = await world.claim(tx, trainee=trainee, certificate_number=number, invoice=_invoice(given))
    assert filed.status == "filed"


def _invoice(given: dict[str, Any]) -> NewInvoice:
    return NewInvoice(**given)


async def test_insisting_on_what_is_granted_files_it(tx: Tx, world: World) -> None:
    view = await world.claim(tx, insist=True)
    assert (view.status, view.refusal) == ("filed", None)
    owed = await tx.execute(select(JobRow.state).where(JobRow.subject == view.id))
    assert owed.scalars().all() == ["ready"]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"item_code": "9-99-99-99"}, "item.not_in_catalog"),
        ({"level": "junior"}, "level.not_of_occupation"),
        ({"level": "apprentice"}, "standard.none"),
    ],
)
async def test_at_the_door_nobody_may_insist(tx: Tx, world: World, given: dict[str, Any], code: str) -> None:
    """Unknown item or level, no standard: there is no row that could be stored."""
    trainee = await world.trainee(tx)
    new = world.new_claim(trainee, **given, insist=True)
    assert not (await check_claim(tx, trainee.actor, new, world.today)).may_insist
    with pytest.raises(Ineligible) as refused:
        await file_claim(tx, trainee.actor, new, world.today, world.now)
    assert not refused.value.facts["decision"]["may_insist"]
    assert code in str(refused.value.facts)
    assert await _claims_of(tx, trainee) == 0


async def test_a_duplicate_of_a_live_claim_stays_at_the_door(tx: Tx, world: World) -> None:
    trainee, other = await world.trainee(tx), await world.trainee(tx)
    first = await world.claim(tx, trainee=trainee)
    with pytest.raises(Conflict, match=r"claim\.already_filed"):
        await _file(tx, world, trainee, insist=True)
    with pytest.raises(Ineligible) as refused:
        await _file(tx, world, other, certificate_number=first.certificate_number, insist=True)
    assert "certificate.used" in str(refused.value.facts)
    assert (await _claims_of(tx, trainee), await _claims_of(tx, other)) == (1, 0)


async def test_an_officers_refusal_names_reasons_and_remedies_too(tx: Tx, world: World) -> None:
    view = await world.claim(tx, "in_review")
    refusal = NewRefusal(["certificate_not_found", "other"], "已请当事人补交。")
    await refuse_claim(tx, world.staff[Post.REVIEWER], view.id, refusal, world.now)
    shown = (await claim_view(tx, world.staff[Post.REVIEWER], view.id)).refusal
    assert shown is not None
    assert shown.reasons == ["登记库里查无此证", "其他原因，见说明", "已请当事人补交。"]
    assert len(shown.remedies) == 3


async def test_an_officer_does_not_refuse_before_the_registry_has_answered(tx: Tx, world: World) -> None:
    view = await world.claim(tx)
    with pytest.raises(Conflict, match="wrong_status"):
        await refuse_claim(tx, world.staff[Post.REVIEWER], view.id, NewRefusal(["other"]), world.now)


async def test_the_audit_holds_what_was_refused_in_due_form(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    view = await _file(tx, world, trainee, insist=True)
    stored = (await tx.execute(select(ClaimRow.decision).where(ClaimRow.id == view.id))).scalar_one()
    assert stored["failed"] == ["window.over"]
    assert stored["amount_fen"] is None
    held = {report.name: report.held for report in await verify(tx)}
    names = ("legal_moves_and_frozen_money", "journal_equals_rows", "share", "decisions_recompute", "one_subsidy")
    assert all(held[name] for name in names)
    story = await story_of(tx, world.staff[Post.AUDITOR], view.id)
    (told,) = [each for each in story.steps if each.what == "不予补贴。"]
    assert (told.who, told.evidence) == ("系统（按规则判断）", ["不符合补贴条件"])
