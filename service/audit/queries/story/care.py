"""What a claim was sent back for and stopped by, and what was decided of it before it was corrected."""

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text

from domain.register import Looked
from service.audit.queries.story.filing import looked_into
from service.audit.queries.story.journal import masked
from service.audit.schemas import StepView
from service.claims.queries.decisions import decided_again
from service.database import Tx
from service.oversight.queries.signals.seen import explanation
from service.wording import words

_FAULTS = text("""
    SELECT k.asked_at AS at, k.faults, k.due_on, u.person_id, p.name_sealed
      FROM claim_corrections k JOIN users u ON u.id = k.asked_by JOIN people p ON p.id = u.person_id
     WHERE k.claim_id = :claim ORDER BY k.asked_at
""")
_REPLACED = text("""
    SELECT corrected_at AS at, replaced -> 'decision' AS decision FROM claim_corrections
     WHERE claim_id = :claim AND replaced ? 'decision' ORDER BY corrected_at
""")
_SIGNALS = text("""
    SELECT h.placed_at AS at, s.signal, f.figures, f.score
      FROM signal_holds s JOIN claim_holds h ON h.id = s.hold_id JOIN signal_findings f ON f.id = s.finding_id
     WHERE s.claim_id = :claim ORDER BY h.placed_at
""")
_PENALTIES = text("""
    SELECT h.placed_at AS at, i.name AS institution, p.reason
      FROM claim_holds h JOIN penalty_holds x ON x.hold_id = h.id
      JOIN penalties p ON p.id = x.penalty_id JOIN institutions i ON i.id = p.institution_id
     WHERE h.claim_id = :claim ORDER BY h.placed_at
""")
_FINDINGS = text("""
    SELECT h.placed_at AS at, f.objections, f.registers
      FROM claim_register_findings f JOIN claim_holds h ON h.id = f.hold_id
     WHERE f.claim_id = :claim ORDER BY h.placed_at
""")


async def faults_named(tx: Tx, claim_id: UUID) -> list[StepView]:
    return [_faults(row) for row in await tx.execute(_FAULTS, {"claim": claim_id})]


def _faults(row: Any) -> StepView:
    named = [words(f"fault.{each['code']}") + each["note"] for each in row.faults]
    return StepView(row.at, masked(row), words("story.faults", {"due_on": row.due_on}), named)


async def replaced_decisions(tx: Tx, claim_id: UUID) -> list[StepView]:
    return [_replaced(row) for row in await tx.execute(_REPLACED, {"claim": claim_id})]


def _replaced(row: Any) -> StepView:
    before = decided_again(row.decision)
    amount = {} if before.amount_fen is None else {"amount_fen": before.amount_fen}
    verdict = words(f"verdict.{before.verdict}")
    what = words("story.decided_before", {"version": before.rules_version, "verdict": verdict, **amount})
    reasons = [words(each.code, each.facts) for each in before.outcomes if each.code in before.reasons]
    return StepView(row.at, words("by.claims.rules"), what, reasons)


async def stopped_by(tx: Tx, claim_id: UUID) -> list[StepView]:
    signals = [
        StepView(
            row.at,
            words("by.oversight.run_signals"),
            explanation(row.signal, row.figures),
            [words("evidence.score", {"score": row.score})],
        )
        for row in await tx.execute(_SIGNALS, {"claim": claim_id})
    ]
    penalties = [
        StepView(
            row.at,
            words("by.oversight.hold_claims"),
            words("story.penalty", {"institution": row.institution}),
            [row.reason],
        )
        for row in await tx.execute(_PENALTIES, {"claim": claim_id})
    ]
    return signals + penalties


async def register_findings(tx: Tx, claim_id: UUID) -> list[StepView]:
    return [_finding(row) for row in await tx.execute(_FINDINGS, {"claim": claim_id})]


def _finding(row: Any) -> StepView:
    against = [words(each["code"], each["facts"]) for each in row.objections]
    looked = [looked_into(each) for each in msgspec.convert(row.registers, list[Looked])]
    return StepView(row.at, words("by.claims.rules"), words("story.register_findings"), against + looked)
