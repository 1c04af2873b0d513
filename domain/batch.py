"""The life of a batch of payments and of each attempt to pay; who must sign."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from domain.lifecycle import Lifecycle


class BatchStatus(StrEnum):
    OPENED = "opened"
    FROZEN = "frozen"
    SUBMITTED = "submitted"
    CHECKED = "checked"
    RELEASED = "released"
    SENT = "sent"
    SETTLED = "settled"
    DISSOLVED = "dissolved"
    NOT_RECEIVED = "not_received"


class BatchAction(StrEnum):
    FREEZE = "freeze"
    REFREEZE = "refreeze"
    SUBMIT = "submit"
    CHECK_ON = "check_on"
    CHECK = "check"
    RELEASE = "release"
    SEND = "send"
    SETTLE = "settle"
    DISSOLVE = "dissolve"
    REJECT = "reject"
    MISS = "miss"


_B, _D = BatchStatus, BatchAction

BATCH_LIFECYCLE = Lifecycle(
    "batch",
    _B.OPENED,
    {
        (_B.OPENED, _D.FREEZE): _B.FROZEN,
        # lines left before anybody signed: another content
        (_B.FROZEN, _D.REFREEZE): _B.FROZEN,
        (_B.FROZEN, _D.SUBMIT): _B.SUBMITTED,
        # a check of several; the last one is CHECK
        (_B.SUBMITTED, _D.CHECK_ON): _B.SUBMITTED,
        (_B.SUBMITTED, _D.CHECK): _B.CHECKED,
        (_B.CHECKED, _D.RELEASE): _B.RELEASED,
        (_B.RELEASED, _D.SEND): _B.SENT,
        (_B.SENT, _D.SETTLE): _B.SETTLED,
        # the bank refused the file whole, or closed its id without having received it
        (_B.RELEASED, _D.MISS): _B.NOT_RECEIVED,
        # before any of its attempts is sending, a batch can be given up and its claims become payable again
        (_B.OPENED, _D.DISSOLVE): _B.DISSOLVED,
        (_B.FROZEN, _D.DISSOLVE): _B.DISSOLVED,
        (_B.SUBMITTED, _D.DISSOLVE): _B.DISSOLVED,
        (_B.CHECKED, _D.DISSOLVE): _B.DISSOLVED,
        (_B.RELEASED, _D.DISSOLVE): _B.DISSOLVED,
        # a checker or releaser says no to what was put before them
        (_B.SUBMITTED, _D.REJECT): _B.DISSOLVED,
        (_B.CHECKED, _D.REJECT): _B.DISSOLVED,
    },
)


class AttemptStatus(StrEnum):
    PREPARED = "prepared"
    SENDING = "sending"
    SENT = "sent"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    RETURNED = "returned"
    VOID = "void"


class AttemptAction(StrEnum):
    INTEND = "intend"
    SEND = "send"
    LOSE_SIGHT = "lose_sight"
    SUCCEED = "succeed"
    FAIL = "fail"
    RETURN = "return"
    VOID = "void"


_T, _U = AttemptStatus, AttemptAction

ATTEMPT_LIFECYCLE = Lifecycle(
    "attempt",
    _T.PREPARED,
    {
        (_T.PREPARED, _U.VOID): _T.VOID,
        # the point of no return: intent, bytes and hash are committed
        (_T.PREPARED, _U.INTEND): _T.SENDING,
        (_T.SENDING, _U.SEND): _T.SENT,
        (_T.SENDING, _U.LOSE_SIGHT): _T.UNKNOWN,
        (_T.SENDING, _U.FAIL): _T.FAILED,
        # the bank's evidence
        (_T.SENT, _U.SUCCEED): _T.DONE,
        (_T.SENT, _U.FAIL): _T.FAILED,
        (_T.SENT, _U.LOSE_SIGHT): _T.UNKNOWN,
        (_T.UNKNOWN, _U.SEND): _T.SENT,
        (_T.UNKNOWN, _U.SUCCEED): _T.DONE,
        (_T.UNKNOWN, _U.FAIL): _T.FAILED,
        (_T.UNKNOWN, _U.RETURN): _T.RETURNED,
        (_T.SENT, _U.RETURN): _T.RETURNED,
        (_T.DONE, _U.RETURN): _T.RETURNED,
    },
)

#: The point of no return is `sending`: a batch whose attempts are all in these has not passed it.
STOPPABLE = frozenset({_T.PREPARED, _T.VOID})

#: At most one of these per claim (promise 1).
LIVE_ATTEMPT = frozenset({_T.PREPARED, _T.SENDING, _T.SENT, _T.UNKNOWN, _T.DONE})


class Step(StrEnum):
    """The signatures of a batch, each another person (promise 7)."""

    ASSEMBLE = "assemble"
    CHECK = "check"
    CHECK_2 = "check_2"
    CHECK_3 = "check_3"
    RELEASE = "release"


#: In the order in which they are put; how many of them a batch needs says `domain.batch_checks`.
CHECKS = (Step.CHECK, Step.CHECK_2, Step.CHECK_3)


def steps_of(checks: int) -> tuple[Step, ...]:
    """Every signature that a batch of so many checks carries when it is released."""
    return (Step.ASSEMBLE, *CHECKS[:checks], Step.RELEASE)


def references_begin(number: str) -> str:
    """What the payment references of a batch begin with; a line's place follows, six digits."""
    return number.replace("-", "")


@dataclass(frozen=True)
class PaymentLine:
    """What one line of a batch pays, as it was copied at freezing. `amount_fen` in fen."""

    reference: str
    payee: str = field(repr=False)
    account: str = field(repr=False)
    bank_code: str
    amount_fen: int


@dataclass(frozen=True)
class BatchContent:
    """What a signature binds (promise 8): the hash over the canonical plaintext, the count, the sum in fen."""

    content_hash: str
    line_count: int
    sum_fen: int


class Hasher:
    """The content of a batch taken line by line, in order of reference: a hundred thousand are never held at once."""

    def __init__(self) -> None:
        self._digest, self._last, self._count, self._sum_fen = hashlib.sha256(), "", 0, 0

    def add(self, line: PaymentLine) -> None:
        """ValueError for a line out of order."""
        if line.reference < self._last:
            raise ValueError(f"{line.reference} comes before {self._last}")
        canonical = [line.reference, line.payee, line.account, line.bank_code, line.amount_fen]
        self._digest.update(json.dumps(canonical, ensure_ascii=False, separators=(",", ":")).encode())
        self._digest.update(b"\n")
        self._last = line.reference
        self._count += 1
        self._sum_fen += line.amount_fen

    def content(self) -> BatchContent:
        """Of the lines so far."""
        return BatchContent(self._digest.hexdigest(), self._count, self._sum_fen)


def content_of(lines: Iterable[PaymentLine]) -> BatchContent:
    """The content of a batch. Lines are taken in order of reference, so any order of input gives one hash."""
    hasher = Hasher()
    for line in sorted(lines, key=lambda each: each.reference):
        hasher.add(line)
    return hasher.content()
