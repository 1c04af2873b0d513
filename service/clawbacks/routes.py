"""Clawbacks, and appeals on the amount of a paid claim, over HTTP."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from domain.actor import Post
from domain.clawback import ClawbackStatus
from service.clawbacks.commands import amounts, appealing, correcting, demanding, raising, repaying
from service.clawbacks.queries import amounts as appealed
from service.clawbacks.queries import appealed as against_demands
from service.clawbacks.queries import corrections, repayments, views
from service.clawbacks.schemas import (
    AmountAppealList,
    AmountAppealView,
    ClawbackAppealList,
    ClawbackAppealView,
    ClawbackList,
    ClawbackView,
    CorrectionList,
    CorrectionPreview,
    CorrectionView,
    NewAmountAnswer,
    NewAmountAppeal,
    NewClawback,
    NewClawbackAnswer,
    NewClawbackAppeal,
    NewCorrection,
    NewCorrectionAnswer,
    NewDemand,
    NewEnforcement,
    NewEnforcementAnswer,
    NewRepayment,
    NewRepaymentAnswer,
    NewWaiver,
    NewWaiverAnswer,
    RepaymentList,
    RepaymentProposalView,
)
from service.security import allow
from service.web import Me, Now, Once, Today, Tx, answered

Limit = Annotated[int, QueryParameter(ge=1, le=200)]
OFFICERS = allow(*demanding.OFFICERS)


@post("/api/clawbacks", guards=[allow(Post.REVIEWER)])
async def raise_clawback(tx: Tx, me: Me, now: Now, once: Once, data: JSONBody[NewClawback]) -> Response[ClawbackView]:
    """Say why a paid claim of my district is owed back: a sanction, a recheck, an audit, a standard as corrected."""
    return answered(await once(tx, ClawbackView, lambda: raising.raise_by_hand(tx, me, data, now)))


@get("/api/clawbacks", guards=[allow(Post.REVIEWER, *demanding.OFFICERS, Post.AUDITOR)])
async def list_clawbacks(
    *,
    tx: Tx,
    me: Me,
    today: Today,
    status: FromQuery[ClawbackStatus | None] = None,
    cursor: FromQuery[UUID | None] = None,
    limit: Limit = 50,
    overdue: FromQuery[bool] = False,
) -> ClawbackList:
    """What is owed back in my district, the latest first; `overdue`: only what was not paid back in its term."""
    return await views.list_clawbacks(tx, me, status, cursor, limit, today if overdue else None)


@post("/api/clawbacks/{clawback_id:uuid}/demand", guards=[OFFICERS], status_code=200)
async def demand(
    tx: Tx, me: Me, now: Now, once: Once, clawback_id: FromPath[UUID], data: JSONBody[NewDemand]
) -> Response[ClawbackView]:
    """Demand it by a letter; the claimant is told."""
    return answered(await once(tx, ClawbackView, lambda: demanding.demand(tx, me, clawback_id, data, now)), 200)


@post("/api/clawbacks/{clawback_id:uuid}/waiver", guards=[OFFICERS], status_code=200)
async def propose_waiver(
    tx: Tx, me: Me, now: Now, once: Once, clawback_id: FromPath[UUID], data: JSONBody[NewWaiver]
) -> Response[ClawbackView]:
    """Name the law by which it is not to be asked for; another person decides."""
    effect = once(tx, ClawbackView, lambda: demanding.propose_waiver(tx, me, clawback_id, data, now))
    return answered(await effect, 200)


@post("/api/clawbacks/{clawback_id:uuid}/waiver/answer", guards=[OFFICERS], status_code=200)
async def answer_waiver(
    tx: Tx, me: Me, now: Now, once: Once, clawback_id: FromPath[UUID], data: JSONBody[NewWaiverAnswer]
) -> Response[ClawbackView]:
    """Grant a waiver that somebody else proposed, or decline it and say why."""
    effect = once(tx, ClawbackView, lambda: demanding.answer_waiver(tx, me, clawback_id, data, now))
    return answered(await effect, 200)


@get("/api/clawbacks/{clawback_id:uuid}/repayments", guards=[allow(Post.REVIEWER, *demanding.OFFICERS, Post.AUDITOR)])
async def list_repayments(tx: Tx, me: Me, clawback_id: FromPath[UUID]) -> RepaymentList:
    """What of a clawback of my district has come back, by which lines of which statements."""
    return await repayments.list_repayments(tx, me, clawback_id)


@post("/api/statement-lines/{line_id:uuid}/repayment", guards=[OFFICERS], status_code=200)
async def propose_repayment(
    tx: Tx, me: Me, now: Now, once: Once, line_id: FromPath[UUID], data: JSONBody[NewRepayment]
) -> Response[RepaymentProposalView]:
    """Say which clawback a line without its number repays; another person answers."""
    effect = once(tx, RepaymentProposalView, lambda: repaying.propose_repayment(tx, me, line_id, data, now))
    return answered(await effect, 200)


@post("/api/statement-lines/{line_id:uuid}/repayment/answer", guards=[OFFICERS], status_code=200)
async def answer_repayment(
    tx: Tx, me: Me, now: Now, once: Once, line_id: FromPath[UUID], data: JSONBody[NewRepaymentAnswer]
) -> Response[RepaymentProposalView]:
    """Confirm which clawback a line repays, as another person; it counts then."""
    told = once(
        tx, RepaymentProposalView, lambda: repaying.answer_repayment(tx, me, line_id, grant=data.grant, now=now)
    )
    return answered(await told, 200)


@post("/api/clawbacks/{clawback_id:uuid}/enforcement", guards=[OFFICERS], status_code=200)
async def propose_enforcement(
    tx: Tx, me: Me, now: Now, once: Once, clawback_id: FromPath[UUID], data: JSONBody[NewEnforcement]
) -> Response[ClawbackView]:
    """Name the order by which it is enforced, once its term is over; another person decides."""
    effect = once(tx, ClawbackView, lambda: demanding.propose_enforcement(tx, me, clawback_id, data, now))
    return answered(await effect, 200)


@post("/api/clawbacks/{clawback_id:uuid}/enforcement/answer", guards=[OFFICERS], status_code=200)
async def answer_enforcement(
    tx: Tx, me: Me, now: Now, once: Once, clawback_id: FromPath[UUID], data: JSONBody[NewEnforcementAnswer]
) -> Response[ClawbackView]:
    """Have it enforced by the order that somebody else named, or not."""
    grant = data.grant
    effect = once(tx, ClawbackView, lambda: demanding.answer_enforcement(tx, me, clawback_id, grant=grant, now=now))
    return answered(await effect, 200)


@get("/api/amount-corrections/preview", guards=[allow(Post.REVIEWER)])
async def preview_correction(tx: Tx, me: Me, set_id: FromQuery[UUID]) -> CorrectionPreview:
    """What a published set of standards changes for claims of my district that were paid; nothing is changed."""
    return await corrections.preview(tx, me, set_id)


@post("/api/amount-corrections", guards=[allow(Post.REVIEWER)])
async def propose_correction(
    tx: Tx, me: Me, now: Now, once: Once, data: JSONBody[NewCorrection]
) -> Response[CorrectionView]:
    """Propose that what was shown is paid still and asked back; another person confirms it."""
    return answered(await once(tx, CorrectionView, lambda: correcting.propose_correction(tx, me, data, now)))


@get("/api/amount-corrections", guards=[allow(Post.REVIEWER, Post.AUDITOR)])
async def list_corrections(tx: Tx, me: Me) -> CorrectionList:
    """The corrections of my district, the latest first."""
    return await corrections.list_corrections(tx, me)


@post("/api/amount-corrections/{correction_id:uuid}/answer", guards=[allow(Post.REVIEWER)], status_code=200)
async def answer_correction(
    tx: Tx, me: Me, now: Now, once: Once, correction_id: FromPath[UUID], data: JSONBody[NewCorrectionAnswer]
) -> Response[CorrectionView]:
    """Confirm a correction that somebody else proposed, as it was shown: supplements and clawbacks follow; or not."""
    effect = once(tx, CorrectionView, lambda: correcting.answer_correction(tx, me, correction_id, data, now))
    return answered(await effect, 200)


@post("/api/claims/{claim_id:uuid}/appeal-amount", guards=[allow(Post.TRAINEE, Post.CLERK)])
async def appeal_amount(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, claim_id: FromPath[UUID], data: JSONBody[NewAmountAppeal]
) -> Response[AmountAppealView]:
    """Ask, once, that the amount of a claim that was paid is looked at again by somebody else."""
    effect = once(tx, AmountAppealView, lambda: amounts.appeal_amount(tx, me, claim_id, data, today, now))
    return answered(await effect)


@get("/api/amount-appeals", guards=[allow(Post.TRAINEE, Post.CLERK, Post.REVIEWER, Post.AUDITOR)])
async def list_amount_appeals(
    *,
    tx: Tx,
    me: Me,
    today: Today,
    closed: FromQuery[bool] = False,
    cursor: FromQuery[UUID | None] = None,
    limit: Limit = 50,
) -> AmountAppealList:
    """The open appeals on amounts (or the answered ones) over my claims, or in the district I work for."""
    return await appealed.list_appeals(tx, me, today, cursor, limit, closed=closed)


@post("/api/amount-appeals/{appeal_id:uuid}/answer", guards=[allow(Post.REVIEWER)], status_code=200)
async def answer_amount_appeal(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, appeal_id: FromPath[UUID], data: JSONBody[NewAmountAnswer]
) -> Response[AmountAppealView]:
    """Confirm the amount that the rules give now, as another person than who approved: the difference is owed."""
    effect = once(tx, AmountAppealView, lambda: amounts.answer_amount(tx, me, appeal_id, data, today, now))
    return answered(await effect, 200)


@post("/api/clawbacks/{clawback_id:uuid}/appeals", guards=[allow(Post.TRAINEE, Post.CLERK)])
async def appeal_clawback(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, clawback_id: FromPath[UUID], data: JSONBody[NewClawbackAppeal]
) -> Response[ClawbackAppealView]:
    """Ask, once and within its term, that what is demanded back is looked at again by somebody else."""
    effect = once(tx, ClawbackAppealView, lambda: appealing.appeal_clawback(tx, me, clawback_id, data, today, now))
    return answered(await effect)


@get("/api/clawback-appeals", guards=[allow(Post.TRAINEE, Post.CLERK, Post.REVIEWER, Post.AUDITOR)])
async def list_clawback_appeals(
    *,
    tx: Tx,
    me: Me,
    today: Today,
    closed: FromQuery[bool] = False,
    cursor: FromQuery[UUID | None] = None,
    limit: Limit = 50,
) -> ClawbackAppealList:
    """The open appeals against demands (or the answered ones) over my claims, or in the district I work for."""
    return await against_demands.list_appeals(tx, me, today, cursor, limit, closed=closed)


@post("/api/clawback-appeals/{appeal_id:uuid}/answer", guards=[allow(Post.REVIEWER)], status_code=200)
async def answer_clawback_appeal(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, appeal_id: FromPath[UUID], data: JSONBody[NewClawbackAnswer]
) -> Response[ClawbackAppealView]:
    """Answer, as another person than who raised it: granted, it is proposed to be waived."""
    answer = appealing.answer_clawback_appeal
    effect = once(tx, ClawbackAppealView, lambda: answer(tx, me, appeal_id, data, today, now))
    return answered(await effect, 200)


ROUTES = [
    raise_clawback,
    list_clawbacks,
    demand,
    propose_waiver,
    answer_waiver,
    list_repayments,
    propose_repayment,
    answer_repayment,
    propose_enforcement,
    answer_enforcement,
    preview_correction,
    propose_correction,
    list_corrections,
    answer_correction,
    appeal_amount,
    list_amount_appeals,
    answer_amount_appeal,
    appeal_clawback,
    list_clawback_appeals,
    answer_clawback_appeal,
]
