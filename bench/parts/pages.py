"""Pages: the main ones of every audience over a year of claims, asked of one API process as shipped.

Processor time is what counts: of the API and of the database's processes together, over several requests at a time,
since the kernel counts in hundredths of a second.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from time import monotonic
from typing import Any
from urllib.parse import quote

import asyncpg
import httpx

from bench import machine, trainees
from bench.claims import STAFF_PERSON, STAFF_USER
from bench.figures import Figure
from bench.ground import Ground, Server
from bench.season import Season, make_season
from bench.wish import Wish
from service import clock

PART = "pages"
_CLAIMS = 1_000_000
#: Milliseconds of the API's and the database's processors a page, and kB that the first page and its files come to.
_CPU_MS_MAX, _FIRST_PAGE_KB_MAX = 50, 100
_WARM_UP, _ASKED_A_TURN = 3, 10
_TOKEN = "bench-{who}"  # noqa: S105 (who has it)
_FILES = re.compile(r'(?:href|src)="(/static/[^"]+)"')
_SESSION = """
    INSERT INTO sessions (token_sha256, user_id, person_id, posts, district, institution_id, expires_at)
    VALUES (sha256($1::text::bytea), $2, $3, $4, $5, $6, now() + interval '1 day')
"""


@dataclass(frozen=True)
class _Page:
    name: str
    who: str
    path: str


@dataclass(frozen=True)
class _Cost:
    """Of one request, in milliseconds; `kb`: as it travels."""

    api: float
    database: float
    wall: float
    kb: float


def measure(ground: Ground, wish: Wish) -> Iterator[Figure]:
    count = wish.of(_CLAIMS)
    decision = _decision(ground, wish.seed)
    database = ground.database("bench_pages")
    season = make_season(database, count, decision, wish.seed)
    database.on_connection(lambda line: _sign_in(line, season))
    with ground.api(database) as api:
        for page in _pages(season):
            cost = _cost(ground, api, page, wish.turns)
            note = f"API {cost.api:.1f} ms, database {cost.database:.1f} ms, {cost.wall:.0f} ms on the clock"
            total, name = cost.api + cost.database, f"{page.name}, {count:,} claims"
            yield Figure(PART, name, total, "ms CPU", target=_CPU_MS_MAX, note=f"{note}; {cost.kb:.0f} kB")
        first = _with_its_files(api)
        yield Figure(PART, "the first page and its files", first, "kB", target=_FIRST_PAGE_KB_MAX)
        yield Figure(PART, "memory of the API, peak", machine.peak_mib(api.pids), "MiB")
    ground.drop(database)


def _pages(season: Season) -> list[_Page]:
    return [
        _Page("public: first page", "", "/"),
        _Page("public: search", "", f"/catalog?q={quote('工')}"),
        _Page("public: an occupation", "", f"/catalog/{season.code}"),
        _Page("public: statistics", "", "/statistics"),
        _Page("public: days of steps", "", "/statistics/steps"),
        _Page("public: a notice", "", f"/notices/{season.notice}"),
        _Page("trainee: first page", "trainee", "/me"),
        _Page("trainee: how far a claim is", "trainee", f"/me/claims/{season.paid}"),
        _Page("trainee: my data", "trainee", "/me/data"),
        _Page("institution: first page", "clerk", "/institution"),
        _Page("institution: claims", "clerk", "/institution/claims"),
        _Page("officer: list of work", "reviewer", "/desk"),
        _Page("officer: list of work, whole city", "reviewer-everywhere", "/desk"),
        _Page("officer: a claim", "reviewer", f"/desk/claims/{season.waiting}"),
        _Page("officer: what is late", "reviewer", "/desk/overdue"),
        _Page("finance: batches", "maker", "/finance"),
        _Page("finance: a batch", "maker", f"/finance/batches/{season.batch}"),
        _Page("finance: what is due", "maker", "/finance/batches/new"),
        _Page("leaders: board", "hr_signer", "/board"),
        _Page("leaders: returns by list", "hr_signer", "/board/returns?along=list"),
        _Page("operators: health", "operator", "/operate"),
        _Page("operators: dead jobs", "operator", "/operate/jobs"),
        _Page("operators: the seal", "operator", "/operate/seals"),
    ]


def _decision(ground: Ground, seed: int) -> str:
    """What the rules said of a real claim, as it is stored."""
    database, requests = ground.database("bench_decided"), ground.place.path / "requests"
    trainees.make_trainees(database, 1, seed, clock.today(), requests)
    token, key, body = httpx.Response(200, text=requests.read_text()).json()
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key}
    with ground.api(database) as api:
        answer = httpx.post(f"{api.address}/api/claims", json=body, headers=headers, timeout=60)
    if answer.status_code != httpx.codes.CREATED:
        raise RuntimeError(answer.text)
    decision = str(database.ask("SELECT decision::text FROM claims"))
    ground.drop(database)
    return decision


async def _sign_in(line: asyncpg.Connection, season: Season) -> None:
    """Everybody who is asked for has a session: staff of the busiest district, and of the city."""
    staff: Mapping[str, Any] = {"clerk": None, "reviewer": season.district, "maker": season.district}
    for who in (*staff, "hr_signer", "operator", "reviewer-everywhere"):
        institution_id = season.institution_id if who == "clerk" else None
        post = [who.partition("-")[0]]
        token = _TOKEN.format(who=who)
        await line.execute(_SESSION, token, STAFF_USER, STAFF_PERSON, post, staff.get(who), institution_id)
    token = _TOKEN.format(who="trainee")
    await line.execute("SET session_replication_role = replica")
    await line.execute(
        "INSERT INTO users (id, login, person_id, password_hash) VALUES ($1, 'bench-trainee', $1, '-')",
        season.trainee,
    )
    await line.execute(_SESSION, token, season.trainee, season.trainee, ["trainee"], None, None)


def _cost(ground: Ground, api: Server, page: _Page, turns: int) -> _Cost:
    """The middle of several turns of requests."""
    with _client(api, page.who) as http:
        for _ in range(_WARM_UP):
            kb = _asked(http, page.path) / 1000
        found = [_turn(ground, api, http, page.path) for _ in range(turns)]
    of_api, of_database, wall = (median(each) for each in zip(*found, strict=True))
    return _Cost(of_api, of_database, wall, kb)


def _turn(ground: Ground, api: Server, http: httpx.Client, path: str) -> tuple[float, float, float]:
    pids = ground.postgres_pids()
    before, in_database = machine.cpu_seconds(api.pids), machine.cpu_seconds(pids)
    began = monotonic()
    for _ in range(_ASKED_A_TURN):
        _asked(http, path)
    wall = monotonic() - began
    used = machine.cpu_since(before, api.pids), machine.cpu_since(in_database, ground.postgres_pids())
    of_api, of_database, on_the_clock = (each * 1000 / _ASKED_A_TURN for each in (*used, wall))
    return of_api, of_database, on_the_clock


def _client(api: Server, who: str) -> httpx.Client:
    signed_in = {"Authorization": f"Bearer {_TOKEN.format(who=who)}"} if who else {}
    headers = {"Accept": "text/html", "Accept-Encoding": "gzip", **signed_in}
    return httpx.Client(base_url=api.address, headers=headers, timeout=120)


def _asked(http: httpx.Client, path: str) -> int:
    """Ask once and answer how many bytes came."""
    with http.stream("GET", path) as answer:
        length = sum(map(len, answer.iter_raw()))
    if answer.status_code != httpx.codes.OK:
        raise RuntimeError(f"{path}: {answer.status_code}")
    return length


def _with_its_files(api: Server) -> float:
    """Thousands of bytes that somebody's browser fetches who comes for the first time."""
    with _client(api, "") as http:
        files = dict.fromkeys(_FILES.findall(http.get("/").text))
        return sum(_asked(http, each) for each in ("/", *files)) / 1000
