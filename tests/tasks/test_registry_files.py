"""What stands in the registry's own files is answered from there: by the same comparison, before HTTP."""

import json
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from domain.verification import Question
from service import jobs as owed_work
from service.crypto import keyring
from service.database import transaction
from service.gateways.certificate_registry import HttpRegistry
from service.jobs import JobRow
from service.queue import IDS_PER_MESSAGE_MAX, Job
from service.verification.queries.files import list_files
from service.verification.schemas import RegistryFileView
from service.verification.tables import RegistryReplyRow
from tasks.runtime import do
from tasks.verification import settle_files
from tests.gateways.stand_in import StandIn
from tests.registry_files import file_of, line_of, load, put_in_force
from tests.tasks.test_verification import Filed, calls, file, registry, running, stand_in, teach
from tests.world import World

__all__ = ["registry", "running", "stand_in"]


@pytest.fixture(autouse=True)
def nudges(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[int]]]:
    """What would travel to workers, message by message."""
    sent: list[tuple[str, list[int]]] = []
    monkeypatch.setattr(owed_work, "send", lambda owed: sent.extend(owed_work.chunks(owed)))
    return sent


async def confirmed(world: World, *lines: dict[str, str], days_ago: int = 0) -> RegistryFileView:
    async with transaction() as tx:
        as_of = (world.today - timedelta(days=days_ago)).isoformat()
        return await put_in_force(tx, world, *lines, as_of=as_of)


async def settle(file_id: UUID) -> None:
    """What a worker does after a file was confirmed."""
    async with transaction() as tx:
        row = JobRow
        owed = select(row.id).where(row.kind == str(Job.SETTLE_FILE), row.subject == file_id, row.state == "ready")
        (job_id,) = (await tx.execute(owed)).scalars()
    await do(settle_files, [job_id])
    await owed_work.send_waiting()


def asked_of(filed: Filed) -> Sequence[Question]:
    return [filed.asked[each] for each in filed.claims]


async def test_claims_that_wait_are_settled_from_the_file_and_the_registry_is_not_asked(
    committed: World, registry: HttpRegistry, stand_in: StandIn
) -> None:
    filed = await file(committed, registry, 5)
    good, wrong, revoked, level, _ = asked_of(filed)
    stand_in.behave(mode="half")
    await filed.verify()  # they wait for a registry that does not answer
    sent = await confirmed(
        committed,
        line_of(good),
        line_of(wrong, holder_name="路人甲"),
        line_of(revoked, status="撤销", revoked_on=committed.today.isoformat()),
        line_of(level, level="四级（中级工）"),
    )
    assert (sent.entries, sent.filed, sent.revoked) == (4, 4, 0)
    before = calls(stand_in)
    await settle(sent.id)
    assert all(each < 60 for each in await due_in(filed.jobs[:4]))
    await filed.verify()
    assert calls(stand_in)["numbers"] - before["numbers"] == 1
    assert await filed.statuses() == ["verified", "in_review", "in_review", "verified", "filed"]
    assert (await filed.states())[4] == ("ready", 0, "registry.unavailable")
    async with transaction() as tx:
        row = RegistryReplyRow
        kept = (await tx.execute(select(row).where(row.claim_id == filed.claims[0]))).one()
    assert (kept.outcome, kept.source) == ("found", f"file:{sent.sha256}")
    part = json.loads(keyring().open(kept.raw_sealed, kept.id))
    assert [(each["number"], each["line"]) for each in part] == [(good.number, 2)]
    assert wrong.holder_name not in json.dumps(part, ensure_ascii=False)


async def due_in(job_ids: Sequence[int]) -> list[float]:
    async with transaction() as tx:
        asked = select(JobRow.next_at - JobRow.made_at).where(JobRow.id.in_(job_ids))
        return [each.total_seconds() for each in (await tx.execute(asked)).scalars()]


async def test_a_number_that_is_in_no_file_is_asked_for_and_not_unknown(
    committed: World, registry: HttpRegistry, stand_in: StandIn
) -> None:
    filed = await file(committed, registry, 2)
    on_file, elsewhere = asked_of(filed)
    teach(stand_in, [elsewhere])
    await confirmed(committed, line_of(on_file))
    await filed.verify()
    assert await filed.statuses() == ["verified", "verified"]


async def test_the_newest_file_that_has_the_number_is_asked_and_two_lines_that_differ_go_before_an_officer(
    committed: World, registry: HttpRegistry, stand_in: StandIn
) -> None:
    filed = await file(committed, registry, 3)
    mended, kept, doubled = asked_of(filed)
    await confirmed(committed, line_of(mended), line_of(doubled), line_of(doubled, level="三级"))
    await confirmed(committed, line_of(mended, holder_name="路人甲"), line_of(kept), days_ago=1)
    await confirmed(committed, line_of(kept, status="注销"), days_ago=2)
    await filed.verify()
    assert await filed.statuses() == ["verified", "verified", "in_review"]


async def test_what_was_loaded_and_not_confirmed_answers_nobody(
    committed: World, registry: HttpRegistry, stand_in: StandIn
) -> None:
    filed = await file(committed, registry, 1)
    async with transaction() as tx:
        loaded = await load(tx, committed, file_of(*map(line_of, asked_of(filed))))
    stand_in.behave(mode="half")
    await filed.verify()
    assert (loaded.confirmed, await filed.statuses()) == (False, ["filed"])


async def test_checks_that_died_are_owed_again_and_portions_travel_by_themselves(
    committed: World, registry: HttpRegistry, stand_in: StandIn, nudges: list[tuple[str, list[int]]]
) -> None:
    filed = await file(committed, registry, 3)
    async with transaction() as tx:
        await tx.execute(JobRow.__table__.update().where(JobRow.id == filed.jobs[0]).values(state="dead"))
    sent = await confirmed(committed, *map(line_of, asked_of(filed)))
    await owed_work.send_waiting()
    nudges.clear()
    await settle(sent.id)
    again = [job_id for kind, ids in nudges if kind == Job.VERIFY_CERTIFICATE for job_id in ids]
    assert len(again) == 3
    assert set(filed.jobs[1:]) < set(again)
    assert all(len(ids) <= IDS_PER_MESSAGE_MAX for _, ids in nudges)
    stand_in.behave(mode="half")
    for job_id in again:  # each message may be the last before a kill: what is settled stays, what is not is owed
        await Filed(registry, [], filed.claims, [job_id], filed.asked).verify()
        await Filed(registry, [], filed.claims, [job_id], filed.asked).verify()
    assert await filed.statuses() == ["verified"] * 3
    assert all((replies, notes) == (1, 1) for _, replies, notes in await filed.settled())


async def test_a_claim_past_its_check_whose_certificate_was_revoked_is_counted(
    committed: World, registry: HttpRegistry, stand_in: StandIn
) -> None:
    filed = await file(committed, registry, 1)
    teach(stand_in, asked_of(filed))
    await filed.verify()
    sent = await confirmed(committed, *[line_of(each, status="撤销") for each in asked_of(filed)])
    assert (sent.filed, sent.revoked) == (0, 1)
    await settle(sent.id)
    assert await filed.statuses() == ["verified"]
    async with transaction() as tx:
        listed = {each.id: each for each in (await list_files(tx, None)).files}
    assert (listed[sent.id].confirmed, listed[sent.id].revoked) == (True, None)
