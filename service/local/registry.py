"""A registry that really listens, for one machine: `python -m service.local.registry --port N --data DIR`.

It knows the sample certificates it was told (`POST /control/certificates`) and can be told to misbehave
(`POST /control/behaviour`); every call needs the bearer token of ZHIDA_REGISTRY_TOKEN. What it keeps is sample data.

    POST /lookup                {"numbers": […]} → {"rows": [{"number", "status", "entries": […]}]}
    POST /control/certificates  [{"number", "holder_name", "id_number", "occupation_code", "level", "issued_on"}, …]
    POST /control/revoke        {"number"}
    POST /control/behaviour     {"mode", "delay_ms"?, "until_calls"?, "times"?}
    GET  /control/calls         {"lookups": n, "numbers": n}
    GET  /health

Modes: well · slow (after delay_ms) · down (503 and a closed connection in turn) · wrong (another person's name) ·
late (for each number the first `times` askings, 1 unless told, go unanswered: the others are answered, and
503 when none is) · duplicate (entries twice) · half (the reply breaks off) · huge (ten million bytes) ·
named_levels (四级/中级工 in place of 4) · two (another level's certificate beside it, under the same number).
"""

import json
import time
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from domain.level import LEVELS
from service.local.listening import Answer, BadRequest, CutOff, Memory, Request, as_json, checked_behaviour, listen

NUMBERS_MAX = 200
MODES = ("well", "slow", "down", "wrong", "late", "duplicate", "half", "huge", "named_levels", "two")
COLUMNS = ("holder_name", "id_number", "occupation_code", "level", "issued_on")

#: In mode `wrong` every certificate belongs to them.
SOMEBODY_ELSE = "路人甲"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS certificates (
    number TEXT PRIMARY KEY, holder_name TEXT, id_number TEXT, occupation_code TEXT, level TEXT, issued_on TEXT,
    revoked_on TEXT);
CREATE TABLE IF NOT EXISTS askings (number TEXT PRIMARY KEY, n INTEGER NOT NULL);
"""
_LEARN = """
INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?, NULL)
ON CONFLICT (number) DO UPDATE SET holder_name = excluded.holder_name, id_number = excluded.id_number,
    occupation_code = excluded.occupation_code, level = excluded.level, issued_on = excluded.issued_on
"""


class Registry:
    """The registry's desk: what it keeps, and how it answers."""

    def __init__(self, directory: Path) -> None:
        self.memory = Memory(directory / "registry.sqlite", _SCHEMA)
        self._desks: dict[tuple[str, str], Callable[[Request], Answer]] = {
            ("POST", "/lookup"): self.look_up,
            ("POST", "/control/certificates"): self.learn,
            ("POST", "/control/revoke"): self.revoke,
            ("POST", "/control/behaviour"): self.behave,
            ("GET", "/control/calls"): self.tell_calls,
        }

    def answer(self, request: Request) -> Answer:
        desk = self._desks.get((request.method, request.path))
        return desk(request) if desk else as_json({"error": "nothing here"}, HTTPStatus.NOT_FOUND)

    def tell_calls(self, _: Request) -> Answer:
        return as_json(self.memory.calls())

    def behave(self, request: Request) -> Answer:
        wish = checked_behaviour(request.json(), MODES, {"delay_ms": int, "until_calls": int, "times": int})
        with self.memory.deed() as db:
            db.execute("DELETE FROM askings")
            self.memory.behave(wish)
        return as_json(wish)

    def learn(self, request: Request) -> Answer:
        rows = request.json()
        if not isinstance(rows, list) or not all(_is_certificate(row) for row in rows):
            raise BadRequest("a list of certificates is needed: number and texts")
        with self.memory.deed() as db:
            db.executemany(
                _LEARN,
                [(row["number"], *(row.get(column) for column in COLUMNS)) for row in rows],
            )
        return as_json({"known": len(rows)})

    def revoke(self, request: Request) -> Answer:
        told = request.json()
        if not isinstance(told, dict) or not isinstance(told.get("number"), str):
            raise BadRequest("a number is needed")
        with self.memory.deed() as db:
            revoked = db.execute(
                "UPDATE certificates SET revoked_on = coalesce(revoked_on, date('now', '+8 hours')) WHERE number = ?",
                (told["number"],),
            ).rowcount
        return as_json({"revoked": revoked}, HTTPStatus.OK if revoked else HTTPStatus.NOT_FOUND)

    def look_up(self, request: Request) -> Answer:
        numbers = _numbers(request.json())
        with self.memory.deed():
            calls = self.memory.count("lookups")
            self.memory.count("numbers", len(numbers))
            behaviour = self.memory.next_behaviour()
        mode = behaviour["mode"]
        if mode == "down":
            if calls % 2:
                return as_json({"error": "down"}, HTTPStatus.SERVICE_UNAVAILABLE)
            raise CutOff
        if mode == "slow":
            time.sleep(behaviour.get("delay_ms", 1000) / 1000)
        if mode == "late":
            numbers = self._ripe(numbers, behaviour.get("times", 1))
            if not numbers:
                return as_json({"error": "come again"}, HTTPStatus.SERVICE_UNAVAILABLE)
        reply = json.dumps({"rows": self._rows(numbers, mode)}, ensure_ascii=False).encode()
        spoilt = {"half": reply[: len(reply) // 2], "huge": reply + b" " * 10_000_000}
        return Answer(HTTPStatus.OK, spoilt.get(mode, reply))

    def _ripe(self, numbers: Sequence[str], times: int) -> list[str]:
        """The numbers that were asked for more than `times` times."""
        with self.memory.deed() as db:
            db.executemany(
                "INSERT INTO askings VALUES (?, 1) ON CONFLICT (number) DO UPDATE SET n = n + 1",
                [(number,) for number in numbers],
            )
            asked = db.execute(
                "SELECT number FROM askings WHERE n > ? AND number IN (SELECT value FROM json_each(?))",
                (times, json.dumps(numbers)),
            )
            return [row["number"] for row in asked]

    def _rows(self, numbers: Sequence[str], mode: str) -> list[dict[str, Any]]:
        with self.memory.deed() as db:
            found = db.execute(
                "SELECT * FROM certificates WHERE number IN (SELECT value FROM json_each(?))", (json.dumps(numbers),)
            )
            known = {row["number"]: dict(row) for row in found}
        return [_row(number, known.get(number), mode) for number in numbers]


def _row(number: str, known: dict[str, Any] | None, mode: str) -> dict[str, Any]:
    if known is None:
        return {"number": number, "status": "absent", "entries": []}
    entry = {column: known[column] for column in (*COLUMNS, "revoked_on")}
    if mode == "wrong":
        entry["holder_name"] = SOMEBODY_ELSE
    if mode == "named_levels":
        entry["level"] = LEVELS[entry["level"]].name
    beside = {"duplicate": [entry], "two": [entry | {"level": "1" if entry["level"] == "2" else "2"}]}
    status = "revoked" if known["revoked_on"] else "found"
    return {"number": number, "status": status, "entries": [entry, *beside.get(mode, ())]}


def _is_certificate(row: Any) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("number"), str)
        and all(row.get(column) is None or isinstance(row[column], str | int) for column in COLUMNS)
    )


def _numbers(told: Any) -> list[str]:
    numbers = told.get("numbers") if isinstance(told, dict) else None
    if not isinstance(numbers, list) or not all(isinstance(number, str) for number in numbers):
        raise BadRequest("a list of numbers is needed")
    if len(numbers) > NUMBERS_MAX:
        raise BadRequest(f"at most {NUMBERS_MAX} numbers a call")
    return list(dict.fromkeys(numbers))


if __name__ == "__main__":
    listen("registry", "ZHIDA_REGISTRY_TOKEN", lambda directory: Registry(directory).answer)
