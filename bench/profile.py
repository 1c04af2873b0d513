"""Where the processor time of a filing goes: `python -m bench.profile` calls the application in this process.

Without sockets and clients, so everything in the list is the product's own. cProfile makes Python's share look larger
than it is: compare lines with each other, not with the bench.
"""

import asyncio
import cProfile
import json
import os
import pstats
import sys
from itertools import islice
from pathlib import Path
from typing import Any

from bench import trainees
from bench.ground import find_ground
from service import clock
from service.app import create_app
from service.database import dispose
from service.settings import settings

_WARM_UP, _FILINGS = 100, 400


async def _file(app: Any, token: str, key: str, body: dict[str, Any]) -> None:
    content = json.dumps(body, ensure_ascii=False).encode()
    headers = {"authorization": f"Bearer {token}", "idempotency-key": key, "content-type": "application/json"}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/claims",
        "raw_path": b"/api/claims",
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "state": {},
    }
    said: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await app(scope, receive, send)
    assert said[0]["status"] == 201, said


async def _profile(requests: Path) -> cProfile.Profile:
    app, profile = create_app(), cProfile.Profile()
    with requests.open() as lines:
        for line in islice(lines, _WARM_UP):
            await _file(app, *json.loads(line))
        rest = [json.loads(line) for line in lines]
    began = os.times()
    for each in rest[: _FILINGS // 2]:
        await _file(app, *each)
    ended, each = os.times(), 2000 / _FILINGS
    user, system = (ended.user - began.user) * each, (ended.system - began.system) * each
    print(f"processor time per filing, not profiled: {user:.2f} ms here, {system:.2f} ms in the kernel")
    profile.enable()
    for each in rest[_FILINGS // 2 :]:
        await _file(app, *each)
    profile.disable()
    await dispose()
    return profile


def _main() -> None:
    order = sys.argv[1] if len(sys.argv) > 1 else "tottime"
    with find_ground() as ground:
        database, requests = ground.database("bench_profile"), ground.place.path / "requests"
        trainees.make_trainees(database, _WARM_UP + _FILINGS, 1, clock.today(), requests)
        os.environ["ZHIDA_DATABASE_URL"] = database.app_url
        settings.cache_clear()
        profile = asyncio.run(_profile(requests))
    pstats.Stats(profile).sort_stats(order).print_stats(45)


if __name__ == "__main__":
    _main()
