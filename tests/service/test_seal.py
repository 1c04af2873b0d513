"""The journal's seal against a superuser with every trigger asleep, against long transactions, and after restores."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from service.audit.commands import HEADS_FILE, note_head, noted_heads
from service.audit.queries.seal import missing_heads, seal_head, touched
from service.batches.commands import mark_restored
from service.database import Tx, async_url
from service.journal import By, record
from tests.conftest import ROOT, Databases
from tests.service.season import AT, fresh_database

BY = By("test", AT)


# Said once more, by who forges.
_DIGEST = """sha256(convert_to(jsonb_build_array(
    j.id, j.subject_kind, j.subject_id, j.action, j.before, j.after, j.actor_user_id, j.actor_person_id, j.actor_name,
    j.reason, (extract(epoch FROM j.at) * 1000000)::bigint, j.xid)::text, 'UTF8'))"""


class Books:
    """A database of one's own with a journal: written as the service's role, attacked as the superuser."""

    def __init__(self, app: AsyncEngine, admin: AsyncEngine, app_url: str) -> None:
        self.app, self.admin, self.app_url = app, admin, app_url

    async def write(self, count: int = 1) -> None:
        async with self.app.begin() as tx:
            await write(tx, count)

    async def seal(self, rows: int = 5, block: int = 2) -> int:
        async with self.app.begin() as tx:
            return await seal(tx, rows, block)

    async def seal_all(self) -> None:
        """Whoever writes elsewhere on the same server is waited for as well: numbers of transactions are shared."""
        async with asyncio.timeout(30):
            while await self.seal() or await self.unsealed():  # noqa: ASYNC110 (nobody tells that they ended)
                await asyncio.sleep(0.02)

    async def unsealed(self) -> int:
        async with self.app.begin() as tx:
            return await _unsealed(tx)

    async def found(self, *statements: str) -> str:
        """What the audit says after a superuser did this behind every guard's back; rolled back."""
        async with self.admin.connect() as tx:
            await tx.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                done = await tx.execute(text(statement))
                assert done.rowcount, statement
            return await said(tx)


async def write(tx: Tx, count: int = 1) -> None:
    await record(
        tx, "thing", [uuid4() for _ in range(count)], "make", BY, [{"n": i, "说": "“\t”\n"} for i in range(count)]
    )


async def seal(tx: Tx, rows: int = 5, block: int = 2) -> int:
    return int(
        (await tx.execute(text("SELECT seal_journal(:rows, :block)"), {"rows": rows, "block": block})).scalar_one()
    )


async def said(tx: Tx) -> str:
    breach = await touched(tx)
    return f"{breach.table} {breach.row} {breach.says}" if breach else ""


@pytest.fixture
async def books(databases: Databases) -> AsyncIterator[Books]:
    async with fresh_database(databases.admin_url, "seal") as name:
        url = {role: f"{each.rpartition('/')[0]}/{name}" for role, each in vars(databases).items()}
        app, admin = (create_async_engine(async_url(url[r]), poolclass=NullPool) for r in ("app_url", "admin_url"))
        yield Books(app, admin, url["app_url"])


async def _middle(books: Books) -> int:
    async with books.app.begin() as tx:
        return int((await tx.execute(text("SELECT row_ids[1] FROM journal_blocks WHERE number = 3"))).scalar_one())


async def test_the_first_touched_row_is_named(books: Books) -> None:
    for _ in range(4):
        await books.write(3)
    await books.seal_all()
    assert await books.found() == ""
    row = await _middle(books)
    changed = f"journal {row} 封存之后被改动"
    for column, value in {
        "reason": "reason || '。'",
        "after": "after || '{\"n\": 7}'",
        "before": '\'{"status": "filed"}\'',
        "actor_name": "'another'",
        "actor_user_id": "subject_id",
        "actor_person_id": "subject_id",
        "at": "at + interval '1 microsecond'",
        "xid": "(xid::bigint + 1)::text",
        "subject_kind": "'claim'",
        "subject_id": "gen_random_uuid()",
        "action": "'unmake'",
    }.items():
        assert await books.found(f"UPDATE journal SET {column} = {value} WHERE id = {row}") == changed, column
    assert await books.found(f"DELETE FROM journal WHERE id = {row}") == f"journal {row} 封存之后被删去"
    # the earliest is named, however many there are
    both = f"UPDATE journal SET reason = 'x' WHERE id IN ({row + 3}, {row})"
    assert await books.found(both) == f"{changed}（共 2 处）"
    # taken out and put back a little different, and a copy of an old one under a new number
    columns = "subject_kind, subject_id, action, before, after, actor_name, at, xid"
    into = f"INSERT INTO journal (id, reason, {columns}) OVERRIDING SYSTEM VALUE SELECT"
    again = f"WITH gone AS (DELETE FROM journal WHERE id = {row} RETURNING *) {into} id, 'x', {columns} FROM gone"
    assert await books.found(again) == changed
    copied = f"{into} -1, reason, {columns} FROM journal WHERE id = {row}"
    assert await books.found(copied) == "journal -1 封存之后插入，不在任何一块里"


async def test_a_block_that_was_touched_is_named(books: Books) -> None:
    await books.write(9)
    await books.seal_all()
    row = await _middle(books)
    unlinked, false = "journal_blocks {} 不接着上一块", "journal_blocks {} 内容与它的封印不符"
    assert await books.found(
        "UPDATE journal_blocks SET sealed_at = sealed_at - interval '1 day' WHERE number = 2"
    ) == false.format(2)
    assert await books.found("UPDATE journal_blocks SET hash = sha256(hash) WHERE number = 2") == false.format(2)
    # a row and its digest
    assert await books.found(
        f"UPDATE journal SET reason = 'x' WHERE id = {row}",
        f"""UPDATE journal_blocks b SET row_hashes[1] = {_DIGEST} FROM journal j WHERE j.id = {row} AND number = 3""",
    ) == false.format(3)  # fmt: skip
    # a block in the middle with all its rows
    gone = "WITH gone AS (DELETE FROM journal_blocks WHERE number = 3 RETURNING row_ids)"
    assert await books.found(
        f"{gone} DELETE FROM journal j USING gone WHERE j.id = ANY (row_ids)"
    ) == unlinked.format(4)


async def test_a_rewritten_chain_does_not_have_the_head_that_was_noted(books: Books, tmp_path: Path) -> None:
    await books.write(9)
    await books.seal_all()
    async with books.app.begin() as tx:
        early = await seal_head(tx)
        assert early is not None
        assert note_head(early, tmp_path)
        assert not note_head(early, tmp_path)
    await books.write(3)
    await books.seal_all()
    async with books.app.begin() as tx:
        late = await seal_head(tx)
        assert late is not None
        assert late.number > early.number
        assert note_head(late, tmp_path)
        assert await missing_heads(tx, noted_heads(tmp_path / HEADS_FILE)) == []
    async with books.admin.begin() as tx:  # all of it anew, by who may do everything
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(
            text(
                "UPDATE journal SET reason = 'x' WHERE id = (SELECT row_ids[1] FROM journal_blocks WHERE number = 3)"
            )
        )
        await tx.execute(text("DELETE FROM journal_blocks"))
    await books.seal_all()
    async with books.app.begin() as tx:
        assert await said(tx) == ""  # the chain cannot tell
        assert await missing_heads(tx, noted_heads(tmp_path / HEADS_FILE)) == [early.hash, late.hash]
    shown = _zhida(books, "seal")
    assert shown.returncode == 0
    verified = _zhida(books, "verify", "--head", shown.stdout.split()[1], "--heads", str(tmp_path / HEADS_FILE))
    assert verified.returncode == 1
    assert f"记下的封印不在链上（2 个）：{early.hash}。它所封的日志被整条改写过" in verified.stderr


def _zhida(books: Books, *said: str) -> subprocess.CompletedProcess[str]:
    asked = os.environ | {"ZHIDA_DATABASE_URL": books.app_url}
    command = [sys.executable, "-m", "service.cli", "audit", *said]
    return subprocess.run(command, check=False, cwd=ROOT, env=asked, capture_output=True, text=True)


async def test_by_sql_the_service_neither_forges_nor_cuts_the_chain(books: Books) -> None:
    await books.write(3)
    await books.seal_all()
    for statement in (
        "INSERT INTO journal_blocks SELECT * FROM journal_blocks",
        "UPDATE journal_blocks SET sealed_at = now()",
        "DELETE FROM journal_blocks",
        "TRUNCATE journal_blocks",
    ):
        async with books.app.connect() as tx:
            with pytest.raises(DBAPIError) as refused:
                await tx.execute(text(statement))
            assert refused.value.orig.sqlstate == "42501", statement  # type: ignore[union-attr]
    async with books.admin.connect() as tx:
        with pytest.raises(DBAPIError, match="it is written once"):
            await tx.execute(text("DELETE FROM journal_blocks"))


async def test_a_long_transaction_is_not_passed_over(books: Books) -> None:
    """It wrote first and commits last; what committed meanwhile waits for it, and its rows come before."""
    await books.seal_all()
    async with books.app.connect() as slow:
        await write(slow)
        await books.write(2)
        assert await books.seal() == 0
        await slow.commit()
    await books.write()
    await books.seal_all()
    async with books.app.begin() as tx:
        assert await said(tx) == ""
        assert await _unsealed(tx) == 0


async def test_many_writers_and_sweeps_at_once_make_one_chain(books: Books) -> None:
    """A superuser's sequence of commits cannot be foreseen; whatever it is, at the end each row is sealed once."""

    async def writer(turn: int) -> None:
        for place in range(4):
            async with books.app.connect() as tx:
                await write(tx)
                await asyncio.sleep(0.01 * ((turn * 7 + place * 3) % 5))
                await (tx.rollback() if place == turn else tx.commit())

    async def sweeper() -> None:
        for _ in range(8):
            await books.seal(rows=4, block=3)

    await asyncio.gather(*(writer(turn) for turn in range(6)), *(sweeper() for _ in range(3)))
    await books.seal_all()
    async with books.app.begin() as tx:
        assert await said(tx) == ""
        assert await _unsealed(tx) == 0


async def _unsealed(tx: Tx) -> int:
    asked = "SELECT (SELECT count(*) FROM journal) - (SELECT coalesce(sum(row_count), 0) FROM journal_blocks)"
    return int((await tx.execute(text(asked))).scalar_one())


_SEAL_AND_HANG = """
import asyncio, asyncpg, sys
async def work():
    line = await asyncpg.connect(sys.argv[1])
    await line.execute("BEGIN; SELECT seal_journal(5, 2)")
    print("sealed", flush=True)
    await asyncio.sleep(60)
asyncio.run(work())
"""


async def test_killed_half_way_the_chain_is_shorter_and_goes_on(books: Books) -> None:
    await books.write(3)
    await books.seal_all()
    await books.write(9)
    command = (sys.executable, "-c", _SEAL_AND_HANG, books.app_url)
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    assert await child.stdout.readline() == b"sealed\n"
    child.kill()
    await child.wait()
    await asyncio.wait_for(books.seal_all(), 5)  # the lock went with its connection
    async with books.app.begin() as tx:
        assert await said(tx) == ""
        assert await _unsealed(tx) == 0


async def test_after_a_restore_that_counts_transactions_anew(books: Books) -> None:
    """The backup's rows have numbers of transactions that are far ahead; what comes later is sealed all the same."""
    await books.write(6)
    await books.seal(rows=4)
    async with books.admin.begin() as tx:  # as a dump looks in a new cluster
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(text("DELETE FROM journal_blocks"))
        await tx.execute(text("UPDATE journal SET xid = (xid::bigint + 1000000000)::text"))
        await tx.execute(text(_CHAINED_OF_OLD))
    await books.write()
    with pytest.raises(DBAPIError) as refused:
        await books.seal()
    assert refused.value.orig.sqlstate == "ZD255"  # type: ignore[union-attr]
    async with books.app.begin() as tx:
        await mark_restored(tx, AT)
    await books.write(3)
    await books.seal_all()
    async with books.app.begin() as tx:
        assert await said(tx) == ""
        assert await _unsealed(tx) == 0
    assert "封存之后插入" in await books.found(
        "INSERT INTO journal (id, subject_kind, subject_id, action, after, actor_name, at, xid)"
        " OVERRIDING SYSTEM VALUE VALUES (-1, 'thing', gen_random_uuid(), 'make', '{}', 'x', now(), '1')"
    )


# Half of the journal as the lost cluster had sealed it, in one block.
_CHAINED_OF_OLD = f"""
    INSERT INTO journal_blocks
    SELECT 1, decode(repeat('00', 32), 'hex'), sha256(convert_to(jsonb_build_array(
             1, repeat('00', 32), 0, upto_xid, upto_id, cardinality(ids), 0, ids,
             (SELECT encode(string_agg(h, '' ORDER BY n), 'hex') FROM unnest(hashes) WITH ORDINALITY AS t (h, n))
           )::text, 'UTF8')), 0, upto_xid, upto_id, cardinality(ids), ids, hashes, to_timestamp(0)
      FROM (SELECT array_agg(id ORDER BY x, id) AS ids, array_agg(hash ORDER BY x, id) AS hashes,
                   (array_agg(x ORDER BY x DESC, id DESC))[1] AS upto_xid,
                   (array_agg(id ORDER BY x DESC, id DESC))[1] AS upto_id
              FROM (SELECT j.id, j.xid::bigint AS x, {_DIGEST} AS hash FROM journal j ORDER BY x, j.id LIMIT 4) AS f
           ) AS block
"""
