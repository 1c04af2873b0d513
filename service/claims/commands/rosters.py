"""A roster comes in: kept as it was uploaded, then read, and its lines put up in portions to be filed."""

import hashlib
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import insert, literal, select
from sqlalchemy.dialects.postgresql import insert as upsert

from domain.actor import Actor, Post
from domain.errors import Conflict, Invalid
from domain.roster import LINES_MAX, ROSTER_LIFECYCLE, RosterAction
from domain.training import read_class_number
from service.claims.queries.rosters import roster_view
from service.claims.schemas import RosterView
from service.claims.tables import RosterPortionRow, RosterRow
from service.crypto import keyring
from service.database import Tx, relation
from service.gateways.roster_sheets import LIMITS, RosterPart, read_roster
from service.gateways.spreadsheets import look_at as look_at_file
from service.jobs import owe, owe_all
from service.journal import By, JournalRow, move
from service.queue import Job

#: Lines that are filed in one transaction: few enough to be short, many enough for statements to cost little.
PORTION_LINES = 500
_ROSTERS = RosterRow.__table__


def look_at(data: bytes, kind: str) -> None:
    """Refuse at the door what is no sheet of this kind (`csv` or `xlsx`); Invalid as `spreadsheets.read_sheets`.

    It may start a process; callers in a loop use a thread.
    """
    look_at_file(data, f"roster.{kind}", LIMITS)


async def receive_roster(
    tx: Tx, me: Actor, data: bytes, kind: str, today: date, now: datetime, class_number: str | None = None
) -> RosterView:
    """Keep the file and owe its reading. The same bytes from the same institution are the roster that is there.

    `class_number` is the class of every line that names none. Invalid `class_number.form`; Conflict
    `roster.other_class` for the same bytes under another number.
    """
    me.must_hold(Post.CLERK)
    of_class = read_class_number(class_number) if class_number is not None else None
    roster_id, sha256 = uuid4(), hashlib.sha256(data).hexdigest()
    about = {
        "institution_id": me.institution_id,
        "kind": kind,
        "sha256": sha256,
        "status": str(ROSTER_LIFECYCLE.first),
        "received_on": today,
        "class_number": of_class,
    }
    made = (
        upsert(RosterRow)
        .values(
            id=roster_id,
            uploaded_by=me.user_id,
            bytes_sealed=keyring().seal(data, roster_id),
            received_at=now,
            **about,
        )
        .on_conflict_do_nothing()
        .returning(RosterRow.id)
        .cte("made")
    )
    by = By.actor(me, Post.CLERK, now).columns()
    noted = {
        "subject_kind": "roster",
        "action": "receive",
        "after": msgspec.to_builtins(about),
        **by,
    }
    columns = JournalRow.__table__.c
    journal = insert(JournalRow).from_select(
        ["subject_id", *noted],
        select(made.c.id, *(literal(value, columns[name].type) for name, value in noted.items())),
    )
    if (await tx.execute(select(made.c.id).add_cte(journal.cte("noted")))).first() is None:
        row = RosterRow
        known = select(row.id, row.class_number).where(row.institution_id == me.institution_id, row.sha256 == sha256)
        there = (await tx.execute(known)).one()
        if there.class_number != of_class:
            raise Conflict("roster.other_class", number=there.class_number or "")
        return await roster_view(tx, me, there.id)
    await owe(tx, Job.IMPORT_ROSTER, roster_id)
    return await roster_view(tx, me, roster_id)


def read(data: bytes, kind: str) -> RosterPart:
    """The roster that was uploaded; Invalid as `read_roster`. Takes its time: outside of any transaction."""
    return read_roster(data, f"roster.{kind}", LINES_MAX)


async def put_up(tx: Tx, roster_id: UUID, roster: RosterPart, now: datetime) -> None:
    """Store the lines in portions, sealed, and owe the filing of each."""
    rows: list[dict[str, Any]] = []
    for start in range(0, len(roster.lines), PORTION_LINES):
        lines, portion_id = roster.lines[start : start + PORTION_LINES], uuid4()
        part = RosterPart(roster.heading, roster.columns, lines)
        rows.append(
            {
                "id": portion_id,
                "roster_id": roster_id,
                "first_line": lines[0].number,
                "line_count": len(lines),
                "lines_sealed": keyring().seal(msgspec.json.encode(part), portion_id),
            }
        )
    by = By(Job.IMPORT_ROSTER, now)
    changes = {"line_count": len(roster.lines)}
    await move(tx, _ROSTERS, ROSTER_LIFECYCLE, RosterAction.READ, roster_id, by, changes=changes)
    asked = relation(rows, RosterPortionRow)
    await tx.execute(
        insert(RosterPortionRow).from_select(list(rows[0]), select(*(asked.c[name] for name in rows[0])))
    )
    await owe_all(tx, Job.FILE_ROSTER, [row["id"] for row in rows])


async def reject_roster(tx: Tx, roster_id: UUID, refusal: Invalid, now: datetime) -> None:
    """The file as a whole cannot be read; the clerk is told why and where."""
    # a sheet's name is whatever somebody typed, and the journal keeps no such thing
    place = refusal.field.rpartition("!")[2]
    rejection = {"code": refusal.code, "field": place, "facts": msgspec.to_builtins(refusal.facts)}
    by = By(Job.IMPORT_ROSTER, now)
    changes = {"rejection": rejection}
    await move(tx, _ROSTERS, ROSTER_LIFECYCLE, RosterAction.REJECT, roster_id, by, changes=changes)
