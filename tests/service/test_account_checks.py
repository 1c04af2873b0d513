"""Another account for much money: a second person confirms it before anything is paid there, also against raw SQL."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

from domain.actor import Actor, Post
from domain.errors import Forbidden
from service.audit.queries.checks import first_breach
from service.audit.queries.journal import JOURNALLED
from service.audit.queries.supplements import NEW_ACCOUNTS
from service.audit.queries.territory import TERRITORY
from service.claims.commands.mending import answer_check, mend_account, try_again
from service.claims.queries.accounts import open_checks
from service.claims.queries.views import claim_view
from service.claims.schemas import AccountCheckView, NewAccountAnswer
from service.claims.tables import ClaimRow
from service.database import Tx
from tests.payments import Stage, claim_statuses, lines_of
from tests.races.test_promises_by_sql import CHECK
from tests.races.test_promises_by_sql import _refused as refused
from tests.service.test_mending import account, bounced, refusal, stage, take
from tests.service.test_patrols import own, tx
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import Trainee

__all__ = ["own", "stage", "tx"]

ANOTHER_CHECKS, CONFIRMED = "ZD235", "ZD236"


@pytest.fixture
async def much(tx: Tx, stage: Stage) -> Stage:
    """An amount from which on a second person is asked for."""
    await stage.world.set_policy(tx, "new_account_check_fen", AMOUNT)
    return stage


async def asked(tx: Tx, stage: Stage) -> tuple[Trainee, UUID, AccountCheckView]:
    """A claim that bounced, and the other account that its claimant named."""
    trainee, claim_id = await bounced(tx, stage, "failed:permanent")
    await mend_account(tx, trainee.actor, claim_id, account(stage, trainee), stage.world.now)
    (check,) = (await open_checks(tx, stage.staff[Post.CHECKER], None, 10)).checks
    return trainee, claim_id, check


async def answer(tx: Tx, stage: Stage, check_id: UUID, *, confirm: bool = True, me: Actor | None = None) -> Any:
    new = NewAccountAnswer(confirm, "已电话核对")
    return await answer_check(tx, me or stage.staff[Post.CHECKER], check_id, new, stage.world.now)


async def audited(tx: Tx) -> None:
    for promise in (NEW_ACCOUNTS, JOURNALLED, TERRITORY):
        assert await first_breach(tx, promise.checks) is None


async def test_it_is_paid_once_another_person_confirmed_it(tx: Tx, much: Stage) -> None:
    trainee, claim_id, check = await asked(tx, much)
    assert check.claim_id == claim_id
    assert await claim_statuses(tx, [claim_id]) == ["bounced"]
    to_do = (await claim_view(tx, trainee.actor, claim_id)).to_do
    assert to_do is not None
    assert to_do.code == "to_do.account_checked"
    again = mend_account(tx, trainee.actor, claim_id, account(much, trainee), much.world.now)
    assert (await refusal(again)).code == "account.check_open"
    assert (await answer(tx, much, check.id)).confirmed
    assert await claim_statuses(tx, [claim_id]) == ["payable"]
    assert (await refusal(answer(tx, much, check.id))).code == "account.answered"
    batch = await much.sent(tx)
    (line,) = await lines_of(tx, batch.id)
    assert line.account_tail == check.account_tail
    await take(tx, much, batch, "done")
    assert await claim_statuses(tx, [claim_id]) == ["paid"]
    await audited(tx)


async def test_one_that_is_declined_is_named_anew(tx: Tx, much: Stage) -> None:
    trainee, claim_id, check = await asked(tx, much)
    await answer(tx, much, check.id, confirm=False)
    assert await claim_statuses(tx, [claim_id]) == ["bounced"]
    seen = await mend_account(tx, trainee.actor, claim_id, account(much, trainee), much.world.now)
    assert seen.status == "bounced"
    (other,) = (await open_checks(tx, much.staff[Post.CHECKER], None, 10)).checks
    assert other.id != check.id
    await audited(tx)


async def test_who_may_not_confirm_it(tx: Tx, much: Stage) -> None:
    trainee, _, check = await asked(tx, much)
    foreign = await Stage.build(tx, much.world, claims=0)
    assert (await refusal(answer(tx, much, check.id, me=foreign.staff[Post.CHECKER]))).code == "account.no_check"
    with pytest.raises(Forbidden):
        await answer(tx, much, check.id, me=much.staff[Post.MAKER])
    own = Actor(trainee.actor.user_id, trainee.actor.person_id, frozenset({Post.CHECKER}), much.district)
    assert (await refusal(answer(tx, much, check.id, me=own))).code == "claim.own"
    maker = much.staff[Post.MAKER]
    tried = try_again(tx, maker, check.claim_id, "", much.world.now)
    assert (await refusal(tried)).code == "account.check_open"


async def test_less_money_needs_no_second_person(tx: Tx, stage: Stage) -> None:
    await stage.world.set_policy(tx, "new_account_check_fen", AMOUNT + 1)
    trainee, claim_id = await bounced(tx, stage, "failed:permanent")
    mended = await mend_account(tx, trainee.actor, claim_id, account(stage, trainee), stage.world.now)
    assert mended.status == "payable"
    await audited(tx)


# ---- by raw SQL

_MEND = """
    WITH told AS (
      INSERT INTO journal (subject_kind, subject_id, action, after, actor_name, at)
      SELECT 'claim', id, 'mend',
             jsonb_build_object('status', CAST(:status AS text), 'account_id', CAST(:account AS text)), 'attack',
             CAST(:at AS timestamptz) FROM claims WHERE id = :id)
    UPDATE claims SET status = CAST(:status AS text), account_id = CAST(CAST(:account AS text) AS uuid) WHERE id = :id
"""


async def test_by_sql_no_other_account_without_a_second_person(tx: Tx, much: Stage) -> None:
    trainee, claim_id, check = await asked(tx, much)
    found = text("SELECT account_id FROM account_checks WHERE id = :id")
    other = str((await tx.execute(found, {"id": check.id})).scalar_one())
    given = {"id": claim_id, "account": other, "at": much.world.now}
    # neither on the way to the money, nor before
    for status in ("payable", "bounced"):
        assert await refused(tx, _MEND, **given, status=status) == CONFIRMED
    confirm = """UPDATE account_checks SET confirmed = true, note = 'x', answered_by = :user,
                        answered_person = :person, answered_at = now() WHERE id = :id"""
    me = trainee.actor
    assert await refused(tx, confirm, id=check.id, user=me.user_id, person=me.person_id) in (ANOTHER_CHECKS, CHECK)
    stranger = (await much.world.trainee(tx)).actor
    open_ = """INSERT INTO account_checks (id, claim_id, account_id, proposed_by, proposed_person, proposed_at,
                                           confirmed, note, answered_by, answered_person, answered_at)
               SELECT gen_random_uuid(), claim_id, account_id, proposed_by, proposed_person, now(), true, 'x',
                      :user, :person, now() FROM account_checks WHERE id = :id"""
    assert await refused(tx, open_, id=check.id, user=stranger.user_id, person=stranger.person_id) == ANOTHER_CHECKS
    theirs = """INSERT INTO account_checks (id, claim_id, account_id, proposed_by, proposed_person, proposed_at)
                SELECT gen_random_uuid(), :claim, account_id, proposed_by, proposed_person, now()
                  FROM account_checks WHERE id = :id"""
    bystander = (await tx.execute(select(ClaimRow.id).where(ClaimRow.id != claim_id).limit(1))).scalar_one()
    assert await refused(tx, theirs, id=check.id, claim=bystander) == ANOTHER_CHECKS
