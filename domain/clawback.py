"""追回: what was paid and is not due is demanded back; and its mirror, the supplement of what was paid too little."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from domain.errors import Conflict, Forbidden
from domain.lifecycle import Lifecycle
from domain.money import Fen
from domain.numbering import CLAWBACKS

K = TypeVar("K")

#: How many days may pass from a demand to its enforcement where no parameter (`clawback_term_days`) says so.
TERM_DAYS = 30


class Cause(StrEnum):
    """Why it is owed back. The first three are seen by the service itself, the others an officer names."""

    REVOCATION = "revocation"  # the certificate was revoked after payment
    OBJECTION = "objection"  # claimed in somebody's name who had not let them, or not any more
    APPEAL = "appeal"  # the standards as corrected give less than was paid
    SANCTION = "sanction"
    RECHECK = "recheck"
    AUDIT = "audit"
    STANDARDS = "standards"


#: Of how much was due, not of whether anything was: what they ask back lowers what counts as paid.
OF_AMOUNT = frozenset({Cause.APPEAL, Cause.STANDARDS})

#: What an officer may raise by hand.
BY_HAND = frozenset({Cause.SANCTION, Cause.RECHECK, Cause.AUDIT, Cause.STANDARDS})


class ClawbackStatus(StrEnum):
    RAISED = "raised"
    DEMANDED = "demanded"
    PART_REPAID = "part_repaid"
    REPAID = "repaid"
    WAIVED = "waived"
    ENFORCED = "enforced"


class ClawbackAction(StrEnum):
    DEMAND = "demand"
    REPAY_PART = "repay_part"
    REPAY = "repay"
    WAIVE = "waive"
    ENFORCE = "enforce"


_S, _A = ClawbackStatus, ClawbackAction

CLAWBACK_LIFECYCLE = Lifecycle(
    "clawback",
    _S.RAISED,
    {
        (_S.RAISED, _A.DEMAND): _S.DEMANDED,
        (_S.RAISED, _A.WAIVE): _S.WAIVED,
        (_S.DEMANDED, _A.REPAY_PART): _S.PART_REPAID,
        (_S.DEMANDED, _A.REPAY): _S.REPAID,
        (_S.DEMANDED, _A.WAIVE): _S.WAIVED,
        (_S.DEMANDED, _A.ENFORCE): _S.ENFORCED,
        (_S.PART_REPAID, _A.REPAY_PART): _S.PART_REPAID,
        (_S.PART_REPAID, _A.REPAY): _S.REPAID,
        (_S.PART_REPAID, _A.WAIVE): _S.WAIVED,
        (_S.PART_REPAID, _A.ENFORCE): _S.ENFORCED,
        # what the order brings
        (_S.ENFORCED, _A.REPAY_PART): _S.ENFORCED,
        (_S.ENFORCED, _A.REPAY): _S.REPAID,
    },
)

#: While it is in one of these, the same cause is not raised for the same claim again.
OPEN = frozenset({_S.RAISED, _S.DEMANDED, _S.PART_REPAID})

#: In which money may come back of it.
REPAYABLE = frozenset({_S.DEMANDED, _S.PART_REPAID, _S.ENFORCED})


def clawback_number(serial: int) -> str:
    """What the demand prints and a repayment carries."""
    return CLAWBACKS.number(serial)


def serial_in(*words: str) -> int | None:
    """The serial of the one clawback whose number stands in `words`; None where none does, or several."""
    found = CLAWBACKS.serials_in(*words)
    return found.pop() if len(found) == 1 else None


def owed_back(paid_fen: Fen, asked_back_fen: Fen, wanted_fen: Fen | None) -> Fen:
    """How much more is asked back: what is wanted (None: everything), but in all never more than was paid.
    `asked_back_fen`: by the claim's other clawbacks; of those that were waived, what had come back before."""
    left = paid_fen - asked_back_fen
    return left if wanted_fen is None else min(left, wanted_fen)


def repaying(amount_fen: Fen, repaid_fen: Fen, part_fen: Fen) -> ClawbackAction:
    """What a repayment of `part_fen` does to a clawback. Conflict `clawback.overpaid`
    (left_fen) for more than is left."""
    left_fen = amount_fen - repaid_fen
    if part_fen > left_fen:
        raise Conflict("clawback.overpaid", left_fen=left_fen)
    return ClawbackAction.REPAY if part_fen == left_fen else ClawbackAction.REPAY_PART


@dataclass(frozen=True)
class Paid:
    """What one claim has brought its payee. `paid_fen`: by itself; `supplements_fen`: by those that were not
    withdrawn, paid or on their way (`underway`); `lowered_fen`: asked back by causes of `OF_AMOUNT`; `owed_back`:
    whether any other cause asks it back."""

    paid_fen: Fen
    supplements_fen: Fen = 0
    lowered_fen: Fen = 0
    underway: bool = False
    owed_back: bool = False

    @property
    def counts_fen(self) -> Fen:
        """How much counts as paid for it; never less than 0."""
        return self.paid_fen + self.supplements_fen - self.lowered_fen

    def difference(self, right_fen: Fen) -> Fen:
        """What is owed still (more than 0), or owed back. Conflict `supplement.owed_back`: who has to give it back
        for another cause is owed nothing more; `supplement.underway`: what is not paid yet is not asked back."""
        difference = right_fen - self.counts_fen
        if difference > 0 and self.owed_back:
            raise Conflict("supplement.owed_back")
        if difference < 0 and self.underway:
            raise Conflict("supplement.underway")
        return difference


def check_two_persons(proposed_by: UUID, answered_by: UUID) -> None:
    """Forbidden `clawback.same_person`: whoever proposes to waive, to enforce or to correct does not decide it."""
    if proposed_by == answered_by:
        raise Forbidden("clawback.same_person")


def check_may_appeal(status: ClawbackStatus, due_on: date | None, today: date) -> None:
    """Conflict `clawback_appeal.not_demanded` before it is demanded and once it has ended; `appeal.too_late` (last)
    after its term, within which nothing is enforced."""
    if status not in {ClawbackStatus.DEMANDED, ClawbackStatus.PART_REPAID} or due_on is None:
        raise Conflict("clawback_appeal.not_demanded")
    if today > due_on:
        raise Conflict("appeal.too_late", last=due_on.isoformat())


def check_another_answers(raised_by: Collection[UUID], answered_by: UUID) -> None:
    """Forbidden `clawback_appeal.same_person`: who had it raised does not look at it again."""
    if answered_by in raised_by:
        raise Forbidden("clawback_appeal.same_person")


def check_not_appealed(appealed: bool, granted: bool | None) -> None:
    """Conflict `clawback.appealed` while an appeal against it is open, `clawback.appeal_granted` once that is."""
    if appealed and granted is not False:
        raise Conflict("clawback.appeal_granted" if granted else "clawback.appealed")


def check_term_over(due_on: date, ordered_on: date) -> None:
    """Conflict `clawback.not_over` (due_on): nothing is enforced while it may still be paid back freely."""
    if ordered_on <= due_on:
        raise Conflict("clawback.not_over", due_on=due_on.isoformat())


def check_answer(paid: Paid, right_fen: Fen | None, shown_fen: Fen) -> Fen:
    """The difference that an appeal on an amount is answered with: more than 0 a supplement, less a clawback.

    Conflict `amount_appeal.no_standard` where no standard is in force, `amount_appeal.changed` (right_fen) when the
    rules no longer give what was shown; otherwise as `Paid.difference`.
    """
    if right_fen is None:
        raise Conflict("amount_appeal.no_standard")
    if right_fen != shown_fen:
        raise Conflict("amount_appeal.changed", right_fen=right_fen)
    return paid.difference(right_fen)


def spread(less_fen: Fen, left: Iterable[tuple[K, Fen]]) -> list[tuple[K, Fen]]:
    """Of which payments what was paid too much is asked back: of the first as much as is `left` of it, then of the
    next. What nothing is left for is not asked back."""
    asked = list[tuple[K, Fen]]()
    for payment, fen in left:
        if take := min(less_fen, fen):
            asked.append((payment, take))
            less_fen -= take
    return asked
