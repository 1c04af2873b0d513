"""A real PostgreSQL, migrated once; one database an xdist worker; each test's transaction rolled back."""

import asyncio
import base64
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from service import database, settings
from service.local.postgres import PostgresHandle, prepare_access, start
from tests.world import World

ROOT = Path(__file__).parent.parent

#: How many tests of a run may fail once and pass when they are heard again.
HEARD_AGAIN_MAX = 2

#: No test cuts this server's power (chaos has stacks of its own), so nothing waits for the disk.
_OPTIONS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "4GB",
}


@dataclass(frozen=True)
class Databases:
    """One worker's database: the service's role, the owner, and the superuser (to plant what cannot happen)."""

    app_url: str
    owner_url: str
    admin_url: str


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A directory that all workers of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own if worker_id == "master" else own.parent


@pytest.fixture(scope="session")
def databases(shared: Path, worker_id: str) -> Iterator[Databases]:
    """A copy of the migrated template; the server starts with the first worker and ends with the last."""
    place = shared / "postgres"
    with _alone(shared):
        server = _first(place) if not (shared / "template").exists() else None
        access = json.loads((place / "access.json").read_text())
        if server:
            _prepare(server)
            (shared / "template").touch()
        users = shared / "users"
        users.write_text(str(int(users.read_text() if users.exists() else "0") + 1))
    name = f"zhida_{worker_id}"
    admin = f"postgresql://postgres:{access['admin']}@127.0.0.1:{access['port']}"
    asyncio.run(_copy(f"{admin}/postgres", name))
    here = f"127.0.0.1:{access['port']}/{name}"
    yield Databases(
        f"postgresql://zhida_app:{access['app']}@{here}",
        f"postgresql://zhida_owner:{access['owner']}@{here}",
        f"{admin}/{name}",
    )
    with _alone(shared):
        left = int(users.read_text()) - 1
        users.write_text(str(left))
    if server:
        _wait_for_others(shared)
        server.stop()


@contextmanager
def _alone(shared: Path) -> Iterator[None]:
    """One worker at a time."""
    with (shared / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _first(place: Path) -> PostgresHandle:
    prepare_access(place)
    return start(place, options=_OPTIONS)


def _prepare(server: PostgresHandle) -> None:
    """Migrate, and load what `zhida load --samples` loads."""
    urls = {"ZHIDA_OWNER_URL": server.owner_url, "ZHIDA_DATABASE_URL": server.app_url}
    for command in (["alembic", "-c", "pyproject.toml", "upgrade", "head"], ["service.cli", "load", "--samples"]):
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env={**os.environ, **urls}, check=True)
    asyncio.run(draw_nothing(f"{server.admin_url.rpartition('/')[0]}/zhida"))


async def draw_nothing(admin_url: str) -> None:
    """What a test approves, no chance keeps from being published, and signatures need no codes: whoever tests second
    reviews or step-ups sets their policy."""
    connection = await asyncpg.connect(admin_url)
    await connection.execute("SET session_replication_role = replica")
    await connection.execute("DELETE FROM policies WHERE key LIKE 'second_review%'")
    await connection.execute("UPDATE policies SET value = '\"none\"' WHERE key = 'step_up'")
    await connection.close()


async def _copy(admin_url: str, name: str) -> None:
    connection = await asyncpg.connect(admin_url)
    await connection.execute(f"DROP DATABASE IF EXISTS {name}")
    for attempt in range(50):
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE zhida OWNER zhida_owner")
            break
        except asyncpg.ObjectInUseError:  # another worker is copying
            await asyncio.sleep(0.1 * (attempt + 1))
    await connection.close()


def _wait_for_others(shared: Path) -> None:
    deadline = time.monotonic() + 600
    while _users(shared) > 0 and time.monotonic() < deadline:
        time.sleep(0.2)


def _users(shared: Path) -> int:
    with _alone(shared):  # who counts themselves out empties the file before it writes it
        return int((shared / "users").read_text())


@pytest.fixture(scope="session", autouse=True)
def environment(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """This process is configured as the service is: its own database, keys of its own, the demo's clock."""
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    secret = {name: base64.b64encode(os.urandom(32)).decode() for name in ("seal", "index")}
    keys.write_text(json.dumps({"current": "k1", "keys": {"k1": secret}}))
    clock = keys.with_name("clock-offset")
    clock.write_text("0")
    given = {
        "ZHIDA_DATABASE_URL": databases.app_url,
        "ZHIDA_REDIS_URL": "",
        "ZHIDA_KEY_FILE": str(keys),
        "ZHIDA_DEMO": "1",
        "ZHIDA_CLOCK_OFFSET": f"@{clock}",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        settings.settings.cache_clear()
        yield


@pytest.fixture
async def tx() -> AsyncIterator[database.Tx]:
    """A transaction as the service's role, rolled back after the test."""
    async with database.engine().connect() as connection:
        begun = await connection.begin()
        connection.info.pop("after_commit", None)
        yield connection
        await begun.rollback()
        connection.info.pop("after_commit", None)


@pytest.fixture
async def world(tx: database.Tx) -> World:
    """A stage with its cast, inside `tx`."""
    return await World.build(tx)


@pytest.fixture
async def committed() -> AsyncIterator[World]:
    """The same stage, committed: for races, tasks and HTTP. Its people are new for each test."""
    async with database.transaction() as connection:
        return await World.build(connection)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file's tests stay with one worker, so that what they share is made once. What shares a stack has been said
    before, by the conftest beside it."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(ROOT).as_posix()))
        if _is_heard_once(item.path):
            item.add_marker(pytest.mark.flaky(reruns=0))


def _is_heard_once(path: Path) -> bool:
    """A rule or a race that fails one time in many is wrong; what waits for a browser, a clock or a worker may have
    been late (decision 59)."""
    return path.relative_to(ROOT / "tests").parts[0] in {"domain", "gateways", "races"} or "machine" in path.name


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """More than a few late ones are no chance: then the run has failed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter and exitstatus == 0 and len(reporter.stats.get("rerun", [])) > HEARD_AGAIN_MAX:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which tests passed only when they were heard again, so that somebody mends them."""
    late = terminalreporter.stats.get("rerun", [])
    if late:
        terminalreporter.section(f"failed and were heard again (at most {HEARD_AGAIN_MAX})")
    for report in late:
        terminalreporter.write_line(f"{report.nodeid}\n{report.longreprtext}")
