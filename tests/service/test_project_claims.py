"""项目制: one place a person, priced by the result, paid to the contractor, and never beyond the contract."""

from uuid import uuid4

import pytest

from domain.actor import Post
from domain.claim import ClaimAction
from domain.errors import Conflict, Forbidden, Ineligible, Invalid, NotFound
from service.audit.queries.checks import first_breach
from service.audit.queries.journal import JOURNALLED, LEGAL_MOVES
from service.audit.queries.messages import TOLD
from service.audit.queries.story import story_of
from service.audit.queries.territory import TERRITORY
from service.claims.commands.moves import move_claim
from service.claims.commands.review import approve_claim, refuse_claim, withdraw_claim
from service.claims.commands.sending_back import send_back
from service.claims.queries.views import claim_view
from service.claims.schemas import NewFault, NewRefusal, NewSendBack
from service.crypto import keyring
from service.database import Tx
from service.journal import By
from service.projects import commands, queries
from tests.payments import Stage, lines_of
from tests.projects import PLACE_FEN, Procured
from tests.races.test_promises_by_sql import CHECK, DENIED, FOREIGN, WRITTEN_ONCE, _refused
from tests.service.test_enterprise_claims import _copy
from tests.world import World


@pytest.fixture
async def project(tx: Tx, world: World) -> Procured:
    return await Procured.build(tx, world)


def _failed(refused: pytest.ExceptionInfo[Ineligible]) -> list[str]:
    outcomes = refused.value.facts["decision"]["outcomes"]
    return [each["code"] for each in outcomes if each["outcome"] == "failed"]


async def test_a_place_is_looked_at_by_an_officer_and_paid_to_the_contractor(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=0)
    project = await Procured.build(tx, world, district=stage.district)
    view, contractor = await project.claim(tx), project.contractor
    assert (view.status, view.channel, view.level, view.amount_fen) == (
        "in_review",
        "institution",
        "project",
        PLACE_FEN,
    )
    assert (view.item_code, view.certificate_number, view.payee) == (None, None, contractor.name)
    reviewer = await world.user(tx, {Post.REVIEWER}, stage.district)
    await approve_claim(tx, reviewer, view.id, "", world.now)
    for action in (ClaimAction.PUBLISH, ClaimAction.CLEAR):
        await move_claim(tx, action, view.id, By("tests", world.now))
    batch = await stage.frozen(tx)
    (line,) = await lines_of(tx, batch.id)
    keys = keyring()
    assert (line.claim_id, keys.open(line.payee_sealed, line.id)) == (view.id, contractor.name)
    assert keys.open(line.account_sealed, line.id) == contractor.account
    for promise in (JOURNALLED, LEGAL_MOVES, TERRITORY, TOLD):
        assert await first_breach(tx, promise.checks) is None
    steps = [step.what for step in (await story_of(tx, await world.user(tx, {Post.AUDITOR}), view.id)).steps]
    assert {"登记项目合同", "确认项目合同", "登记项目成果"} <= set(steps)


@pytest.mark.parametrize(("percent", "fen"), [(80, PLACE_FEN), (65, 360_000), (50, 270_000)])
async def test_it_is_priced_by_its_result(tx: Tx, world: World, percent: int, fen: int) -> None:
    project = await Procured.build(tx, world, percent=percent)
    assert (await project.claim(tx)).amount_fen == fen


async def test_the_contract_bounds_the_price(tx: Tx, world: World) -> None:
    project = await Procured.build(tx, world, place_fen=100_000)
    assert (await project.claim(tx)).amount_fen == 100_000


async def test_without_contract_or_result_nothing_is_stored(tx: Tx, world: World) -> None:
    without = await Procured.build(tx, world, percent=None)
    with pytest.raises(Ineligible) as refused:
        await without.claim(tx)
    assert _failed(refused) == ["project.no_result", "project.no_price"]
    nothing = await Procured.build(tx, world, percent=10)
    with pytest.raises(Ineligible) as refused:
        await nothing.claim(tx)
    assert _failed(refused) == ["project.earned_nothing"]
    late = await Procured.build(tx, world, percent=None)
    await late.reach(tx, 100, days_ago=31)
    with pytest.raises(Ineligible) as refused:
        await late.claim(tx)
    assert _failed(refused) == ["project.reached_otherwise"]
    unconfirmed = await Procured.build(tx, world, percent=None, confirmed=False)
    with pytest.raises(Ineligible) as refused:
        await unconfirmed.claim(tx)
    assert "project.unconfirmed" in _failed(refused)


async def test_one_place_a_person_whoever_trains(tx: Tx, world: World, project: Procured) -> None:
    new, other = project.new_place(), await Procured.build(tx, world)
    await project.claim(tx, new)
    for again in (project, other):
        with pytest.raises(Conflict, match=r"claim\.already_filed"):
            await again.claim(tx, new)


async def test_a_place_is_free_again_when_it_is_withdrawn_or_refused(tx: Tx, world: World) -> None:
    project = await Procured.build(tx, world, places=2)
    first, second = await project.claim(tx), await project.claim(tx)
    with pytest.raises(Ineligible) as refused:
        await project.claim(tx)
    assert _failed(refused) == ["project.full"]
    await withdraw_claim(tx, project.contractor.clerk, first.id, "", world.now)
    third = await project.claim(tx)
    refusal = NewRefusal(["other"], "")
    await refuse_claim(tx, world.staff[Post.REVIEWER], second.id, refusal, world.now)
    await project.claim(tx)
    assert third.status == "in_review"


async def test_the_money_of_the_contract_runs_out_before_its_places(tx: Tx, world: World) -> None:
    project = await Procured.build(tx, world, places=10, cap_fen=PLACE_FEN * 2 + 1)
    for _ in range(2):
        await project.claim(tx)
    with pytest.raises(Ineligible) as refused:
        await project.claim(tx)
    assert _failed(refused) == ["project.full"]


async def test_who_may_not(tx: Tx, world: World, project: Procured) -> None:
    other, now = await Procured.build(tx, world, district=world.other), world.now
    with pytest.raises(NotFound, match=r"project\.not_found"):
        await project.claim(tx, clerk=other.contractor.clerk)
    with pytest.raises(Forbidden, match="post_missing"):
        await project.claim(tx, clerk=world.staff[Post.REVIEWER])
    proposed = await project.propose(tx, places=3)
    mine, second = project.contractor.officers
    with pytest.raises(Forbidden, match=r"project\.same_person"):
        await commands.confirm_project(tx, mine, proposed, now)
    with pytest.raises(NotFound):
        await commands.confirm_project(tx, other.contractor.officers[0], proposed, now)
    await commands.confirm_project(tx, second, proposed, now)
    with pytest.raises(Conflict, match=r"project\.confirmed"):
        await commands.confirm_project(tx, second, proposed, now)
    for wrong, code in (({"item": "没有的项目"}, "not_in_catalog"), ({"cap_fen": 1}, "cap_below_place")):
        with pytest.raises(Invalid, match=rf"project\.{code}"):
            await project.propose(tx, places=4, **wrong)
    seen = {each.id for each in (await queries.list_projects(tx, project.contractor.clerk, None, 50)).projects}
    assert seen == {project.id, proposed}
    view = await project.claim(tx)
    faults = NewSendBack([NewFault("other", "account")])  # type: ignore[arg-type]  # as it comes
    with pytest.raises(Conflict, match=r"send_back\.nothing_to_mend"):
        await send_back(tx, world.staff[Post.REVIEWER], view.id, faults, world.today, now)
    assert view == await claim_view(tx, project.contractor.clerk, view.id)


async def test_the_database_says_it_again(tx: Tx, world: World) -> None:
    project = await Procured.build(tx, world, places=1)
    view, unconfirmed = await project.claim(tx), await project.propose(tx, places=5)
    none = {"certificate_number": "NULL", "level": "level"}
    as_other = {**none, "person_id": f"(SELECT proposed_person FROM procured_projects WHERE id = '{project.id}')"}
    full = _copy(**as_other, status="'filed'")
    assert await _refused(tx, full, id=view.id) == "ZD184"
    assert await _refused(tx, _copy(**{**as_other, "project_id": f"'{unconfirmed}'"}), id=view.id) == "ZD183"
    other = await Procured.build(tx, world)
    theirs = {**as_other, "project_id": f"'{other.id}'", "status": "'filed'"}
    assert await _refused(tx, _copy(**theirs), id=view.id) == FOREIGN
    certified = {**theirs, "certificate_number": "'X'"}
    assert await _refused(tx, _copy(**certified), id=view.id) == CHECK
    by_itself = "UPDATE claims SET status = 'verified' WHERE id = :id"
    assert await _refused(tx, by_itself, id=view.id) == CHECK
    same = "UPDATE procured_projects SET confirmed_by = proposed_by, confirmed_person = proposed_person,"
    assert await _refused(tx, f"{same} confirmed_at = now() WHERE id = :id", id=unconfirmed) == CHECK
    assert await _refused(tx, f"{same} confirmed_at = now() WHERE id = :id", id=project.id) == WRITTEN_ONCE
    assert await _refused(tx, "UPDATE procured_projects SET cap_fen = cap_fen + 1") == DENIED
    assert await _refused(tx, "UPDATE project_results SET employment_percent = 100") == DENIED
    assert await _refused(tx, "DELETE FROM procured_projects") == DENIED
    columns = "item_id, institution_id, district, in_force, places, cap_fen, place_fen, document_sha256"
    columns += ", proposed_by, proposed_person, proposed_at"
    of_a_code = columns.replace("item_id", "(SELECT id FROM catalog_items WHERE code IS NOT NULL LIMIT 1)", 1)
    forged = f"""INSERT INTO procured_projects (id, contract_number, {columns})
                 SELECT :new, 'X', {of_a_code} FROM procured_projects WHERE id = :id"""
    assert await _refused(tx, forged, id=project.id, new=uuid4()) == "ZD182"
