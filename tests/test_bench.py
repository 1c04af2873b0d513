"""The bench runs; how fast anything is belongs to `docs/performance.md`, never to a test."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


def bench(file: Path, *options: str) -> Any:
    """`python -m bench` with nothing configured; what it wrote as JSON."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZHIDA_")}
    command = [sys.executable, "-m", "bench", *options, "--json", str(file)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("cores ")
    assert "what each hot path costs" in done.stdout
    return json.loads(file.read_text())


def test_a_small_bench_prints_its_table(tmp_path: Path) -> None:
    told = bench(tmp_path / "bench.json", "--size", "0.001", "--turns", "1", "--only", "share")
    assert {each["part"] for each in told["figures"]} == {"share"}
    assert all(each["value"] > 0 for each in told["figures"])
    assert {"cores", "memory", "postgresql", "seed"} <= set(told["on"])


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", ["verification", "assembling", "settling", "share", "whatif", "pages"])
def test_the_large_fixtures_go_all_the_way(part: str, tmp_path: Path) -> None:
    """Each part counts what came out: every claim verified, every line in the batch, every return settled, every page
    shown."""
    size = os.environ.get("ZHIDA_LONG_SIZE", "1")
    told = bench(tmp_path / "bench.json", "--size", size, "--turns", "1", "--only", part)
    assert {each["part"] for each in told["figures"]} == {part}


#: Whose memory → MiB at most, of a roster of 50,000 lines as of any smaller one.
MEMORY_MAX = {"the worker": 512, "the child that reads": 1024, "the API": 512}


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_fifty_thousand_lines_go_all_the_way_in_bounded_memory(tmp_path: Path) -> None:
    """Handed in over HTTP as CSV and as XLSX, filed by a worker, the lines to mend fetched; the part counts them."""
    size = os.environ.get("ZHIDA_LONG_SIZE", "1")
    told = bench(tmp_path / "bench.json", "--size", size, "--turns", "1", "--only", "rosters")
    peaks = [(each["name"], each["value"]) for each in told["figures"] if each["unit"] == "MiB"]
    assert {name for name, _ in peaks} == {f"memory of {who}, peak" for who in MEMORY_MAX}
    for who, most in MEMORY_MAX.items():
        assert all(0 < value <= most for name, value in peaks if name == f"memory of {who}, peak")
