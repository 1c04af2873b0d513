"""Load a register as one person, confirm it as another: from then on claims are looked up in it."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, BinaryIO
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select

from domain.actor import Actor, Post
from domain.errors import Conflict, Invalid, NotFound
from domain.identity import NationalId
from domain.period import Period, parse_date
from domain.register import Entry, must_be_another, needed_in
from domain.text import plain_words
from service.crypto import Keyring, keyring
from service.database import Tx, copy_in, range_of
from service.gateways.headed_sheets import HeadedLine
from service.gateways.register_files import read_register, sha256_of
from service.journal import By, record
from service.registers.queries import list_snapshots, registers
from service.registers.schemas import NewSnapshot, SnapshotView
from service.registers.tables import EntryRow, SnapshotConfirmationRow, SnapshotRow

LOADERS = (Post.OPERATOR, Post.CATALOG_EDITOR)
#: Lines of one COPY: what is held in memory at once.
_LINES_AT_ONCE = 5_000
#: Lines that are named to whoever has to mend the file.
_NAMED_MAX = 100
_COLUMNS = ("snapshot_id", "line", "index", "first", "last", "graduates", "occupation", "level")


async def load_register(
    tx: Tx, me: Actor, new: NewSnapshot, file: BinaryIO, filename: str, today: date, now: datetime
) -> SnapshotView:
    """Load a file, whole or not at all; nobody is looked up in it before another person confirms it.

    The same bytes for the same day are the snapshot that is there. Invalid `register.unknown`, `register.in_future`,
    for a period or words that are not right, as `read_register`, and `register.lines` (count; of the first hundred
    line, field, code, facts) where lines cannot be read.
    """
    me.must_hold(*LOADERS)
    me.must_serve_the_city()
    about = _about(new, today)
    # whoever loads the same register waits here, and then sees what this one loaded
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"register {new.register}", 0))))
    sha256 = await asyncio.to_thread(sha256_of, file)
    row = SnapshotRow
    same = select(row.id).where(row.register == new.register, row.as_of == about["as_of"], row.sha256 == sha256)
    if (known := (await tx.execute(same)).scalar_one_or_none()) is not None:
        return (await list_snapshots(tx, me, today, known)).snapshots[0]
    snapshot_id = uuid4()
    lines = await _copy(tx, _Reading(snapshot_id, new.register, today, keyring()), file, filename)
    loaded = {**about, "sha256": sha256, "lines": lines}
    by = {"loader_id": me.person_id, "loaded_by": me.user_id, "loaded_at": now}
    await tx.execute(insert(SnapshotRow).values(id=snapshot_id, **loaded, **by))
    noted = {name: str(loaded[name]) for name in ("register", "as_of", "source", "sha256")} | {"lines": lines}
    post = next(post for post in LOADERS if me.holds(post))
    await record(tx, "register", [snapshot_id], "load", By.actor(me, post, now), [noted])
    return (await list_snapshots(tx, me, today, snapshot_id)).snapshots[0]


def _about(new: NewSnapshot, today: date) -> dict[str, Any]:
    if new.register not in registers():
        raise Invalid("register.unknown", field="register", known=list(registers()))
    as_of = parse_date(new.as_of, "as_of")
    if as_of > today:
        raise Invalid("register.in_future", field="as_of", today=today.isoformat())
    first = parse_date(new.first, "from") if new.first else as_of
    days = Period(first, parse_date(new.last, "to") if new.last else None)
    source = plain_words(new.source, "source", most=500)
    return {"register": new.register, "as_of": as_of, "in_force": range_of(days), "source": source}


@dataclass
class _Reading:
    """Lines on their way to rows; after the first that cannot be read, only mistakes are gathered."""

    snapshot_id: UUID
    register: str
    today: date
    keys: Keyring
    mistakes: list[dict[str, Any]] = field(default_factory=list)
    lines: int = 0
    wrong: int = 0

    def rows_of(self, lines: list[HeadedLine]) -> list[tuple[Any, ...]]:
        rows = []
        for line in lines:
            try:
                rows.append(self._row(line))
            except Invalid as refusal:
                self._note(line, refusal)
        self.lines += len(rows)
        return [] if self.wrong else rows

    def _row(self, line: HeadedLine) -> tuple[Any, ...]:
        for told, code in line.spoilt.items():
            raise Invalid(code, told)
        number = NationalId.parse(line.cells.get("id_number", ""), today=self.today).number
        entry = Entry.read(self.register, line.cells)
        about = (entry.first, entry.last, entry.graduates, entry.occupation, entry.level)
        return (self.snapshot_id, line.number, self.keys.blind_index("person", number), *about)

    def _note(self, line: HeadedLine, refusal: Invalid) -> None:
        self.wrong += 1
        if len(self.mistakes) < _NAMED_MAX:
            place = {"line": line.number, "field": refusal.field}
            self.mistakes.append({**place, "code": refusal.code, "facts": refusal.facts})


async def _copy(tx: Tx, reading: _Reading, file: BinaryIO, filename: str) -> int:
    """Every line by COPY, some thousand at once; how many. A thread reads, so that others are served meanwhile."""
    lines = read_register(file, filename, needed_in(reading.register))
    while rows := await asyncio.to_thread(_next, lines, reading):
        if rows.ready:
            await copy_in(tx, EntryRow, _COLUMNS, rows.ready)
    if reading.mistakes:
        first = f"line {reading.mistakes[0]['line']}"
        raise Invalid("register.lines", first, count=reading.wrong, lines=reading.mistakes)
    if not reading.lines:
        raise Invalid("roster.empty", "file")
    return reading.lines


@dataclass(frozen=True)
class _Rows:
    ready: list[tuple[Any, ...]]


def _next(lines: Iterator[HeadedLine], reading: _Reading) -> _Rows | None:
    """The next rows; none of them ready where a line was wrong. None at the end of the file."""
    part = list(islice(lines, _LINES_AT_ONCE))
    return _Rows(reading.rows_of(part)) if part else None


async def confirm_register(tx: Tx, me: Actor, snapshot_id: UUID, today: date, now: datetime) -> SnapshotView:
    """Another person vouches for what was loaded: claims are looked up in it from now on.

    NotFound; Forbidden `register.same_person`; Conflict `register.confirmed`.
    """
    me.must_hold(Post.CATALOG_PUBLISHER)
    me.must_serve_the_city()
    row = SnapshotRow
    loader = (await tx.execute(select(row.loader_id).where(row.id == snapshot_id))).scalar_one_or_none()
    if loader is None:
        raise NotFound("register.not_found")
    must_be_another(loader, me.person_id)
    await close_for_changes(tx)
    confirmed = SnapshotConfirmationRow
    if (await tx.execute(select(confirmed.serial).where(confirmed.snapshot_id == snapshot_id))).first():
        raise Conflict("register.confirmed")
    signed = {"person_id": me.person_id, "confirmed_by": me.user_id, "confirmed_at": now}
    await tx.execute(insert(confirmed).values(snapshot_id=snapshot_id, loader_id=loader, **signed))
    by = By.actor(me, Post.CATALOG_PUBLISHER, now)
    await record(tx, "register", [snapshot_id], "confirm", by, [{"confirmed_at": now.isoformat()}])
    return (await list_snapshots(tx, me, today, snapshot_id)).snapshots[0]


_CHANGES = func.hashtextextended("registers", 0)


async def close_for_changes(tx: Tx) -> None:
    """Until `tx` ends nobody looks claims up again before payment: what is confirmed in it is seen by all of them,
    or by none."""
    await tx.execute(select(func.pg_advisory_xact_lock(_CHANGES)))


async def keep_from_changing(tx: Tx) -> None:
    """Until `tx` ends no snapshot is confirmed: what is looked up in it holds when it commits."""
    await tx.execute(select(func.pg_advisory_xact_lock_shared(_CHANGES)))
