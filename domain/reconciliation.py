"""What one line of a bank's return file means for the attempt to pay that it names."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.batch import AttemptAction, AttemptStatus
from domain.claim import ClaimAction


class VerdictKind(StrEnum):
    SETTLED = "settled"
    REPEAT = "repeat"
    EXCEPTION = "exception"


class ExceptionKind(StrEnum):
    """Why a person must look at a line."""

    UNKNOWN_REFERENCE = "unknown_reference"
    AMOUNT_DIFFERS = "amount_differs"
    UNKNOWN_CODE = "unknown_code"
    CONTRADICTS = "contradicts"
    NOT_SENT = "not_sent"
    REPAID_ALREADY = "repaid_already"  # money comes back of which the claimant has repaid a part


class FailureClass(StrEnum):
    """What may be done after a payment failed: mend the account, try again, or ask (never resend)."""

    PERMANENT = "permanent"
    TEMPORARY = "temporary"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class AttemptFacts:
    """`amount_fen` in fen, as it was frozen into the batch. `repaid`: the claimant has repaid a part of it."""

    reference: str
    amount_fen: int
    status: AttemptStatus
    repaid: bool = False


@dataclass(frozen=True)
class ReturnLineFacts:
    """`code`: `done`, `failed:<failure class>`, `returned`, `unknown`, `pending`, or whatever else the bank wrote.

    `amount_fen` 0: the bank named none. That is enough to say that nothing was paid, and never that something was.
    """

    reference: str
    amount_fen: int
    code: str


@dataclass(frozen=True)
class Verdict:
    """What to do with a line.

    settled: move the attempt by `attempt_action` and, unless it is None, the claim by `claim_action`;
    `failure` says of which class a failed payment is. repeat: counted before, change nothing.
    exception: keep the line for a person; `exception` says why.
    """

    kind: VerdictKind
    attempt_action: AttemptAction | None = None
    claim_action: ClaimAction | None = None
    failure: FailureClass | None = None
    exception: ExceptionKind | None = None


class _Result(StrEnum):
    DONE = "done"
    FAILED = "failed"
    RETURNED = "returned"
    UNKNOWN = "unknown"
    #: The bank has it and has not paid it yet: heard, and nothing changes.
    PENDING = "pending"


_FAILED = "failed:"
_SETTLES: Mapping[_Result, tuple[AttemptAction, ClaimAction | None]] = {
    _Result.DONE: (AttemptAction.SUCCEED, ClaimAction.PAY),
    _Result.FAILED: (AttemptAction.FAIL, ClaimAction.BOUNCE),
    _Result.RETURNED: (AttemptAction.RETURN, ClaimAction.BOUNCE),
    _Result.UNKNOWN: (AttemptAction.LOSE_SIGHT, None),
}

_S, _R = AttemptStatus, _Result

#: Each result that the bank may still report about an attempt in this status.
_OPEN_TO: Mapping[AttemptStatus, frozenset[_Result]] = {
    _S.SENT: frozenset({_R.DONE, _R.FAILED, _R.RETURNED, _R.UNKNOWN}),
    _S.UNKNOWN: frozenset({_R.DONE, _R.FAILED, _R.RETURNED}),
    # money that was paid may still come back (退票)
    _S.DONE: frozenset({_R.RETURNED}),
}

#: The result that an attempt in this status has already counted.
_COUNTED: Mapping[AttemptStatus, _Result] = {
    _S.DONE: _R.DONE,
    _S.FAILED: _R.FAILED,
    _S.RETURNED: _R.RETURNED,
    _S.UNKNOWN: _R.UNKNOWN,
}

#: The bank cannot know these. `sending` is first settled by asking the bank about the file, not by a line.
_NOT_SENT = frozenset({_S.PREPARED, _S.SENDING, _S.VOID})


class Remedy(StrEnum):
    """What gets money on its way again that did not arrive."""

    NEW_ACCOUNT = "new_account"
    TRY_AGAIN = "try_again"


#: Why an attempt failed of which the bank could not tell, and two persons did.
DECIDED_NOT_PAID = "decided:not_paid"
#: Why one failed that the bank's closing statement shows was never debited.
NOT_DEBITED = "statement:not_paid"


def remedy_for(failure: str) -> Remedy:
    """What mends a claim that bounced with `failure`, as the attempt keeps it.

    An account that failed for a passing reason, or whose payment was only never made, may be tried again; every
    other failure, and money that came back (退票), is the account's, which only another account mends.
    """
    read = _read(failure)
    passing = failure in (DECIDED_NOT_PAID, NOT_DEBITED) or (read is not None and read[1] is FailureClass.TEMPORARY)
    return Remedy.TRY_AGAIN if passing else Remedy.NEW_ACCOUNT


def match(attempt: AttemptFacts | None, line: ReturnLineFacts) -> Verdict:
    """What `line` does to the attempt with its reference (None: there is none). Never raises for a bad line.

    Everything that does not fit exactly becomes an exception for a person, and the other lines go on.
    """
    found = _obstacle(attempt, line)
    if found is not None:
        return Verdict(VerdictKind.EXCEPTION, exception=found)
    assert attempt is not None
    read = _read(line.code)
    assert read is not None
    result, failure = read
    if result in _OPEN_TO.get(attempt.status, ()):
        attempt_action, claim_action = _SETTLES[result]
        return Verdict(VerdictKind.SETTLED, attempt_action, claim_action, failure)
    if _COUNTED.get(attempt.status) == result or result is _R.PENDING:
        return Verdict(VerdictKind.REPEAT)
    return Verdict(VerdictKind.EXCEPTION, exception=ExceptionKind.CONTRADICTS)


def _obstacle(attempt: AttemptFacts | None, line: ReturnLineFacts) -> ExceptionKind | None:
    if attempt is None or attempt.reference != line.reference:
        return ExceptionKind.UNKNOWN_REFERENCE
    if attempt.status in _NOT_SENT:
        return ExceptionKind.NOT_SENT
    read = _read(line.code)
    unnamed = line.amount_fen == 0 and read is not None and read[0] not in (_R.DONE, _R.RETURNED)
    if attempt.amount_fen != line.amount_fen and not unnamed:
        return ExceptionKind.AMOUNT_DIFFERS
    if read is None:
        return ExceptionKind.UNKNOWN_CODE
    if attempt.repaid and line.code == _Result.RETURNED:
        return ExceptionKind.REPAID_ALREADY
    return None


def _read(code: str) -> tuple[_Result, FailureClass | None] | None:
    """The result and, for a failure, its class; None for a code that nobody agreed on."""
    if code in (_R.DONE, _R.RETURNED, _R.UNKNOWN, _R.PENDING):
        return _R(code), None
    try:
        failure = FailureClass(code.removeprefix(_FAILED)) if code.startswith(_FAILED) else None
    except ValueError:
        return None
    if failure is None:
        return None
    # A failure that the bank cannot explain may have paid: it is asked about, never paid again.
    return (_R.UNKNOWN, failure) if failure is FailureClass.UNKNOWN else (_R.FAILED, failure)
