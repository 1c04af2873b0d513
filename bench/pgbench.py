"""pgbench, from the same bin directory as the server: how fast the bare statements go with as many clients."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from bench.ground import Database, Ground


@dataclass(frozen=True)
class Pace:
    """Transactions a second, and how long each took in milliseconds."""

    a_second: float
    count: int
    milliseconds: list[float]


def run_script(ground: Ground, database: Database, script: Path, clients: int, seconds: int, first: int) -> Pace:
    """`clients` connections run the script for some seconds; `:first` is where its numbers begin."""
    url = urlsplit(database.app_url)
    command = [
        *(str(ground.bin / "pgbench"), "-n", "-M", "prepared", "-f", str(script), "-c", str(clients), "-j", "2"),
        *("-T", str(seconds), "-D", f"first={first}", "-D", "i=0", "-l", "--log-prefix=times"),
        *("-h", str(url.hostname), "-p", str(url.port), "-U", str(url.username), database.name),
    ]
    environment = {**os.environ, "PGPASSWORD": str(url.password)}
    with TemporaryDirectory() as place:
        done = subprocess.run(  # noqa: S603 (our own command line)
            command, cwd=place, env=environment, capture_output=True, text=True, check=False
        )
        found = re.search(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
        if done.returncode or not found or "aborted" in done.stderr:
            raise RuntimeError(f"pgbench: {done.stderr[:2000]}{done.stdout}")
        times = [
            int(line.split()[2]) / 1000
            for log in Path(place).glob("times.*")
            for line in log.read_text().splitlines()
        ]
    return Pace(float(found[1]), len(times), times)
