"""Rosters: a clerk hands one in over HTTP and a worker files it; beside it the same rows by COPY and INSERT alone."""

import asyncio
import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from io import BytesIO
from statistics import median
from time import monotonic
from typing import TypeVar

import asyncpg
import httpx

from bench import machine
from bench.claims import STAFF_PERSON, STAFF_USER
from bench.figures import Figure
from bench.ground import Database, Ground, Server
from bench.statements import recorded
from bench.trainees import DISTRICT, certificate, offers_on
from bench.wish import Wish
from service import clock
from service.gateways.roster_sheets import COLUMNS
from service.gateways.sheet_files import FILES, TYPES
from service.local.made_up import Maker
from service.queue import Job

PART = "rosters"
_LINES = 50_000
_SECONDS_MAX = 1_800
#: Statements are counted over this many lines at most: the log tells each with all of its values.
_SAMPLE = 5_000
#: One line in so many contradicts its certificate, and goes back with a reason.
_WRONG_EVERY = 25
_TOKEN = "bench-clerk"  # noqa: S105 (of a session in a database that is thrown away)
_INSTITUTION = "00000000-0000-0000-0000-000000000005"

_CLERK = f"""
    INSERT INTO people (id, name_sealed, id_number_sealed) VALUES ('{STAFF_PERSON}', '', '');
    INSERT INTO institutions (id, credit_code, name, district) VALUES ('{_INSTITUTION}', '-', 'bench', '{DISTRICT}');
    INSERT INTO institution_listings (id, institution_id, in_force, source)
    VALUES (gen_random_uuid(), '{_INSTITUTION}', daterange(NULL, NULL), 'bench');
    INSERT INTO users (id, login, person_id, password_hash, institution_id)
    VALUES ('{STAFF_USER}', 'bench', '{STAFF_PERSON}', '-', '{_INSTITUTION}');
    INSERT INTO sessions (token_sha256, user_id, person_id, posts, institution_id, expires_at)
    VALUES (sha256('{_TOKEN}'), '{STAFF_USER}', '{STAFF_PERSON}', '{{clerk}}', '{_INSTITUTION}',
            now() + interval '1 day');
"""  # noqa: S608 (ids of our own)

#: What filing a roster writes, in an order that foreign keys and guards take, and which rows of it are the roster's.
_WRITTEN = {
    "people": f"id <> '{STAFF_PERSON}'",
    "person_blind_indexes": "true",
    "accounts": "true",
    "mandates": "true",
    "journal": "subject_kind = 'claim'",
    "claims": "true",
    "claim_tally_deltas": "true",
    "door_refusals": "true",
    "jobs": f"kind <> '{Job.IMPORT_ROSTER}'",
    "roster_portions": "true",
    "roster_lines": "true",
}
_COLUMNS = """
    SELECT quote_ident(attname) AS attname FROM pg_attribute
     WHERE attrelid = $1::text::regclass AND attnum > 0 AND attidentity = '' AND attname <> 'xid'
     ORDER BY attnum
"""

T = TypeVar("T")


@dataclass(frozen=True)
class _Turn:
    """Seconds until the upload was answered, from then until every line was filed or refused, and until the sheet
    with reasons was back; the worker's processor time; the largest size of worker, of its child, and of the API."""

    taken: float
    filed: float
    given_back: float
    cpu_seconds: float
    worker_mib: float
    child_mib: float
    api_mib: float


def measure(ground: Ground, wish: Wish) -> Iterator[Figure]:
    count, empty = wish.of(_LINES), ground.database("bench_rosters")
    empty.run("SET session_replication_role = replica;" + _CLERK, "VACUUM ANALYZE")
    lines = _lines(empty, count, wish.seed)
    for kind in FILES:
        yield from _measured(ground, wish, empty, kind, lines)
    ground.drop(empty)


def _measured(
    ground: Ground, wish: Wish, empty: Database, kind: str, lines: Sequence[Sequence[str]]
) -> Iterator[Figure]:
    count, sheet = len(lines), _sheet(kind, lines)
    sample = lines[:_SAMPLE]
    trips = _trips(ground, empty, kind, _sheet(kind, sample))
    turns, bare = [], []
    for _ in range(wish.turns):
        done = ground.database("bench_filed", like=empty.name)
        turns.append(_turn(ground, done, kind, sheet, count))
        bare.append(_bare(ground, empty, done))
        ground.drop(done)
    mine, ceiling = (median(taken) for taken in ([one.filed for one in turns], bare))
    ratio = median(bare_s / one.filed for one, bare_s in zip(turns, bare, strict=True))
    there, back = median(one.taken for one in turns), median(one.given_back for one in turns)
    cpu = median(one.cpu_seconds for one in turns) * 1000 / count
    note = (
        f"taken in {mine:.1f} s after {there:.1f} s of upload; the sheet with reasons came back in {back:.1f} s; "
        f"processor time of the worker {cpu:.2f} ms a line"
    )
    target = 0.12 if kind == "csv" else None
    name = f"{count:,} lines, {kind.upper()}"
    yield Figure(PART, name, count / mine, "/s", count / ceiling, ratio, target, least=True, note=note)
    note = f"{trips} for {len(sample):,} lines, with upload and sheet"
    yield Figure(PART, "statements per line", trips / len(sample), "", note=note)
    yield Figure(PART, "memory of the worker, peak", max(one.worker_mib for one in turns), "MiB")
    if kind == "xlsx":
        yield Figure(PART, "memory of the child that reads, peak", max(one.child_mib for one in turns), "MiB")
    yield Figure(PART, "memory of the API, peak", max(one.api_mib for one in turns), "MiB")


def _lines(database: Database, count: int, seed: int) -> list[list[str]]:
    """Newcomers, each with a certificate of today, an account and a paper that lets the institution claim."""
    today, maker, chance = clock.today(), Maker(seed), random.Random(seed)  # noqa: S311 (it must repeat)
    known = database.on_connection(lambda line: offers_on(line, today))
    lines = []
    for number in range(count):
        code, level = chance.choice(known)
        said = level if number % _WRONG_EVERY else str(int(level) - 1)
        lines.append(_line(maker, number, code, said, certificate(number, level, today.year), today))
    return lines


def _line(maker: Maker, number: int, code: str, level: str, certificate_number: str, today: date) -> list[str]:
    person, day = maker.person(), today.isoformat()
    said = {
        "trainee.name": person.name,
        "trainee.id_number": person.id_number,
        "trainee.phone": person.phone,
        "item_code": code,
        "level": level,
        "certificate_number": certificate_number,
        "certificate_issued_on": day,
        "account.number": maker.card(),
        "account.bank_code": maker.bank_code(),
        "signed_on": day,
        "valid_from": day,
        "valid_to": today.replace(month=12, day=31).isoformat(),
        "document_sha256": hashlib.sha256(str(number).encode()).hexdigest(),
    }
    return [said.get(column.field, "") for column in COLUMNS]


def _sheet(kind: str, lines: Sequence[Sequence[str]]) -> bytes:
    file = FILES[kind]()
    file.add([[column.heading for column in COLUMNS], *lines])
    return file.content()


def _turn(ground: Ground, database: Database, kind: str, sheet: bytes, count: int) -> _Turn:
    with ground.worker(database) as worker, ground.api(database) as api:
        own = set(worker.pids)
        before = machine.cpu_seconds(own)
        taken, roster_id = _timed(lambda: _hand_in(api, kind, sheet))
        filed, child_mib = _timed(lambda: _finished(database, lambda: machine.peak_mib({*worker.pids} - own)))
        cpu_seconds, worker_mib = machine.cpu_since(before, own), machine.peak_mib(own)
        given_back, reasons = _timed(lambda: _fetch_sheet(api, roster_id))
        api_mib = machine.peak_mib(api.pids)
    wrong = len(range(0, count, _WRONG_EVERY))
    claims = database.ask("SELECT count(*) FROM claims")
    if (claims, reasons) != (count - wrong, wrong):
        raise RuntimeError(f"of {count} lines {claims} were filed and {reasons} came back")
    return _Turn(taken, filed, given_back, cpu_seconds, worker_mib, child_mib, api_mib)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = monotonic()
    answer = work()
    return monotonic() - began, answer


def _trips(ground: Ground, empty: Database, kind: str, sheet: bytes) -> int:
    copy = ground.database("bench_recorded", like=empty.name)
    with ground.worker(copy), ground.api(copy) as api, recorded(ground, copy) as recording:
        roster_id = _hand_in(api, kind, sheet)
        _finished(copy, lambda: 0)
        _fetch_sheet(api, roster_id)
    ground.drop(copy)
    return len(recording.statements)


def _hand_in(api: Server, kind: str, sheet: bytes) -> str:
    headers = {"Content-Type": TYPES[kind], "Idempotency-Key": "bench", **_AUTHORIZED}
    answer = httpx.post(f"{api.address}/api/rosters", content=sheet, headers=headers, timeout=600)
    if answer.status_code != httpx.codes.ACCEPTED:
        raise RuntimeError(answer.text)
    return str(answer.json()["id"])


_AUTHORIZED = {"Authorization": f"Bearer {_TOKEN}"}


def _finished(database: Database, look: Callable[[], float]) -> float:
    """Wait until the roster is at its end; the largest that `look` saw meanwhile."""
    deadline = monotonic() + _SECONDS_MAX

    async def wait(line: asyncpg.Connection) -> float:
        largest = 0.0
        while await line.fetchval("SELECT status FROM rosters") != "finished":
            if monotonic() > deadline:
                raise RuntimeError("the roster did not come to its end")
            largest = max(largest, look())
            await asyncio.sleep(0.02)
        return largest

    return database.on_connection(wait)


def _fetch_sheet(api: Server, roster_id: str) -> int:
    """Have the lines to mend come back as CSV; how many there are."""
    url = f"{api.address}/api/rosters/{roster_id}/sheet?kind=csv"
    answer = httpx.get(url, headers=_AUTHORIZED, timeout=600).raise_for_status()
    return len(answer.text.splitlines()) - 1


@dataclass(frozen=True)
class _Rows:
    """Rows of a table, as COPY writes them."""

    table: str
    columns: list[str]
    binary: bytes = field(repr=False)


def _bare(ground: Ground, empty: Database, done: Database) -> float:
    """The seconds that the rows of a roster that was filed take by COPY and INSERT, in one transaction."""
    roster = done.on_connection(lambda line: _rows(line, "rosters", "true"))
    written = [done.on_connection(partial(_rows, table=table, which=which)) for table, which in _WRITTEN.items()]
    copy = ground.database("bench_bare", like=empty.name)

    async def hand_in(line: asyncpg.Connection) -> None:
        await line.execute("SET session_replication_role = replica")
        await line.copy_to_table("rosters", source=BytesIO(roster.binary), columns=roster.columns, format="binary")

    async def write(line: asyncpg.Connection) -> float:
        began = monotonic()
        async with line.transaction():
            for each in written:
                names, new = ", ".join(each.columns), f"new_{each.table}"
                like = f"SELECT {names} FROM {each.table} WITH NO DATA"  # noqa: S608 (names of our own)
                await line.execute(f"CREATE TEMP TABLE {new} ON COMMIT DROP AS {like}")
                await line.copy_to_table(new, source=BytesIO(each.binary), format="binary")
                await line.execute(f"INSERT INTO {each.table} ({names}) SELECT * FROM {new}")  # noqa: S608
        return monotonic() - began

    copy.on_connection(hand_in)
    seconds = copy.on_connection(write, as_app=True)
    ground.drop(copy)
    return seconds


async def _rows(line: asyncpg.Connection, table: str, which: str) -> _Rows:
    """But for what the database fills in by itself: identities, and the writing transaction."""
    columns = [row["attname"] for row in await line.fetch(_COLUMNS, table)]
    binary = BytesIO()
    asked = f"SELECT {', '.join(columns)} FROM {table} WHERE {which}"  # noqa: S608 (names of our own)
    await line.copy_from_query(asked, output=binary, format="binary")
    return _Rows(table, columns, binary.getvalue())
