"""Every status of an attempt against everything a bank may report."""

import pytest

from domain.batch import ATTEMPT_LIFECYCLE, AttemptAction, AttemptStatus
from domain.claim import CLAIM_LIFECYCLE, ClaimAction, ClaimStatus
from domain.reconciliation import (
    AttemptFacts,
    ExceptionKind,
    FailureClass,
    ReturnLineFacts,
    Verdict,
    VerdictKind,
    match,
)

S, X = AttemptStatus, ExceptionKind
REFERENCE, AMOUNT = "ZD2025000001", 150_000
CODES = ("done", "failed:permanent", "failed:temporary", "failed:unknown", "returned", "unknown")


def settle(action: AttemptAction, claim: ClaimAction | None, failure: FailureClass | None = None) -> Verdict:
    return Verdict(VerdictKind.SETTLED, action, claim, failure)


def stop(kind: ExceptionKind) -> Verdict:
    return Verdict(VerdictKind.EXCEPTION, exception=kind)


PAID = settle(AttemptAction.SUCCEED, ClaimAction.PAY)
BROKE = settle(AttemptAction.FAIL, ClaimAction.BOUNCE, FailureClass.PERMANENT)
PAUSED = settle(AttemptAction.FAIL, ClaimAction.BOUNCE, FailureClass.TEMPORARY)
DARK = settle(AttemptAction.LOSE_SIGHT, None, FailureClass.UNKNOWN)
BACK = settle(AttemptAction.RETURN, ClaimAction.BOUNCE)
LOST = settle(AttemptAction.LOSE_SIGHT, None)
AGAIN = Verdict(VerdictKind.REPEAT)
ODD, EARLY = stop(X.CONTRADICTS), stop(X.NOT_SENT)

#: status → verdict for each of CODES, in their order
TABLE = {
    S.PREPARED: (EARLY,) * 6,
    S.SENDING: (EARLY,) * 6,
    S.VOID: (EARLY,) * 6,
    S.SENT: (PAID, BROKE, PAUSED, DARK, BACK, LOST),
    S.UNKNOWN: (PAID, BROKE, PAUSED, AGAIN, BACK, AGAIN),
    S.DONE: (AGAIN, ODD, ODD, ODD, BACK, ODD),
    S.FAILED: (ODD, AGAIN, AGAIN, ODD, ODD, ODD),
    S.RETURNED: (ODD, ODD, ODD, ODD, AGAIN, ODD),
}
CASES = [(status, code, verdict) for status, row in TABLE.items() for code, verdict in zip(CODES, row, strict=True)]
SETTLED = [case for case in CASES if case[2].kind is VerdictKind.SETTLED]


def test_the_table_names_every_status() -> None:
    assert set(TABLE) == set(AttemptStatus)
    assert len(SETTLED) == 11


@pytest.mark.parametrize(("status", "code", "expected"), CASES)
def test_every_status_and_code(status: AttemptStatus, code: str, expected: Verdict) -> None:
    assert match(AttemptFacts(REFERENCE, AMOUNT, status), ReturnLineFacts(REFERENCE, AMOUNT, code)) == expected


@pytest.mark.parametrize(("status", "code", "verdict"), SETTLED)
def test_what_is_settled_is_legal_and_settles_only_once(status: AttemptStatus, code: str, verdict: Verdict) -> None:
    assert verdict.attempt_action is not None
    after = ATTEMPT_LIFECYCLE.after(status, verdict.attempt_action)
    assert match(AttemptFacts(REFERENCE, AMOUNT, after), ReturnLineFacts(REFERENCE, AMOUNT, code)) == AGAIN
    claim = ClaimStatus.PAID if status is S.DONE else ClaimStatus.BATCHED
    if verdict.claim_action is not None:
        CLAIM_LIFECYCLE.after(claim, verdict.claim_action)


@pytest.mark.parametrize("status", AttemptStatus)
@pytest.mark.parametrize("amount_fen", [AMOUNT + 1, AMOUNT - 1, 0, -AMOUNT])
def test_another_amount_settles_nothing(status: AttemptStatus, amount_fen: int) -> None:
    verdict = match(AttemptFacts(REFERENCE, AMOUNT, status), ReturnLineFacts(REFERENCE, amount_fen, "done"))
    assert verdict == (EARLY if TABLE[status][0] == EARLY else stop(X.AMOUNT_DIFFERS))


@pytest.mark.parametrize(
    "code",
    ["", "DONE", "done ", "ok", "failed", "failed:", "failed:closed", "failed:permanent:x", "returned:1", "０"],
)
def test_a_code_nobody_agreed_on_settles_nothing(code: str) -> None:
    verdict = match(AttemptFacts(REFERENCE, AMOUNT, S.SENT), ReturnLineFacts(REFERENCE, AMOUNT, code))
    assert verdict == stop(X.UNKNOWN_CODE)


@pytest.mark.parametrize("code", CODES)
def test_a_reference_nobody_knows(code: str) -> None:
    line = ReturnLineFacts(REFERENCE, AMOUNT, code)
    assert match(None, line) == stop(X.UNKNOWN_REFERENCE)
    assert match(AttemptFacts("ZD2025000002", AMOUNT, S.SENT), line) == stop(X.UNKNOWN_REFERENCE)


@pytest.mark.parametrize("status", AttemptStatus)
@pytest.mark.parametrize("amount_fen", [0, AMOUNT])
def test_what_is_pending_is_heard_and_changes_nothing(status: AttemptStatus, amount_fen: int) -> None:
    attempt = AttemptFacts(REFERENCE, AMOUNT, status)
    early = status in (S.PREPARED, S.SENDING, S.VOID)
    assert match(attempt, ReturnLineFacts(REFERENCE, amount_fen, "pending")) == (EARLY if early else AGAIN)


@pytest.mark.parametrize("code", CODES)
def test_a_bank_that_names_no_amount_has_paid_nothing(code: str) -> None:
    found = match(AttemptFacts(REFERENCE, AMOUNT, S.SENT), ReturnLineFacts(REFERENCE, 0, code))
    assert found == (stop(X.AMOUNT_DIFFERS) if code in ("done", "returned") else TABLE[S.SENT][CODES.index(code)])
