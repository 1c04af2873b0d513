"""What a `zhida` command needs to work on the database of a stack in a data directory."""

import json
import os

from service.local.data_dir import DataDir
from service.local.postgres import Access


def environment_of(place: DataDir) -> dict[str, str]:
    """Variables that the environment does not set yet; empty where `place` holds no database.

    Servers and keys that the environment names are used, as `service/local/plan.py` does when it starts the stack.
    """
    access = place.path / "postgres" / "access.json"
    found: dict[str, str] = {}
    if not os.environ.get("ZHIDA_DATABASE_URL"):
        if not access.exists():
            return {}
        found["ZHIDA_DATABASE_URL"] = Access(**json.loads(access.read_text())).app_url
    if not os.environ.get("ZHIDA_KEY_FILE"):
        found["ZHIDA_KEY_FILE"] = str(place.path / "keys.json")
    if "ZHIDA_DEMO" not in os.environ and place.clock_file.exists():
        found |= {"ZHIDA_DEMO": "1", "ZHIDA_CLOCK_OFFSET": f"@{place.clock_file}"}
    return found
