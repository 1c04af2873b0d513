"""`zhida load` in a real installation: what is published, and no sample."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncpg

from tests.conftest import ROOT, Databases
from tests.test_migrations import _on, database_at

OWN = """
[[policy]]
key = "claim_window_months"
value = 18
from = 2026-01-01
source = "济人社发〔2026〕1号"
basis = "证书核发之日起 18 个月内申领"
"""


#: The sample's steps, under the city's own name and from a later day on.
LADDER = (
    (ROOT / "data/penalty-ladder.toml")
    .read_text("utf-8")
    .replace('"sample-2019"', '"city-2026"')
    .replace("from = 2019-01-01", "from = 2026-01-01")
    .replace("sample = true", "sample = false")
)


def load(url: str, *options: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"ZHIDA_DEMO", "ZHIDA_CLOCK_OFFSET"}}
    environment = {**kept, "ZHIDA_DATABASE_URL": url}
    command = [sys.executable, "-m", "service.cli", "load", *options]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False, capture_output=True, text=True)


async def test_samples_come_only_when_they_are_asked_for(databases: Databases, tmp_path: Path) -> None:
    own, broken = tmp_path / "own.toml", tmp_path / "broken.toml"
    own.write_text(OWN, "utf-8")
    broken.write_text(OWN.replace("18\n", '"18"\n'), "utf-8")
    async with database_at(databases, "head") as name:
        admin = await asyncpg.connect(_on(databases.admin_url, name))
        url = _on(databases.app_url, name)
        refused = await asyncio.to_thread(load, url, "--policies", str(broken))
        assert (refused.returncode, "Traceback" in refused.stderr) == (1, False), refused.stderr
        loaded = await asyncio.to_thread(load, url, "--policies", str(own))
        assert loaded.returncode == 0, loaded.stderr
        assert await admin.fetchval("SELECT count(*) FROM penalty_ladders") == 0
        own.write_text(LADDER.replace("yearly_points = 100", ""), "utf-8")
        refused = await asyncio.to_thread(load, url, "--policies", str(own))
        assert (refused.returncode, "yearly_points" in refused.stderr) == (1, True), refused.stderr
        assert "Traceback" not in refused.stderr
        own.write_text(LADDER, "utf-8")
        for _ in range(2):
            assert (await asyncio.to_thread(load, url, "--policies", str(own))).returncode == 0
        assert [*map(tuple, await admin.fetch("SELECT code, sample FROM penalty_ladders"))] == [("city-2026", False)]
        assert await admin.fetchval("SELECT count(*) FROM standard_sets") == 0
        assert await admin.fetchval("SELECT count(*) FROM catalog_items") > 700
        policies = {row["key"]: row["source"] for row in await admin.fetch("SELECT key, source FROM policies")}
        assert policies["claim_window_months"] == "济人社发〔2026〕1号"
        assert {"age_from_years", "lawsuit_months"} < policies.keys()
        assert not any(source.startswith("示例") for source in policies.values())
        with_samples = await asyncio.to_thread(load, url, "--samples")
        assert with_samples.returncode == 0, with_samples.stderr
        assert await admin.fetchval("SELECT count(*) FROM standard_sets WHERE sample AND status = 'published'") == 1
        assert await admin.fetchval("SELECT source FROM policies WHERE key = 'once_in'") > ""
        await admin.close()
