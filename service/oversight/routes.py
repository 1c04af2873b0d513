"""Credit and penalties of institutions, their yearly evaluation, complaints of anybody, and risk signals."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from domain.actor import Post
from service.gateways.sheet_files import CSV_TYPE
from service.openapi import files
from service.oversight.commands import appeals, complaining, crediting, evaluating, penalties, signalling
from service.oversight.queries import complaints, credit, evaluations
from service.oversight.queries import penalties as seen
from service.oversight.queries.signals import seen as signals_seen
from service.oversight.schemas import (
    AnsweredView,
    ComplaintCounts,
    ComplaintList,
    ComplaintReceipt,
    CreditEventView,
    CreditView,
    DueList,
    EvaluationsView,
    EvaluationView,
    NewAppeal,
    NewAppealAnswer,
    NewComplaint,
    NewComplaintAnswer,
    NewCorrection,
    NewCreditEvent,
    NewEvaluation,
    NewEvaluationCorrection,
    NewPenalty,
    PenaltyList,
    PenaltyView,
    PublicPenalties,
    SignalRunView,
    SignalsView,
)
from service.security import PUBLIC, allow
from service.web import Me, Now, Once, Today, Tx, answered

OFFICER = allow(Post.INSTITUTION_OFFICER)
EVALUATOR = allow(Post.EVALUATOR)
READER = allow(Post.INSTITUTION_OFFICER, Post.AUDITOR, Post.EVALUATOR, Post.CLERK)

Code = Annotated[str, QueryParameter(max_length=40)]
Year = Annotated[int | None, QueryParameter(ge=2000, le=2100)]
Cursor = FromQuery[UUID | None]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]


@get("/api/credit", guards=[READER])
async def show_credit(tx: Tx, me: Me, today: Today, institution: Code, year: Year = None) -> CreditView:
    """An institution's credit of a year (this one, when none is given), how it stands, and the step that follows."""
    return await credit.credit(tx, me, institution, year or today.year, today)


@get("/api/credit/due", guards=[allow(Post.INSTITUTION_OFFICER, Post.AUDITOR)])
async def list_due(tx: Tx, me: Me, today: Today) -> DueList:
    """Institutions of one's district for which the rules call for a step that no penalty has answered."""
    return await credit.due_list(tx, me, today)


@get("/api/credit/export", guards=[OFFICER], operation_class=files(gives=(CSV_TYPE,)))
async def export_credit(tx: Tx, me: Me, today: Today, year: Year = None) -> Response[bytes]:
    """The credit facts of a year for the development and reform department, as CSV."""
    wanted = year or today.year
    headers = {"Content-Disposition": f'attachment; filename="credit-{wanted}.csv"'}
    return Response(await credit.export(tx, me, wanted), media_type=CSV_TYPE, headers=headers)


@post("/api/credit/events", guards=[OFFICER])
async def record_event(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewCreditEvent]
) -> Response[CreditEventView]:
    """Record what happened at an institution, with its evidence. It is not changed afterwards."""
    return answered(await once(tx, CreditEventView, lambda: crediting.record_event(tx, me, data, today, now)))


@post("/api/credit/events/{event_id:uuid}/correct", guards=[OFFICER])
async def correct_event(
    tx: Tx, me: Me, now: Now, once: Once, event_id: FromPath[UUID], data: JSONBody[NewCorrection]
) -> Response[CreditEventView]:
    """Mend an event by a further one, on the same day."""
    return answered(await once(tx, CreditEventView, lambda: crediting.correct_event(tx, me, event_id, data, now)))


@get("/api/penalties", opt={PUBLIC: True})
async def public_penalties(tx: Tx, today: Today) -> PublicPenalties:
    """Penalties that are published today, with their days."""
    return await seen.public_penalties(tx, today)


@get("/api/penalties/desk", guards=[READER])
async def list_penalties(tx: Tx, me: Me, cursor: Cursor = None, limit: Limit = 50) -> PenaltyList:
    """Penalties in one's district, or of one's institution, newest first."""
    return await seen.penalty_list(tx, me, cursor, limit)


@get("/api/penalties/{penalty_id:uuid}", guards=[READER])
async def show_penalty(tx: Tx, me: Me, penalty_id: FromPath[UUID]) -> PenaltyView:
    """A penalty: what it stops on which days, what becomes of claims in flight, until when one may appeal."""
    return await seen.penalty_view(tx, me, penalty_id)


@post("/api/penalties", guards=[OFFICER])
async def propose(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewPenalty]
) -> Response[PenaltyView]:
    """Propose a step of the ladder for an institution, from a day on."""
    return answered(await once(tx, PenaltyView, lambda: penalties.propose(tx, me, data, today, now)))


@post("/api/penalties/{penalty_id:uuid}/impose", guards=[OFFICER], status_code=200)
async def impose(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, penalty_id: FromPath[UUID]
) -> Response[PenaltyView]:
    """Decide a proposal of another person: what it stops is stopped from its day on."""
    return answered(await once(tx, PenaltyView, lambda: penalties.impose(tx, me, penalty_id, today, now)), 200)


@post("/api/penalties/{penalty_id:uuid}/drop", guards=[OFFICER], status_code=200)
async def drop(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, penalty_id: FromPath[UUID]
) -> Response[PenaltyView]:
    """Give up a proposal."""
    return answered(await once(tx, PenaltyView, lambda: penalties.drop(tx, me, penalty_id, today, now)), 200)


@post("/api/penalties/{penalty_id:uuid}/appeal", guards=[allow(Post.CLERK)], status_code=200)
async def appeal(
    *, tx: Tx, me: Me, today: Today, now: Now, once: Once, penalty_id: FromPath[UUID], data: JSONBody[NewAppeal]
) -> Response[PenaltyView]:
    """Appeal for one's institution, once and in time."""
    return answered(await once(tx, PenaltyView, lambda: appeals.appeal(tx, me, penalty_id, data, today, now)), 200)


@post("/api/penalties/{penalty_id:uuid}/answer", guards=[OFFICER], status_code=200)
async def answer_appeal(
    *, tx: Tx, me: Me, today: Today, now: Now, once: Once, penalty_id: FromPath[UUID], data: JSONBody[NewAppealAnswer]
) -> Response[PenaltyView]:
    """Uphold the penalty, or grant the appeal, as a person who had no part in it."""
    return answered(await once(tx, PenaltyView, lambda: appeals.answer(tx, me, penalty_id, data, today, now)), 200)


@get("/api/evaluations", opt={PUBLIC: True})
async def show_evaluations(tx: Tx, today: Today, year: Year = None) -> EvaluationsView:
    """The results of a year (the last one, when none is given), by which formula, and how many passed."""
    return await evaluations.evaluations_of(tx, year or today.year - 1)


@get("/api/evaluations/{evaluation_id:uuid}", guards=[READER])
async def show_evaluation(tx: Tx, me: Me, evaluation_id: FromPath[UUID]) -> EvaluationView:
    """One version of a result in one's district, or of one's institution: its values, the hashes of its evidence."""
    return await evaluations.evaluation_view(tx, me, evaluation_id)


@post("/api/evaluations", guards=[EVALUATOR])
async def evaluate(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewEvaluation]
) -> Response[EvaluationView]:
    """Record an institution's result of a year; the score is computed by the formula of that year."""
    return answered(await once(tx, EvaluationView, lambda: evaluating.evaluate(tx, me, data, today, now)))


@post("/api/evaluations/{evaluation_id:uuid}/correct", guards=[EVALUATOR])
async def correct_evaluation(
    tx: Tx, me: Me, now: Now, once: Once, evaluation_id: FromPath[UUID], data: JSONBody[NewEvaluationCorrection]
) -> Response[EvaluationView]:
    """Correct another person's result by a further version, with a reason."""
    return answered(await once(tx, EvaluationView, lambda: evaluating.correct(tx, me, evaluation_id, data, now)))


@get("/api/complaints/counts", opt={PUBLIC: True})
async def count_complaints(tx: Tx, today: Today, year: Year = None) -> ComplaintCounts:
    """Complaints of a year by institution; counts under five are not told."""
    return await complaints.complaint_counts(tx, year or today.year)


@post("/api/complaints", guards=[allow(Post.TRAINEE)])
async def complain(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewComplaint]
) -> Response[ComplaintReceipt]:
    """Complain of an institution, or say an opinion; the answer comes in time."""
    return answered(await once(tx, ComplaintReceipt, lambda: complaining.complain(tx, me, data, today, now)))


@post("/api/complaints/anonymous", opt={PUBLIC: True})
async def complain_anonymously(tx: Tx, today: Today, now: Now, data: JSONBody[NewComplaint]) -> ComplaintReceipt:
    """The same without being signed in; nobody can be told the answer."""
    return await complaining.complain(tx, None, data, today, now)


@get("/api/complaints/mine", guards=[allow(Post.TRAINEE)])
async def list_mine(tx: Tx, me: Me, today: Today, cursor: Cursor = None, limit: Limit = 50) -> ComplaintList:
    """What I complained of, with the answers."""
    return await complaints.my_complaints(tx, me, today, cursor, limit)


@get("/api/complaints", guards=[OFFICER])
async def list_complaints(
    tx: Tx,
    me: Me,
    today: Today,
    which: Annotated[Literal["open", "overdue", "answered"], QueryParameter()] = "open",
    cursor: Cursor = None,
    limit: Limit = 50,
    number: Annotated[str, QueryParameter(max_length=40)] = "",
) -> ComplaintList:
    """Complaints in one's district, newest first; or the one of a number."""
    return await complaints.district_complaints(tx, me, today, cursor, limit, which=which, number=number)


@post("/api/complaints/{complaint_id:uuid}/answer", guards=[OFFICER], status_code=200)
async def answer_complaint(
    *,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    once: Once,
    complaint_id: FromPath[UUID],
    data: JSONBody[NewComplaintAnswer],
) -> Response[AnsweredView]:
    """Answer a complaint, once, and say whether it was founded."""
    done = await once(tx, AnsweredView, lambda: complaining.answer(tx, me, complaint_id, data, today, now))
    return answered(done, 200)


@get("/api/signals", guards=[allow(Post.INSTITUTION_OFFICER, Post.AUDITOR)])
async def show_signals(tx: Tx, me: Me, run: FromQuery[UUID | None] = None) -> SignalsView:
    """What the latest run of the risk signals found in one's district, or `run` did, with the rows it rests on."""
    return await signals_seen.signals(tx, me, run)


@post("/api/signals/run", guards=[OFFICER], status_code=202)
async def run_signals(tx: Tx, me: Me, today: Today, now: Now, once: Once) -> Response[SignalRunView]:
    """Ask for a run now, for the whole city; the worker does it."""
    return answered(await once(tx, SignalRunView, lambda: signalling.ask_run(tx, me, today, now)), 202)


ROUTES = [
    *(show_credit, list_due, export_credit, record_event, correct_event),
    *(public_penalties, list_penalties, show_penalty, propose, impose, drop, appeal, answer_appeal),
    *(show_evaluations, show_evaluation, evaluate, correct_evaluation),
    *(count_complaints, complain, complain_anonymously, list_mine, list_complaints, answer_complaint),
    *(show_signals, run_signals),
]
