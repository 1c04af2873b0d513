"""The journal's seal, recomputed: whether the chain is whole, which row was touched first, which heads are in it.

Nothing here asks the database's own `seal_journal`: who can change rows can change functions. A row's digest is
SHA-256 over its columns as one JSON array, in the form in which PostgreSQL writes jsonb; a block's hash is SHA-256
over its head and its rows' digests, computed in this process.
"""

import hashlib
import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import RowMapping, func, select, text

from service.audit.queries.checks import Breach, Promise
from service.audit.schemas import SealView
from service.batches.tables import RestoreRow
from service.database import Tx
from service.journal import JournalBlockRow, JournalRow

_SEALED = "journal_blocks b CROSS JOIN LATERAL unnest(b.row_ids, b.row_hashes) AS sealed (id, hash)"

SEALED = Promise(None, "journal_sealed", _SEALED, ())

# Rows that belong to a block which is there: up to the last block's place, among those written since its backup was
# put back and before the next one was; and all that came with its backup.
_TOUCHED = f"""
    SELECT sealed.id, CASE WHEN j.id IS NULL THEN '封存之后被删去' ELSE '封存之后被改动' END AS says
      FROM {_SEALED} LEFT JOIN journal j ON j.id = sealed.id
     WHERE j.id IS NULL
        OR sealed.hash <> sha256(convert_to(jsonb_build_array(
             j.id, j.subject_kind, j.subject_id, j.action, j.before, j.after, j.actor_user_id, j.actor_person_id,
             j.actor_name, j.reason, CAST(extract(epoch FROM j.at) * 1000000 AS bigint), j.xid)::text, 'UTF8'))
    UNION ALL
    SELECT j.id, '封存之后插入，不在任何一块里'
      FROM journal j
     CROSS JOIN (SELECT restore_id, upto_xid, upto_id FROM journal_blocks ORDER BY number DESC LIMIT 1) AS head
      LEFT JOIN restores came ON came.id = head.restore_id
     WHERE (j.id <= came.journal_id
            OR ((CAST(j.xid AS bigint), j.id) <= (head.upto_xid, head.upto_id)
                AND j.id <= coalesce((SELECT min(r.journal_id) FROM restores r WHERE r.id > head.restore_id), j.id)))
       AND NOT EXISTS (SELECT FROM {_SEALED} WHERE sealed.id = j.id)
    UNION ALL
    SELECT sealed.id, '封存了两次' FROM {_SEALED} GROUP BY sealed.id HAVING count(*) > 1"""  # noqa: S608 (our own constants)

_FIRST_TOUCHED = f"SELECT id, says, count(*) OVER () AS number FROM ({_TOUCHED}) AS touched ORDER BY id, says LIMIT 1"  # noqa: S608 (our own constants)

#: What stands before the first block, and how many blocks are held here at once.
_BEGINNING, _BLOCKS_AT_ONCE = bytes(32), 50

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def touched(tx: Tx) -> Breach | None:
    """The first journal row that is not as it was sealed; else the first block that does not fit the chain."""
    row = (await tx.execute(text(_FIRST_TOUCHED))).one_or_none()
    if row is not None:
        more = f"（共 {row.number} 处）" if row.number > 1 else ""
        return Breach("journal", str(row.id), row.says + more)
    return await _broken_link(tx)


async def _broken_link(tx: Tx) -> Breach | None:
    before, number = _BEGINNING, 0
    asked = select(JournalBlockRow).order_by(JournalBlockRow.number)
    async with tx.stream(asked, execution_options={"yield_per": _BLOCKS_AT_ONCE}) as blocks:
        async for block in blocks.mappings():
            number += 1
            if block["number"] != number or block["previous"] != before:
                return Breach("journal_blocks", str(block["number"]), "不接着上一块")
            if _hash_of(block) != block["hash"]:
                return Breach("journal_blocks", str(number), "内容与它的封印不符")
            before = block["hash"]
    return None


def _hash_of(block: RowMapping) -> bytes:
    """As `seal_journal` writes it: JSON with a space after each comma, the instant in microseconds."""
    told = [
        block["number"],
        block["previous"].hex(),
        *(block[name] for name in ("restore_id", "upto_xid", "upto_id", "row_count")),
        (block["sealed_at"] - _EPOCH) // timedelta(microseconds=1),
        block["row_ids"],
        b"".join(block["row_hashes"]).hex(),
    ]
    return hashlib.sha256(json.dumps(told).encode()).digest()


async def seal_head(tx: Tx) -> SealView | None:
    """The last block of the chain, which stands for every row before it; None before anything is sealed."""
    row = JournalBlockRow
    asked = select(row.number, func.encode(row.hash, "hex"), row.sealed_at).order_by(row.number.desc()).limit(1)
    last = (await tx.execute(asked)).one_or_none()
    return SealView(*last) if last else None


async def longest(tx: Tx) -> int:
    """No more rows than this are in the journal."""
    return (await tx.execute(select(func.coalesce(func.max(JournalRow.id), 0)))).scalar_one()


async def missing_heads(tx: Tx, heads: Collection[str]) -> list[str]:
    """Those of the hashes, once noted as the head, that no block of the chain has: what they stood for is gone."""
    row = JournalBlockRow
    known = select(func.encode(row.hash, "hex")).where(func.encode(row.hash, "hex").in_(heads))
    there = set((await tx.execute(known)).scalars())
    return [head for head in heads if head not in there]


async def last_restored_at(tx: Tx) -> datetime | None:
    """When a backup was last put back: heads noted after it was taken are lost with what it had not."""
    return (await tx.execute(select(func.max(RestoreRow.restored_at)))).scalar_one()
