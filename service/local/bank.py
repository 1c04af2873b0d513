"""An agent bank that really listens, for one machine: `python -m service.local.bank --port N --data DIR`.

It takes payment files in the neutral form (service/gateways/bank_files/neutral.py says it; this reads it by
itself, as a bank would), pays into a ledger, and can be told to misbehave. Every call needs the bearer token of
ZHIDA_BANK_TOKEN. No money moves: all of it is a sample.

    POST /files/{id}           the file, with X-Content-SHA256 → {"state", "sha256"}; the same bytes again → the same
                               answer, nothing paid twice; other bytes → 409; a bad or refused file → 422
    GET  /files/{id}           {"state": "accepted" | "refused" | "not_received", "closed": bool, "sha256": …}
    POST /files/{id}/close     refuse this id for ever, unless its file was received; answers as GET
    GET  /files/{id}/return    the return file, or 204 while there is none
    GET  /payments/{reference} {"reference", "amount_fen", "code", "reason"}; 404 for one it does not know
    POST /control/behaviour    below
    POST /control/return       {"references": […]}: money that was paid comes back; the next return file says so
    POST /control/credit       {"account", "amount_fen", "reference", "text"}: somebody pays into an account
    POST /control/statement    {"account", "day", "wrong"}: the account's next statement, of all booked since its
                               last; wrong: one of `bank_accounts.WRONGS`
    GET  /control/ledger       [{"reference", "amount_fen", "times", "returned"}]; times: how often it was debited
    GET  /control/calls        {"received", "resent", "enquired", "closed", "returns": n}

Behaviour: mode well · down (503) · drop_before (hang up before storing) · drop_after (store and pay, then hang up) ·
refuse (the whole file), for `until_calls` calls or for ever. When a file is taken: bounce_every k (each k-th line
comes back), bounce_accounts […]. When its return is read: amount_wrong [references] or every k-th, drop_lines n,
stranger_lines n, repeat (every line twice), shuffle (the last line first), garble n (the first n times of each file
half of it); delay_ms before it is ready; can_close false: this bank closes no id; total_debits: an account shows each
file in one sum.
A line whose account ends in 0000 always fails: no_such_account.
"""

import csv
import hashlib
import io
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from itertools import chain
from pathlib import Path
from typing import Any

from service.local import bank_accounts
from service.local.listening import Answer, BadRequest, CutOff, Memory, Request, as_json, checked_behaviour, listen

MODES = ("well", "down", "drop_before", "drop_after", "refuse")
_KNOWN: Mapping[str, type | tuple[type, ...]] = {
    "until_calls": int,
    "bounce_every": int,
    "bounce_accounts": list,
    "amount_wrong": (list, int),
    "drop_lines": int,
    "stranger_lines": int,
    "repeat": bool,
    "shuffle": bool,
    "garble": int,
    "delay_ms": int,
    "can_close": bool,
    "total_debits": bool,
}

#: What a statement says of money that came back.
_CAME_BACK = "收款账户已销户，退回"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, closed INTEGER NOT NULL DEFAULT 0, sha256 TEXT, account TEXT,
    ready_at REAL, given INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS lines (
    file_id TEXT NOT NULL REFERENCES files, line_no INTEGER NOT NULL, reference TEXT NOT NULL,
    amount_fen INTEGER NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (file_id, line_no));
CREATE INDEX IF NOT EXISTS lines_reference ON lines (reference);
CREATE TABLE IF NOT EXISTS debits (reference TEXT NOT NULL, amount_fen INTEGER NOT NULL, file_id TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS debits_reference ON debits (reference);
"""
_PAID = """
SELECT files.account, lines.reference, lines.amount_fen FROM lines JOIN files ON files.id = lines.file_id
WHERE code = 'done' AND reference IN (SELECT value FROM json_each(?))
"""
_LEDGER = """
SELECT reference, max(amount_fen) AS amount_fen, count(*) AS times,
       EXISTS (SELECT 1 FROM lines WHERE lines.reference = debits.reference AND code = 'returned') AS returned
FROM debits GROUP BY reference ORDER BY reference
"""


class Bank:
    """The bank's desk: the files it took, the money it moved, and how it answers."""

    def __init__(self, directory: Path) -> None:
        self.memory = Memory(directory / "bank.sqlite", _SCHEMA + bank_accounts.SCHEMA)

    def answer(self, request: Request) -> Answer:
        match (request.method, *request.path.strip("/").split("/")):
            case ("POST", "control", "behaviour"):
                wish = checked_behaviour(request.json(), MODES, _KNOWN)
                self.memory.behave(wish)
                return as_json(wish)
            case ("POST", "control", "return"):
                return self.send_back(request)
            case ("POST", "control", "credit"):
                return self.pay_in(request)
            case ("POST", "control", "statement"):
                return self.give_statement(request)
            case ("GET", "control", "ledger"):
                with self.memory.deed() as db:
                    return as_json([dict(row) | {"returned": bool(row["returned"])} for row in db.execute(_LEDGER)])
            case ("GET", "control", "calls"):
                return as_json(self.memory.calls())
            case (_, "files" | "payments", *_):
                return self._at_the_desk(request)
        return as_json({"error": "nothing here"}, HTTPStatus.NOT_FOUND)

    def _at_the_desk(self, request: Request) -> Answer:
        behaviour = self.memory.next_behaviour()
        if behaviour["mode"] == "down":
            return as_json({"error": "down"}, HTTPStatus.SERVICE_UNAVAILABLE)
        match (request.method, *request.path.strip("/").split("/")):
            case ("POST", "files", file_id):
                return self.take(file_id, request, behaviour)
            case ("GET", "files", file_id):
                self.memory.count("enquired")
                return as_json(self._state(file_id))
            case ("POST", "files", file_id, "close"):
                return self.close(file_id, behaviour)
            case ("GET", "payments", reference):
                self.memory.count("asked_of_payments")
                return self.tell_of(reference)
            case ("GET", "files", file_id, "return"):
                self.memory.count("returns")
                return self.give_return(file_id, behaviour)
        return as_json({"error": "nothing here"}, HTTPStatus.NOT_FOUND)

    def take(self, file_id: str, request: Request, behaviour: Mapping[str, Any]) -> Answer:
        if behaviour["mode"] == "drop_before":
            raise CutOff
        sha256 = hashlib.sha256(request.body).hexdigest()
        if request.header("X-Content-SHA256") != sha256:
            return as_json({"error": "damaged on the way"}, HTTPStatus.BAD_REQUEST)
        with self.memory.deed() as db:
            known = db.execute("SELECT sha256 FROM files WHERE id = ?", (file_id,)).fetchone()
            if known is None:
                self.memory.count("received")
                self._store(db, file_id, request.body, behaviour)
            elif known["sha256"] == sha256:
                self.memory.count("resent")
            elif known["sha256"] is not None:
                return as_json({"error": "the id holds other bytes", "sha256": known["sha256"]}, HTTPStatus.CONFLICT)
        if behaviour["mode"] == "drop_after":
            raise CutOff
        state = self._state(file_id)
        if state["state"] == "accepted":
            return as_json(state)
        # refused, or its id was closed before it came
        return as_json({**state, "state": "refused"}, HTTPStatus.UNPROCESSABLE_ENTITY)

    def _store(self, db: sqlite3.Connection, file_id: str, data: bytes, behaviour: Mapping[str, Any]) -> None:
        """Take the file and pay its lines, or refuse it whole, in one deed."""
        account, lines = _read_file(file_id, data)
        accepted = lines is not None and behaviour["mode"] != "refuse"
        ready_at = time.time() + behaviour.get("delay_ms", 0) / 1000
        db.execute(
            "INSERT INTO files (id, state, sha256, account, ready_at) VALUES (?, ?, ?, ?, ?)",
            (file_id, "accepted" if accepted else "refused", hashlib.sha256(data).hexdigest(), account, ready_at),
        )
        if lines is None or not accepted:
            return
        kept = [
            (file_id, line_no, reference, amount_fen, *_fate(line_no, payee_account, behaviour))
            for line_no, (reference, amount_fen, payee_account) in enumerate(lines, start=1)
        ]
        db.executemany("INSERT INTO lines VALUES (?, ?, ?, ?, ?, ?)", kept)
        # What bounces was debited first and came back; what failed never left.
        debits = [(line[2], line[3], file_id) for line in kept if not line[4].startswith("failed")]
        db.executemany("INSERT INTO debits VALUES (?, ?, ?)", debits)
        paid = [(reference, fen) for reference, fen, _ in debits]
        in_one_sum = behaviour.get("total_debits", False)
        bank_accounts.debit_file(db, account or "", file_id, paid, in_one_sum=in_one_sum)
        came_back = [(line[2], line[3]) for line in kept if line[4] == "returned"]
        bank_accounts.book(db, account or "", "C", came_back, _CAME_BACK)

    def _state(self, file_id: str) -> dict[str, Any]:
        with self.memory.deed() as db:
            row = db.execute("SELECT state, closed, sha256 FROM files WHERE id = ?", (file_id,)).fetchone()
        if row is None:
            return {"state": "not_received", "closed": False, "sha256": None}
        return {"state": row["state"], "closed": bool(row["closed"]), "sha256": row["sha256"]}

    def tell_of(self, reference: str) -> Answer:
        with self.memory.deed() as db:
            row = db.execute(
                "SELECT reference, amount_fen, code, reason FROM lines WHERE reference = ?", (reference,)
            ).fetchone()
        return as_json(dict(row)) if row else as_json({"error": "no such payment"}, HTTPStatus.NOT_FOUND)

    def close(self, file_id: str, behaviour: Mapping[str, Any]) -> Answer:
        if not behaviour.get("can_close", True):
            return as_json({"error": "this bank closes no id"}, HTTPStatus.NOT_IMPLEMENTED)
        with self.memory.deed() as db:
            self.memory.count("closed")
            db.execute(
                "INSERT INTO files (id, state, closed) VALUES (?, 'not_received', 1) ON CONFLICT DO NOTHING",
                (file_id,),
            )
            return as_json(self._state(file_id))

    def send_back(self, request: Request) -> Answer:
        told = request.json()
        if not isinstance(told, dict) or not isinstance(told.get("references"), list):
            raise BadRequest("a list of references is needed")
        with self.memory.deed() as db:
            for row in db.execute(_PAID, (json.dumps(told["references"]),)).fetchall():
                bank_accounts.book(db, row["account"], "C", [(row["reference"], row["amount_fen"])], _CAME_BACK)
            came_back = db.execute(
                "UPDATE lines SET code = 'returned', reason = 'account_closed' WHERE code = 'done'"
                " AND reference IN (SELECT value FROM json_each(?))",
                (json.dumps(told["references"]),),
            ).rowcount
        return as_json({"returned": came_back})

    def pay_in(self, request: Request) -> Answer:
        told = request.json()
        if not isinstance(told, dict) or not isinstance(told.get("amount_fen"), int):
            raise BadRequest("account, amount_fen, reference and text are needed")
        with self.memory.deed() as db:
            line = (str(told.get("reference", "")), told["amount_fen"])
            bank_accounts.book(db, str(told.get("account")), "C", [line], str(told.get("text", "")))
        return as_json({"booked": True})

    def give_statement(self, request: Request) -> Answer:
        told = request.json()
        if not isinstance(told, dict) or not {"account", "day"} <= told.keys():
            raise BadRequest("account and day are needed")
        if told.get("wrong", "") not in bank_accounts.WRONGS:
            raise BadRequest("wrong is none that is known")
        with self.memory.deed() as db:
            return Answer(HTTPStatus.OK, bank_accounts.state(db, told), "text/csv; charset=utf-8")

    def give_return(self, file_id: str, behaviour: Mapping[str, Any]) -> Answer:
        with self.memory.deed() as db:
            file = db.execute("SELECT * FROM files WHERE id = ? AND state = 'accepted'", (file_id,)).fetchone()
            db.execute("UPDATE files SET given = given + 1 WHERE id = ? AND ready_at <= ?", (file_id, time.time()))
            lines = db.execute(
                "SELECT reference, amount_fen, code, reason FROM lines WHERE file_id = ? ORDER BY line_no", (file_id,)
            ).fetchall()
        if file is None or time.time() < file["ready_at"]:
            return Answer(HTTPStatus.NO_CONTENT)
        data = _write_return(file_id, file["account"], [tuple(line) for line in lines], behaviour)
        data = data[: len(data) // 2] if file["given"] < behaviour.get("garble", 0) else data
        return Answer(
            HTTPStatus.OK, data, "text/csv; charset=utf-8", {"X-Content-SHA256": hashlib.sha256(data).hexdigest()}
        )


def _fate(line_no: int, account: str, behaviour: Mapping[str, Any]) -> tuple[str, str]:
    """The code and reason with which a line ends."""
    if account.endswith("0000"):
        return "failed:permanent", "no_such_account"
    every = behaviour.get("bounce_every", 0)
    if account in behaviour.get("bounce_accounts", ()) or (every > 0 and line_no % every == 0):
        return "returned", "account_closed"
    return "done", ""


def _read_file(file_id: str, data: bytes) -> tuple[str | None, list[tuple[str, int, str]] | None]:
    """The debit account and (reference, amount_fen, account) of every line; None for a file that does not add up."""
    try:
        head, *body, tail = csv.reader(io.StringIO(data.decode(), newline=""), strict=True)
        kind, version, named, _, debit_account, count, total = head
        lines = [(row[2], _fen(row[6]), row[4]) for row in body if row[0] == "D"]
        stated = int(count), _fen(total)
    except (ValueError, IndexError, csv.Error):
        return None, None
    fits = (
        (kind, version, named) == ("H", "ZHIDA-PAY-1", file_id)
        and tail == ["T", file_id, count, total]
        and stated == (len(body), sum(line[1] for line in lines))
        and len(lines) == len(body)
    )
    return debit_account, lines if fits else None


def _write_return(file_id: str, account: str, lines: list[tuple[Any, ...]], behaviour: Mapping[str, Any]) -> bytes:
    wrong = behaviour.get("amount_wrong", [])
    said = [
        (reference, amount_fen + _is_wrong(line_no, reference, wrong), code, reason)
        for line_no, (reference, amount_fen, code, reason) in enumerate(lines, start=1)
    ]
    said = said[: len(said) - behaviour.get("drop_lines", 0)] if behaviour.get("drop_lines", 0) > 0 else said
    said += [(f"STRANGER{at:06d}", 100, "done", "") for at in range(1, behaviour.get("stranger_lines", 0) + 1)]
    if behaviour.get("repeat", False):
        said = list(chain.from_iterable((line, line) for line in said))
    said = said[::-1] if behaviour.get("shuffle", False) else said
    count, total = len(said), _yuan(sum(line[1] for line in said))
    out = io.StringIO(newline="")
    rows: Iterable[tuple[Any, ...]] = chain(
        [("H", "ZHIDA-RETURN-1", file_id, account, count, total)],
        (("R", at, line[0], _yuan(line[1]), line[2], line[3]) for at, line in enumerate(said, start=1)),
        [("T", file_id, count, total)],
    )
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode()


def _is_wrong(line_no: int, reference: str, wrong: list[str] | int) -> bool:
    if isinstance(wrong, list):
        return reference in wrong
    return wrong > 0 and line_no % wrong == 0


def _fen(yuan: str) -> int:
    whole, _, cents = yuan.partition(".")
    if len(cents) != 2 or not (whole + cents).isdecimal():
        raise ValueError("an amount of yuan with two decimals is needed")
    return int(whole + cents)


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


if __name__ == "__main__":
    listen("bank", "ZHIDA_BANK_TOKEN", lambda directory: Bank(directory).answer)
