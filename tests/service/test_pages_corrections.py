"""Amounts that a corrected set of standards changes, on pages: proposed as shown, and answered by somebody else."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from domain.actor import Post
from service import jobs as owed_work
from service.database import transaction
from tests.conftest import Databases
from tests.money_desk import Desk, do, told
from tests.pages import Browser, read
from tests.service.test_amount_corrections import District
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World
from tests.world_apart import world_apart

LIST = "/finance/corrections"
ODD = "<script>alert(1)</script>"


@pytest.fixture
async def committed(databases: Databases) -> AsyncIterator[World]:
    """In a database of its own: a set of standards holds in the whole city, and would change what others see."""
    async with world_apart(databases, "corrections") as world:
        yield world


async def waiting_at(who: Browser) -> str:
    """The id of the one correction that waits."""
    (found,) = set(re.findall(r"/finance/acts/correction-answer/([\w-]{36})", (await who.get(LIST)).text))
    return found


async def test_a_correction_is_proposed_as_shown_and_answered_by_another(
    committed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owed_work, "send", lambda _: None)  # no broker here
    async with transaction() as tx:
        here = await District.build(tx, committed)
        foreign = await committed.user(tx, {Post.REVIEWER}, committed.here)
        await here.corrected(tx, AMOUNT + 10_000)
    async with AsyncExitStack() as open_ones:
        at = Desk(open_ones)
        one, other, stranger = [await at.of(each) for each in (here.one, here.other, foreign)]
        listed = await one.get(LIST)
        assert f"/finance/acts/correction/{here.set_id}" in listed.text
        form = f"/finance/acts/correction/{here.set_id}"
        page = await one.get(form)
        shown = read(page).text
        assert ("2 笔" in shown, "200.00" in shown, "1,300.00" in shown) == (True, True, True)
        for wrong in ({"note": ""}, {"note": "长" * 501}, {"note": "更正", "more_fen": "1"}, {"more_count": "很多"}):
            refused = await one.send(page, form, **{"note": "更正", **wrong})
            assert (refused.status_code, "有 1 处要改" in read(refused).text) == (422, True), wrong
        assert "和你看到的不一样了" in read(await one.send(page, form, note="更正", more_fen="1")).text
        for _ in range(2):  # the same press
            assert told(await one.send(page, form, note=f"标准已更正 {ODD}")) == "proposed"
        again = await do(one, "correction", here.set_id, note="再提一次")
        assert "在等另一个人确认" in read(again).text
        proposed = await waiting_at(other)
        answer = f"/finance/acts/correction-answer/{proposed}"
        for each in (answer, f"/finance/acts/correction-answer/{uuid4()}", "/finance/acts/correction/none"):
            assert (await stranger.client.get(each)).status_code == 404
        asked = await other.get(answer)
        assert "标准已更正" in read(asked).text
        assert ODD not in asked.text
        own = await do(one, "correction-answer", proposed, grant="yes")
        assert (own.status_code, "有 1 处要改" in read(own).text) == (422, True)
        assert (await do(other, "correction-answer", proposed)).status_code == 422  # neither button
        changed = await do(other, "correction-answer", proposed, grant="yes", content_hash="0" * 64)
        assert "和你看到的不一样了" in read(changed).text
        async with transaction() as tx:
            assert await here.supplements(tx) == []
        assert told(await other.send(asked, answer, grant="yes")) == "answered"
        async with transaction() as tx:
            assert [each.amount_fen for each in await here.supplements(tx)] == [10_000, 10_000]
        assert "已调整" in read(await one.get(LIST)).text
        assert "没有要调整的" in read(await one.get(form)).text
        late = await other.send(asked, answer, grant="no", once=str(uuid4()))
        assert "已经有人答复" in read(late).text
        nothing = await do(one, "correction", here.set_id, note="再来")
        assert "没有要补发或追回的" in read(nothing).text


async def test_a_correction_that_is_not_confirmed_changes_nothing(
    committed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(owed_work, "send", lambda _: None)
    async with transaction() as tx:
        here = await District.build(tx, committed)
        await here.corrected(tx, AMOUNT - 10_000)
    async with AsyncExitStack() as open_ones:
        at = Desk(open_ones)
        one, other = [await at.of(each) for each in (here.one, here.other)]
        assert told(await do(one, "correction", here.set_id, note="多发了")) == "proposed"
        assert told(await do(other, "correction-answer", await waiting_at(other), grant="no")) == "answered"
        assert "不调整" in read(await one.get(LIST)).text
        assert "correction-answer" not in (await other.get(LIST)).text
        async with transaction() as tx:
            assert await here.clawbacks(tx) == []
        assert told(await do(one, "correction", here.set_id, note="核对过，还是要退")) == "proposed"
        assert told(await do(other, "correction-answer", await waiting_at(other), grant="yes")) == "answered"
        async with transaction() as tx:
            assert [fen for _, fen in await here.clawbacks(tx)] == [10_000, 10_000]
