"""Mending and stopping over HTTP: once for a key, within one's district, refused in words."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from domain.actor import Post
from service.batches import commands
from service.database import transaction
from service.journal import By
from service.reconciliation import commands as reconciliation
from tests.app import the_app
from tests.payments import Stage, a_return, lines_of, shown
from tests.service.test_batches_http import Desk, desk
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import Trainee, World


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(the_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://zhida.test") as client:
        yield client


@pytest.fixture
async def stage(committed: World) -> Stage:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed)
        stage.staff[Post.REVIEWER] = await committed.user(tx, {Post.REVIEWER}, stage.district)
        return stage


async def once(me: Desk, path: str, body: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """The answer, after a look at what the same key gives again, and with another body."""
    first = await me.post(path, body, key="one")
    assert first.status_code == 200, first.text
    replayed = await me.post(path, body, key="one")
    assert (replayed.json(), replayed.headers["Idempotent-Replayed"]) == (first.json(), "true")
    differs = await me.post(path, other, key="one")
    assert (differs.status_code, differs.json()["code"]) == (422, "idempotency.other_body")
    return dict(first.json())


async def bounced(stage: Stage, code: str) -> tuple[Trainee, str]:
    async with transaction() as tx:
        trainee = await stage.world.trainee(tx)
        claim_id = await stage.claim(tx, trainee)
        batch = await stage.sent(tx)
        said = [
            (line.reference, AMOUNT, code if line.claim_id == claim_id else "done", "")
            for line in await lines_of(tx, batch.id)
        ]
        data = a_return(batch, said)
        by = By("tests", stage.world.now)
        await reconciliation.take_return(tx, None, reconciliation.read(data), data, "bank", by)
    return trainee, f"/claims/{claim_id}"


async def test_holding_and_lifting(client: httpx.AsyncClient, stage: Stage) -> None:
    reviewer, path = await desk(client, stage.staff[Post.REVIEWER]), f"/claims/{stage.claims[0]}"
    async with transaction() as tx:
        batch = await stage.frozen(tx)
    held = await once(reviewer, f"{path}/hold", {"code": "complaint"}, {"code": "other"})
    assert held["dissolved"] == {"batch_id": str(batch.id), "number": batch.number, "others": 2}
    listed = (await reviewer.get("/holds")).json()["holds"]
    assert [each["claim_id"] for each in listed] == [str(stage.claims[0])]
    await once(reviewer, f"{path}/lift", {"note": ""}, {"note": "x"})
    foreign = await desk(client, stage.world.other_staff[Post.REVIEWER])
    for verb, body in (("hold", {"code": "complaint"}), ("lift", {"note": ""})):
        assert (await foreign.post(f"{path}/{verb}", body)).status_code == 404
    assert (await reviewer.client.post(f"/api{path}/hold", json={}, headers=reviewer.headers)).status_code == 400
    malformed = await reviewer.post(f"{path}/hold", {"code": "Ünknown"})
    assert (malformed.status_code, malformed.json()["errors"][0]["field"]) == (400, "code")


async def test_past_no_return_says_what_happens_instead(client: httpx.AsyncClient, stage: Stage) -> None:
    async with transaction() as tx:
        batch = await stage.sent(tx)
    reviewer = await desk(client, stage.staff[Post.REVIEWER])
    refused = await reviewer.post(f"/claims/{stage.claims[0]}/hold", {"code": "complaint"})
    assert (refused.status_code, refused.json()["facts"]) == (409, {"number": batch.number})
    assert refused.headers["content-type"] == "application/problem+json"
    assert "拦不下来" in refused.json()["detail"]
    maker = await desk(client, stage.staff[Post.MAKER])
    late = await maker.post(f"/batches/{batch.id}/dissolve", {"reason": "…"})
    assert (late.status_code, late.json()["code"]) == (409, "wrong_status")


async def test_sending_back_and_correcting(client: httpx.AsyncClient, stage: Stage) -> None:
    async with transaction() as tx:
        trainee = await stage.world.trainee(tx)
        claim = await stage.world.claim(tx, "in_review", trainee, district=stage.district)
    path, me = f"/claims/{claim.id}", await desk(client, trainee.actor)
    reviewer = await desk(client, stage.staff[Post.REVIEWER])
    fault = {"code": "other", "field": "certificate_number"}
    bad = [{"faults": []}, {"faults": [{**fault, "field": "district"}]}, {"faults": [{**fault, "x": 1}]}]
    for body in bad:
        assert (await reviewer.post(f"{path}/send-back", body)).status_code == 400
    assert (await me.post(f"{path}/send-back", {"faults": [fault]})).status_code == 403
    await once(reviewer, f"{path}/send-back", {"faults": [fault]}, {"faults": [{**fault, "note": "x"}]})
    number = stage.world.maker.certificate("4", stage.world.today.year)
    assert (await me.post(f"{path}/correct", {"district": "370102"})).status_code == 400
    mended = await once(me, f"{path}/correct", {"certificate_number": number}, {"level": "5"})
    assert mended["certificate_number"] == number


async def test_mending(client: httpx.AsyncClient, stage: Stage) -> None:
    trainee, path = await bounced(stage, "failed:permanent")
    me, maker = await desk(client, trainee.actor), await desk(client, stage.staff[Post.MAKER])
    refused = await maker.post(f"{path}/retry", {"note": ""})
    assert (refused.status_code, refused.json()["code"]) == (409, "claim.needs_account")
    account = {"number": stage.world.maker.card(), "holder": trainee.made.name, "bank_code": "102451000018"}
    theirs = await me.post(f"{path}/account", {"account": {**account, "holder": "王小二"}})
    assert (theirs.status_code, theirs.json()["errors"][0]["field"]) == (422, "account.holder")
    mended = await once(me, f"{path}/account", {"account": account}, {"account": {**account, "holder": "王小二"}})
    assert mended["status"] == "payable"
    _, passing = await bounced(stage, "failed:temporary")
    assert (await once(maker, f"{passing}/retry", {"note": ""}, {"note": "x"}))["status"] == "payable"


async def test_rejecting_resolving_and_deciding(client: httpx.AsyncClient, stage: Stage) -> None:
    maker, checker, releaser = [
        await desk(client, stage.staff[post]) for post in (Post.MAKER, Post.CHECKER, Post.RELEASER)
    ]
    async with transaction() as tx:
        batch = await stage.frozen(tx)
        await commands.submit_batch(tx, stage.staff[Post.MAKER], batch.id, shown(batch), stage.world.now)
    said = await once(checker, f"/batches/{batch.id}/reject", {"code": "other"}, {"code": "duplicate"})
    assert said["given_up"]["action"] == "reject"
    async with transaction() as tx:
        sent = await stage.sent(tx)
        first, second, _ = [line.reference for line in await lines_of(tx, sent.id)]
        data = a_return(sent, [(first, AMOUNT, "unknown", ""), (second, AMOUNT, "nonsense", "")])
        by = By("tests", stage.world.now)
        kept = await reconciliation.take_return(tx, None, reconciliation.read(data), data, "bank", by)
    line = f"/returns/{kept.id}/lines/2/resolve"
    resolved = await once(checker, line, {"code": "bank_corrected"}, {"code": "other"})
    assert resolved["resolution"]["message"] == "银行已更正"
    assert (await checker.get("/returns/exceptions")).json()["exceptions"] == []
    assert len((await checker.get("/returns/exceptions?resolved=true")).json()["exceptions"]) == 1
    assert (await maker.get("/exceptions/missing")).json()["missing"] == []
    paid = {"outcome": "paid", "evidence_sha256": "e" * 64}
    path = f"/attempts/{first}/decide"
    assert (await maker.post(path, {**paid, "evidence_sha256": "no"})).status_code == 400
    assert (await maker.post(path, {**paid, "outcome": "perhaps"})).status_code == 400
    assert not (await once(maker, path, paid, {**paid, "note": "x"}))["decided"]
    alone = await maker.post(path, paid)
    assert (alone.status_code, alone.json()["code"]) == (403, "attempt.same_person")
    assert (await once(releaser, path, paid, {**paid, "note": "x"}))["decided"]


async def test_revoking_a_mandate(client: httpx.AsyncClient, stage: Stage) -> None:
    async with transaction() as tx:
        trainee = await stage.world.trainee(tx)
        mandate_id = await stage.world.mandate(tx, stage.world.clerks[0], trainee)
    me, clerk = await desk(client, trainee.actor), await desk(client, stage.world.clerks[0])
    assert (await clerk.post(f"/mandates/{mandate_id}/revoke", {"note": ""})).status_code == 403
    revoked = await once(me, f"/mandates/{mandate_id}/revoke", {"note": ""}, {"note": "x"})
    assert revoked["revoked_on"] == str(stage.world.today)
    (seen,) = (await me.get("/mandates")).json()["mandates"]
    assert seen["revoked_on"] == str(stage.world.today)
    assert [each["id"] for each in (await clerk.get("/mandates?limit=1")).json()["mandates"]] == [str(mandate_id)]
