"""The money of a claim: from which fund, what was looked up before it left, and what the bank said."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from service.audit.schemas import StepView
from service.database import Tx
from service.wording import words

_CHECKED = text("""
    SELECT b.checked_at AS at, b.step, s.register, s.as_of, s.source
      FROM (SELECT DISTINCT batch_id FROM payment_attempts WHERE claim_id = :claim) AS a
      JOIN batch_register_checks b ON b.batch_id = a.batch_id
      LEFT JOIN LATERAL jsonb_each_text(b.snapshots) AS asked (register, snapshot) ON true
      LEFT JOIN register_snapshots s ON s.id = CAST(asked.snapshot AS uuid)
     ORDER BY b.checked_at, b.step, s.register
""")
_MOVED = text("""
    SELECT m.at, m.kind, m.amount_fen, p.year, f.name AS fund
      FROM (SELECT id, at, kind, amount_fen, position_id FROM fund_movements WHERE claim_id = :claim
             UNION ALL
            SELECT m.id, m.at, m.kind, m.amount_fen, m.position_id
              FROM clawbacks k JOIN clawback_repayments r ON r.clawback_id = k.id
              JOIN fund_movements m ON m.repayment_id = r.id
             WHERE k.claim_id = :claim) AS m
      JOIN fund_positions p ON p.id = m.position_id JOIN funds f ON f.code = p.fund
     ORDER BY m.id
""")
_RETURNS = text("""
    SELECT f.received_at AS at, f.file_id, l.line_no, l.reference, l.amount_fen, l.code
      FROM return_lines l JOIN return_files f ON f.id = l.return_file_id
      JOIN payment_attempts a ON a.id = l.attempt_id
     WHERE a.claim_id = :claim ORDER BY f.received_at, l.line_no
""")


async def registers_before_payment(tx: Tx, claim_id: UUID) -> list[StepView]:
    """A step for each time; where no register was loaded it says so by naming none."""
    steps: dict[tuple[Any, str], StepView] = {}
    for row in await tx.execute(_CHECKED, {"claim": claim_id}):
        what = words(f"story.registers_{row.step}")
        step = steps.setdefault((row.at, row.step), StepView(row.at, words("by.claims.rules"), what, []))
        if row.register:
            said = {"register": f"register.{row.register}", "as_of": row.as_of, "source": row.source}
            step.evidence.append(words("evidence.snapshot", said))
    return list(steps.values())


async def money_moved(tx: Tx, claim_id: UUID) -> list[StepView]:
    rows = await tx.execute(_MOVED, {"claim": claim_id})
    return [
        StepView(row.at, words("by.ledger"), words(f"story.money.{row.kind}", dict(row._mapping)), []) for row in rows
    ]


async def return_lines(tx: Tx, claim_id: UUID) -> list[StepView]:
    return [_return(row) for row in await tx.execute(_RETURNS, {"claim": claim_id})]


def _return(row: Any) -> StepView:
    what = words("story.return_line", {"amount_fen": row.amount_fen, "result": row.code})
    place = {"file_id": row.file_id, "line_no": row.line_no, "reference": row.reference}
    return StepView(row.at, words("by.bank"), what, [words("evidence.return_line", place)])
