"""Cards that were named after money came back, and the checker who confirms them, on pages."""

import re
from typing import Any

import pytest

from domain.actor import Post
from service.claims.commands import mending
from service.database import transaction
from tests.money_desk import Desk, do, told
from tests.pages import read
from tests.payments import Stage, claim_statuses
from tests.service.test_mending import account, bounced
from tests.service.test_pages_money import a_stranger, at
from tests.world import World

__all__ = ["at"]  # a fixture


async def test_a_checker_confirms_a_card_that_was_named_after_money_came_back(
    committed: World, at: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def always(*_: Any) -> bool:
        return True

    monkeypatch.setattr(mending, "_needs_check", always)
    async with transaction() as tx:
        stage = await Stage.build(tx, committed, claims=0)
        trainee, claim_id = await bounced(tx, stage, "failed:permanent")
        card = account(stage, trainee)
        await mending.mend_account(tx, trainee.actor, claim_id, card, committed.now)
    checker, stranger = await at.of(stage.staff[Post.CHECKER]), await at.of(await a_stranger(committed))
    before = await checker.client.get("/desk/accounts")  # where it stood
    assert (before.status_code, before.headers["location"]) == (301, "/finance/account-checks")
    listed = read(await checker.get("/finance/account-checks"))
    assert card.account is not None
    assert (card.account.number[-4:] in listed.text, card.account.number in listed.source) == (True, False)
    (check_id,) = re.findall(r"/finance/acts/account-check/([\w-]+)", listed.source)
    assert (await stranger.client.get(f"/finance/acts/account-check/{check_id}")).status_code == 404
    assert read(await do(checker, "account-check", check_id, confirm="yes", note="")).answer.status_code == 422
    page, form = (
        await checker.get(f"/finance/acts/account-check/{check_id}"),
        f"/finance/acts/account-check/{check_id}",
    )
    assert f'href="/desk/claims/{claim_id}"' in page.text
    assert (await checker.client.get(f"/desk/claims/{claim_id}")).status_code == 200
    for _ in range(2):
        assert told(await checker.send(page, form, confirm="yes", note="电话核对过")) == "answered"
    async with transaction() as tx:
        assert await claim_statuses(tx, [claim_id]) == ["payable"]
