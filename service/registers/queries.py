"""Ask the registers: which snapshots there are, and where in those that are asked today a person stands."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import text

from domain.actor import Actor
from domain.identity import NationalId
from domain.register import FoundEntry, Looked, Register, register_of_group, registers_with
from service.crypto import keyring
from service.database import Tx, fetch
from service.policies.queries import groups
from service.registers.schemas import SnapshotsView, SnapshotView
from service.wording import words

#: Snapshots that are listed at most.
SNAPSHOTS_MAX = 200


def registers() -> tuple[str, ...]:
    """Every register that may be loaded here."""
    return registers_with(groups())


@dataclass(frozen=True)
class Snapshot:
    """A loaded register that is asked: `as_of` is the day it describes."""

    id: UUID
    as_of: date


def in_force_sql(day: str) -> str:
    """A statement for the snapshots that are asked on a day: of each register the one that describes the latest day.

    One that has run out is not replaced by an older one: its register then says nothing.
    """
    return f"""
        SELECT newest.register, newest.id, newest.as_of, newest.lines
          FROM (SELECT DISTINCT ON (s.register) s.register, s.id, s.as_of, s.in_force, s.lines
                  FROM register_snapshots s JOIN register_confirmations c ON c.snapshot_id = s.id
                 WHERE lower(s.in_force) <= {day}
                 ORDER BY s.register, s.as_of DESC, c.serial DESC) AS newest
         WHERE newest.in_force @> {day}
    """  # noqa: S608 (our own placeholders)


#: The same as one JSON value, for a statement that asks for more: NULL where no register is loaded.
IN_FORCE_JSON = f"""
    SELECT jsonb_object_agg(register, jsonb_build_object('id', id, 'as_of', as_of)) AS found
      FROM ({in_force_sql("{day}")}) AS asked
"""  # noqa: S608 (our own constants)


def snapshots_of(found: Mapping[str, Any] | None) -> dict[str, Snapshot]:
    """By register, from what `IN_FORCE_JSON` gave."""
    return {
        register: Snapshot(UUID(each["id"]), date.fromisoformat(each["as_of"]))
        for register, each in (found or {}).items()
    }


async def snapshots_on(tx: Tx, day: date) -> dict[str, Snapshot]:
    """The snapshots that are asked on that day, by register."""
    rows = await fetch(tx, in_force_sql("$1::date"), day)
    return {row["register"]: Snapshot(row["id"], row["as_of"]) for row in rows}


@dataclass(frozen=True)
class Sought:
    """A person, and what their claim is about: the group they name, the occupation and the level."""

    id_number: NationalId | None
    group: str
    subsidy_key: str
    level: str

    def asks(self, register: str) -> bool:
        """Whether the register has a say in the claim: of the registers of groups, only that of the group named."""
        of_group = register.startswith("group_") or register == Register.UNEMPLOYMENT_INSURANCE
        return not of_group or (bool(self.group) and register == register_of_group(self.group))

    def is_met_by(self, entry: Mapping[str, Any]) -> bool:
        """Whether a payment of the sister scheme was for the same; any other entry says nothing of that."""
        return entry["occupation"] is None or (
            (entry["occupation"], entry["level"]) == (self.subsidy_key, self.level)
        )


# OFFSET 0 keeps the inner part by itself, so that there is one way to a person's lines, also while nobody has counted
# yet what was just loaded: by their index. Then it is seen which snapshot each is of.
_ENTRIES = """
    SELECT asked.place, entry.*
      FROM unnest($1::integer[], $2::bytea[]) AS asked (place, index)
     CROSS JOIN LATERAL (
           SELECT e.snapshot_id, e.line, e.first, e.last, e.graduates, e.level,
                  coalesce((SELECT a.canonical FROM occupation_aliases a WHERE a.code = e.occupation),
                           e.occupation) AS occupation
             FROM register_entries e
            WHERE e.index = asked.index
           OFFSET 0) AS entry
     WHERE entry.snapshot_id = ANY ($3::uuid[])
     ORDER BY asked.place, entry.snapshot_id, entry.line
"""


async def look_up(tx: Tx, sought: Sequence[Sought], snapshots: Mapping[str, Snapshot]) -> list[tuple[Looked, ...]]:
    """What these snapshots say of each, in order; one statement however many there are, and none without a snapshot.

    Under every key that is known here: a snapshot keeps the digests of the key that it was loaded with.
    """
    if not snapshots:
        return [() for _ in sought]
    keys = keyring()
    digests = [
        (place, digest)
        for place, each in enumerate(sought)
        if each.id_number is not None
        for digest in keys.blind_indexes("person", each.id_number.number).values()
    ]
    places, indexes = [place for place, _ in digests], [digest for _, digest in digests]
    rows = await fetch(tx, _ENTRIES, places, indexes, [each.id for each in snapshots.values()])
    found: dict[tuple[int, UUID], list[FoundEntry]] = defaultdict(list)
    for row in rows:
        if sought[row["place"]].is_met_by(row):
            entry = FoundEntry(row["line"], row["first"], row["last"], row["graduates"])
            found[row["place"], row["snapshot_id"]].append(entry)
    asked = sorted(snapshots.items())
    return [_looked(place, each, asked, found) for place, each in enumerate(sought)]


def _looked(
    place: int,
    sought: Sought,
    snapshots: Iterable[tuple[str, Snapshot]],
    found: Mapping[tuple[int, UUID], list[FoundEntry]],
) -> tuple[Looked, ...]:
    """A person who is not known by number was looked for nowhere."""
    if sought.id_number is None:
        return ()
    return tuple(
        Looked(register, str(each.id), each.as_of, tuple(found.get((place, each.id), ())))
        for register, each in snapshots
        if sought.asks(register)
    )


_LISTED = f"""
    SELECT s.id, s.register, s.as_of, lower(s.in_force) AS first, upper(s.in_force) - 1 AS last, s.source, s.sha256,
           s.lines, s.loaded_at, c.snapshot_id IS NOT NULL AS confirmed, asked.id IS NOT NULL AS asked,
           s.loader_id = :person AS mine,
           (SELECT b.lines FROM register_snapshots b JOIN register_confirmations bc ON bc.snapshot_id = b.id
             WHERE b.register = s.register AND b.id <> s.id AND bc.confirmed_at <= s.loaded_at
             ORDER BY b.as_of DESC, bc.serial DESC LIMIT 1) AS lines_before
      FROM register_snapshots s
      LEFT JOIN register_confirmations c ON c.snapshot_id = s.id
      LEFT JOIN ({in_force_sql(":today")}) AS asked ON asked.id = s.id
     WHERE CAST(:one AS uuid) IS NULL OR s.id = :one
     ORDER BY s.loaded_at DESC, s.register, s.id LIMIT {SNAPSHOTS_MAX}
"""  # noqa: S608 (our own constants)


async def list_snapshots(tx: Tx, me: Actor | None, today: date, one: UUID | None = None) -> SnapshotsView:
    """The latest snapshots, newest first; or one."""
    told = {"person": me.person_id if me else None, "today": today, "one": one}
    rows = (await tx.execute(text(_LISTED), told)).mappings()
    return SnapshotsView([SnapshotView(**{**row, "name": words(f"register.{row['register']}")}) for row in rows])
