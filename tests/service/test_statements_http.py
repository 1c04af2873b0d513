"""Statements over HTTP: a file goes in once under its key, what waits is listed, and foreign hands find nothing."""

from uuid import uuid4

import httpx

from domain.actor import Post
from service.database import transaction
from tests import statements
from tests.payments import Stage
from tests.service.test_batches_http import Desk, client, desk
from tests.service.test_statements import debit, references
from tests.statements import OPENING
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World

__all__ = ["client"]


async def test_over_http(client: httpx.AsyncClient, committed: World) -> None:
    async with transaction() as tx:
        stage, other = await Stage.build(tx, committed), await Stage.build(tx, committed, claims=0)
        batch = await stage.sent(tx)
        one, *_ = await references(tx, batch)
    maker, checker = [await desk(client, stage.staff[post]) for post in (Post.MAKER, Post.CHECKER)]
    stranger = await desk(client, other.staff[Post.MAKER])
    plain = statements.neutral(batch.debit_account, 1, committed.today, [debit(one), debit("ZZZ", 5)])

    async def hand_in(who: Desk, data: bytes, kind: str = "text/csv", key: str | None = None) -> httpx.Response:
        headers = {**who.headers, "Content-Type": kind, "Idempotency-Key": key or str(uuid4())}
        return await client.post("/api/statements", content=data, headers=headers)

    key = str(uuid4())
    taken = await hand_in(maker, plain, key=key)
    assert (taken.status_code, taken.json()["owned"], taken.json()["exceptions"]) == (201, 1, 1)
    again = await hand_in(maker, plain, key=key)
    assert (again.json(), again.headers["Idempotent-Replayed"]) == (taken.json(), "true")
    assert (await hand_in(stranger, plain)).json()["code"] == "statement.account_unknown"
    assert (await hand_in(maker, plain, "text/plain")).status_code == 415
    torn = await hand_in(maker, plain[: plain.index(b"T,")])
    assert (torn.status_code, torn.json()["code"]) == (422, "statement.truncated")
    opening = OPENING - AMOUNT - 5
    message = statements.camt053(batch.debit_account, 3, committed.today, [], opening)
    blocked = (await hand_in(maker, message, "application/xml")).json()
    assert (blocked["blocked"], blocked["blocked_words"]) == ("gap", "前面缺对账单，补齐后自动入账")
    assert [each["id"] for each in (await maker.get("/statements/blocked")).json()["statements"]] == [blocked["id"]]
    ended = await checker.post(f"/statements/{blocked['id']}/set-aside", {"note": "银行更正"})
    assert (ended.status_code, ended.json()["ended_at"] is None) == (200, False)
    assert [each["id"] for each in (await maker.get("/statements")).json()["statements"]] == [taken.json()["id"]]
    (line,) = (await maker.get("/statement-lines/exceptions")).json()["lines"]
    assert line["exception_words"] == "不知道是谁的款项"
    assert (await stranger.get("/statement-lines/exceptions")).json()["lines"] == []
    shown = (await maker.get(f"/statements/{taken.json()['id']}/lines")).json()["lines"]
    assert [each["owner_name"] for each in shown] == ["代发，逐笔扣款", ""]
    resolve = f"/statement-lines/{line['id']}/resolve"
    assert (await checker.post(resolve, {"code": "not_ours"})).json()["resolution"] == "not_ours"
    day = committed.today.isoformat()
    refused = await maker.post("/closes", {"account": batch.debit_account, "day": day})
    assert (refused.status_code, refused.json()["detail"]) == (409, "这一天还不能日终：这一天还没有过完。")
    listed = (await maker.get(f"/closes?day={day}")).json()
    assert (listed["closes"], listed["open"]) == ([], [])
