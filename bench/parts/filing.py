"""Filing: trainees file over HTTP, and pgbench sends the very statements of a filing, in turns."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit

from bench import machine, trainees
from bench.figures import Figure
from bench.ground import ROOT, Database, Ground, Server
from bench.pgbench import Pace, run_script
from bench.statements import Statement, for_pgbench, recorded
from bench.wish import Wish
from service import clock

PART = "filing"
#: Filings a second that trainees are made for; a faster service ends its turns early.
_PACE_MAX = 1_500
_WARM_UP = 500
#: Where the numbers of pgbench's filings begin, and how far apart those of two turns and two clients are.
_FIRST, _A_TURN, _A_CLIENT = 10**12, 10**9, 10**6


@dataclass(frozen=True)
class _Turn:
    """What the service did, then what pgbench did; processor time in ms per filing."""

    service: Pace
    bare: Pace
    app_ms: float
    postgres_ms: float
    clients_ms: float

    @property
    def ratio(self) -> float:
        return self.service.a_second / self.bare.a_second


def measure(ground: Ground, wish: Wish) -> Iterator[Figure]:
    database, requests = ground.database("bench_filing"), ground.place.path / "requests"
    count = _WARM_UP + 10 + _PACE_MAX * wish.seconds * wish.turns * len(wish.clients)
    trainees.make_trainees(database, count, wish.seed, clock.today(), requests)
    with ground.api(database) as api:
        desk = _Desk(ground, database, api, requests)
        desk.file(_WARM_UP, wish.clients[-1])
        statements = desk.one_filing()
        yield from _trips(statements)
        varying = desk.varying()
        whole = _script(ground, "filing", statements, varying, count)
        alone = _script(ground, "alone", _write_alone(statements), varying, count)
        for clients in wish.clients:
            turns = [desk.turn(whole, clients, wish.seconds) for _ in range(wish.turns)]
            yield from _figures(turns, clients)
            yield _context(turns, desk.bare(alone, clients, wish.seconds), clients)
        yield Figure(PART, "memory of the API, peak", machine.peak_mib(api.pids), "MiB")
    ground.drop(database)


def _trips(statements: Sequence[Statement]) -> Iterator[Figure]:
    told = " · ".join(each.name for each in statements)
    yield Figure(PART, "round trips per filing", len(statements), "", target=4, note=told)


def _figures(turns: Sequence[_Turn], clients: int) -> Iterator[Figure]:
    name, (mine, bare) = f"{clients} clients", _rates(turns)
    each = "aim 0.35; by turn " + " ".join(f"{one.ratio:.2f}" for one in turns)
    ratio = median(one.ratio for one in turns)  # turn by turn: the machine's moods fall on both
    yield Figure(PART, name, mine, "/s", bare, ratio, 0.20, least=True, note=each)
    for percent in (50, 99):
        mine = _percentile([ms for one in turns for ms in one.service.milliseconds], percent)
        bare = _percentile([ms for one in turns for ms in one.bare.milliseconds], percent)
        yield Figure(PART, f"{name}, p{percent}", mine, "ms", bare, mine / bare)
    others = [f"{who} {median(getattr(one, f'{who}_ms') for one in turns):.2f} ms" for who in ("postgres", "clients")]
    app_ms = median(one.app_ms for one in turns)
    yield Figure(PART, f"{name}, app CPU per filing", app_ms, "ms", target=1.2, note="beside it " + ", ".join(others))


def _context(turns: Sequence[_Turn], alone: Pace, clients: int) -> Figure:
    mine, _ = _rates(turns)
    note = "context: pgbench with the statement alone that writes the claim"
    return Figure(
        PART, f"{clients} clients, the write alone", mine, "/s", alone.a_second, mine / alone.a_second, note=note
    )


def _rates(turns: Sequence[_Turn]) -> tuple[float, float]:
    return median(one.service.a_second for one in turns), median(one.bare.a_second for one in turns)


def _percentile(times: list[float], percent: int) -> float:
    return quantiles(times, n=100)[percent - 1]


@dataclass
class _Desk:
    """Where trainees file, each once. `filed`: how many have; `bare_turns`: how often pgbench has run."""

    ground: Ground
    database: Database
    api: Server
    requests: Path
    filed: int = 0
    bare_turns: int = 0

    def file(self, most: int, clients: int, seconds: float = 3600) -> Mapping[str, Any]:
        """The next trainees file, at most so many for at most so long. RuntimeError when one is refused."""
        chosen = self.requests.with_suffix(".chosen")
        with self.requests.open() as lines:
            chosen.write_text("".join(islice(lines, self.filed, self.filed + most)))
        url = urlsplit(self.api.address)
        command = [sys.executable, "-m", "bench.drive", str(url.hostname), str(url.port), str(chosen)]
        done = subprocess.run(  # noqa: S603 (our own command line)
            [*command, str(clients), str(seconds)], cwd=ROOT, capture_output=True, text=True, check=False
        )
        told: Mapping[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {"failed": done.stderr}
        if told["failed"]:
            raise RuntimeError(told["failed"])
        self.filed += told["answers"]
        return told

    def one_filing(self) -> list[Statement]:
        """What the server hears of one filing, on connections that already know its statements."""
        with recorded(self.ground, self.database) as recording:
            self.file(1, 1)
        return recording.statements

    def varying(self) -> dict[str, str]:
        """What differs from filing to filing, as it was in the last one, and an expression for it over `:n` and `:p`
        (the number of a filing and of a person)."""
        with self.requests.open() as lines:
            _, key, body = json.loads(next(islice(lines, self.filed - 1, None)))
        asked = """
            SELECT c.id, a.id, encode(a.number_index, 'hex'), c.person_id, c.filed_by,
                   (SELECT encode(token_sha256, 'hex') FROM sessions s WHERE s.user_id = c.filed_by)
              FROM claims c JOIN accounts a ON a.id = c.account_id WHERE c.certificate_number = $1
        """
        certificate = body["certificate_number"]
        found = self.database.on_connection(lambda line: line.fetchrow(asked, certificate))
        assert found is not None, "it was answered with 201"
        claim, account, card, person, user, token = map(str, found)
        return {
            claim: "md5('claim-' || :n)::uuid",
            account: "md5('account-' || :n)::uuid",
            card: "encode(sha256(('card-' || :n)::bytea), 'hex')",
            person: "md5('person-' || :p)::uuid",
            user: "md5('user-' || :p)::uuid",
            token: "encode(sha256(('bench-token-' || :p)::bytea), 'hex')",
            certificate: "'Y000037' || lpad(:n::text, 15, '0')",
            key: "'pgbench-key-' || :n",
        }

    def turn(self, script: Path, clients: int, seconds: int) -> _Turn:
        app, servers = self.api.pids, self.ground.postgres_pids()
        before = machine.cpu_seconds([*app, *servers])
        told = self.file(_PACE_MAX * seconds, clients, seconds)
        used = machine.cpu_since(before, app), machine.cpu_since(before, self.ground.postgres_pids())
        answers = told["answers"]
        service = Pace(answers / told["seconds"], answers, told["milliseconds"])
        ms = [each * 1000 / answers for each in (*used, told["cpu_seconds"])]
        return _Turn(service, self.bare(script, clients, seconds), *ms)

    def bare(self, script: Path, clients: int, seconds: int) -> Pace:
        self.bare_turns += 1
        first = _FIRST + self.bare_turns * _A_TURN
        return run_script(self.ground, self.database, script, clients, seconds, first)


def _write_alone(statements: Sequence[Statement]) -> list[Statement]:
    """The claim with its account, journal row, figure and owed job, in a transaction of its own."""
    return [
        Statement("BEGIN"),
        *(each for each in statements if "INSERT INTO claims" in each.sql),
        Statement("COMMIT"),
    ]


def _script(
    ground: Ground, name: str, statements: Sequence[Statement], varying: Mapping[str, str], people: int
) -> Path:
    lines = [
        r"\set i :i + 1",
        rf"\set n :first + :client_id * {_A_CLIENT} + :i",
        # The half that never comes to the service's desk: it counts how often a person has claimed.
        rf"\set p random({people // 2}, {people - 1})",
    ]
    for each in statements:
        own = dict(varying)
        if "INSERT INTO claims" in each.sql:  # nobody claims twice for one occupation: each filing here has its own
            own[_subsidy_key(each)] = "'pgbench-' || :n"
        lines.append(for_pgbench(each, own))
    script = ground.place.path / f"{name}.sql"
    script.write_text("\n".join(lines) + "\n")
    return script


#: The arrays that the claim's insert takes its rows from, and what each is called.
_ARRAYS = re.compile(r"unnest\((?P<places>[^)]*)\) WITH ORDINALITY AS \w+ ?\((?P<names>[^)]*)\)", re.IGNORECASE)


def _subsidy_key(insert: Statement) -> str:
    """What the claim's insert gives as `subsidy_key` for its one row."""
    arrays = _ARRAYS.search(insert.sql)
    assert arrays is not None, "the claims of a set are inserted from arrays"
    at = [name.strip() for name in arrays["names"].split(",")].index("subsidy_key")
    value = insert.values[int(arrays["places"].split(",")[at].strip().removeprefix("$").partition(":")[0]) - 1]
    assert value is not None, "a claim has a subsidy key"
    return value.strip("{}")
