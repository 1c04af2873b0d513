"""PostgreSQL of our own: who it runs as, what survives, what it never does."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from service.local.ports import is_free
from service.local.postgres import PostgresError, PostgresHandle, bin_directory, start

AS_ROOT = ["nobody", "namespace"] if os.geteuid() == 0 else []


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A data directory; what was moved out of a closed home goes with it."""
    yield tmp_path / "pg"
    server = tmp_path / "pg" / "server"
    if server.is_symlink():
        shutil.rmtree(server.resolve())


async def ask(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


@pytest.mark.parametrize("way", ["", *AS_ROOT])
async def test_rows_survive_kill_9_whoever_the_server_runs_as(
    way: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pytest's directories are 0700, so that `nobody` has to move out of a closed home.
    monkeypatch.setenv("ZHIDA_PG_AS", way)
    monkeypatch.setenv("PATH", "/nonexistent")
    server = start(home)
    try:
        await ask(server.owner_url, "CREATE TABLE kept (n int)")
        for n in range(3):
            await ask(server.owner_url, f"INSERT INTO kept VALUES ({n})")
        assert process_user(server) == way_user(way)
    finally:
        server.process.kill()
        server.process.wait()
    again = start(home)
    try:
        assert await ask(again.owner_url, "SELECT count(*) FROM kept") == 3
        assert again.owner_url == server.owner_url  # passwords and port are kept between runs
    finally:
        again.stop()
    assert is_free(int(again.owner_url.rpartition(":")[2].partition("/")[0]))


def way_user(way: str) -> int:
    """Seen from outside: a namespace keeps the number, `nobody` has its own."""
    return 65534 if way == "nobody" else os.geteuid()


def process_user(server: PostgresHandle) -> int:
    return Path(f"/proc/{server.process.pid}").stat().st_uid


async def test_roles_have_no_more_rights_than_they_need(home: Path) -> None:
    server = start(home, options={"max_connections": "17"})
    try:
        rights = "SELECT rolsuper::text || rolcreatedb || rolcreaterole FROM pg_roles WHERE rolname = current_user"
        assert await ask(server.owner_url, rights) == "falsefalsetrue"
        assert await ask(server.app_url, rights) == "falsefalsefalse"
        assert await ask(server.admin_url, "SHOW fsync") == "on"
        assert await ask(server.admin_url, "SHOW listen_addresses") == "127.0.0.1"
        assert await ask(server.admin_url, "SHOW server_encoding") == "UTF8"
        assert await ask(server.admin_url, "SHOW max_connections") == "17"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await ask(server.app_url, "CREATE TABLE public.mine (n int)")
        with pytest.raises(asyncpg.InvalidPasswordError):
            await ask(server.app_url.replace("zhida_app:", "zhida_app:no"), "SELECT 1")
    finally:
        server.stop()
    assert (home / "access.json").stat().st_mode & 0o777 == 0o600


def test_a_stale_pid_file_that_names_a_living_stranger_does_not_hinder(home: Path) -> None:
    server = start(home)
    pid_file = home / "server" / "data" / "postmaster.pid"
    text = pid_file.read_text()
    server.process.kill()
    server.process.wait()
    pid_file.write_text(text.replace(str(server.process.pid), str(os.getpid()), 1))
    again = start(home)
    again.stop()
    assert again.process.returncode == 0


def test_a_server_that_was_left_running_is_ended_first(home: Path) -> None:
    left = start(home)
    again = start(home)
    try:
        assert left.process.wait(5) is not None
        assert again.process.poll() is None
    finally:
        again.stop()


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    with pytest.raises(PostgresError, match="no_such_setting"):
        start(home, options={"no_such_setting": "1"})


def test_lost_passwords_are_said_and_the_cluster_is_left_alone(home: Path) -> None:
    start(home).stop()
    (home / "access.json").unlink()
    with pytest.raises(PostgresError, match="passwords"):
        start(home)
    assert (home / "server" / "data" / "PG_VERSION").exists()


def test_a_start_that_was_killed_halfway_leaves_nothing_in_the_way(home: Path) -> None:
    (home / "server" / "data.new").mkdir(parents=True)
    (home / "server" / "data.new" / "half").write_text("a cluster")
    server = start(home)
    server.stop()
    assert not (home / "server" / "data.new").exists()


def test_another_bin_directory_may_be_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHIDA_PG_BIN", "/nonexistent/bin")
    with pytest.raises(PostgresError):
        start(home)
    monkeypatch.delenv("ZHIDA_PG_BIN")
    server = start(home, bin_directory())
    server.stop()
    assert server.process.returncode == 0
