"""HTTP as patient people use it: the same request again, under the same key, until there is an answer."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import httpx

from service.local.sample_codes import SampleCodes

PASSWORD = "zhida-demo"  # noqa: S105 (the sample cast's, on loopback)
WIDTH = 8
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_CALL_SECONDS_MAX = 30
#: Refusals that mean: somebody else is at it, ask again.
_BUSY = {"busy", "idempotency.busy"}


class Unexpected(RuntimeError):
    """The answer is none that the one who asked can go on with; the message says which."""


class GaveUp(Unexpected):
    """There was no answer for as long as patience lasted."""


@dataclass(frozen=True)
class Reply:
    """`code` of a problem, else empty; `body` is the decoded JSON, or the bytes of what is none; None for nothing."""

    status: int
    code: str
    body: Any

    @classmethod
    def of(cls, response: httpx.Response) -> "Reply":
        is_json = "json" in response.headers.get("content-type", "")
        said = (response.json() if is_json else response.content) if response.content else None
        code = "" if response.is_success else str((said or {}).get("code", "")) if isinstance(said, dict) else ""
        return cls(response.status_code, code, said)

    @property
    def again(self) -> str:
        """Why to ask again; empty when this is the answer."""
        later = self.status >= httpx.codes.INTERNAL_SERVER_ERROR or self.code in _BUSY
        return f"{self.status} {self.code}".strip() if later else ""


@dataclass
class Desk:
    """The doors of a stack. At most WIDTH requests are under way; each is repeated for `patience` seconds."""

    address: str
    stand_ins: dict[str, tuple[str, str]]  # registry, bank, sms: address and token of its controls
    patience: float
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=_CALL_SECONDS_MAX))

    def __post_init__(self) -> None:
        self._free = asyncio.Semaphore(WIDTH)
        self._tokens: dict[str, str] = {}
        self._codes = SampleCodes()

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        login: str | None = None,
        bearer: str | None = None,
        key: str | None = None,
        refusals: Collection[str] = (),
        kind: str = "text/csv",
        step_up: str | None = None,
    ) -> Reply:
        """Ask the service, as `login` when one is named, or as the device whose key is `bearer`. A refusal whose code
        is not among `refusals` is Unexpected; no answer at all is GaveUp. With a `key` a request that went through
        twice has one effect. A body of bytes is a file of this `kind`. `step_up` is a token for what is signed."""

        async def attempt() -> Reply | str:
            headers = {"Idempotency-Key": key} if key else {}
            if step_up:
                headers["Zhida-Step-Up"] = step_up
            if isinstance(body, bytes):
                headers["Content-Type"] = kind
            if token := bearer or (login and await self.sign_in(login)):
                headers["Authorization"] = f"Bearer {token}"
            reply = await self._send(method, f"{self.address}{path}", body, headers)
            if login and isinstance(reply, Reply) and reply.status == httpx.codes.UNAUTHORIZED:
                self._tokens.pop(login, None)
                return "401"
            return reply

        reply = await self._patiently(attempt, f"{method} {path}")
        if reply.status < httpx.codes.BAD_REQUEST or reply.code in refusals:
            return reply
        said = reply.body.get("detail", "") if isinstance(reply.body, dict) else ""
        raise Unexpected(f"{method} {path} ({login or '—'}): {reply.status} {reply.code} {said}")

    async def sign_in(self, login: str) -> str:
        """The token of `login`; the session is kept."""
        if login not in self._tokens:
            body = {"login": login, "password": PASSWORD}
            reply = await self.ask("POST", "/api/sign-in", body)
            self._tokens[login] = reply.body["token"]
        return self._tokens[login]

    async def step_up(self, login: str, signs: list[dict[str, str]]) -> str:
        """A token for the named signatures of `login`, by the next code of their telephone."""
        while True:
            code, wait = self._codes.next(login)
            await asyncio.sleep(wait)
            body = {"password": PASSWORD, "code": code, "signs": signs}
            reply = await self.ask("POST", "/api/step-up", body, login=login, refusals={"step_up.used"})
            if not reply.code:
                return str(reply.body["token"])

    async def control(self, name: str, method: str, path: str, body: Any = None) -> Any:
        """Speak to the controls of a stand-in and answer what it said."""
        url, token = self.stand_ins[name]
        headers = {"Authorization": f"Bearer {token}"}
        reply = await self._patiently(
            lambda: self._send(method, f"{url}{path}", body, headers), f"{name} {method} {path}"
        )
        if reply.status >= httpx.codes.BAD_REQUEST:
            raise Unexpected(f"{name} {method} {path}: {reply.status}")
        return reply.body

    async def _send(self, method: str, url: str, body: Any, headers: dict[str, str]) -> Reply | str:
        async with self._free:
            try:
                if isinstance(body, bytes):
                    return Reply.of(await self.http.request(method, url, content=body, headers=headers))
                return Reply.of(await self.http.request(method, url, json=body, headers=headers))
            except httpx.TransportError as silence:
                return type(silence).__name__

    async def _patiently(self, attempt: Callable[[], Awaitable[Reply | str]], what: str) -> Reply:
        deadline, pause = time.monotonic() + self.patience, _FIRST_PAUSE
        while True:
            reply = await attempt()
            why = reply.again if isinstance(reply, Reply) else reply
            if isinstance(reply, Reply) and not why:
                return reply
            if time.monotonic() > deadline:
                raise GaveUp(f"{what}: {why}，等了 {self.patience:.0f} 秒")
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
