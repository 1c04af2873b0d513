"""Take a bank's return file: every line settles a payment, repeats what was counted, or waits for a person."""

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import insert, text

from domain.actor import Actor
from domain.agent_bank import BankFormat, BankTerms, BankWay
from domain.batch import ATTEMPT_LIFECYCLE, BATCH_LIFECYCLE, AttemptAction, AttemptStatus, BatchAction, BatchStatus
from domain.claim import ClaimAction
from domain.errors import Conflict, Invalid
from domain.personal_number import without_numbers
from domain.reconciliation import AttemptFacts, ReturnLineFacts, Verdict, VerdictKind, match
from service.batches.commands.moves import BATCHES, ROWS_MAX, move_attempts, move_claims
from service.batches.queries import Attempt, Batch, attempts_in, locked_batch
from service.crypto import keyring
from service.database import Tx
from service.funds.queries import repaid_among
from service.gateways.bank import PaymentState
from service.gateways.bank_files import ReturnFile, ReturnLine, read_return
from service.jobs import owe
from service.journal import By, move_all, record
from service.logs import log
from service.queue import Job
from service.reconciliation.queries import batch_of_file, known_return, open_count, view_of
from service.reconciliation.schemas import ReturnView
from service.reconciliation.tables import ReturnFileRow

#: Before the bank has said that it took the file, a return of it can only be premature.
_NOT_SENT_YET = frozenset({AttemptStatus.PREPARED, AttemptStatus.SENDING})

_OUR_REFERENCE = re.compile(r"[A-Z]{2}\d{20,26}", re.ASCII)
_WORDS_MAX = 200

_LINES = text("""
    INSERT INTO return_lines (return_file_id, line_no, reference, amount_fen, code, reason, attempt_id, verdict,
                              exception)
    SELECT CAST(:file AS uuid), * FROM unnest(
      CAST(:numbers AS integer[]), CAST(:references AS text[]), CAST(:amounts AS bigint[]), CAST(:codes AS text[]),
      CAST(:reasons AS text[]), CAST(:attempts AS uuid[]), CAST(:verdicts AS text[]), CAST(:exceptions AS text[]))
""")


@dataclass(frozen=True)
class _Judged:
    """A line with what it does. `wave`: how many lines before it in this file moved the same attempt."""

    line: ReturnLine
    attempt: Attempt | None
    verdict: Verdict
    wave: int


def read(data: bytes, file_id: str | None = None, form: BankFormat | None = None) -> ReturnFile:
    """The return file, of `file_id` and in the form that were asked for; Invalid as `bank_files.read_return` says.

    Outside of any transaction: ten thousand lines take a while.
    """
    file = read_return(data, form)
    if file_id is not None and file.file_id != file_id:
        raise Invalid("return.file_differs", "header")
    return file


async def take_return(tx: Tx, me: Actor | None, file: ReturnFile, data: bytes, source: str, by: By) -> ReturnView:
    """Store a return file and settle what its lines say; the same bytes again change nothing.

    NotFound `return.file_unknown`; Invalid `return.other_form`, `return.account` for a return of another account,
    `return.count_differs` and `return.sum_differs` for what the bank says that it was asked to pay; Conflict
    `return.too_early` while the file is not known to have reached the bank.
    """
    batch = await locked_batch(tx, await batch_of_file(tx, file.file_id, me))
    _must_answer(file, batch)
    sha256 = hashlib.sha256(data).hexdigest()
    if (known := await known_return(tx, sha256)) is not None:
        return await view_of(tx, known, batch.id, known=True)
    attempts = await attempts_in(tx, batch.id)
    if any(each.status in _NOT_SENT_YET for each in attempts):
        raise Conflict("return.too_early", file_id=file.file_id)
    file = _naming_all(file, attempts)
    judged = _judge(file.lines, attempts, await repaid_among(tx, [each.claim_id for each in attempts]))
    return_id = await _store(tx, file, data, sha256, source, by)
    await _store_lines(tx, return_id, judged)
    settled = [each for each in judged if each.verdict.kind == VerdictKind.SETTLED]
    await _settle(tx, settled, by)
    await settle_batch(tx, batch, bool(settled), by)
    return await view_of(tx, return_id, batch.id, known=False)


def _must_answer(file: ReturnFile, batch: Batch) -> None:
    """A return of this batch's file, in its form and of its account."""
    terms = BankTerms.read(batch.terms)
    if file.form != terms.format:
        raise Invalid("return.other_form", "file", expected=str(terms.format), found=str(file.form))
    if file.account not in (None, batch.debit_account):
        raise Invalid("return.account", "header")
    if file.paid_count not in (None, batch.line_count):
        raise Invalid("return.count_differs", "header", stated=file.paid_count, actual=batch.line_count)
    if file.paid_sum_fen not in (None, batch.sum_fen):
        raise Invalid("return.sum_differs", "header", stated=file.paid_sum_fen, actual=batch.sum_fen)


def _naming_all(file: ReturnFile, attempts: Iterable[Attempt]) -> ReturnFile:
    """A line a payment, where the bank named none and said one thing of all."""
    if not file.whole:
        return file
    paid = sorted((each for each in attempts if each.status != AttemptStatus.VOID), key=lambda each: each.reference)
    lines = [ReturnLine(at, each.reference, each.amount_fen, file.whole, "") for at, each in enumerate(paid, start=1)]
    return replace(file, lines=lines, line_count=len(lines), sum_fen=sum(line.amount_fen for line in lines))


async def take_answers(tx: Tx, batch_id: UUID, answers: Sequence[PaymentState], by: By) -> None:
    """Settle what the bank answered about single payments, kept as a return of its own. Only what is definite: that
    it still cannot tell changes nothing."""
    lines = [
        ReturnLine(at, each.reference, each.amount_fen, each.code, each.reason)
        for at, each in enumerate((each for each in answers if _is_definite(each.code)), start=1)
    ]
    if not lines:
        return
    batch, sum_fen = await locked_batch(tx, batch_id), sum(line.amount_fen for line in lines)
    form = BankTerms.read(batch.terms).format
    file = ReturnFile(form, batch.number, None, len(lines), sum_fen, lines)
    await take_return(tx, None, file, msgspec.json.encode(answers), "enquiry", by)


def _is_definite(code: str) -> bool:
    return code in ("done", "returned", "failed:permanent", "failed:temporary")


async def keep_unreadable(tx: Tx, file_id: str, data: bytes, refusal: Invalid, by: By) -> None:
    """Keep bytes that the bank gave as a return and that are none: one exception, line 0, for a person."""
    sha256 = hashlib.sha256(data).hexdigest()
    await locked_batch(tx, await batch_of_file(tx, file_id, None))
    if await known_return(tx, sha256) is not None:
        return
    return_id = await _store(
        tx, ReturnFile(BankFormat.NEUTRAL, file_id, None, 0, 0, []), data, sha256, "bank", by, refusal.code
    )
    said = ReturnLine(0, "", 0, refusal.code, refusal.field)
    await _insert_lines(tx, return_id, [(said, None, VerdictKind.EXCEPTION, refusal.code)])


def _judge(lines: Iterable[ReturnLine], attempts: Iterable[Attempt], repaid: Collection[UUID]) -> list[_Judged]:
    """Each line's verdict, in order: a later line meets what earlier lines of the same file have done. `repaid`:
    claims of which a part is back."""
    known = {each.reference: each for each in attempts}
    facts = {
        reference: AttemptFacts(reference, each.amount_fen, each.status, each.claim_id in repaid)
        for reference, each in known.items()
    }
    waves: dict[str, int] = defaultdict(int)
    judged = []
    for line in lines:
        fact = facts.get(line.reference)
        verdict = match(fact, ReturnLineFacts(line.reference, line.amount_fen, line.code))
        judged.append(_Judged(line, known.get(line.reference), verdict, waves[line.reference]))
        if fact is not None and verdict.attempt_action is not None:
            after = ATTEMPT_LIFECYCLE.after(fact.status, verdict.attempt_action)
            facts[line.reference] = replace(fact, status=after)
            waves[line.reference] += 1
    return judged


async def _store(tx: Tx, file: ReturnFile, data: bytes, sha256: str, source: str, by: By, refused: str = "") -> UUID:
    return_id = uuid4()
    about: dict[str, Any] = {
        "sha256": sha256,
        "file_id": file.file_id,
        "line_count": file.line_count,
        "sum_fen": file.sum_fen,
        "source": source,
    }
    sealed = keyring().seal(data, return_id)
    await tx.execute(insert(ReturnFileRow).values(id=return_id, bytes_sealed=sealed, received_at=by.at, **about))
    await record(tx, "return_file", [return_id], "receive", by, [about], reason=refused)
    return return_id


_Kept = tuple[ReturnLine, UUID | None, VerdictKind, str]


async def _store_lines(tx: Tx, return_id: UUID, judged: Sequence[_Judged]) -> None:
    kept: list[_Kept] = [
        (each.line, each.attempt.id if each.attempt else None, each.verdict.kind, each.verdict.exception or "")
        for each in judged
    ]
    for start in range(0, len(kept), ROWS_MAX):
        await _insert_lines(tx, return_id, kept[start : start + ROWS_MAX])


async def _insert_lines(tx: Tx, return_id: UUID, kept: Sequence[_Kept]) -> None:
    await tx.execute(
        _LINES,
        {
            "file": return_id,
            "numbers": [line.line_no for line, *_ in kept],
            "references": [line.reference if owner else _reference(line.reference) for line, owner, *_ in kept],
            "amounts": [line.amount_fen for line, *_ in kept],
            "codes": [_words(line.code) for line, *_ in kept],
            "reasons": [_words(line.reason) for line, *_ in kept],
            "attempts": [owner for _, owner, *_ in kept],
            "verdicts": [str(verdict) for *_, verdict, _ in kept],
            "exceptions": [str(why) for *_, why in kept],
        },
    )


def _reference(said: str) -> str:
    return said if _OUR_REFERENCE.fullmatch(said) else _words(said)


def _words(said: str) -> str:
    """The bank's words, cut where they are endless."""
    return without_numbers(said[:_WORDS_MAX])


async def _settle(tx: Tx, settled: Sequence[_Judged], by: By) -> None:
    """Move attempts, then their claims: a claim is paid only when its attempt is done.

    Lines that do the same are moved together, so any number of lines takes few statements.
    """
    for (_, attempt_action, claim_action, code), attempts in _grouped(settled).items():
        failure = "" if attempt_action == AttemptAction.SUCCEED else code
        await move_attempts(tx, attempt_action, [each.id for each in attempts], by, changes={"failure": failure})
        if claim_action is None:
            continue
        moved = await move_claims(tx, claim_action, [each.claim_id for each in attempts], by, reason=failure)
        if moved != len(attempts):
            # such as money that comes back after it was recovered: the attempt says so, the claim is a person's
            log.warning("claims_stayed", action=str(claim_action), count=len(attempts) - moved)


_Effect = tuple[int, AttemptAction, ClaimAction | None, str]


def _grouped(settled: Iterable[_Judged]) -> dict[_Effect, list[Attempt]]:
    """Attempts by what is done to them, earlier waves first."""
    groups: dict[_Effect, list[Attempt]] = defaultdict(list)
    for each in sorted(settled, key=lambda one: one.wave):
        verdict = each.verdict
        assert verdict.attempt_action is not None
        assert each.attempt is not None
        groups[each.wave, verdict.attempt_action, verdict.claim_action, each.line.code].append(each.attempt)
    return groups


async def settle_batch(tx: Tx, batch: Batch, settled: bool, by: By) -> None:
    """What settles anything shows that the bank took the file, so the rest of its return is owed; with nothing left
    open the batch is settled."""
    left = await open_count(tx, batch.id)
    if batch.status == BatchStatus.RELEASED and settled:
        await move_all(tx, BATCHES, BATCH_LIFECYCLE, BatchAction.SEND, [batch.id], by)
        if left and BankTerms.read(batch.terms).way is BankWay.HTTP:
            await owe(tx, Job.FETCH_RETURN, batch.id)
    if left == 0:
        await move_all(tx, BATCHES, BATCH_LIFECYCLE, BatchAction.SETTLE, [batch.id], by)
