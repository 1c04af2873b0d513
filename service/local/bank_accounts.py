"""The accounts of the bank that plays along: what was booked, and statements of it, whole or misbehaving.

Kept beside the files it took, in the same deed, so that a statement shows just what was debited.
"""

import csv
import io
import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

#: With so much every account begins.
OPENING_FEN = 100_000_000_000

SCHEMA = """
CREATE TABLE IF NOT EXISTS bookings (
    id INTEGER PRIMARY KEY, account TEXT NOT NULL, side TEXT NOT NULL, amount_fen INTEGER NOT NULL,
    reference TEXT NOT NULL, party TEXT NOT NULL, text TEXT NOT NULL, sequence INTEGER);
CREATE INDEX IF NOT EXISTS bookings_account ON bookings (account, sequence);
CREATE TABLE IF NOT EXISTS statements (
    account TEXT NOT NULL, sequence INTEGER NOT NULL, day TEXT NOT NULL, closing_fen INTEGER NOT NULL,
    data BLOB NOT NULL, PRIMARY KEY (account, sequence));
"""
_BOOK = "INSERT INTO bookings (account, side, amount_fen, reference, party, text) VALUES (?, ?, ?, ?, ?, ?)"

#: How a statement may be wrong: a number is left out; the closing balance is a fen off; the last line is missing from
#: it, sums and all; it comes in the middle of being written.
WRONGS = ("", "gap", "off", "loses_a_line", "cut_off")


def book(db: sqlite3.Connection, account: str, side: str, lines: Iterable[tuple[str, int]], text: str = "") -> None:
    """Book (reference, amount in fen) of each line; `side` D leaves the account, C comes in."""
    db.executemany(_BOOK, [(account, side, fen, reference, "", text) for reference, fen in lines])


def debit_file(
    db: sqlite3.Connection, account: str, file_id: str, lines: Iterable[tuple[str, int]], *, in_one_sum: bool
) -> None:
    """A file's payments: each by itself, or all of them in one sum under the file's id."""
    each = list(lines)
    book(db, account, "D", [(file_id, sum(fen for _, fen in each))] if in_one_sum and each else each)


def state(db: sqlite3.Connection, wish: Mapping[str, Any]) -> bytes:
    """The next statement of `account` for `day`: of all that was booked since the last one. Whoever asks for the same
    day again, and for nothing wrong, gets the same bytes."""
    account, day, wrong = str(wish["account"]), str(wish["day"]), str(wish.get("wrong", ""))
    known = db.execute("SELECT data FROM statements WHERE account = ? AND day = ?", (account, day)).fetchone()
    if known and not wrong:
        return bytes(known["data"])
    last = db.execute(
        "SELECT sequence, closing_fen FROM statements WHERE account = ? ORDER BY sequence DESC LIMIT 1", (account,)
    ).fetchone()
    before, opening = (last["sequence"], last["closing_fen"]) if last else (0, OPENING_FEN)
    sequence = before + (2 if wrong == "gap" else 1)
    rows = db.execute(
        "SELECT * FROM bookings WHERE account = ? AND sequence IS NULL ORDER BY id", (account,)
    ).fetchall()
    if wrong == "loses_a_line":
        rows = rows[:-1]
    closing = opening + sum(row["amount_fen"] if row["side"] == "C" else -row["amount_fen"] for row in rows)
    data = _written(account, sequence, day, opening, closing + (wrong == "off"), rows)
    if wrong not in ("off", "cut_off"):  # those are no statements: the next one says it right
        db.execute("INSERT INTO statements VALUES (?, ?, ?, ?, ?)", (account, sequence, day, closing, data))
        db.execute("UPDATE bookings SET sequence = ? WHERE account = ? AND sequence IS NULL", (sequence, account))
    return data[: len(data) // 2] if wrong == "cut_off" else data


def _written(account: str, sequence: int, day: str, opening: int, closing: int, rows: list[sqlite3.Row]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    span = (account, sequence, day, day, _yuan(opening), _yuan(closing))
    writer.writerow(("H", "ZHIDA-STATEMENT-1", *span, len(rows)))
    for at, row in enumerate(rows, start=1):
        words = (row["reference"], row["party"], row["text"])
        writer.writerow(("L", at, day, row["side"], _yuan(row["amount_fen"]), f"B{row['id']}", *words))
    writer.writerow(("T", account, sequence, len(rows)))
    return out.getvalue().encode()


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
