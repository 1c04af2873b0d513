"""Take a bank's statement of an account: stored whole, read once, after the one before it or not at all."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, update

from domain.actor import Actor, Post
from domain.errors import Conflict, NotFound
from domain.statement import obstacle
from domain.text import public_words
from service.batches.queries import locked_batch
from service.crypto import keyring
from service.database import Tx
from service.gateways.statement_files import StatementFile, camt053, neutral
from service.jobs import owe_all
from service.journal import By, record
from service.logs import log
from service.queue import Job
from service.statements.commands.judging import judge, key_of, store_lines
from service.statements.commands.settling import settle, settle_absences
from service.statements.queries.naming import Account, account_of, batches_named, what_is_named
from service.statements.queries.statements import blocked_view, keys_known, known_statement, last_span, statement_view
from service.statements.schemas import NewSettingAside, StatementView
from service.statements.tables import BlockedStatementRow, StatementRow

#: Media type → the form of the file.
FORMS: Mapping[str, str] = {"text/csv": "neutral", "application/xml": "camt053"}
TAKERS = (Post.MAKER, Post.CHECKER, Post.RELEASER)

_READERS: Mapping[str, Callable[[bytes], StatementFile]] = {"neutral": neutral.read, "camt053": camt053.read}
#: Keys that an earlier statement has had: two statements overlap, whatever their days say.
LINES_KNOWN = "lines_known"


def read(form: str, data: bytes) -> StatementFile:
    """The statement; Invalid as the form's `read` says. Outside of any transaction: many lines take a while."""
    return _READERS[form](data)


async def take_statement(
    tx: Tx, me: Actor | None, form: str, file: StatementFile, data: bytes, by: By
) -> StatementView:
    """Store a statement of my district and count its lines; the same bytes again change nothing.

    One that does not follow the last is kept as blocked, and taken once the gap is filled. NotFound
    `statement.account_unknown`.
    """
    account = await account_of(tx, file.account, me)
    await lock_account(tx, account.label)
    sha256 = hashlib.sha256(data).hexdigest()
    if (known := await known_statement(tx, sha256)) is not None:
        view = await (blocked_view if known.blocked else statement_view)(tx, known.id)
        view.known = True
        return view
    statement_id = uuid4()
    if (reason := await _obstacle(tx, file)) is not None:
        await _block(tx, statement_id, account, form, file, data, sha256, reason, by)
        return await blocked_view(tx, statement_id)
    await _take(tx, statement_id, account, form, file, data, by)
    followed = await _take_what_follows(tx, account, by)
    view = await statement_view(tx, statement_id)
    view.followed = followed
    return view


async def set_aside(tx: Tx, me: Actor, statement_id: UUID, new: NewSettingAside, now: datetime) -> StatementView:
    """Say why a blocked statement of my district is not waited for. NotFound `statement.not_found`; Conflict
    `statement.not_blocked`; Invalid `words.…`."""
    me.must_hold(*TAKERS)
    note, row = public_words(new.note, "note"), BlockedStatementRow
    asked = select(row.ended_at, row.district).where(row.id == statement_id).with_for_update()
    found = (await tx.execute(asked)).one_or_none()
    if found is None or (me.district and me.district != found.district):
        raise NotFound("statement.not_found")
    if found.ended_at is not None:
        raise Conflict("statement.not_blocked")
    by = By.actor(me, next(post for post in TAKERS if me.holds(post)), now)
    await _end(tx, statement_id, "set_aside", by, note)
    return await blocked_view(tx, statement_id)


async def lock_account(tx: Tx, label: str) -> None:
    """Whoever takes a statement of an account, or closes a day of it, is alone at it."""
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"statement {label}", 0))))


async def _obstacle(tx: Tx, file: StatementFile) -> str | None:
    reason = obstacle(await last_span(tx, file.account), file.span)
    if reason is not None:
        return str(reason)
    return LINES_KNOWN if await keys_known(tx, file.account, [key_of(line) for line in file.lines]) else None


async def _take(
    tx: Tx, statement_id: UUID, account: Account, form: str, file: StatementFile, data: bytes, by: By
) -> None:
    references = {line.reference for line in file.lines if line.reference}
    batches = [await locked_batch(tx, batch_id) for batch_id in await batches_named(tx, references)]
    judged = judge(file.lines, await what_is_named(tx, account, references))
    about = _about(form, file, hashlib.sha256(data).hexdigest())
    sums = {"credits_fen": file.credits_fen, "debits_fen": file.debits_fen, "line_count": len(file.lines)}
    await tx.execute(
        insert(StatementRow).values(
            id=statement_id,
            bytes_sealed=keyring().seal(data, statement_id),
            district=account.district,
            fund=account.fund,
            taken_at=by.at,
            **about,
            **sums,
        )
    )
    noted = {name: str(value) if name.endswith("_on") else value for name, value in {**about, **sums}.items()}
    await record(tx, "bank_statement", [statement_id], "take", by, [noted])
    await store_lines(tx, statement_id, account.label, judged)
    await settle(tx, statement_id, judged, batches, by)
    await settle_absences(tx, statement_id, account, file.span, by)
    await owe_all(tx, Job.SETTLE_REPAYMENT, [each.id for each in judged if each.verdict == "waiting"])
    odd = sum(each.verdict == "exception" for each in judged)
    if odd:
        log.warning("statement_lines_odd", statement=str(statement_id), lines=odd)


async def _take_what_follows(tx: Tx, account: Account, by: By) -> int:
    """Blocked statements that follow now that the gap before them is filled; how many."""
    row, taken = BlockedStatementRow, 0
    waiting = (
        select(row.id, row.form, row.bytes_sealed)
        .where(row.account == account.label, row.ended_at.is_(None))
        .order_by(row.from_on, row.sequence)
    )
    for each in (await tx.execute(waiting)).all():
        data = keyring().open_bytes(each.bytes_sealed, each.id)
        file = read(each.form, data)
        if await _obstacle(tx, file) is None:
            await _take(tx, each.id, account, each.form, file, data, by)
            await _end(tx, each.id, "taken", by)
            taken += 1
    return taken


async def _block(
    tx: Tx,
    statement_id: UUID,
    account: Account,
    form: str,
    file: StatementFile,
    data: bytes,
    sha256: str,
    reason: str,
    by: By,
) -> None:
    about = {**_about(form, file, sha256), "reason": reason}
    sealed = {"bytes_sealed": keyring().seal(data, statement_id), "district": account.district, "fund": account.fund}
    await tx.execute(insert(BlockedStatementRow).values(id=statement_id, blocked_at=by.at, **about, **sealed))
    noted = {name: str(value) if name.endswith("_on") else value for name, value in about.items()}
    await record(tx, "bank_statement", [statement_id], "block", by, [noted])
    log.error("statement_blocked", statement=str(statement_id), reason=reason, sequence=file.span.sequence)


async def _end(tx: Tx, statement_id: UUID, how: str, by: By, note: str = "") -> None:
    row = BlockedStatementRow
    ending = {"ended_how": how, "ended_note": note, "ended_at": by.at}
    await tx.execute(update(row).where(row.id == statement_id).values(**ending))
    await record(tx, "bank_statement", [statement_id], "end_block", by, [{"ended_how": how}], reason=note)


def _about(form: str, file: StatementFile, sha256: str) -> dict[str, Any]:
    span = file.span
    return {
        "form": form,
        "sha256": sha256,
        "account": file.account,
        "sequence": span.sequence,
        "from_on": span.from_on,
        "to_on": span.to_on,
        "opening_fen": span.opening_fen,
        "closing_fen": span.closing_fen,
    }
