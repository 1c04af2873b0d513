"""Which database a `zhida` command works on, and what it says when there is none."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.audit.queries import verify
from service.cli.audit import TITLES
from service.database import Tx
from service.local.data_dir import DataDir
from service.local.environment import environment_of

ROOT = Path(__file__).parents[2]


def zhida(*arguments: str, **named: str) -> subprocess.CompletedProcess[str]:
    """`zhida` with nothing set but what is named."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("ZHIDA_")}
    command = [sys.executable, "-m", "service.cli", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env={**plain, **named}, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def place(tmp_path: Path) -> DataDir:
    """A data directory whose stack is not running."""
    place = DataDir(tmp_path / "data")
    (place.path / "postgres").mkdir(parents=True)
    access = {"port": 1, "admin": "a", "owner": "o", "app": "p"}
    (place.path / "postgres" / "access.json").write_text(json.dumps(access))
    return place


@pytest.mark.parametrize("command", [["stats"], ["audit", "verify"]])
def test_without_a_database_a_command_says_so(tmp_path: Path, place: DataDir, command: list[str]) -> None:
    for directory in (tmp_path / "nothing", place.path):
        result = zhida(*command, ZHIDA_DATA_DIR=str(directory))
        assert (result.returncode, result.stdout) == (1, "")
        assert "make run" in result.stderr
        assert "Traceback" not in result.stderr


def test_what_is_named_is_used(place: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZHIDA_DATABASE_URL", "postgresql://somewhere")
    monkeypatch.setenv("ZHIDA_KEY_FILE", "some.json")
    monkeypatch.setenv("ZHIDA_DEMO", "1")
    place.clock_file.touch()
    assert environment_of(place) == {}


def test_what_is_not_named_is_the_stacks(place: DataDir, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ZHIDA_DATABASE_URL", "ZHIDA_KEY_FILE", "ZHIDA_DEMO", "ZHIDA_CLOCK_OFFSET"):
        monkeypatch.delenv(name, raising=False)
    own = {
        "ZHIDA_DATABASE_URL": "postgresql://zhida_app:p@127.0.0.1:1/zhida",
        "ZHIDA_KEY_FILE": str(place.path / "keys.json"),
    }
    assert environment_of(place) == own
    place.clock_file.touch()
    assert environment_of(place) == own | {"ZHIDA_DEMO": "1", "ZHIDA_CLOCK_OFFSET": f"@{place.clock_file}"}


async def test_every_promise_has_a_title_for_people(tx: Tx) -> None:
    assert {report.name for report in await verify(tx)} == set(TITLES)
