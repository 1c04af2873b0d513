"""A small rehearsed season as anybody would run it: one command, every claim at its end, every promise kept."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from service.local.data_dir import DataDir
from service.local.status import read_status

ROOT = Path(__file__).parents[2]
CLAIMS = 12


def run(*options: str) -> subprocess.CompletedProcess[str]:
    """`zhida rehearse` with nothing configured."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ZHIDA_")}
    command = [sys.executable, "-m", "service.cli", "rehearse", *options]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False
    )


def told_by(done: subprocess.CompletedProcess[str]) -> Any:
    """The one object on stdout, when all went well."""
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


@pytest.mark.xdist_group("rehearse")
def test_every_claim_of_a_small_season_ends_and_every_promise_holds(tmp_path: Path) -> None:
    place = tmp_path / "data"
    told = told_by(run("--claims", str(CLAIMS), "--seed", "7", "--json", "--data", str(place)))
    assert set(told) == {"claims", "share_individual", "promises", "stages"}
    assert [each["detail"] for each in told["promises"] if not each["held"]] == []
    own = {"bank_ledger_agrees", "classes_drawn_down"}
    assert {"jobs_end", "journal_equals_rows", *own} <= {each["name"] for each in told["promises"]}
    claims = told["claims"]
    # Troubles of a season of twelve: two the registry does not confirm, one withdrawn, one dead account, one payment
    # that came back; turned away are one repeated, one overdue, and one with a code that the catalog does not have,
    # which its clerk mends. Who comes back and who is silent then is chance.
    bounced, paid = claims.pop("bounced"), claims.pop("paid")
    # Of the institutions' eight, six learned in a class: not the repeated one, nor whose certificate is another's.
    by_channel = {"filed": CLAIMS, "individual": 4, "institution": 8, "of_classes": 6}
    assert claims == by_channel | {"rejected": 3, "refused": 2, "withdrawn": 1, "open": 0}
    assert bounced + paid == 9
    assert bounced <= 2
    # The one withdrawn was an individual's, and a withdrawn claim is not counted in the share.
    assert told["share_individual"]["count"] == pytest.approx(3 / 11, abs=1e-4)
    assert 0 < told["share_individual"]["amount"] < 1
    items = {stage["name"]: stage["items"] for stage in told["stages"]}
    # Ten in each class, the fewest; ten half days of four hours make the forty of the lowest level.
    assert [items[name] for name in ("inspect", "classes", "patrol_draw", "patrols", "close_classes")] == [2] * 5
    assert (items["attendance"], items["results"]) == (2 * 10 * 10, 2 * 10)
    # Six of the institutions' eight stand in rosters, and the overdue one; a digit, a code and a day are mended, and
    # the repeated one is handed in with them.
    assert (items["file"], items["roster"], items["roster_mend"]) == (6, 7, 4)
    assert (items["pay"], items["come_back"]) == (9, 1)
    assert items["mend"] == items["pay_again"] == 2 - bounced
    assert read_status(DataDir(place)).address is None  # the stack it started is stopped
