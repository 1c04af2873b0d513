"""追回: what was paid and is not due is demanded back; and its mirror, the supplement of what was paid too little."""

from enum import StrEnum
from uuid import UUID

from domain.errors import Conflict, Forbidden
from domain.lifecycle import Lifecycle
from domain.money import Fen


class Cause(StrEnum):
    """Why it is owed back. The first three are seen by the service itself, the others an officer names."""

    REVOCATION = "revocation"  # the certificate was revoked after payment
    OBJECTION = "objection"  # claimed in somebody's name who had not let them, or not any more
    APPEAL = "appeal"  # the standards as corrected give less than was paid
    SANCTION = "sanction"
    RECHECK = "recheck"
    AUDIT = "audit"
    STANDARDS = "standards"


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
    },
)

#: While it is in one of these, the same cause is not raised for the same claim again.
OPEN = frozenset({_S.RAISED, _S.DEMANDED, _S.PART_REPAID})


def owed_back(paid_fen: Fen, asked_back_fen: Fen, wanted_fen: Fen | None) -> Fen:
    """How much more is asked back: what is wanted (None: everything), but in all never more than was paid.
    `asked_back_fen`: by the claim's other clawbacks that were not waived."""
    left = paid_fen - asked_back_fen
    return left if wanted_fen is None else min(left, wanted_fen)


def check_waiver(proposed_by: UUID, answered_by: UUID) -> None:
    """Forbidden `clawback.same_person`: whoever proposes to waive does not decide it."""
    if proposed_by == answered_by:
        raise Forbidden("clawback.same_person")


def check_answer(paid_fen: Fen, right_fen: Fen | None, shown_fen: Fen) -> Fen:
    """The difference that an appeal on an amount is answered with: more than 0 a supplement, less a clawback.

    Conflict `amount_appeal.no_standard` where no standard is in force, `amount_appeal.changed` (right_fen) when the
    rules no longer give what was shown.
    """
    if right_fen is None:
        raise Conflict("amount_appeal.no_standard")
    if right_fen != shown_fen:
        raise Conflict("amount_appeal.changed", right_fen=right_fen)
    return right_fen - paid_fen
