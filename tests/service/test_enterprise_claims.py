"""企业申领: by a contract with newly hired staff, counted against them, and paid on the enterprise's own account."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from domain.actor import Post
from domain.claim import ClaimAction
from domain.eligibility import RULES_VERSION
from domain.errors import Conflict, Forbidden, Ineligible, Invalid, NotFound
from service.audit.queries.checks import first_breach
from service.audit.queries.journal import JOURNALLED
from service.audit.queries.messages import TOLD
from service.audit.queries.story import story_of
from service.audit.queries.territory import TERRITORY
from service.claims.commands.filing import check_claim, file_claim
from service.claims.commands.mending import mend_account
from service.claims.commands.moves import move_claim
from service.claims.commands.sending_back import send_back
from service.claims.queries.decisions import decided_again
from service.claims.queries.views import claim_view, claims_page
from service.claims.schemas import NewAccount, NewFault, NewMending, NewSendBack
from service.claims.tables import ClaimRow, ClaimTallyDeltaRow
from service.crypto import keyring
from service.database import Tx
from service.employment.commands import record_contract
from service.employment.queries import list_contracts
from service.journal import By
from service.messages.commands import tell_portion
from service.messages.queries import my_messages
from tests.enterprises import Enterprise
from tests.payments import Stage, lines_of
from tests.races.test_promises_by_sql import CHECK, DENIED, FOREIGN, FROZEN, _refused
from tests.world import WELDER_LEVEL_4_FEN, World


@pytest.fixture
async def enterprise(tx: Tx, world: World) -> Enterprise:
    return await Enterprise.build(tx, world)


async def _refusal(tx: Tx, enterprise: Enterprise, **contract: Any) -> list[str]:
    """The codes with which a claim under such a contract is refused."""
    trainee = await enterprise.world.trainee(tx)
    contract_id = await enterprise.contract(tx, trainee, **contract)
    new = enterprise.new_claim(trainee, contract_id)
    with pytest.raises(Ineligible) as refused:
        await file_claim(tx, enterprise.clerk, new, enterprise.world.today, enterprise.world.now)
    outcomes = refused.value.facts["decision"]["outcomes"]
    return [each["code"] for each in outcomes if each["outcome"] == "failed"]


async def test_filed_for_the_hired_and_paid_to_the_enterprise(tx: Tx, world: World, enterprise: Enterprise) -> None:
    view = await enterprise.claim(tx)
    assert (view.channel, view.status, view.amount_fen) == ("enterprise", "filed", WELDER_LEVEL_4_FEN)
    assert (view.payee, view.account_tail) == (enterprise.name, enterprise.account[-4:])
    assert view == await claim_view(tx, await world.user(tx, {Post.AUDITOR}), view.id)
    delta = ClaimTallyDeltaRow
    counted = await tx.execute(select(delta.channel, delta.count).order_by(delta.id.desc()).limit(1))
    assert counted.all() == [("enterprise", 1)]
    assert [each.id for each in (await claims_page(tx, enterprise.clerk, **_WHOLE)).claims] == [view.id]
    assert (await claims_page(tx, world.clerks[0], **_WHOLE)).claims == []
    (contract,) = (await list_contracts(tx, enterprise.clerk, None, 50)).contracts
    assert (contract.enterprise, contract.signed_on) == (enterprise.name, world.today)
    assert enterprise.hired[0].made.name not in repr(contract)
    for promise in (JOURNALLED, TERRITORY):
        assert await first_breach(tx, promise.checks) is None


_WHOLE: dict[str, Any] = {"status": None, "district": None, "cursor": None, "limit": 50}


async def test_the_bank_is_told_to_pay_the_enterprise(tx: Tx, world: World) -> None:
    stage = await Stage.build(tx, world, claims=1)
    enterprise = await Enterprise.build(tx, world, stage.district)
    view = await enterprise.claim(tx)
    by = By("tests", world.now)
    for action in (ClaimAction.VERIFY, ClaimAction.APPROVE, ClaimAction.PUBLISH, ClaimAction.CLEAR):
        await move_claim(tx, action, view.id, by)
    batch = await stage.frozen(tx)
    paid = {each.claim_id: each for each in await lines_of(tx, batch.id)}
    line, keys = paid[view.id], keyring()
    assert keys.open(line.payee_sealed, line.id) == enterprise.name
    assert keys.open(line.account_sealed, line.id) == enterprise.account
    assert len(paid) == 2


async def test_it_counts_against_the_person_whoever_files(tx: Tx, world: World, enterprise: Enterprise) -> None:
    trainee = await world.trainee(tx)
    await enterprise.claim(tx, trainee)
    with pytest.raises(Conflict) as refused:
        await world.claim(tx, trainee=trainee)
    assert refused.value.code == "claim.already_filed"
    assert refused.value.facts["channel"] == "channel.enterprise"
    other = await Enterprise.build(tx, world)
    with pytest.raises(Conflict):
        await other.claim(tx, trainee)


async def test_the_person_is_told_on_the_day(tx: Tx, world: World, enterprise: Enterprise) -> None:
    view = await enterprise.claim(tx)
    by = By("tests", world.now)
    floor = (await tx.execute(text("SELECT floor FROM message_floor"))).scalar_one()
    for action in (ClaimAction.VERIFY, ClaimAction.APPROVE):
        await move_claim(tx, action, view.id, by)
    await tell_portion(tx, floor)
    told = [each.text for each in (await my_messages(tx, enterprise.hired[0].actor)).messages]
    assert len(told) == 2
    assert all(enterprise.name in each and "发给该单位" in each for each in told)
    assert await first_breach(tx, TOLD.checks) is None


@pytest.mark.parametrize(
    ("ago", "until", "code"),
    [
        ((0, 0), 300, "contract.too_short"),
        ((400, 400), 900, "contract.not_newly_hired"),
        ((400, 400), -20, "contract.not_in_force"),
        ((0, -5), 900, "contract.not_in_force"),
    ],
)
async def test_the_contract_decides(
    tx: Tx, world: World, enterprise: Enterprise, ago: tuple[int, int], until: int, code: str
) -> None:
    signed, first, last = (world.today - timedelta(days=days) for days in (*ago, -until))
    term = {"valid_from": first.isoformat(), "valid_to": last.isoformat()}
    assert code in await _refusal(tx, enterprise, signed_on=signed.isoformat(), **term)


async def test_no_fixed_term_is_long_enough_and_a_second_contract_is_no_new_hire(
    tx: Tx, world: World, enterprise: Enterprise
) -> None:
    trainee = await world.trainee(tx)
    contract_id = await enterprise.contract(tx, trainee, valid_to=None)
    new = enterprise.new_claim(trainee, contract_id)
    assert (await check_claim(tx, enterprise.clerk, new, world.today)).eligible
    earlier = (world.today - timedelta(days=90)).isoformat()
    await enterprise.contract(tx, trainee, signed_on=earlier, valid_from=earlier)
    decision = await check_claim(tx, enterprise.clerk, new, world.today)
    failed = [each.code for each in decision.outcomes if each.outcome == "failed"]
    assert failed == ["contract.employed_before"]


async def test_without_a_confirmed_account_nothing_is_stored(tx: Tx, world: World) -> None:
    poor = await Enterprise.build(tx, world, account=False)
    assert await _refusal(tx, poor) == ["account.none_in_force"]


async def test_who_may_not(tx: Tx, world: World, enterprise: Enterprise) -> None:
    trainee, today, now = await world.trainee(tx), world.today, world.now
    contract_id = await enterprise.contract(tx, trainee)
    new, other = enterprise.new_claim(trainee, contract_id), await Enterprise.build(tx, world)
    for clerk in (other.clerk, world.clerks[0]):
        with pytest.raises(NotFound, match=r"contract\.not_found"):
            await file_claim(tx, clerk, new, today, now)
    with pytest.raises(Forbidden, match="post_missing"):
        await file_claim(tx, trainee.actor, new, today, now)
    with pytest.raises(Forbidden, match=r"contract\.not_an_enterprise"):
        await record_contract(tx, world.clerks[0], enterprise.new_contract(trainee), today, now)
    account = NewAccount(trainee.card, trainee.made.name, world.maker.bank_code())
    with pytest.raises(Invalid, match=r"account\.of_enterprise"):
        await file_claim(
            tx, enterprise.clerk, enterprise.new_claim(trainee, contract_id, account=account), today, now
        )
    with pytest.raises(Invalid, match=r"value\.missing"):
        await file_claim(tx, trainee.actor, world.new_claim(trainee, account=None), today, now)
    mandate = await world.mandate(tx, world.clerks[0], trainee)
    both = enterprise.new_claim(trainee, contract_id, mandate_id=mandate)
    with pytest.raises(Invalid, match=r"contract\.or_mandate"):
        await file_claim(tx, enterprise.clerk, both, today, now)


async def bounce(tx: Tx, world: World, claim_id: UUID) -> None:
    by = By("tests", world.now)
    path = (ClaimAction.VERIFY, ClaimAction.APPROVE, ClaimAction.PUBLISH, ClaimAction.CLEAR, ClaimAction.BATCH)
    for action in (*path, ClaimAction.BOUNCE):
        reason = "account_closed" if action is ClaimAction.BOUNCE else ""
        await move_claim(tx, action, claim_id, by, reason=reason)


async def test_what_bounced_is_paid_on_the_account_confirmed_since(
    tx: Tx, world: World, enterprise: Enterprise
) -> None:
    view = await enterprise.claim(tx)
    await bounce(tx, world, view.id)
    with pytest.raises(Invalid, match=r"account\.unchanged"):
        await mend_account(tx, enterprise.clerk, view.id, NewMending(), world.now)
    await enterprise.open_account(tx, "123456789")
    mended = await mend_account(tx, enterprise.clerk, view.id, NewMending(), world.now)
    assert (mended.status, mended.account_tail, mended.payee) == ("payable", "6789", enterprise.name)


async def test_its_account_is_not_sent_back_to_be_typed(tx: Tx, world: World, enterprise: Enterprise) -> None:
    view = await enterprise.claim(tx)
    await move_claim(tx, ClaimAction.VERIFY, view.id, By("tests", world.now))
    asked = NewSendBack([NewFault("account_doubtful", "account")])
    with pytest.raises(Invalid, match=r"send_back\.account_of_enterprise"):
        await send_back(tx, world.staff[Post.REVIEWER], view.id, asked, world.today, world.now)


async def test_its_story_names_the_contract(tx: Tx, world: World, enterprise: Enterprise) -> None:
    view = await enterprise.claim(tx)
    story = await story_of(tx, world.staff[Post.AUDITOR], view.id)
    assert "登记劳动合同" in [step.what for step in story.steps]
    stored = (await tx.execute(select(ClaimRow.decision).where(ClaimRow.id == view.id))).scalar_one()
    again = decided_again(stored)
    assert (again.failed, again.amount_fen, again.rules_version) == ([], WELDER_LEVEL_4_FEN, RULES_VERSION)


#: A second claim copied from one, with the journal row that it needs; but for what is given otherwise.
_COPY = """
    WITH noted AS (INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
                   VALUES ('claim', '00000000-0000-4000-8000-000000000001', 'file', '{{"status": "filed"}}', 'attack',
                           now()))
    INSERT INTO claims (id, {names}) SELECT '00000000-0000-4000-8000-000000000001', {values}
      FROM claims WHERE id = :id
"""


def _copy(**otherwise: str) -> str:
    given = {each.name: each.name for each in ClaimRow.__table__.c if each.name != "id"}
    given |= {"certificate_number": "'X'", "level": "'1'", **otherwise}
    return _COPY.format(names=", ".join(given), values=", ".join(given.values()))


async def test_the_database_says_it_again(tx: Tx, world: World, enterprise: Enterprise) -> None:
    """As the service's role: no account of one's own making, nobody else's account, no contract of another."""
    view, individual = await enterprise.claim(tx), await world.claim(tx)
    columns = "holder_sealed, number_sealed, number_index, tail, bank_code"
    forged = (
        f"INSERT INTO accounts (id, {{of}}{columns}) SELECT gen_random_uuid(), {{is_}}{columns} FROM accounts LIMIT 1"
    )
    theirs = forged.format(of="institution_id, ", is_="CAST(:of AS uuid), ")
    assert await _refused(tx, theirs, of=enterprise.id) == "ZD180"
    assert await _refused(tx, forged.format(of="", is_="")) == CHECK
    other = f"(SELECT account_id FROM claims WHERE id = '{individual.id}')"
    assert await _refused(tx, _copy(account_id=other), id=view.id) == "ZD181"
    assert await _refused(tx, _copy(channel="'individual'"), id=view.id) == CHECK
    assert await _refused(tx, _copy(payee_institution_id="NULL"), id=view.id) == CHECK
    own = f"(SELECT account_id FROM claims WHERE id = '{view.id}')"
    assert await _refused(tx, _copy(account_id=own), id=individual.id) == "ZD181"
    contract = await (await Enterprise.build(tx, world)).contract(tx, await world.trainee(tx))
    assert await _refused(tx, _copy(contract_id=f"'{contract}'"), id=view.id) == FOREIGN
    mended = f"UPDATE claims SET account_id = {other} WHERE id = :id"
    assert await _refused(tx, mended, id=view.id) == FROZEN
    await bounce(tx, world, view.id)
    assert await _refused(tx, mended, id=view.id) == "ZD181"
    assert await _refused(tx, "UPDATE employment_contracts SET signed_on = signed_on") == DENIED
    assert await _refused(tx, "DELETE FROM employment_contracts") == DENIED
