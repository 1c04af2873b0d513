"""A gateway that sends short messages: a set of messages in, what it took and what it cannot deliver out.

    POST {url}/messages   {"messages": [{"id": "…", "phone": "1…", "text": "…"}, …]}
    200                   {"taken": ["id", …], "refused": [{"id": "…", "why": "no_such_number"}, …]}

A message is known by its id: handed over twice, it is sent once. What is in neither list is asked again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import httpx
import msgspec

from domain.errors import Unavailable
from service.gateways.asking import Line, NoAnswer

MESSAGES_MAX = 200


class Letter(Protocol):
    """What is handed over."""

    @property
    def id(self) -> UUID: ...
    @property
    def phone(self) -> str: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True)
class Taken:
    """What the gateway said: ids it took, and why it cannot deliver others."""

    taken: frozenset[UUID] = frozenset()
    refused: Mapping[UUID, str] = field(default_factory=dict)


class MessageGateway(Protocol):
    """Whoever sends short messages."""

    async def send(self, letters: Sequence[Letter]) -> Taken:
        """Hand over at most 200 messages. Unavailable `sms.unavailable` when nothing usable came back."""


class _Refused(msgspec.Struct):
    id: UUID
    why: str


class _Reply(msgspec.Struct):
    taken: list[UUID]
    refused: list[_Refused] = []


_REPLY = msgspec.json.Decoder(_Reply)


class HttpGateway:
    """A gateway over HTTP. `client` belongs to one event loop and is closed by who made it."""

    def __init__(self, url: str, token: str, client: httpx.AsyncClient) -> None:
        self._line = Line(client, url, token)

    async def send(self, letters: Sequence[Letter]) -> Taken:
        if len(letters) > MESSAGES_MAX:
            raise ValueError(f"at most {MESSAGES_MAX} messages a call")
        told = [{"id": str(each.id), "phone": each.phone, "text": each.text} for each in letters]
        content = msgspec.json.encode({"messages": told})
        try:
            heard = await self._line.ask("POST", "/messages", content, {"Content-Type": "application/json"})
        except NoAnswer as nothing:
            raise Unavailable("sms.unavailable", reason=nothing.reason) from nothing
        if heard.status != httpx.codes.OK:
            raise Unavailable("sms.unavailable", reason="status", status=heard.status)
        try:
            reply = _REPLY.decode(heard.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
            raise Unavailable("sms.unavailable", reason="malformed") from broken
        asked = {each.id for each in letters}
        taken = asked.intersection(reply.taken)
        return Taken(frozenset(taken), {each.id: each.why for each in reply.refused if each.id in asked - taken})
