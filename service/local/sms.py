"""A message gateway that really listens, for one machine: `python -m service.local.sms --port N --data DIR`.

Nobody's phone rings: it keeps what it was given (`GET /control/messages`) and can be told to misbehave
(`POST /control/behaviour`); every call needs the bearer token of ZHIDA_SMS_TOKEN.

    POST /messages           {"messages": [{"id", "phone", "text"}, …]} → {"taken": […], "refused": [{"id", "why"}]}
    GET  /control/messages   [{"id", "phone", "text", "times"}, …]: `times` handed over, sent once
    POST /control/behaviour  {"mode", "until_calls"?}
    GET  /control/calls      {"messages": n}
    GET  /health

Modes: well · down (503 and a closed connection in turn) · deaf (takes them and closes without a word) · half (takes
every other one and says nothing of the rest) · refuses (no such number).
"""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from service.local.listening import Answer, BadRequest, CutOff, Memory, Request, as_json, checked_behaviour, listen

MODES = ("well", "down", "deaf", "half", "refuses")
MESSAGES_MAX = 200

_SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, phone TEXT, text TEXT, times INTEGER NOT NULL);
"""
_TAKE = """
INSERT INTO messages VALUES (:id, :phone, :text, 1) ON CONFLICT (id) DO UPDATE SET times = times + 1
"""


class Gateway:
    """The gateway's desk."""

    def __init__(self, directory: Path) -> None:
        self.memory = Memory(directory / "sms.sqlite", _SCHEMA)
        self._desks: dict[tuple[str, str], Callable[[Request], Answer]] = {
            ("POST", "/messages"): self.take,
            ("GET", "/control/messages"): self.tell,
            ("POST", "/control/behaviour"): self.behave,
            ("GET", "/control/calls"): lambda _: as_json(self.memory.calls()),
        }

    def answer(self, request: Request) -> Answer:
        desk = self._desks.get((request.method, request.path))
        return desk(request) if desk else as_json({"error": "nothing here"}, HTTPStatus.NOT_FOUND)

    def take(self, request: Request) -> Answer:
        letters = _letters(request.json())
        with self.memory.deed():
            calls, mode = self.memory.count("messages"), self.memory.next_behaviour()["mode"]
        if mode == "down":
            if calls % 2:
                return as_json({"error": "down"}, HTTPStatus.SERVICE_UNAVAILABLE)
            raise CutOff
        if mode == "refuses":
            return as_json(
                {"taken": [], "refused": [{"id": each["id"], "why": "no_such_number"} for each in letters]}
            )
        taken = letters[::2] if mode == "half" else letters
        with self.memory.deed() as db:
            db.executemany(_TAKE, taken)
        if mode == "deaf":
            raise CutOff
        return as_json({"taken": [each["id"] for each in taken], "refused": []})

    def tell(self, _: Request) -> Answer:
        with self.memory.deed() as db:
            return as_json([dict(row) for row in db.execute("SELECT * FROM messages ORDER BY rowid")])

    def behave(self, request: Request) -> Answer:
        wish = checked_behaviour(request.json(), MODES, {"until_calls": int})
        self.memory.behave(wish)
        return as_json(wish)


def _letters(told: Any) -> list[dict[str, str]]:
    letters = told.get("messages") if isinstance(told, dict) else None
    if not isinstance(letters, list) or len(letters) > MESSAGES_MAX or not all(map(_is_letter, letters)):
        raise BadRequest(f"a list of at most {MESSAGES_MAX} messages is needed: id, phone and text")
    return letters


def _is_letter(told: Any) -> bool:
    return isinstance(told, dict) and all(isinstance(told.get(name), str) for name in ("id", "phone", "text"))


if __name__ == "__main__":
    listen("sms", "ZHIDA_SMS_TOKEN", lambda directory: Gateway(directory).answer)
