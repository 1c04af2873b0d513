"""The registry of certificates, asked over an exchange interface: a set of numbers in, what is known of each out.

    POST {url}/lookup   {"numbers": ["S000…", …]}
    200                 {"rows": [{"number": "S000…", "status": "found" | "absent" | "revoked",
                                   "entries": [{"holder_name"?, "id_number"?, "occupation_code"?, "level"?,
                                                "issued_on"?: "2025-03-01", "revoked_on"?}]}]}

The registry's own site is a form with a captcha and is never scraped.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal, Protocol

import httpx
import msgspec

from domain.errors import Unavailable
from domain.verification import RegistryEntry
from service.clock import now
from service.gateways.asking import Line, NoAnswer

NUMBERS_MAX = 200


@dataclass(frozen=True)
class Reply:
    """What a registry said about a set of numbers.

    `entries`: for each answered number what is registered, [] when the registry said that it has none.
    `unanswered`: asked, but neither found nor said to be absent, or said to be both; ask again, it is not
    `not_found`. `raw`: the reply's bytes as they came, personal data in clear. `ignored`: rows nobody asked for
    or that could not be read.
    """

    entries: dict[str, list[RegistryEntry]] = field(repr=False)
    raw: bytes = field(repr=False)
    received_at: datetime
    source: str
    unanswered: frozenset[str] = frozenset()
    ignored: int = 0


class CertificateRegistry(Protocol):
    """Whoever keeps the certificates; `source` is what tells one from another."""

    @property
    def source(self) -> str: ...

    async def look_up(self, numbers: Sequence[str]) -> Reply:
        """Ask about at most 200 numbers at once (ValueError above that).

        Unavailable `registry.unavailable` when nothing usable came back; `reason` says how: timeout, connect,
        broken, too_large, status, malformed, no_row.
        """


class _Entry(msgspec.Struct):
    holder_name: str | None = None
    id_number: str | None = None
    occupation_code: str | None = None
    level: str | None = None
    issued_on: date | None = None
    revoked_on: date | None = None


class _Row(msgspec.Struct):
    number: str
    status: Literal["found", "absent", "revoked"]
    entries: list[_Entry] = []


class _Rows(msgspec.Struct):
    rows: list[msgspec.Raw]


_ROWS, _ROW = msgspec.json.Decoder(_Rows), msgspec.json.Decoder(_Row)


class HttpRegistry:
    """A registry that answers over HTTP. `client` belongs to one event loop and is closed by who made it."""

    def __init__(self, url: str, token: str, client: httpx.AsyncClient) -> None:
        self.source = url
        self._line = Line(client, url, token)

    async def look_up(self, numbers: Sequence[str]) -> Reply:
        asked = list(dict.fromkeys(numbers))
        if len(asked) > NUMBERS_MAX:
            raise ValueError(f"at most {NUMBERS_MAX} numbers a call")
        question = msgspec.json.encode({"numbers": asked})
        try:
            heard = await self._line.ask("POST", "/lookup", question, {"Content-Type": "application/json"})
        except NoAnswer as nothing:
            raise Unavailable("registry.unavailable", reason=nothing.reason) from nothing
        if heard.status != httpx.codes.OK:
            raise Unavailable("registry.unavailable", reason="status", status=heard.status)
        return _understand(heard.body, frozenset(asked), now(), self.source)


def _understand(raw: bytes, asked: frozenset[str], received_at: datetime, source: str) -> Reply:
    try:
        rows = _ROWS.decode(raw).rows
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise Unavailable("registry.unavailable", reason="malformed") from broken
    entries: dict[str, list[RegistryEntry]] = {}
    told: dict[str, set[bool]] = {}  # number → whether it was said to be registered
    ignored = 0
    for part in rows:
        row = _read(part)
        if row is None or row.number not in asked:
            ignored += 1
            continue
        entries.setdefault(row.number, []).extend(_entries(row))
        told.setdefault(row.number, set()).add(row.status != "absent")
    clear = {number for number, said in told.items() if len(said) == 1}
    if asked and not clear:
        raise Unavailable("registry.unavailable", reason="no_row")
    answered = {number: entries[number] for number in entries if number in clear}
    return Reply(answered, raw, received_at, source, asked - clear, ignored)


def _read(part: msgspec.Raw) -> _Row | None:
    """One row, or None when it cannot be read or contradicts itself: it must not spoil the others."""
    try:
        row = _ROW.decode(part)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    fits = bool(row.entries) if row.status == "found" else row.status == "revoked" or not row.entries
    return row if fits else None


def _entries(row: _Row) -> list[RegistryEntry]:
    revoked = row.status == "revoked"
    if revoked and not row.entries:
        return [RegistryEntry(row.number, revoked=True)]
    return [
        RegistryEntry(
            row.number,
            entry.holder_name,
            entry.id_number,
            entry.occupation_code,
            entry.level,
            entry.issued_on,
            revoked or entry.revoked_on is not None,
            entry.revoked_on,
        )
        for entry in row.entries
    ]


def entries_kept(rows: bytes) -> list[RegistryEntry]:
    """What the rows that are kept of a reply (a JSON list of them) said; those that cannot be read are left out."""
    read = [_read(part) for part in msgspec.json.decode(rows, type=list[msgspec.Raw])]
    return [entry for row in read if row is not None for entry in _entries(row)]
