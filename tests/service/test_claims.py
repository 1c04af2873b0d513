"""Filing: who may, what is decided, what is stored."""

import pytest
from sqlalchemy import func, select

from domain.actor import Post
from domain.claim import ClaimKind
from domain.eligibility import RULES_VERSION, rules_in
from domain.errors import Conflict, Forbidden, Ineligible, Invalid, NotFound
from service.claims.commands.approving import approve_set
from service.claims.commands.filing import check_claim, file_claim
from service.claims.commands.review import approve_claim, refuse_claim, withdraw_claim
from service.claims.queries.views import claim_counts, claim_view, claims_page
from service.claims.schemas import NewAccount, NewApproval, NewRefusal
from service.claims.tables import ClaimRow, ClaimTallyDeltaRow, ClaimTallyRow
from service.database import Tx
from service.jobs import JobRow
from service.journal import JournalRow
from tests.world import WELDER_LEVEL_4_FEN, World


async def _rows(tx: Tx, table: type) -> int:
    return int((await tx.execute(select(func.count()).select_from(table))).scalar_one())


async def test_a_filed_claim_is_stored_with_its_journal_its_job_and_its_figure(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    view = await file_claim(tx, trainee.actor, world.new_claim(trainee), world.today, world.now)
    assert (view.status, view.channel, view.amount_fen) == ("filed", "individual", WELDER_LEVEL_4_FEN)
    assert view.decision is not None
    assert view.decision.eligible
    assert trainee.made.name not in repr(view)
    journal = (await tx.execute(select(JournalRow).where(JournalRow.subject_id == view.id))).all()
    assert [(row.action, row.after["status"], row.actor_user_id) for row in journal] == [
        ("file", "filed", trainee.actor.user_id)
    ]
    owed = await tx.execute(select(JobRow.kind, JobRow.state).where(JobRow.subject == view.id))
    assert owed.all() == [("verification.verify_certificate", "ready")]
    assert await _rows(tx, ClaimTallyDeltaRow) >= 1


@pytest.mark.parametrize("channel", ["individual", "institution"])
async def test_a_claim_is_answered_as_it_is_read_back(tx: Tx, world: World, channel: str) -> None:
    """The answer is put together from what was filed; reading decides again from what was stored."""
    view = await (world.claim(tx) if channel == "individual" else world.through_institution(tx))
    auditor = await world.user(tx, {Post.AUDITOR})
    assert view == await claim_view(tx, auditor, view.id)


async def test_checking_answers_the_decision_and_stores_nothing(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    before = await _rows(tx, ClaimRow)
    decision = await check_claim(tx, trainee.actor, world.new_claim(trainee), world.today)
    assert decision.eligible
    assert decision.amount_fen == WELDER_LEVEL_4_FEN
    assert all(outcome.message and outcome.basis for outcome in decision.outcomes)
    assert await _rows(tx, ClaimRow) == before


async def test_a_second_claim_for_the_same_occupation_and_level_is_told_of_the_first(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    await world.claim(tx, trainee=trainee)
    with pytest.raises(Conflict) as refused:
        await world.claim(tx, trainee=trainee)
    assert refused.value.code == "claim.already_filed"
    assert refused.value.facts["channel"] == "channel.individual"


async def test_a_withdrawn_claim_frees_the_person_and_leaves_the_figures(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    view = await world.claim(tx, trainee=trainee)
    withdrawn = await withdraw_claim(tx, trainee.actor, view.id, "", world.now)
    assert withdrawn.status == "withdrawn"
    assert (await world.claim(tx, trainee=trainee)).status == "filed"
    counted = [  # folded, and not yet
        (await tx.execute(select(func.sum(row.count)).where(row.district == world.here))).scalar_one() or 0
        for row in (ClaimTallyRow, ClaimTallyDeltaRow)
    ]
    live = await tx.execute(
        select(func.count()).where(ClaimRow.status != "withdrawn", ClaimRow.district == world.here)
    )
    assert sum(counted) == live.scalar_one()


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"item_code": "9-99-99-99"}, "item.not_in_catalog"),
        ({"level": "junior"}, "level.not_of_occupation"),
        ({"certificate_issued_on": "2024-01-05"}, "window.over"),
        ({"certificate_issued_on": "2099-01-05"}, "certificate.future"),
        ({"level": "3"}, "certificate.level_differs"),
        ({"training_started_on": "2099-01-01"}, "training.after_certificate"),
        ({"training_started_on": "2020-01-01"}, "item.not_in_catalog"),
    ],
)
async def test_what_the_rules_do_not_grant_is_answered_whole(
    tx: Tx, world: World, given: dict[str, str], code: str
) -> None:
    trainee = await world.trainee(tx)
    with pytest.raises(Ineligible) as refused:
        await file_claim(tx, trainee.actor, world.new_claim(trainee, **given), world.today, world.now)
    failed = {o["code"] for o in refused.value.facts["decision"]["outcomes"] if o["outcome"] == "failed"}
    assert code in failed
    assert len(refused.value.facts["decision"]["outcomes"]) == len(rules_in(RULES_VERSION, ClaimKind.TRAINING))


async def test_anothers_account_is_refused(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    account = NewAccount(trainee.card, "王小二", world.maker.bank_code())
    with pytest.raises(Ineligible) as refused:
        await file_claim(tx, trainee.actor, world.new_claim(trainee, account=account), world.today, world.now)
    assert "account.holder_differs" in str(refused.value.facts)


async def test_anothers_certificate_is_refused(tx: Tx, world: World) -> None:
    first = await world.claim(tx)
    with pytest.raises(Ineligible) as refused:
        await world.claim(tx, certificate_number=first.certificate_number)
    assert "certificate.used" in str(refused.value.facts)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"level": "6"}, "level"),
        ({"certificate_issued_on": "2025-02-29"}, "certificate_issued_on"),
        ({"certificate_number": ""}, "certificate_number"),
        ({"district": None}, "district"),
        ({"district": "110101"}, "district"),
        ({"district": "370100"}, "district"),
        ({"list_kind": "nonsense"}, "list_kind"),
        ({"account": NewAccount("123", "王小二", "102451000010")}, "account.number"),
    ],
)
async def test_what_is_malformed_names_its_field(tx: Tx, world: World, given: dict[str, object], field: str) -> None:
    trainee = await world.trainee(tx)
    with pytest.raises(Invalid) as refused:
        await file_claim(tx, trainee.actor, world.new_claim(trainee, **given), world.today, world.now)
    assert refused.value.field == field


async def test_an_institution_files_with_a_mandate_and_only_with_its_own(tx: Tx, world: World) -> None:
    view = await world.through_institution(tx)
    assert (view.channel, view.district) == ("institution", world.here)
    trainee = await world.trainee(tx)
    mandate_id = await world.mandate(tx, world.clerks[1], trainee)
    new = world.new_claim(trainee, mandate_id=mandate_id, district=None)
    with pytest.raises(NotFound):
        await file_claim(tx, world.clerks[0], new, world.today, world.now)
    with pytest.raises(Forbidden):
        await file_claim(tx, trainee.actor, new, world.today, world.now)


async def test_a_foreign_claim_is_as_if_it_were_not_there(tx: Tx, world: World) -> None:
    view = await world.claim(tx)
    stranger = await world.trainee(tx)
    for foreign in (stranger.actor, world.other_staff[Post.REVIEWER], *world.clerks):
        with pytest.raises(NotFound):
            await claim_view(tx, foreign, view.id)
    with pytest.raises(NotFound):
        await approve_claim(tx, world.other_staff[Post.REVIEWER], view.id, "", world.now)
    with pytest.raises(NotFound):
        await withdraw_claim(tx, stranger.actor, view.id, "", world.now)
    assert (await claim_view(tx, world.staff[Post.AUDITOR], view.id)).id == view.id


async def test_a_reviewer_approves_refuses_and_never_their_own(tx: Tx, world: World) -> None:
    reviewer = world.staff[Post.REVIEWER]
    verified = await world.claim(tx, "verified")
    assert (await approve_claim(tx, reviewer, verified.id, "", world.now)).status == "approved"
    questioned = await world.claim(tx, "in_review")
    refusal = NewRefusal(["certificate_not_found"], "查无此证")
    assert (await refuse_claim(tx, reviewer, questioned.id, refusal, world.now)).status == "refused"
    with pytest.raises(Invalid):
        await refuse_claim(tx, reviewer, questioned.id, NewRefusal(["because"]), world.now)
    with pytest.raises(Conflict):
        await approve_claim(tx, reviewer, questioned.id, "", world.now)
    own = await world.claim(tx, "verified")
    await tx.execute(select(1))
    me = reviewer.__class__(reviewer.user_id, await _claimant(tx, own.id), reviewer.posts, reviewer.district)
    with pytest.raises(Forbidden):
        await approve_claim(tx, me, own.id, "", world.now)


async def _claimant(tx: Tx, claim_id: object):  # type: ignore[no-untyped-def]
    return (await tx.execute(select(ClaimRow.person_id).where(ClaimRow.id == claim_id))).scalar_one()


async def test_a_set_is_approved_up_to_its_limit(tx: Tx, world: World) -> None:
    for _ in range(3):
        await world.claim(tx, "verified")
    answer = await approve_set(tx, world.staff[Post.REVIEWER], NewApproval(limit=2), world.now)
    assert answer.approved == 2
    assert answer.left >= 1


async def test_pages_follow_each_other(tx: Tx, world: World) -> None:
    trainee = await world.trainee(tx)
    filed = {
        (await world.claim(tx, trainee=trainee, level=level, certificate_number=number)).id
        for level, number in [
            ("5", world.maker.certificate("5", world.today.year)),
            ("4", world.maker.certificate("4", world.today.year)),
            ("3", world.maker.certificate("3", world.today.year)),
        ]
    }
    seen, cursor = set(), None
    while True:
        page = await claims_page(tx, trainee.actor, status=None, district=None, cursor=cursor, limit=1)
        seen |= {view.id for view in page.claims}
        if (cursor := page.next) is None:
            break
    assert seen == filed
    with pytest.raises(Invalid):
        await claims_page(tx, trainee.actor, status=None, district=None, cursor="forged", limit=1)
    assert (await claim_counts(tx, trainee.actor)).counts == {"filed": 3}


async def test_a_note_that_names_a_person_by_number_is_refused_and_nothing_moves(tx: Tx, world: World) -> None:
    claim = await world.claim(tx, "verified")
    reviewer = world.staff[Post.REVIEWER]
    with pytest.raises(Invalid, match="personal_number"):
        await approve_claim(tx, reviewer, claim.id, "本人电话 13800138000", world.now)
    assert (await claim_view(tx, reviewer, claim.id)).status == "verified"
