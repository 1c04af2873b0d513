"""Verification: one worker asks the registry's stand-in about owed claims; beside it its statements, replayed."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from time import monotonic

import asyncpg
import httpx

from bench import machine
from bench.claims import make_claims, names_and_ids
from bench.figures import Figure
from bench.ground import Database, Ground, Server
from bench.statements import Statement, recorded, replay
from bench.wish import Wish
from service import jobs
from service.queue import IDS_PER_MESSAGE_MAX, Job

PART = "verification"
_CLAIMS = 50_000
_WARM_UP = IDS_PER_MESSAGE_MAX
_SECONDS_MAX = 600
_TOLD_AT_ONCE = 500

# Leases far away: the bench nudges by itself, no sweep does.
_OWE = f"""
    INSERT INTO jobs (kind, subject, round, next_at)
    SELECT '{Job.VERIFY_CERTIFICATE}', id, 1, now() + interval '1 day' FROM claims ORDER BY filed_at
"""  # noqa: S608 (a name of ours)
_CERTIFICATES = "SELECT certificate_number, subsidy_key, level, certificate_issued_on FROM claims ORDER BY filed_at"


@dataclass(frozen=True)
class _Turn:
    seconds: float
    worker_ms: float
    registry_ms: float
    peak_mib: float


def measure(ground: Ground, wish: Wish) -> Iterator[Figure]:
    count = wish.of(_CLAIMS)
    filed = ground.database("bench_filed")
    make_claims(filed, count + _WARM_UP, "filed", readable=count + _WARM_UP, seed=wish.seed)
    filed.run(_OWE, "VACUUM ANALYZE jobs")
    with ground.registry() as registry:
        _tell(ground, registry, filed, names_and_ids(count + _WARM_UP, wish.seed))
        statements = _statements(ground, filed, count)
        turns, bare = [], []
        for _ in range(wish.turns):
            turns.append(_worked(ground, registry, filed, count))
            copy = ground.database("bench_replayed", like=filed.name)
            bare.append(replay(ground, copy, statements, ground.place.path / "verification.sql"))
            ground.drop(copy)
    ground.drop(filed)
    rate, ceiling = count / median(one.seconds for one in turns), count / median(bare)
    ratio = median(bare_s / one.seconds for one, bare_s in zip(turns, bare, strict=True))
    worker_ms, registry_ms = (median(getattr(one, f"{who}_ms") for one in turns) for who in ("worker", "registry"))
    cpu = f"processor time per claim: worker {worker_ms:.2f} ms, the registry's stand-in {registry_ms:.2f} ms"
    yield Figure(PART, f"one worker, {count:,} claims", rate, "/s", target=3000, least=True, note=cpu)
    yield Figure(PART, "against its statements alone", rate, "/s", ceiling, ratio)
    yield Figure(PART, "statements per claim", len(statements) / count, "")
    yield Figure(PART, "memory of the worker, peak", max(one.peak_mib for one in turns), "MiB")


def _tell(ground: Ground, registry: Server, filed: Database, people: list[tuple[str, str]]) -> None:
    """The registry knows every certificate as it was claimed."""
    rows = filed.on_connection(lambda line: line.fetch(_CERTIFICATES))
    known = [
        {
            "number": row["certificate_number"],
            "holder_name": name,
            "id_number": id_number,
            "occupation_code": row["subsidy_key"],
            "level": row["level"],
            "issued_on": row["certificate_issued_on"].isoformat(),
        }
        for row, (name, id_number) in zip(rows, people, strict=True)
    ]
    headers = {"Authorization": f"Bearer {ground.place.token('registry')}"}
    for start in range(0, len(known), _TOLD_AT_ONCE):
        url = f"{registry.address}/control/certificates"
        httpx.post(url, json=known[start : start + _TOLD_AT_ONCE], headers=headers, timeout=60).raise_for_status()


def _statements(ground: Ground, filed: Database, count: int) -> list[Statement]:
    copy = ground.database("bench_recorded", like=filed.name)
    with ground.worker(copy):
        _work(copy, _WARM_UP, 0)
        with recorded(ground, copy) as recording:
            _work(copy, count, _WARM_UP)
    ground.drop(copy)
    return recording.statements


def _worked(ground: Ground, registry: Server, filed: Database, count: int) -> _Turn:
    copy = ground.database("bench_verified", like=filed.name)
    with ground.worker(copy) as worker:
        _work(copy, _WARM_UP, 0)  # connections, and statements that are known from then on
        before = machine.cpu_seconds([*worker.pids, *registry.pids])
        seconds = _work(copy, count, _WARM_UP)
        worker_ms, registry_ms = (machine.cpu_since(before, each.pids) * 1000 / count for each in (worker, registry))
        turn = _Turn(seconds, worker_ms, registry_ms, machine.peak_mib(worker.pids))
    verified = copy.ask("SELECT count(*) FROM claims WHERE status = 'verified'")
    if verified != count + _WARM_UP:
        raise RuntimeError(f"{verified} of {count + _WARM_UP} claims were verified")
    ground.drop(copy)
    return turn


def _work(database: Database, count: int, after: int) -> float:
    """Nudge `count` jobs, in the order in which they were owed, and answer the seconds until all are done."""

    async def work(line: asyncpg.Connection) -> float:
        ids = await line.fetch("SELECT id FROM jobs ORDER BY id OFFSET $1 LIMIT $2", after, count)
        began = monotonic()
        jobs.send((str(Job.VERIFY_CERTIFICATE), row["id"]) for row in ids)
        while await line.fetchval("SELECT count(*) FROM jobs WHERE state = 'done'") < after + count:
            if monotonic() - began > _SECONDS_MAX:
                raise RuntimeError("the worker did not come to its end")
            await asyncio.sleep(0.02)
        return monotonic() - began

    return database.on_connection(work)
