"""The ground of a bench: PostgreSQL and broker of its own as `zhida up` starts them, databases by the copy, parts."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import redis

from service.local import postgres
from service.local.data_dir import DataDir
from service.local.parts import Part, Running, Step
from service.local.plan import Plan, whole_stack
from service.local.processes import of_session, standing_in
from service.queue import celery
from service.settings import settings

ROOT = Path(__file__).parents[1]
READY_SECONDS_MAX = 180
#: Before each line of the server's log: whose it is (see `bench/statements.py`).
LOG_PREFIX = "@%d %u "
#: What only a demo sets: its clock is read from a file at every call.
_DEMO = ("ZHIDA_DEMO", "ZHIDA_CLOCK_OFFSET")
#: What a person may have set for finding programs; everything else of ours would lead to somebody's real servers.
_KEPT = ("ZHIDA_PG_BIN", "ZHIDA_PG_AS")

T = TypeVar("T")


@dataclass(frozen=True)
class Database:
    """One database: as the service's role, and as the superuser who builds what is measured."""

    name: str
    app_url: str = field(repr=False)
    admin_url: str = field(repr=False)

    def run(self, *statements: str) -> None:
        """Run statements as the superuser, each committed by itself."""

        async def all_of_them(connection: asyncpg.Connection) -> None:
            for each in statements:
                await connection.execute(each, timeout=3600)

        self.on_connection(all_of_them)

    def ask(self, question: str, *values: Any) -> Any:
        """The first column of the first row."""

        async def one(connection: asyncpg.Connection) -> Any:
            return await connection.fetchval(question, *values, timeout=3600)

        return self.on_connection(one)

    def on_connection(self, work: Callable[[asyncpg.Connection], Awaitable[T]], *, as_app: bool = False) -> T:
        """Do `work` on one connection of the superuser, or of the service's role."""

        async def whole() -> T:
            connection = await asyncpg.connect(self.app_url if as_app else self.admin_url)
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(whole())


@dataclass(frozen=True)
class Server:
    """A part of the product that is up."""

    running: Running
    address: str

    @property
    def pids(self) -> list[int]:
        """The process and what it forked."""
        return of_session(self.running.pid or 0)


@dataclass(frozen=True)
class Ground:
    """What is there while a bench runs. `parts` are those of `zhida up --demo`, with their command lines."""

    place: DataDir
    access: postgres.Access = field(repr=False)
    environment: dict[str, str] = field(repr=False)
    parts: dict[str, Part]
    address: str

    @property
    def _everywhere(self) -> Database:
        return Database("postgres", self.access.app_url, self.access.admin_url)

    def database(self, name: str, like: str = "zhida") -> Database:
        """A new database, a copy of the migrated one or of another to which nobody is connected."""
        make = f"CREATE DATABASE {name} TEMPLATE {like} OWNER zhida_owner STRATEGY FILE_COPY"
        self._everywhere.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", make)
        made = Database(name, _renamed(self.access.app_url, name), _renamed(self.access.admin_url, name))
        made.run("CHECKPOINT")  # every measurement starts without debts to the disk
        return made

    def drop(self, *databases: Database) -> None:
        for each in databases:
            self._everywhere.run(f"DROP DATABASE IF EXISTS {each.name} WITH (FORCE)")

    @property
    def bin(self) -> Path:
        """Where `pgbench` and `psql` are."""
        return postgres.bin_directory()

    def postgres_version(self) -> str:
        return str(self._everywhere.ask("SHOW server_version"))

    def postgres_pids(self) -> list[int]:
        """The database server and its backends."""
        return standing_in((self.place.path / "postgres" / "server" / "data").resolve(), "postgres")

    @contextmanager
    def api(self, on: Database) -> Iterator[Server]:
        """One API process, as shipped, on the database `on`."""
        with self._up(self.parts["api"], on) as running:
            yield Server(running, self.address)

    @contextmanager
    def worker(self, on: Database) -> Iterator[Server]:
        """One worker whose one process does a message at a time; the broker is empty when it starts."""
        redis.Redis.from_url(self.environment["ZHIDA_REDIS_URL"]).flushall()
        part = self.parts["worker"]
        alone = [*part.command, "--concurrency", "1"]
        part = replace(part, command=alone, ready=lambda pid: len(of_session(pid)) > 1)
        with self._up(part, on) as running:
            yield Server(running, "")

    @contextmanager
    def registry(self) -> Iterator[Server]:
        """The certificate registry's stand-in."""
        with self._up(self.parts["registry"]) as running:
            yield Server(running, self.environment["ZHIDA_REGISTRY_URL"])

    @contextmanager
    def _up(self, part: Part, on: Database | None = None) -> Iterator[Running]:
        given = self.environment | ({"ZHIDA_DATABASE_URL": on.app_url} if on else {})
        with _running(part, given, self.place) as running:
            yield running


@contextmanager
def find_ground() -> Iterator[Ground]:
    """A ground in a directory of its own, migrated and loaded; all of it is stopped and removed at the end."""
    for name in [each for each in os.environ if each.startswith("ZHIDA_") and each not in _KEPT]:
        del os.environ[name]
    for number in (signal.SIGINT, signal.SIGTERM):  # whichever way it is stopped, nothing is left running
        signal.signal(number, signal.default_int_handler)
    above = Path(tempfile.mkdtemp(prefix="zhida-bench-"))
    above.chmod(0o711 if os.geteuid() == 0 else 0o700)  # root's PostgreSQL runs as somebody else
    place = DataDir(above / "data")
    place.make()
    try:
        with _served(place) as ground:
            yield ground
    finally:
        shutil.rmtree((place.path / "postgres" / "server").resolve(), ignore_errors=True)
        shutil.rmtree(above, ignore_errors=True)


@contextmanager
def _served(place: DataDir) -> Iterator[Ground]:
    plan = whole_stack(place, demo=True)
    parts = {item.name: item for item in plan.items if isinstance(item, Part)}
    environment = {name: value for name, value in plan.environment.items() if name not in _DEMO}
    _be_configured(environment)
    server = replace(parts["postgres"], command=[*parts["postgres"].command, "-c", f"log_line_prefix={LOG_PREFIX}"])
    with _running(server, environment, place), _running(parts["broker"], environment, place):
        _do_steps(plan)
        access = postgres.Access(**json.loads((place.path / "postgres" / "access.json").read_text()))
        yield Ground(place, access, environment, parts, plan.address)


def _be_configured(environment: dict[str, str]) -> None:
    """This process seals people's data and sends nudges as the parts do."""
    os.environ |= environment
    settings.cache_clear()
    celery.conf.update(broker_url=environment["ZHIDA_REDIS_URL"])


def _do_steps(plan: Plan) -> None:
    """Migrate and load; nobody needs the cast."""
    for step in plan.items:
        if isinstance(step, Step) and not step.shown:
            given = {**plan.environment, **step.environment}
            done = subprocess.run(  # noqa: S603 (our own command line)
                step.command, cwd=ROOT, env=given, capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise RuntimeError(f"{step.name}: {done.stdout}{done.stderr}")


@contextmanager
def _running(part: Part, environment: dict[str, str], place: DataDir) -> Iterator[Running]:
    running = Running(part, environment, ROOT, place.log(part.name))
    running.start()
    try:
        _wait(running.ask_ready, running)
        yield running
    finally:
        running.ask_to_end()
        deadline = monotonic() + part.patience
        while not running.has_ended() and monotonic() < deadline:
            sleep(0.02)
        running.end()


def _wait(ready: Callable[[], bool], running: Running) -> None:
    deadline = monotonic() + READY_SECONDS_MAX
    while not ready():
        if monotonic() > deadline or running.has_ended():
            raise RuntimeError(f"{running.part.name} did not come up:\n{running.log_tail()}")
        sleep(0.02)


def _renamed(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
