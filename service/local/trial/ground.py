"""A PostgreSQL of the trial's own, migrated and loaded with the published samples, and gone when it ends."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from service.local import postgres
from service.local.supervisor import ROOT

#: Nothing here outlives the trial, so nothing is waited for until it is on the disk.
_OPTIONS = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "256MB", "max_wal_size": "4GB"}


@dataclass(frozen=True)
class Ground:
    """One database: of the superuser who writes it, and of the service's role."""

    admin_url: str = field(repr=False)
    app_url: str = field(repr=False)


@contextmanager
def scratch_ground() -> Iterator[Ground]:
    """Whichever way it is stopped, nothing is left."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    above = Path(tempfile.mkdtemp(prefix="zhida-trial-"))
    above.chmod(0o711 if os.geteuid() == 0 else 0o700)  # root's PostgreSQL runs as somebody else
    place = above / "postgres"
    try:
        server = postgres.start(place, options=_OPTIONS)
        try:
            _prepare(server)
            yield Ground(f"{server.admin_url.rpartition('/')[0]}/zhida", server.app_url)
        finally:
            server.stop()
    finally:
        shutil.rmtree((place / "server").resolve(), ignore_errors=True)
        shutil.rmtree(above, ignore_errors=True)


def _prepare(server: postgres.PostgresHandle) -> None:
    urls = {"ZHIDA_OWNER_URL": server.owner_url, "ZHIDA_DATABASE_URL": server.app_url}
    for command in (["alembic", "-c", "pyproject.toml", "upgrade", "head"], ["service.cli", "load", "--samples"]):
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env={**os.environ, **urls},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise postgres.PostgresError(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
