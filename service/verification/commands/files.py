"""Load what the registry's owner sent as one person, confirm it as another: from then on certificates are answered
from it."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import func, insert, select

from domain.actor import Actor, Post
from domain.errors import Conflict, Invalid, NotFound
from domain.identity import NationalId
from domain.period import parse_date
from domain.register import must_be_another
from domain.text import half_width, plain_words
from service.crypto import Keyring, keyring
from service.database import Tx, copy_in
from service.gateways.file_store import digest_of, store
from service.gateways.registry_files import EntryLine, read_registry_file
from service.jobs import owe, owe_now
from service.journal import By, record
from service.queue import Job
from service.verification.queries.files import Holder, claims_filed_in, claims_revoked_in, list_files
from service.verification.schemas import NewRegistryFile, RegistryFileView
from service.verification.tables import RegistryEntryRow, RegistryFileConfirmationRow, RegistryFileRow

LOADERS = (Post.OPERATOR, Post.CATALOG_EDITOR)
#: Lines of one COPY.
_LINES_AT_ONCE = 5_000
_COLUMNS = (
    *("id", "file_id", "line", "certificate_number", "holder_index", "holder_sealed"),
    *("occupation_code", "level", "issued_on", "revoked", "revoked_on"),
)


async def load_file(
    tx: Tx, me: Actor, new: NewRegistryFile, data: bytes, filename: str, today: date, now: datetime
) -> RegistryFileView:
    """Load a file, whole or not at all, and keep its bytes sealed; nobody is answered from it before another person
    confirms it.

    The same bytes are the file that is there. Invalid `register.in_future`, for words that are not right, and as
    `read_registry_file`.
    """
    me.must_hold(*LOADERS)
    me.must_serve_the_city()
    as_of = parse_date(new.as_of, "as_of")
    if as_of > today:
        raise Invalid("register.in_future", field="as_of", today=today.isoformat())
    source = plain_words(new.source, "source", most=500)
    await _one_after_another(tx)
    row, file_id = RegistryFileRow, uuid4()
    same = select(row.id).where(row.sha256 == digest_of(data))
    if (known := (await tx.execute(same)).scalar_one_or_none()) is not None:
        return (await list_files(tx, me, known)).files[0]
    lines = await asyncio.to_thread(read_registry_file, data, filename)
    for start in range(0, len(lines), _LINES_AT_ONCE):
        some = lines[start : start + _LINES_AT_ONCE]
        await copy_in(tx, RegistryEntryRow, _COLUMNS, await asyncio.to_thread(_rows, file_id, some, today))
    sha256 = await store(tx, data, now)
    told: dict[str, Any] = {"as_of": as_of, "source": source, "sha256": sha256, "entries": len(lines)}
    by = {"loader_id": me.person_id, "loaded_by": me.user_id, "loaded_at": now}
    await tx.execute(insert(row).values(id=file_id, **told, **by))
    noted = {**told, "as_of": as_of.isoformat(), "sha256": sha256.hex()}
    post = next(post for post in LOADERS if me.holds(post))
    await record(tx, "registry_file", [file_id], "load", By.actor(me, post, now), [noted])
    return (await list_files(tx, me, file_id)).files[0]


async def _one_after_another(tx: Tx) -> None:
    """Whoever loads or confirms at the same time waits here, and then sees what this one did."""
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("registry file", 0))))


def _rows(file_id: UUID, lines: Sequence[EntryLine], today: date) -> list[tuple[Any, ...]]:
    keys = keyring()
    return [_row(keys, file_id, each, today) for each in lines]


def _row(keys: Keyring, file_id: UUID, told: EntryLine, today: date) -> tuple[Any, ...]:
    entry, row_id = told.entry, uuid4()
    assert entry.holder_name is not None
    assert entry.id_number is not None, "no line is read without them"
    sealed = keys.seal(msgspec.json.encode(Holder(entry.holder_name, entry.id_number)), row_id)
    index = _index_of(keys, entry.id_number, today)
    about = (entry.occupation_code, entry.level, entry.issued_on, entry.revoked, entry.revoked_on)
    return (row_id, file_id, told.line, entry.number, index, sealed, *about)


def _index_of(keys: Keyring, id_number: str, today: date) -> bytes | None:
    """None for a number that is masked, or of another kind of document: it finds nobody."""
    try:
        return keys.blind_index("person", NationalId.parse(half_width(id_number), today=today).number)
    except Invalid:
        return None


async def confirm_file(tx: Tx, me: Actor, file_id: UUID, now: datetime) -> RegistryFileView:
    """Another person vouches for what was loaded: checks are answered from it from now on, first those that wait.

    NotFound; Forbidden `register.same_person`; Conflict `registry_file.confirmed`.
    """
    me.must_hold(Post.CATALOG_PUBLISHER)
    me.must_serve_the_city()
    row, confirmed = RegistryFileRow, RegistryFileConfirmationRow
    await _one_after_another(tx)
    loader = (await tx.execute(select(row.loader_id).where(row.id == file_id))).scalar_one_or_none()
    if loader is None:
        raise NotFound("registry_file.not_found")
    must_be_another(loader, me.person_id)
    if (await tx.execute(select(confirmed.serial).where(confirmed.file_id == file_id))).first():
        raise Conflict("registry_file.confirmed")
    signed = {"person_id": me.person_id, "confirmed_by": me.user_id, "confirmed_at": now}
    await tx.execute(insert(confirmed).values(file_id=file_id, loader_id=loader, **signed))
    by = By.actor(me, Post.CATALOG_PUBLISHER, now)
    await record(tx, "registry_file", [file_id], "confirm", by, [{"confirmed_at": now.isoformat()}])
    await owe(tx, Job.SETTLE_FILE, file_id)
    return (await list_files(tx, me, file_id)).files[0]


async def owe_checks(tx: Tx, file_id: UUID) -> None:
    """Every claim that waits for its check and stands in the file is checked now, whatever it waited for; a claim
    past it, of which the file says that its certificate is revoked, is asked about again.

    Both ask the files first, so each is settled from there; killed between two messages, the rest is owed.
    """
    await owe_now(tx, Job.VERIFY_CERTIFICATE, await claims_filed_in(tx, file_id))
    await owe_now(tx, Job.RECHECK_CERTIFICATE, await claims_revoked_in(tx, file_id))
