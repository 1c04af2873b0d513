"""What the stand-ins share: they really listen on loopback, ask for a token, and remember across kill -9."""

import argparse
import hmac
import json
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

#: Whatever a stand-in says is a sample, and every reply says so.
SAMPLE_HEADER = "X-Zhida-Sample"

BODY_BYTES_MAX = 64 * 1024 * 1024

#: A connection on which nothing is asked is closed after this many seconds.
IDLE_SECONDS = 60


class BadRequest(Exception):
    """The asker made a mistake; its text is answered with 400."""


class CutOff(Exception):
    """Close the connection without a word, as broken networks do."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = field(repr=False)

    def header(self, name: str) -> str:
        """A header whatever its case; empty when it was not sent."""
        return next((value for key, value in self.headers.items() if key.lower() == name.lower()), "")

    def json(self) -> Any:
        """The body as JSON; BadRequest when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise BadRequest("the body is not JSON") from None


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


def as_json(content: Any, status: int = HTTPStatus.OK) -> Answer:
    return Answer(status, json.dumps(content, ensure_ascii=False).encode())


class Memory:
    """One SQLite file. `deed()` is one transaction, durable when it ends; deeds follow one another.

    A deed inside a deed belongs to the outer one.
    """

    def __init__(self, file: Path, schema: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
            "CREATE TABLE IF NOT EXISTS behaviour (one INTEGER PRIMARY KEY CHECK (one = 1), json TEXT NOT NULL);"
            "CREATE TABLE IF NOT EXISTS calls (name TEXT PRIMARY KEY, n INTEGER NOT NULL);" + schema
        )

    @contextmanager
    def deed(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def count(self, name: str, by: int = 1) -> int:
        """Count `by` calls of this name and answer how many there were."""
        with self.deed() as db:
            db.execute(
                "INSERT INTO calls VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET n = n + excluded.n", (name, by)
            )
            return int(db.execute("SELECT n FROM calls WHERE name = ?", (name,)).fetchone()["n"])

    def calls(self) -> dict[str, int]:
        with self.deed() as db:
            return {row["name"]: row["n"] for row in db.execute("SELECT name, n FROM calls ORDER BY name")}

    def behave(self, wish: Mapping[str, Any]) -> None:
        """Behave so from now on, over restarts too."""
        with self.deed() as db:
            db.execute("INSERT OR REPLACE INTO behaviour VALUES (1, ?)", (json.dumps(wish),))

    def behaviour(self) -> dict[str, Any]:
        """How to behave now, without counting a call."""
        with self.deed() as db:
            row = db.execute("SELECT json FROM behaviour").fetchone()
            return dict(json.loads(row["json"])) if row else {"mode": "well"}

    def next_behaviour(self) -> dict[str, Any]:
        """How to behave in this call. With `until_calls` the mode holds for that many calls, then all is well."""
        with self.deed():
            wish = self.behaviour()
            left = wish.get("until_calls")
            if left is None:
                return wish
            if left <= 0:
                return wish | {"mode": "well"}
            self.behave(wish | {"until_calls": left - 1})
            return wish


def checked_behaviour(
    wish: Any, modes: Iterable[str], known: Mapping[str, type | tuple[type, ...]]
) -> dict[str, Any]:
    """A behaviour as it was asked for; BadRequest for an unknown mode, an unknown field or a wrong kind of value."""
    if not isinstance(wish, dict) or wish.get("mode", "well") not in set(modes):
        raise BadRequest(f"mode must be one of {', '.join(sorted(modes))}")
    for name, value in wish.items():
        if name != "mode" and not (name in known and isinstance(value, known[name])):
            raise BadRequest(f"{name} is not understood")
    return {"mode": "well", **wish}


def listen(name: str, token_variable: str, make: Callable[[Path], Callable[[Request], Answer]]) -> None:
    """Run a stand-in until SIGINT or SIGTERM: `python -m … --port N --data DIR` (port 0: a free one).

    Prints `ready http://127.0.0.1:PORT` when it listens. `make(directory)` gives the function that answers.
    Everything but `GET /health` needs the bearer token of `token_variable`.
    """
    parser = argparse.ArgumentParser(description=f"a sample {name} for one machine")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="the directory that keeps its state")
    options = parser.parse_args()
    token = os.environ.get(token_variable, "")
    if not token:
        parser.error(f"{token_variable} must hold the token that callers show")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    server = _Server(options.port, name, token, make(options.data))
    print(f"ready http://127.0.0.1:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, name: str, token: str, answer: Callable[[Request], Answer]) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.name = name
        self.authorization = f"Bearer {token}".encode()
        self.answer = answer

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A caller that hung up is no fault of ours.
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True  # or every answer waits for the peer's delayed acknowledgement

    def version_string(self) -> str:
        return f"zhida-sample-{self.server.name}"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path == "/health":
            self._say(as_json({"status": "well"}))
            return
        given = self.headers.get("Authorization", "").encode("latin-1", "replace")
        if not hmac.compare_digest(given, self.server.authorization):
            self._say(as_json({"error": "wrong or missing token"}, HTTPStatus.UNAUTHORIZED))
            return
        try:
            self._say(self.server.answer(Request(self.command, self.path, dict(self.headers.items()), body)))
        except BadRequest as mistake:
            self._say(as_json({"error": str(mistake)}, HTTPStatus.BAD_REQUEST))
        except CutOff:
            self.close_connection = True

    def _body(self) -> bytes | None:
        """The whole body, or None when there is nobody left to answer or it was refused unread."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal():
            refusal = HTTPStatus.LENGTH_REQUIRED
        elif int(length) > BODY_BYTES_MAX:
            refusal = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        else:
            body = self.rfile.read(int(length))
            self.close_connection = self.close_connection or len(body) < int(length)
            return body if len(body) == int(length) else None
        self.close_connection = True
        self._say(as_json({"error": refusal.phrase}, refusal))
        return None

    def _say(self, said: Answer) -> None:
        headers = {
            "Content-Type": said.content_type,
            SAMPLE_HEADER: "1",
            **said.headers,
        }
        if said.status != HTTPStatus.NO_CONTENT:
            headers["Content-Length"] = str(len(said.body))
        self.send_response(said.status)
        for header, value in headers.items():
            self.send_header(header, value)
        self.end_headers()
        self.wfile.write(said.body)

    def log_message(self, *_args: Any, **_facts: Any) -> None:
        """Say nothing: paths and bodies may name people, and the callers keep their own logs."""
