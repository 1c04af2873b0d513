"""Asking another system over HTTP: bounded in time and size, and every way of getting no answer has a name."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx


class NoAnswer(Exception):
    """Nobody knows what the other side did. `reason`: timeout, connect, broken, too_large."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Heard:
    """A complete answer of any status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def new_client() -> httpx.AsyncClient:
    """A client for one event loop. Proxies come from the environment as usual; redirects are never followed."""
    return httpx.AsyncClient(follow_redirects=False)


@dataclass(frozen=True)
class Line:
    """A way to one system: its address, its token, the seconds and bytes an answer may take."""

    client: httpx.AsyncClient
    url: str
    token: str = field(repr=False)
    connect_seconds: float = 2
    read_seconds: float = 10
    whole_seconds: float = 15
    bytes_max: int = 2 * 1024 * 1024

    async def ask(
        self, method: str, path: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Heard:
        """Send one request and read the whole answer; NoAnswer when that did not come about."""
        try:
            async with asyncio.timeout(self.whole_seconds):
                return await self._ask(method, path, content, headers or {})
        except (TimeoutError, httpx.TimeoutException) as late:
            raise NoAnswer("timeout") from late
        except httpx.ConnectError as closed:
            raise NoAnswer("connect") from closed
        except httpx.HTTPError as broken:
            raise NoAnswer("broken") from broken

    async def _ask(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> Heard:
        sent = {
            **headers,
            "Authorization": f"Bearer {self.token}",
            # A compressed answer could be small on the way and huge in memory.
            "Accept-Encoding": "identity",
        }
        timeout = httpx.Timeout(self.read_seconds, connect=self.connect_seconds)
        url = self.url.rstrip("/") + path
        async with self.client.stream(
            method, url, content=content, headers=sent, timeout=timeout, follow_redirects=False
        ) as response:
            body = bytearray()
            async for part in response.aiter_raw():
                body += part
                if len(body) > self.bytes_max:
                    raise NoAnswer("too_large")
            return Heard(response.status_code, dict(response.headers), bytes(body))
