"""补发: what is owed on top of a paid claim becomes a claim of its own, and goes to the money as every other does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, text

from domain.claim import CLAIM_LIFECYCLE, DEAD, ClaimAction, ClaimStatus
from domain.money import Fen
from service.claims.commands.moves import affordable, move_claims
from service.clawbacks.tables import SupplementRow
from service.clock import business_day
from service.database import Tx
from service.jobs import owe_all
from service.journal import By, record
from service.queue import Job

#: Nothing appropriates money in seconds: one that waits for it is looked at so often.
LOOK_AGAIN_SECONDS = 300

# As the claim it belongs to, but for what makes that a claim of its kind. It is of no class: what was set aside for
# one was for its claims. Whoever keyed the claim in at a counter keyed this one in nowhere.
_FILE = text("""
    INSERT INTO claims (id, supplement_of, kind, person_id, channel, via, filed_by, institution_id, contract_id,
                        payee_institution_id, district, item_id, list_kind, industry, subsidy_key, level, once_in,
                        training_started_on, group_code, amount_fen, account_id, status, filed_on, filed_at, decision)
    SELECT s.id, b.id, 'supplement', b.person_id, b.channel, CASE b.via WHEN 'counter' THEN 'web' ELSE b.via END,
           s.owed_by, b.institution_id, b.contract_id, b.payee_institution_id, b.district, b.item_id, b.list_kind,
           b.industry, 'supplement:' || s.id, b.level, 'ever', b.training_started_on, b.group_code, s.amount_fen,
           b.account_id, CAST(:status AS text), CAST(:on AS date), CAST(:at AS timestamptz), b.decision
      FROM claim_supplements s JOIN claims b ON b.id = s.claim_id
     WHERE s.id = ANY (CAST(:ids AS uuid[]))
""")
_STANDING = text("""
    SELECT s.id, s.amount_fen, b.id AS claim_id, b.status AS base, b.account_id, b.level, p.status AS own,
           owed_back_wholly(b) AS owed_back
      FROM claim_supplements s JOIN claims b ON b.id = s.claim_id LEFT JOIN claims p ON p.id = s.id
     WHERE s.id = ANY (CAST(:ids AS uuid[])) ORDER BY b.id, s.owed_at, s.id
""")
# In a statement before: whoever waited for a claim must see what the one before did with its supplements.
_LOCK = text("""
    SELECT id FROM claims
     WHERE id IN (SELECT claim_id FROM claim_supplements WHERE id = ANY (CAST(:ids AS uuid[])))
     ORDER BY id FOR NO KEY UPDATE
""")


@dataclass(frozen=True)
class Owing:
    """What is right for a claim, what counts as paid for it, and the appeal or the correction that says so."""

    claim_id: UUID
    right_fen: Fen
    paid_fen: Fen
    appeal_id: UUID | None = None
    correction_id: UUID | None = None


async def owe_supplements(tx: Tx, owing: Sequence[Owing], why: str, by: By) -> list[UUID]:
    """Owe each difference, once for its ground, and its payment with it; their ids, in order. The claims are locked.

    The database refuses what is not the difference (`ZD232`).
    """
    rows: list[dict[str, Any]] = [
        {"id": uuid4(), **vars(each), "amount_fen": each.right_fen - each.paid_fen, "why": why} for each in owing
    ]
    if rows:
        own = {"owed_by": by.user_id, "owed_at": by.at}
        await tx.execute(insert(SupplementRow), [{**row, **own} for row in rows])
        await record(tx, "claim_supplement", _ids(rows), "owe", by, [_told(row) for row in rows], reason=why)
        await owe_all(tx, Job.PAY_SUPPLEMENT, _ids(rows))
    return _ids(rows)


def _ids(rows: Sequence[Mapping[str, Any]]) -> list[UUID]:
    return [row["id"] for row in rows]


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: str(row[name]) for name in ("claim_id", "appeal_id", "correction_id") if row[name] is not None}
    return {**named, "amount_fen": row["amount_fen"]}


async def pay_supplements(tx: Tx, supplement_ids: Sequence[UUID], now: datetime) -> dict[UUID, str]:
    """Bring what is owed to the money, as far as its funds last, the oldest first; who comes twice finds it there.

    Answered is what stays owed, and why: `supplement.claim_not_paid` while the claim it belongs to is not (its money
    came back), `fund.insufficient`. With a claim that is no more, or is owed back wholly, its supplement ends.
    """
    by = By(str(Job.PAY_SUPPLEMENT), now)
    asked = {"ids": list(supplement_ids)}
    await tx.execute(_LOCK, asked)
    rows = (await tx.execute(_STANDING, asked)).all()
    open_ = [row for row in rows if row.own in (None, ClaimStatus.FILED)]
    ended = {row.id for row in open_ if row.base in DEAD or row.owed_back}
    filed = [row.id for row in open_ if row.own is not None]
    await move_claims(tx, ClaimAction.WITHDRAW, sorted(ended & {*filed}), by, reason="supplement.ended")
    going = [row for row in open_ if row.id not in ended]
    due = [row for row in going if row.base == ClaimStatus.PAID]
    await _file(tx, [row for row in due if row.own is None], by)
    funded, _ = await affordable(tx, [row.id for row in due], by, ClaimAction.GRANT)
    await move_claims(tx, ClaimAction.GRANT, funded, by)
    unpaid = {row.id: "supplement.claim_not_paid" for row in going if row.base != ClaimStatus.PAID}
    return unpaid | {row.id: "fund.insufficient" for row in due if row.id not in set(funded)}


async def _file(tx: Tx, rows: Sequence[Any], by: By) -> None:
    """The journal first: the guard of claims looks for it."""
    status = str(CLAIM_LIFECYCLE.first)
    told = [
        {
            "status": status,
            "amount_fen": row.amount_fen,
            "account_id": str(row.account_id),
            "subsidy_key": f"supplement:{row.id}",
            "level": row.level,
            "supplement_of": str(row.claim_id),
        }
        for row in rows
    ]
    if rows:
        ids = [row.id for row in rows]
        await record(tx, "claim", ids, "file", by, told)
        await tx.execute(_FILE, {"ids": ids, "status": status, "on": business_day(by.at), "at": by.at})
