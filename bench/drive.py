"""Clients in a process of their own: `python -m bench.drive HOST PORT REQUESTS CLIENTS SECONDS`.

Plain sockets: a client library would take more of the machine than the service that is measured. Prints one JSON
object: answers, seconds, milliseconds of each, the first answer that was not 201, and processor seconds used here.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import uvloop


@dataclass
class _Seen:
    milliseconds: list[float] = field(default_factory=list)
    failed: str = ""


def _requests(file: Path, host: str) -> Iterator[bytes]:
    with file.open() as lines:
        for line in lines:
            token, key, body = json.loads(line)
            content = json.dumps(body, ensure_ascii=False).encode()
            yield (
                f"POST /api/claims HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
                f"Idempotency-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
            ).encode() + content


async def _client(host: str, port: int, requests: Iterator[bytes], until: float, seen: _Seen) -> None:
    reader, writer = await asyncio.open_connection(host, port)
    for request in requests:
        began = monotonic()
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        body = await reader.readexactly(length)
        ended = monotonic()
        if not head.startswith(b"HTTP/1.1 201"):
            seen.failed = seen.failed or head.decode() + body.decode()
            break
        seen.milliseconds.append((ended - began) * 1000)
        if ended > until:
            break
    writer.close()


async def _drive(host: str, port: int, file: Path, clients: int, seconds: float) -> dict[str, Any]:
    requests, seen = _requests(file, host), _Seen()
    began, used = monotonic(), process_time()
    until = began + seconds
    await asyncio.gather(*(_client(host, port, requests, until, seen) for _ in range(clients)))
    return {
        "answers": len(seen.milliseconds),
        "seconds": monotonic() - began,
        "milliseconds": [round(each, 3) for each in seen.milliseconds],
        "failed": seen.failed,
        "cpu_seconds": process_time() - used,
    }


def _main() -> None:
    host, port, file, clients, seconds = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        told = runner.run(_drive(host, int(port), Path(file), int(clients), float(seconds)))
    print(json.dumps(told))


if __name__ == "__main__":
    _main()
