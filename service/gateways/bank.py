"""The agent bank, spoken to about whole payment files.

POST {url}/files/{file_id}          the bytes, X-Content-SHA256 → 200 or 422 {"state", "sha256"}
GET  {url}/files/{file_id}          {"state": "accepted" | "refused" | "not_received", "closed", "sha256"}
POST {url}/files/{file_id}/close    the same, after closing the id if its file was not received
GET  {url}/files/{file_id}/return   200 the return file, 204 none yet
GET  {url}/payments/{reference}     {"reference", "amount_fen", "code", "reason"}, code as in `ReturnLine`; 404 for
                                    one it does not know, and 404, 405 or 501 from a bank that does not tell
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal, Protocol

import httpx
import msgspec

from domain.errors import Conflict, Unavailable
from service.gateways.asking import Heard, Line, NoAnswer

State = Literal["accepted", "refused", "not_received"]

_FILE_ID = re.compile(r"[A-Za-z0-9-]{1,35}", re.ASCII)

#: A return of 100,000 lines is about 8 MB.
RETURN_BYTES_MAX = 64 * 1024 * 1024

_CANNOT = frozenset({httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED, httpx.codes.NOT_IMPLEMENTED})


class BankRefused(Conflict):
    """`bank.refused`: the bank said definitely that it will pay nothing of this file."""

    def __init__(self, file_id: str) -> None:
        super().__init__("bank.refused", file_id=file_id)


@dataclass(frozen=True)
class FileState:
    """What the bank knows of a file. `sha256`: of the bytes it holds, when it says so; compare before believing."""

    state: State
    closed: bool = False
    sha256: str | None = None


class PaymentState(msgspec.Struct, frozen=True):
    """What the bank says of one payment, as a line of a return would."""

    reference: str
    amount_fen: int
    code: str
    reason: str = ""


class Bank(Protocol):
    """An agent bank. A file id is used for one file for ever."""

    async def send(self, file_id: str, data: bytes, sha256: str) -> None:
        """Hand the file over; returns only when the bank said that it accepted exactly these bytes.

        BankRefused when it refused the whole file. Everything else is Unavailable `bank.unclear`: the file may
        have been accepted, so it is never sent again; `enquire` finds out.
        """

    async def enquire(self, file_id: str) -> FileState:
        """What became of a file. Unavailable `bank.unavailable` when the bank does not say.

        `not_received` with `closed` means: the bank has closed this id, in one breath with looking, and will
        refuse it for ever, also when the file is still on its way; its payments may be made anew. A bank that
        cannot close an id answers `closed=False`, and then people must decide, never a timer.
        """

    async def enquire_payment(self, reference: str) -> PaymentState | None:
        """What became of one payment. None: the bank knows none by this reference, which proves nothing, or tells of
        none. Unavailable `bank.unavailable`."""

    async def fetch_return(self, file_id: str) -> bytes | None:
        """The return file as the bank wrote it; None while there is none. Unavailable `bank.unavailable`."""


class _Told(msgspec.Struct):
    state: State
    closed: bool = False
    sha256: str | None = None


class HttpBank:
    """A bank that is spoken to over HTTP. `client` belongs to one event loop and is closed by who made it."""

    def __init__(self, url: str, token: str, client: httpx.AsyncClient) -> None:
        self._line = Line(client, url, token, read_seconds=30, whole_seconds=120, bytes_max=RETURN_BYTES_MAX)

    async def send(self, file_id: str, data: bytes, sha256: str) -> None:
        path = _path(file_id)
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ValueError("the hash is not of these bytes")
        headers = {"X-Content-SHA256": sha256, "Content-Type": "application/octet-stream"}
        heard = await self._ask("bank.unclear", "POST", path, data, headers)
        told = _told(heard)
        if heard.status == httpx.codes.UNPROCESSABLE_ENTITY and told and told.state == "refused":
            raise BankRefused(file_id)
        if heard.status != httpx.codes.OK or not told or told.state != "accepted":
            raise Unavailable("bank.unclear", reason="status", status=heard.status)
        if told.sha256 != sha256:
            raise Unavailable("bank.unclear", reason="other_bytes")

    async def enquire(self, file_id: str) -> FileState:
        path = _path(file_id)
        state = _state(await self._ask("bank.unavailable", "GET", path))
        if state.state != "not_received" or state.closed:
            return state
        heard = await self._ask("bank.unavailable", "POST", f"{path}/close")
        return state if heard.status in _CANNOT else _state(heard)

    async def enquire_payment(self, reference: str) -> PaymentState | None:
        if not _FILE_ID.fullmatch(reference):
            raise ValueError("a reference is 1 to 35 letters and digits")
        heard = await self._ask("bank.unavailable", "GET", f"/payments/{reference}")
        if heard.status in _CANNOT:
            return None
        try:
            told = msgspec.json.decode(heard.body, type=PaymentState)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            told = None
        if heard.status != httpx.codes.OK or told is None or told.reference != reference:
            raise Unavailable("bank.unavailable", reason="status", status=heard.status)
        return told

    async def fetch_return(self, file_id: str) -> bytes | None:
        heard = await self._ask("bank.unavailable", "GET", f"{_path(file_id)}/return")
        if heard.status == httpx.codes.NO_CONTENT:
            return None
        if heard.status != httpx.codes.OK:
            raise Unavailable("bank.unavailable", reason="status", status=heard.status)
        if heard.headers.get("x-content-sha256") not in (None, hashlib.sha256(heard.body).hexdigest()):
            raise Unavailable("bank.unavailable", reason="damaged")
        return heard.body

    async def _ask(
        self, code: str, method: str, path: str, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Heard:
        try:
            return await self._line.ask(method, path, data, headers)
        except NoAnswer as nothing:
            raise Unavailable(code, reason=nothing.reason) from nothing


def _path(file_id: str) -> str:
    if not _FILE_ID.fullmatch(file_id):
        raise ValueError("a file id is 1 to 35 letters, digits and hyphens")
    return f"/files/{file_id}"


def _told(heard: Heard) -> _Told | None:
    try:
        return msgspec.json.decode(heard.body, type=_Told)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _state(heard: Heard) -> FileState:
    told = _told(heard)
    if heard.status != httpx.codes.OK or told is None:
        raise Unavailable("bank.unavailable", reason="status", status=heard.status)
    return FileState(told.state, told.closed, told.sha256)
