"""Operators and auditors on pages: what is owed and dead, the seal, what is set, the journal and a claim's story."""

import re
from uuid import uuid4

import pytest
from sqlalchemy import text

from domain.actor import Actor, Post
from service.audit.queries import owed
from service.audit.queries.checks import Breach
from service.audit.schemas import SealView
from service.database import Tx, transaction
from service.pages import homes, operating
from service.security import open_session
from service.settings import Settings
from tests.pages import at_a_browser, read
from tests.payments import Stage
from tests.plain_words import foreign_in
from tests.world import World

ODD = "<script>alert(1)</script>"


async def token_of(actor: Actor) -> str:
    async with transaction() as tx:
        return (await open_session(tx, actor)).token


async def test_an_operator_has_a_dead_job_done_again_once(committed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with transaction() as tx:
        operator = await committed.user(tx, {Post.OPERATOR})
        auditor = await committed.user(tx, {Post.AUDITOR})
        row = await tx.execute(
            text(
                "INSERT INTO jobs (kind, subject, round, state, attempts, next_at, last_error)"
                " VALUES ('messages.send_message', :subject, 1, 'dead', 8, now(), :odd) RETURNING id"
            ),
            {"subject": uuid4(), "odd": ODD},
        )
        job_id = row.scalar_one()
    async with at_a_browser(await token_of(operator)) as browser:
        page = read(await browser.get("/operate"))
        assert "办不成的作业" in page.text
        assert "约" not in page.text
        monkeypatch.setattr(owed, "COUNTED_MAX", -2)  # of very many only about how many are done is told
        assert "办完的约" in read(await browser.get("/operate")).text.replace(" ", "")
        jobs = await browser.get("/operate/jobs")
        assert ODD not in jobs.text
        again = f"/operate/jobs/{job_id}/again"
        assert (await browser.client.post(again)).status_code == 403  # without the form's token
        answer = await browser.send(jobs, again)
        assert (answer.status_code, answer.headers["location"]) == (303, "/operate/jobs?told=job_again")
        twice = await browser.send(jobs, again)
        assert (twice.status_code, "有 1 处要改" in read(twice).text) == (409, True)
        assert (await browser.client.get("/journal")).status_code == 403
    async with transaction() as tx:
        state = text("SELECT state FROM jobs WHERE id = :id")
        assert (await tx.execute(state, {"id": job_id})).scalar_one() == "ready"
        await tx.execute(text("UPDATE jobs SET state = 'done' WHERE id = :id"), {"id": job_id})
    async with at_a_browser(await token_of(auditor)) as browser:
        assert "再试一次" not in read(await browser.get("/operate/jobs")).words.get("button", [])
        assert (await browser.client.post(again)).status_code == 403
    assert (homes.of(operator), homes.of(auditor)) == ("/operate", "/journal")


async def test_settings_name_no_secret(committed: World) -> None:
    async with transaction() as tx:
        operator = await committed.user(tx, {Post.OPERATOR})
    async with at_a_browser(await token_of(operator)) as browser:
        shown = read(await browser.get("/operate/settings"))
    assert "政策参数" in shown.text
    assert operating._setting("bank_url", "https://user:secret@bank.test/x?token=secret") == "bank.test"
    assert operating._setting("metrics_token", "secret") == "开"
    secret = {name for name, field in Settings.__dataclass_fields__.items() if not field.repr}
    assert secret & set(operating._SETTINGS) == {"metrics_token"}  # said to be on or off


async def test_the_journal_is_read_by_page_and_filter_and_by_district(committed: World) -> None:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed, claims=6)
        batch = await stage.frozen(tx)
        city = await committed.user(tx, {Post.AUDITOR})
        here = await committed.user(tx, {Post.AUDITOR}, stage.district)
        elsewhere = await committed.user(tx, {Post.AUDITOR}, committed.other)
    of_the_batch = f"/journal?kind=batch&subject={batch.id}"
    async with at_a_browser(await token_of(city)) as browser:
        page = read(await browser.get("/journal"))
        assert len(re.findall(r'<tr><td class="nb">', page.source)) == 50
        (older,) = re.findall(r'href="/journal\?([^"]*cursor=\d+)"', page.source)
        assert read(await browser.get("/journal?" + older.replace("&amp;", "&"))).source != page.source
        assert "另有" in page.text
        told = read(await browser.get(of_the_batch))
        assert not foreign_in(told.source)
        assert "只看一件：批次" in told.text
        assert batch.content_hash in told.text
        assert "待提交" in told.text or "编制" in told.text
        for wrong in ("subject=" + ODD, "first=2026-02-30", "last=9999-12-32"):
            refused = read(await browser.get(f"/journal?{wrong}"))
            assert (refused.answer.status_code, ODD in refused.source) == (422, False)
        assert (await browser.client.get("/journal?cursor=-1")).status_code == 400
        none = read(await browser.get(f"/journal?kind=batch&subject={uuid4()}"))
        assert "没有符合的" in none.text
        assert read(await browser.get(f"/journal?last={committed.today}&post=maker")).answer.status_code == 200
        story = read(await browser.get(f"/journal/claims/{stage.claims[0]}"))
        assert "经过，共" in story.text
        assert (await browser.client.get(f"/journal/claims/{uuid4()}")).status_code == 404
    for auditor, sees in ((here, True), (elsewhere, False)):
        async with at_a_browser(await token_of(auditor)) as browser:
            assert (str(batch.content_hash) in read(await browser.get(of_the_batch)).text) == sees
            story = await browser.client.get(f"/journal/claims/{stage.claims[0]}")
            assert story.status_code == (200 if sees else 404)


async def test_a_broken_seal_is_the_first_thing_said(committed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: Tx) -> Breach:
        return Breach("journal", "4711", "封存之后被改动")

    async def head(_: Tx) -> SealView:
        return SealView(1, "ab" * 32, committed.now)

    async with transaction() as tx:
        auditor = await committed.user(tx, {Post.AUDITOR})
    monkeypatch.setattr(operating, "touched", broken)
    monkeypatch.setattr(operating, "seal_head", head)
    async with at_a_browser(await token_of(auditor)) as browser:
        before = await browser.get("/operate/seals?check=yes")
        assert "封存破了" not in read(before).text
        page = read(await browser.send(before, "/operate/seals"))
        monkeypatch.setattr(operating, "CHECKED_ROWS_MAX", 0)
        answer = await browser.send(before, "/operate/seals")
        assert "封存破了" not in read(answer).text
        assert "不在网页上核对" in read(answer).text
        assert (await browser.client.post("/operate/seals")).status_code == 403
    assert page.words["h2"][0] == "封存破了，第一处：日志 4711"
    assert "封存之后被改动" in page.text
