"""Whose each line of a statement is: by its reference, or for a person."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import text

from domain.batch import AttemptStatus
from domain.clawback import serial_in
from domain.identity import mask_name
from domain.personal_number import without_numbers
from domain.statement import Booked, Oddity, Owned, Owner, Payment, Side, Total, own
from service.batches.commands.moves import ROWS_MAX
from service.database import Tx
from service.gateways.statement_files import StatementLine
from service.statements.queries.naming import Named

_OURS = re.compile(r"[A-Z]{2}\d{8,26}", re.ASCII)

_LINES = text("""
    INSERT INTO statement_lines (statement_id, account, id, line_no, bank_key, booked_on, side, amount_fen, reference,
                                 counterparty, text, verdict, owner, exception, expected_fen, attempt_id, batch_id,
                                 clawback_serial)
    SELECT CAST(:statement AS uuid), CAST(:account AS text), * FROM unnest(
      CAST(:ids AS uuid[]), CAST(:numbers AS integer[]), CAST(:keys AS text[]), CAST(:days AS date[]),
      CAST(:sides AS text[]), CAST(:amounts AS bigint[]), CAST(:references AS text[]), CAST(:parties AS text[]),
      CAST(:texts AS text[]), CAST(:verdicts AS text[]), CAST(:owners AS text[]), CAST(:exceptions AS text[]),
      CAST(:expected AS bigint[]), CAST(:attempts AS uuid[]), CAST(:batches AS uuid[]), CAST(:serials AS bigint[]))
""")


class Moving(NamedTuple):
    """A payment that a line moves. `unknown`: the bank could not tell of it before."""

    id: UUID
    claim_id: UUID
    batch_id: UUID
    unknown: bool


@dataclass(frozen=True)
class Judged:
    """A line with whose it is. `serial`: of the clawback whose number it carries."""

    id: UUID
    line: StatementLine
    named: Named | None
    owned: Owned
    serial: int | None

    @property
    def verdict(self) -> str:
        if self.owned.owner is None:
            return "exception"
        return "waiting" if self.owned.owner is Owner.REPAYMENT else "owned"

    @property
    def attempt(self) -> Moving | None:
        """The payment that this line moves, if it does."""
        it = self.named
        if it is None or it.attempt_id is None or it.claim_id is None or not isinstance(it.facts, Payment):
            return None
        if not acts(it.facts, self.owned):
            return None
        return Moving(it.attempt_id, it.claim_id, it.batch_id, it.facts.status is AttemptStatus.UNKNOWN)


def judge(lines: Sequence[StatementLine], named: Mapping[str, Named]) -> list[Judged]:
    """Each line's owner, in order: a later line meets what earlier lines of the same statement have counted."""
    known, judged, debited = dict(named), [], dict[UUID, Owner]()
    for line in lines:
        it = known.get(line.reference)
        serial = serial_in(line.reference, line.text) if line.side is Side.CREDIT and it is None else None
        booked = Booked(line.side, line.amount_fen, line.reference, clawback=serial is not None)
        owned = own(booked, it.facts if it else None)
        if it and owned.owner and debited.get(it.batch_id, owned.owner) is not owned.owner and _debits(owned):
            owned = Owned(oddity=Oddity.COUNTED_TWICE)  # in one sum and payment by payment
        judged.append(Judged(uuid4(), line, it, owned, serial))
        if it and owned.owner:
            known[line.reference] = replace(it, facts=_after(it.facts, line.side, owned))
            if _debits(owned):
                debited[it.batch_id] = owned.owner
    return judged


def _debits(owned: Owned) -> bool:
    return owned.owner in (Owner.BATCH, Owner.PAYMENT)


def _after(facts: Payment | Total, side: Side, owned: Owned) -> Payment | Total:
    if isinstance(facts, Total):
        return replace(facts, counted=True)
    after = AttemptStatus.RETURNED if side is Side.CREDIT else AttemptStatus.DONE
    return replace(facts, counted=facts.counted | {side}, status=after if acts(facts, owned) else facts.status)


def acts(facts: Payment, owned: Owned) -> bool:
    """Whether a line moves its payment: one that gives money back does; a debit only ends what is unknown, and of
    what was sent the return file tells."""
    if owned.verdict is None or owned.verdict.attempt_action is None:
        return False
    return owned.owner is Owner.RETURN or facts.status is AttemptStatus.UNKNOWN


async def store_lines(tx: Tx, statement_id: UUID, account: str, judged: Sequence[Judged]) -> None:
    for start in range(0, len(judged), ROWS_MAX):
        part = judged[start : start + ROWS_MAX]
        lines = [each.line for each in part]
        columns = {
            "ids": [each.id for each in part],
            "numbers": [line.line_no for line in lines],
            "keys": [key_of(line) for line in lines],
            "days": [line.booked_on for line in lines],
            "sides": [str(line.side) for line in lines],
            "amounts": [line.amount_fen for line in lines],
            "references": [_reference(each) for each in part],
            "parties": [mask_name(without_numbers(line.counterparty)) if line.counterparty else "" for line in lines],
            "texts": [without_numbers(line.text) for line in lines],
            "verdicts": [each.verdict for each in part],
            "owners": [str(each.owned.owner or "") for each in part],
            "exceptions": [str(each.owned.oddity or "") for each in part],
            "expected": [each.owned.expected_fen for each in part],
            "attempts": [each.named.attempt_id if each.named else None for each in part],
            "batches": [each.named.batch_id if each.named else None for each in part],
            "serials": [each.serial for each in part],
        }
        await tx.execute(_LINES, {"statement": statement_id, "account": account, **columns})


def _reference(judged: Judged) -> str:
    said = judged.line.reference
    return said if judged.named or _OURS.fullmatch(said) else without_numbers(said)


def key_of(line: StatementLine) -> str:
    """The bank's key as it is kept: banks make them of account numbers."""
    return hashlib.sha256(line.bank_key.encode()).hexdigest()
