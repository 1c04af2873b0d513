"""The disk of PostgreSQL's log is full in the middle of payments: what was committed is there afterwards, and what
was not never was.

The log lies on a small tmpfs in a mount namespace of its own. Where none is allowed the test says so and is not run.
"""

import asyncio
import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from domain.batch import BatchStatus
from service import database, settings
from service.audit.queries import verify
from service.database import transaction
from service.journal import By
from service.local import postgres
from service.reconciliation.commands import read, take_return
from tests.conftest import draw_nothing
from tests.payments import Stage, a_return, lines_of
from tests.world import World

ROOT = Path(__file__).parents[2]
TMPFS_MIB = 96
BEFORE, AT_MOST = 2, 40
#: Nobody signs over HTTP here, so nobody was answered.
NOT_HERE = {"answered_once"}
OPTIONS = {"max_wal_size": "48MB", "min_wal_size": "32MB", "wal_init_zero": "on", "wal_recycle": "off"}


def _may_mount() -> bool:
    try:
        return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@contextmanager
def _small_disk(wal: Path) -> Iterator[list[str]]:
    """A namespace in which `wal` lies on a small tmpfs; what one puts before a command to run it there."""
    aside = wal.with_name("wal.aside")
    mounting = (
        f"set -e; mv {wal} {aside}; mkdir {wal}; mount -t tmpfs -o size={TMPFS_MIB}m tmpfs {wal};"
        f" cp -a {aside}/. {wal}; chown --reference={aside} {wal}; chmod 700 {wal}; echo ready; exec sleep 900"
    )
    holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", mounting], stdout=subprocess.PIPE)
    try:
        assert holder.stdout
        assert holder.stdout.readline() == b"ready\n"
        yield ["nsenter", "--mount", f"--target={holder.pid}"]
    finally:
        holder.kill()
        holder.wait()


def _start(place: Path, within: list[str]) -> subprocess.Popen[bytes]:
    postgres.prepare_access(place)
    with (place / "postgres.log").open("ab") as sink:
        command = [*within, *postgres.command(place, options=OPTIONS)]
        server = subprocess.Popen(command, stdout=sink, stderr=sink, start_new_session=True)
    deadline = time.monotonic() + 60
    while not postgres.answers(place, server.pid):
        assert server.poll() is None, (place / "postgres.log").read_text()[-2000:]
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return server


async def _pay(world: World) -> UUID:
    """A claim that is filed, approved, paid and settled, each in a transaction of its own; the batch."""
    async with transaction() as tx:
        stage = await Stage.build(tx, world, claims=1)
    async with transaction() as tx:
        batch = await stage.sent(tx)
        lines = [(each.reference, each.amount_fen, "done", "") for each in await lines_of(tx, batch.id)]
    data = a_return(batch, lines)
    async with transaction() as tx:
        await take_return(tx, None, read(data), data, "bank", By("tests", world.now))
    return batch.id


async def _pay_until_the_disk_is_full(fill: Path, admin_url: str) -> list[UUID]:
    """The batches of which the server said that they are settled."""
    async with transaction() as tx:
        world = await World.build(tx)
    settled = [await _pay(world) for _ in range(BEFORE)]
    fills = ["dd", "if=/dev/zero", f"of={fill}", "bs=1M"]  # until nothing more goes in
    await (await asyncio.create_subprocess_exec(*fills, stderr=subprocess.DEVNULL)).wait()
    try:
        for _ in range(AT_MOST):
            settled.append(await _pay(world))
            line = await asyncpg.connect(admin_url)
            await line.execute("SELECT pg_switch_wal()")  # the next one needs a new segment
            await line.close()
    except (OSError, DBAPIError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return settled
    finally:
        await database.dispose()
    pytest.fail("the disk was never full")


async def _look(settled: list[UUID]) -> None:
    """Everything that was said to be settled is, every promise holds, and it goes on."""
    async with transaction() as tx:
        rows = await tx.exec_driver_sql("SELECT id FROM batches WHERE status = 'settled'")
        assert set(settled) <= set(rows.scalars())
        reports = await verify(tx)
        broken = {f"{each.name}: {each.detail}" for each in reports if not each.held and each.name not in NOT_HERE}
        assert broken == set()
        world = await World.build(tx)
    batch_id = await _pay(world)
    async with transaction() as tx:
        (status,) = await tx.exec_driver_sql(f"SELECT status FROM batches WHERE id = '{batch_id}'")
        assert status[0] == BatchStatus.SETTLED
    await database.dispose()


@pytest.mark.chaos
@pytest.mark.disk
@pytest.mark.timeout(300)
def test_a_full_disk_loses_nothing_that_was_said_to_be_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not _may_mount():
        pytest.skip("not run: no mount namespace of one's own is allowed here")
    tmp_path.parent.chmod(0o711)
    tmp_path.chmod(0o711)
    place = tmp_path / "pg"
    server = postgres.start(place, options={"fsync": "off", "synchronous_commit": "off"})
    urls = {"ZHIDA_OWNER_URL": server.owner_url, "ZHIDA_DATABASE_URL": server.app_url}
    _configure(tmp_path, server.app_url, monkeypatch)
    for command in (["alembic", "-c", "pyproject.toml", "upgrade", "head"], ["service.cli", "load", "--samples"]):
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env={**os.environ, **urls}, check=True)
    asyncio.run(draw_nothing(f"{server.admin_url.rpartition('/')[0]}/zhida"))
    server.stop()
    wal = (place / "server" / "data" / "pg_wal").resolve()
    with _small_disk(wal) as within:
        inside = Path(f"/proc/{within[-1].partition('=')[2]}/root{wal}/ballast")
        running = _start(place, within)
        try:
            settled = asyncio.run(_pay_until_the_disk_is_full(inside, server.admin_url))
            print(f"{len(settled)} batches were settled when the disk was full")
            assert "No space left on device" in (place / "postgres.log").read_text(errors="replace")
            running.kill()
            running.wait()
            inside.unlink()
            running = _start(place, within)
            asyncio.run(_look(settled))
        finally:
            running.kill()
            running.wait()


def _configure(tmp_path: Path, app_url: str, patch: pytest.MonkeyPatch) -> None:
    keys = tmp_path / "keys.json"
    pair = {use: base64.b64encode(os.urandom(32)).decode() for use in ("seal", "index")}
    keys.write_text(json.dumps({"current": "k1", "keys": {"k1": pair}}))
    for name, value in {"DATABASE_URL": app_url, "REDIS_URL": "", "KEY_FILE": str(keys), "DEMO": "1"}.items():
        patch.setenv(f"ZHIDA_{name}", value)
    settings.settings.cache_clear()
