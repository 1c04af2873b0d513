"""A rehearsed season during which every part is killed with -9: nothing is lost, nobody is paid twice."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.local.rehearsal.kills import VIOLENCE

ROOT = Path(__file__).parents[2]
#: `make chaos` wants more.
CLAIMS = int(os.environ.get("ZHIDA_CHAOS_CLAIMS") or 40)
#: Lost messages are sent again soon, and work that stands still is handed out a second time.
LEASE_SECONDS = 8
SECONDS_MAX = 500 + 2 * CLAIMS


def a_seed() -> int:
    """ZHIDA_CHAOS_SEED repeats a season; without it each run is another."""
    return int(os.environ.get("ZHIDA_CHAOS_SEED") or random.randrange(10**6))


@pytest.mark.chaos
@pytest.mark.timeout(SECONDS_MAX + 100)
def test_every_promise_holds_while_every_part_is_killed(tmp_path: Path) -> None:
    seed = a_seed()
    print(f"ZHIDA_CHAOS_SEED={seed}")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZHIDA_")}
    environment["ZHIDA_JOB_LEASE_SECONDS"] = str(LEASE_SECONDS)
    options = ["--claims", str(CLAIMS), "--seed", str(seed), "--kill", "--json", "--data", str(tmp_path / "data")]
    command = [sys.executable, "-m", "service.cli", "rehearse", *options]
    said = tmp_path / "said"
    with said.open("wb") as words:
        season = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=words, start_new_session=True
        )
    try:
        told_json, _ = season.communicate(timeout=SECONDS_MAX)
    except subprocess.TimeoutExpired:
        os.killpg(season.pid, signal.SIGTERM)  # its stack ends in order, and its files stay to be looked at
        season.wait()
        pytest.fail(f"ZHIDA_CHAOS_SEED={seed}: no end after {SECONDS_MAX} s\n{said.read_text()}")
    assert season.returncode == 0, f"ZHIDA_CHAOS_SEED={seed}\n{said.read_text()}{told_json.decode()}"
    told = json.loads(told_json)
    print(", ".join(f"{name} {times}" for name, times in sorted(told["violence"].items())))
    print(", ".join(f"{each['name']} {each['seconds']:.0f} s" for each in told["stages"]))
    assert all(each["held"] for each in told["promises"])
    claims = told["claims"]
    assert (claims["filed"], claims["open"]) == (CLAIMS, 0)
    assert claims["paid"] + claims["bounced"] + claims["refused"] + claims["withdrawn"] == CLAIMS
    # Every part fell, and each mischief met something that it could do harm to.
    assert [name for name in VIOLENCE if not told["violence"].get(name)] == []
