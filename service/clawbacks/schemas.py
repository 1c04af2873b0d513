"""Clawbacks, how they end, appeals on amounts, corrections and supplements, as they come in and as they are shown."""

from datetime import date, datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from domain.clawback import Cause, ClawbackStatus
from service.claims.schemas import Reason, RemedyView

Number = Annotated[str, Meta(min_length=1, max_length=60)]
Law = Annotated[str, Meta(min_length=1, max_length=200)]
Amount = Annotated[int, Meta(ge=1, le=10**12)]


class NewClawback(Struct, forbid_unknown_fields=True):
    """`amount_fen`: in fen; null: all that was paid and is not asked back yet."""

    claim_id: UUID
    cause: Cause
    note: Reason
    amount_fen: Amount | None = None


class NewDemand(Struct, forbid_unknown_fields=True):
    """文号 of the letter by which the claimant is told to pay back."""

    letter_number: Number


class NewWaiver(Struct, forbid_unknown_fields=True):
    """The law by which it is not asked for any more, and why it is so here."""

    law: Law
    note: Reason


class NewWaiverAnswer(Struct, forbid_unknown_fields=True):
    """`answer`: why, for whoever is asked to pay; needed to decline."""

    grant: bool
    answer: Annotated[str, Meta(max_length=500)] = ""


class NewEnforcement(Struct, forbid_unknown_fields=True):
    """文号 and day of the order by which it is enforced."""

    order_number: Number
    ordered_on: Annotated[str, Meta(max_length=10)]


class NewEnforcementAnswer(Struct, forbid_unknown_fields=True):
    grant: bool


class EnforcementView(Struct):
    """An order that waits for another person, or was granted."""

    order_number: str
    ordered_on: date
    proposed_at: datetime
    granted: bool | None


class WaiverView(Struct):
    """A waiver that waits for another person (`granted` null), was granted, or was declined: the answer says why."""

    law: str
    note: str
    proposed_at: datetime
    granted: bool | None
    answer_text: str = ""  # answers that were kept before have none


class ClawbackView(Struct, kw_only=True):
    """What of a claim is owed back. `number`: what the letter prints and a repayment carries; `repaid_fen`: what has
    come back; `due_on`: the last day to pay it freely, once it is demanded; `waiver`, `enforcement`: the latest, if
    one was proposed."""

    id: UUID
    number: str
    claim_id: UUID
    district: str
    cause: Cause
    cause_name: str
    amount_fen: int
    amount: str
    paid_fen: int
    repaid_fen: int
    note: str
    raised_at: datetime
    status: ClawbackStatus
    status_name: str
    letter_number: str
    due_on: date | None
    waiver: WaiverView | None
    enforcement: EnforcementView | None


class ClawbackList(Struct):
    """The latest first. `next` is the cursor of the page that follows; null on the last."""

    clawbacks: list[ClawbackView]
    next: UUID | None


class NewClawbackAppeal(Struct, forbid_unknown_fields=True):
    """Why it is not to be paid back."""

    reason: Reason


class NewClawbackAnswer(Struct, forbid_unknown_fields=True):
    grant: bool
    answer: Reason


class ClawbackAppealView(Struct, kw_only=True):
    """复核 of a demand; open while `granted` is null. `remedies`: what is open against the answer."""

    id: UUID
    clawback_id: UUID
    claim_id: UUID
    number: str
    cause: Cause
    cause_name: str
    amount_fen: int
    note: str
    reason: str
    appealed_at: datetime
    due_on: date
    overdue: bool
    granted: bool | None
    message: str
    answer_text: str
    answered_at: datetime | None
    remedies: list[RemedyView]


class ClawbackAppealList(Struct):
    """By the day on which they are due. `next` is the cursor of the page that follows; null on the last."""

    appeals: list[ClawbackAppealView]
    next: UUID | None


class RepaymentView(Struct):
    """A part that came back, by a line of a statement; `by_hand`: two persons assigned it."""

    line_id: UUID
    amount_fen: int
    amount: str
    booked_on: date
    by_hand: bool
    counted_at: datetime


class DemandView(Struct, kw_only=True):
    """A clawback as whoever was paid reads it. `open`: something is still to be done; `account`: from which it was
    paid, and to which it comes back; `repayments`: what came back by statements; `remedies`: what is open against
    the demand; `appeal`: what was said against it."""

    clawback: ClawbackView
    open: bool
    left_fen: int
    demanded_at: datetime
    account: str
    repayments: list[RepaymentView]
    remedies: list[RemedyView]
    appeal: ClawbackAppealView | None


class NewRepayment(Struct, forbid_unknown_fields=True):
    """Which clawback a line of a statement repays, by how much of the line, and how one knows."""

    number: Annotated[str, Meta(min_length=12, max_length=12)]
    amount_fen: Amount
    note: Reason


class NewRepaymentAnswer(Struct, forbid_unknown_fields=True):
    grant: bool


class RepaymentProposalView(Struct, kw_only=True):
    """What one person said of a line. `granted`: null until another has answered."""

    id: UUID
    line_id: UUID
    number: str
    amount_fen: int
    amount: str
    note: str
    proposed_at: datetime
    granted: bool | None


class RepaymentList(Struct):
    number: str
    amount_fen: int
    repaid_fen: int
    left_fen: int
    repayments: list[RepaymentView]


class NewAmountAppeal(Struct, forbid_unknown_fields=True):
    """Why the amount that was paid is not right; without numbers of persons."""

    reason: Reason


class NewAmountAnswer(Struct, forbid_unknown_fields=True):
    """`right_fen`: as it was shown, so that nobody answers what they did not see."""

    right_fen: Annotated[int, Meta(ge=0, le=10**12)]
    answer: Reason


class AmountAppealView(Struct, kw_only=True):
    """复核 of an amount; open while `right_fen` is null. `would_be_fen` is what the rules and standards as they stand
    now give, null where no standard is in force; of the two that may be due, one is 0. `remedies`: what is open
    against the answer."""

    id: UUID
    claim_id: UUID
    reason: str
    appealed_at: datetime
    due_on: date
    overdue: bool
    paid_fen: int
    would_be_fen: int | None
    right_fen: int | None
    supplement_fen: int
    clawback_fen: int
    message: str
    answer_text: str
    answered_at: datetime | None
    remedies: list[RemedyView]


class AmountAppealList(Struct):
    """By the day on which they are due. `next` is the cursor of the page that follows; null on the last."""

    appeals: list[AmountAppealView]
    next: UUID | None


class CorrectionShown(Struct, forbid_unknown_fields=True):
    """What an officer was shown of a correction; other figures than these are not proposed, nor confirmed."""

    more_count: Annotated[int, Meta(ge=0, le=10**6)]
    more_fen: Annotated[int, Meta(ge=0, le=10**15)]
    less_count: Annotated[int, Meta(ge=0, le=10**6)]
    less_fen: Annotated[int, Meta(ge=0, le=10**15)]
    content_hash: Annotated[str, Meta(max_length=64)]


class NewCorrection(Struct, forbid_unknown_fields=True):
    """A published set of standards, as `GET …/preview` showed what it changes."""

    set_id: UUID
    shown: CorrectionShown
    note: Reason


class NewCorrectionAnswer(Struct, forbid_unknown_fields=True):
    grant: bool
    shown: CorrectionShown


class CorrectionLineView(Struct):
    """`paid_fen`: what counts as paid for the claim; `right_fen`: what the set gives for its facts."""

    claim_id: UUID
    paid_fen: int
    right_fen: int


class CorrectionPreview(Struct):
    """What a set changes for claims of my district that were paid. `left_out`: claims that wait, for a supplement is
    on its way or they are owed back for another cause; `more`: there are further ones, for the next correction."""

    set_id: UUID
    shown: CorrectionShown
    left_out: int
    more: bool
    lines: list[CorrectionLineView]


class CorrectionView(Struct, kw_only=True):
    """A correction that waits for another person (`granted` null), was granted, or was not."""

    id: UUID
    set_id: UUID
    district: str
    shown: CorrectionShown
    note: str
    proposed_at: datetime
    granted: bool | None
    answered_at: datetime | None


class CorrectionList(Struct):
    """The latest first, at most 200."""

    corrections: list[CorrectionView]
