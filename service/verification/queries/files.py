"""The files that the registry's owner sent: which there are, and what the newest of them says of a certificate."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, text

from domain.actor import Actor
from domain.claim import ClaimStatus
from domain.verification import RegistryEntry
from service.claims.tables import ALIVE_SQL
from service.crypto import keyring
from service.database import Tx
from service.gateways.certificate_registry import Reply
from service.verification.schemas import RegistryFilesView, RegistryFileView

FILES_MAX = 200


def newest_sql(number: str) -> str:
    """The confirmed file that is asked about a certificate: of those in which it stands, that of the latest day."""
    return f"""(SELECT f.id FROM registry_entries stands
                  JOIN registry_files f ON f.id = stands.file_id
                  JOIN registry_file_confirmations k ON k.file_id = f.id
                 WHERE stands.certificate_number = {number}
                 ORDER BY f.as_of DESC, k.serial DESC LIMIT 1)"""  # noqa: S608 (our own placeholder)


class Holder(msgspec.Struct):
    """What is sealed of an entry."""

    holder_name: str
    id_number: str


def entry_of(row: Row[Any]) -> RegistryEntry:
    """The entry as the registry told it, opened."""
    holder = msgspec.json.decode(keyring().open_bytes(row.holder_sealed, row.id), type=Holder)
    about = (row.occupation_code, row.level, row.issued_on, row.revoked, row.revoked_on)
    return RegistryEntry(row.certificate_number, holder.holder_name, holder.id_number, *about)


_ENTRIES = text(f"""
    SELECT e.*, encode(f.sha256, 'hex') AS sha256
      FROM unnest(CAST(:numbers AS text[])) AS asked (number)
      JOIN registry_entries e ON e.certificate_number = asked.number AND e.file_id = {newest_sql("asked.number")}
      JOIN registry_files f ON f.id = e.file_id
     WHERE NOT CAST(:revoked_only AS boolean)
        OR EXISTS (SELECT FROM registry_entries r
                    WHERE r.certificate_number = asked.number AND r.file_id = e.file_id AND r.revoked)
     ORDER BY f.sha256, e.line
""")  # noqa: S608 (our own constants)


async def replies_on_file(
    tx: Tx, numbers: Collection[str], now: datetime, *, revoked_only: bool = False
) -> list[Reply]:
    """What stands in the files about these certificates, a reply for each file, as if the registry had just said it.

    A number that stands in none is in no reply: nothing is known of it. `revoked_only` leaves out those of which the
    newest file does not say that they are revoked.
    """
    by_file: dict[str, list[tuple[int, RegistryEntry]]] = defaultdict(list)
    if numbers:
        for row in await tx.execute(_ENTRIES, {"numbers": list(numbers), "revoked_only": revoked_only}):
            by_file[row.sha256].append((row.line, entry_of(row)))
    return [_reply(sha256, lines, now) for sha256, lines in by_file.items()]


def _reply(sha256: str, lines: list[tuple[int, RegistryEntry]], now: datetime) -> Reply:
    """`raw` is in the form of the exchange interface, with the line beside each entry."""
    entries: dict[str, list[RegistryEntry]] = defaultdict(list)
    rows = []
    for line, entry in lines:
        entries[entry.number].append(entry)
        rows.append({"number": entry.number, "line": line, "entry": entry})
    return Reply(dict(entries), msgspec.json.encode({"rows": rows}), now, f"file:{sha256}")


_FILED_IN = f"""
    SELECT c.id FROM claims c
     WHERE c.status = '{ClaimStatus.FILED}' AND c.{ALIVE_SQL}
       AND c.certificate_number IN (SELECT certificate_number FROM registry_entries WHERE file_id = {{file}})
"""  # noqa: S608 (a word of our own)
_REVOKED_IN = f"""
    SELECT c.id FROM registry_entries e JOIN claims c ON c.certificate_number = e.certificate_number
     WHERE e.file_id = {{file}} AND e.revoked AND c.{ALIVE_SQL} AND c.status <> '{ClaimStatus.FILED}'
"""  # noqa: S608 (words of our own)


async def claims_filed_in(tx: Tx, file_id: UUID) -> list[UUID]:
    """The claims that wait for their check and stand in this file."""
    return list((await tx.execute(text(_FILED_IN.format(file=":file")), {"file": file_id})).scalars())


async def claims_revoked_in(tx: Tx, file_id: UUID) -> list[UUID]:
    """The claims past their check of whose certificate this file says that it is revoked."""
    return list((await tx.execute(text(_REVOKED_IN.format(file=":file")), {"file": file_id})).scalars())


#: Whoever confirms a file sees what it meets; of every file that was ever sent nobody asks that.
_COUNTED = "k.file_id IS NULL OR f.id = :one"
_LISTED = text(f"""
    SELECT f.id, f.as_of, f.source, encode(f.sha256, 'hex') AS sha256, f.entries, f.loaded_at,
           CASE WHEN {_COUNTED} THEN (SELECT count(*) FROM ({_FILED_IN.format(file="f.id")}) AS met) END AS filed,
           CASE WHEN {_COUNTED} THEN (SELECT count(*) FROM ({_REVOKED_IN.format(file="f.id")}) AS met) END AS revoked,
           k.file_id IS NOT NULL AS confirmed, f.loader_id = :person AS mine
      FROM registry_files f LEFT JOIN registry_file_confirmations k ON k.file_id = f.id
     WHERE CAST(:one AS uuid) IS NULL OR f.id = :one
     ORDER BY f.loaded_at DESC, f.id LIMIT {FILES_MAX}
""")  # noqa: S608 (our own constants)


async def list_files(tx: Tx, me: Actor | None, one: UUID | None = None) -> RegistryFilesView:
    """The latest files, newest first; or one."""
    rows = await tx.execute(_LISTED, {"person": me.person_id if me else None, "one": one})
    return RegistryFilesView([RegistryFileView(**row) for row in rows.mappings()])
