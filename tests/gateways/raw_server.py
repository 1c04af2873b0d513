"""A server that says exactly the bytes it was given: what no decent stand-in would say."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager


@asynccontextmanager
async def saying(*answers: bytes, then_wait: float = 0) -> AsyncIterator[str]:
    """Answer the n-th connection with the n-th of `answers` (then the last again), wait, and hang up."""
    served = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        answer = answers[min(served, len(answers) - 1)]
        served += 1
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(_length(head))
            writer.write(answer)
            await writer.drain()
            await asyncio.sleep(then_wait)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the caller gave up first, which is what some of these answers are for
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def answer(body: bytes, status: int = 200, headers: Sequence[str] = ()) -> bytes:
    lines = [f"HTTP/1.1 {status} as told", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _length(head: bytes) -> int:
    for line in head.decode().lower().splitlines():
        if line.startswith("content-length:"):
            return int(line.partition(":")[2])
    return 0
