"""The operations desk: what has not ended, what is unknown first, what no return came for; within the district."""

import re
from datetime import date, timedelta
from uuid import UUID, uuid4

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, update
from structlog.testing import capture_logs

from domain.actor import Post
from domain.batch import BATCH_LIFECYCLE, BatchStatus
from domain.message import ALARM
from service.audit.queries.checks import first_breach
from service.audit.queries.messages import TOLD
from service.batches import commands
from service.batches.schemas import BatchView
from service.batches.tables import ENDED_SQL
from service.database import Tx, transaction
from service.gateways.bank import FileState
from service.jobs import JobRow
from service.journal import By
from service.messages.commands import tell_operators
from service.messages.queries import my_messages
from service.messages.tables import MessageRow
from service.operations.queries.desk import desk
from service.operations.queries.figures import ALARMS
from service.operations.schemas import OperationsView
from service.queue import Job
from service.reconciliation import commands as reconciliation
from service.reconciliation.schemas import NewResolution
from service.security import open_session
from service.settings import settings
from tasks.operations import watch
from tests.payments import Stage, a_return, lines_of
from tests.service.test_batches_http import client
from tests.world import WELDER_LEVEL_4_FEN as AMOUNT
from tests.world import World

__all__ = ["client"]


@pytest.fixture
async def stage(tx: Tx, world: World) -> Stage:
    return await Stage.build(tx, world)


async def seen(tx: Tx, stage: Stage, hours: int = 0) -> OperationsView:
    return await desk(tx, stage.district, stage.world.now + timedelta(hours=hours))


def alarms(view: OperationsView) -> dict[str, int]:
    return {each.code: each.count for each in view.alarms}


async def take(tx: Tx, stage: Stage, data: bytes) -> UUID:
    by = By("tests", stage.world.now)
    return (await reconciliation.take_return(tx, None, reconciliation.read(data), data, "bank", by)).id


async def test_batches_stand_by_status_until_they_end(tx: Tx, stage: Stage) -> None:
    empty = await seen(tx, stage)
    assert (empty.batches, empty.exceptions, empty.missing, empty.dead_jobs, empty.alarms) == ([], [], [], [], [])
    batch = await stage.frozen(tx)
    (frozen,) = (await seen(tx, stage)).batches
    assert (frozen.status, frozen.count, frozen.sum_fen) == ("frozen", 1, 3 * AMOUNT)
    assert frozen.oldest_since == stage.world.now
    assert frozen.sum == "3,600 元"
    await commands.dissolve_batch(tx, stage.staff[Post.MAKER], batch.id, "示例", stage.world.now)
    assert (await seen(tx, stage)).batches == []


async def test_a_return_that_does_not_come_raises_an_alarm(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    hours = (await seen(tx, stage)).return_due_hours
    assert hours == 24
    assert alarms(await seen(tx, stage, hours - 1)) == {}
    late = await seen(tx, stage, hours)
    (missing,) = late.missing
    assert (missing.batch_id, missing.open, missing.sum_fen, missing.status) == (batch.id, 3, 3 * AMOUNT, "sent")
    assert alarms(late) == {"return_missing": 1}
    first, *rest = [each.reference for each in await lines_of(tx, batch.id)]
    await take(tx, stage, a_return(batch, [(each, AMOUNT, "done", "") for each in rest]))
    (missing,) = (await seen(tx, stage, hours)).missing
    assert missing.open == 1
    await take(tx, stage, a_return(batch, [(first, AMOUNT, "done", "")]))
    assert (await seen(tx, stage, hours)).missing == []


async def test_a_city_that_sets_no_hours_misses_nothing(tx: Tx, stage: Stage) -> None:
    await stage.sent(tx)
    before_policy = stage.world.now.replace(year=2018)
    view = await desk(tx, stage.district, before_policy)
    assert (view.return_due_hours, view.missing) == (None, [])


async def test_what_is_unknown_comes_before_what_does_not_fit(tx: Tx, stage: Stage) -> None:
    batch = await stage.sent(tx)
    first, *_ = [each.reference for each in await lines_of(tx, batch.id)]
    strange = [("STRANGER000001", 100, "done", ""), (first, AMOUNT + 1, "done", "")]
    return_id = await take(tx, stage, a_return(batch, strange))
    stage.world.now += timedelta(minutes=5)
    await take(tx, stage, a_return(batch, [(first, AMOUNT, "unknown", "")]))
    view = await seen(tx, stage)
    assert view.exceptions[0].kind == "unknown"
    assert {each.kind: (each.count, each.sum_fen) for each in view.exceptions} == {
        "unknown": (1, AMOUNT),
        "unknown_reference": (1, 100),
        "amount_differs": (1, AMOUNT + 1),
    }
    assert alarms(view) == {"unknown": 1, "exceptions": 2}
    for line_no in (1, 2):
        new, me = NewResolution("bank_corrected"), stage.staff[Post.CHECKER]
        await reconciliation.resolve_line(tx, me, return_id, line_no, new, stage.world.now)
    assert alarms(await seen(tx, stage)) == {"unknown": 1}


async def test_a_file_of_which_the_bank_says_nothing_is_missed_too(tx: Tx, stage: Stage) -> None:
    batch = await stage.written(tx)
    file = await commands.intend_to_send(tx, batch.id, stage.world.now)
    assert file
    assert not await commands.settle_answer(tx, file, FileState("not_received"), stage.world.now)
    view = await seen(tx, stage, 24)
    assert [(each.status, each.open) for each in view.missing] == [("released", 3)]
    assert alarms(view) == {"unknown": 3, "return_missing": 1}


def test_the_batches_that_the_index_leaves_out_are_those_that_have_ended() -> None:
    go_on = {before for before, _ in BATCH_LIFECYCLE.moves}
    assert {str(each) for each in BatchStatus if each not in go_on} == set(re.findall(r"\w+", ENDED_SQL))


async def test_a_district_sees_its_own(tx: Tx, stage: Stage) -> None:
    other = await Stage.build(tx, stage.world, claims=1)
    ours, theirs = await stage.sent(tx), await other.sent(tx)
    await stop_sending(tx, ours)
    view = await seen(tx, stage, 24)
    assert {each.batch_id for each in view.missing} == {ours.id}
    assert [(each.kind, each.count) for each in view.dead_jobs] == [(Job.FETCH_RETURN, 1)]
    assert view.dead_jobs[0].message == "系统（取回盘）"
    elsewhere = await desk(tx, other.district, stage.world.now + timedelta(hours=24))
    assert ({each.batch_id for each in elsewhere.missing}, elsewhere.dead_jobs) == ({theirs.id}, [])
    city = await desk(tx, None, stage.world.now)
    assert {stage.district, other.district} <= {each.district for each in city.batches}


async def stop_sending(tx: Tx, batch: BatchView) -> None:
    dead = {"state": "dead", "attempts": 8, "last_error": "example"}
    await tx.execute(
        update(JobRow).where(JobRow.subject == batch.id, JobRow.kind == str(Job.FETCH_RETURN)).values(**dead)
    )


async def test_operators_are_told_once_a_working_day(tx: Tx, world: World) -> None:
    operator, day = world.staff[Post.OPERATOR], date(2026, 11, 26)
    for _ in range(2):
        await tell_operators(tx, {"unknown": 2, "dead_jobs": 1}, day)
    await tell_operators(tx, {"unknown": 2}, date(2026, 11, 28))  # a Saturday
    told = (await my_messages(tx, operator)).messages
    assert len(told) == 1
    assert "结果不明的付款2笔" in told[0].text
    assert "停办的后台任务1件" in told[0].text
    assert "回盘" not in told[0].text
    assert await first_breach(tx, TOLD.checks) is None
    # to somebody who is no operator it would be a breach
    maker = {
        "person_id": world.staff[Post.MAKER].person_id,
        "template": ALARM,
        "event": f"alarm:{uuid4()}:2026-11-26",
    }
    await tx.execute(insert(MessageRow).values(id=uuid4(), facts={}, **maker))
    assert await first_breach(tx, TOLD.checks) is not None


async def test_over_http_the_desk_and_its_figures(
    client: httpx.AsyncClient, committed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed, claims=1)
        await stage.sent(tx)
        tokens = {
            who: (await open_session(tx, actor)).token
            for who, actor in {
                "maker": stage.staff[Post.MAKER],
                "operator": committed.staff[Post.OPERATOR],
                "reviewer": committed.staff[Post.REVIEWER],
            }.items()
        }

    async def get(path: str, token: str) -> httpx.Response:
        return await client.get(path, headers={"Authorization": f"Bearer {token}"})

    mine = (await get("/api/operations", tokens["maker"])).json()
    assert [each["district"] for each in mine["batches"]] == [stage.district]
    city = (await get("/api/operations", tokens["operator"])).json()
    assert stage.district in {each["district"] for each in city["batches"]}
    assert (await get("/api/operations", tokens["reviewer"])).status_code == 403
    assert (await client.get("/api/operations")).status_code == 401
    assert (await get("/metrics", tokens["operator"])).status_code == 404  # none is set
    monkeypatch.setenv("ZHIDA_METRICS_TOKEN", "a secret of the scraper's")
    settings.cache_clear()
    try:
        for token in (tokens["operator"], "another", ""):
            assert (await get("/metrics", token)).status_code == 404
        figures = await get("/metrics", "a secret of the scraper's")
    finally:
        monkeypatch.undo()
        settings.cache_clear()
    assert figures.status_code == 200
    assert figures.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert f'zhida_batches{{district="{stage.district}",status="sent"}} 1.0' in figures.text
    families = {family.name: family for family in text_string_to_metric_families(figures.text)}
    assert {each.labels["kind"] for each in families["zhida_alarm"].samples} == {*ALARMS}


async def test_the_watch_says_what_it_sees(committed: World) -> None:
    async with transaction() as tx:
        stage = await Stage.build(tx, committed, claims=1)
        await stop_sending(tx, await stage.sent(tx))
    with capture_logs() as logged:
        await watch()
    alarm = next(each for each in logged if each["event"] == "alarm" and each["code"] == "dead_jobs")
    assert alarm["count"] >= 1
