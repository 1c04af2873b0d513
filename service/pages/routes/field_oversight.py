"""Penalties, credit, complaints, signals and evaluations on officers' and evaluators' desks."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from domain.actor import Post
from domain.errors import NotFound
from service.gateways.sheet_files import CSV_TYPE
from service.oversight.queries import credit
from service.pages.field import acts, hearing, sanctions
from service.pages.field.acts import Said
from service.security import allow
from service.web import Me, Now, StrictRequest, Today, Tx, private_file

_OFFICER = [allow(Post.INSTITUTION_OFFICER)]
_EVALUATOR = [allow(Post.EVALUATOR)]
_WATCHES = [allow(Post.INSTITUTION_OFFICER, Post.AUDITOR)]
_READS = [allow(Post.INSTITUTION_OFFICER, Post.AUDITOR, Post.EVALUATOR)]
_FORM: dict[str, Any] = {"include_in_schema": False, "status_code": 303}
#: A file for each indicator of an evaluation.
_SENT_MAX = 60 * 1024 * 1024


@get("/desk/penalties", guards=_READS, include_in_schema=False)
async def penalties(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """What follows for whom, and the penalties of my district."""
    said = Said(tx, me, today, now, dict(request.query_params), request)
    return acts.desk(request, "field/penalties.html", today, me, **await sanctions.listed(said))


@get("/desk/penalties/new", guards=_OFFICER, include_in_schema=False)
async def new_penalty(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """The form of a proposal."""
    return await acts.shown(sanctions.PROPOSE, request, tx, me, today, now)


@post("/desk/penalties/new", guards=_OFFICER, **_FORM)
async def propose(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Propose a step."""
    return await acts.done(sanctions.PROPOSE, request, tx, me, today, now)


@get("/desk/penalties/{penalty_id:uuid}", guards=_READS, include_in_schema=False)
async def penalty(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, penalty_id: FromPath[UUID]
) -> Response[bytes]:
    """One penalty."""
    return await acts.shown(sanctions.ON_PENALTY["answer"], request, tx, me, today, now, penalty_id)


@post("/desk/penalties/{penalty_id:uuid}/{act:str}", guards=_OFFICER, **_FORM)
async def on_penalty(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, penalty_id: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """Impose or drop a proposal, or answer the appeal."""
    if act not in sanctions.ON_PENALTY:
        raise NotFound("page.not_found")
    return await acts.done(sanctions.ON_PENALTY[act], request, tx, me, today, now, penalty_id)


@get("/desk/credit", guards=_READS, include_in_schema=False)
async def standing(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """Credit of an institution, and who is due."""
    said = Said(tx, me, today, now, dict(request.query_params), request)
    return acts.desk(request, "field/credit.html", today, me, typed=said.typed, **await sanctions.standing(said))


@get("/desk/credit/export", guards=_OFFICER, include_in_schema=False)
async def export(tx: Tx, me: Me, today: Today) -> Response[bytes]:
    """The credit facts of this year, for the credit platform."""
    return private_file(await credit.export(tx, me, today.year), CSV_TYPE, f"信用事实-{today.year}.csv")


@get("/desk/credit/new", guards=_OFFICER, include_in_schema=False)
async def new_event(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """The form of an event."""
    return await acts.shown(sanctions.RECORD, request, tx, me, today, now)


@post("/desk/credit/new", guards=_OFFICER, **_FORM)
async def record(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Record what happened."""
    return await acts.done(sanctions.RECORD, request, tx, me, today, now)


@get("/desk/credit/events/{event_id:uuid}/correct", guards=_OFFICER, include_in_schema=False)
async def to_mend(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, event_id: FromPath[UUID]
) -> Response[bytes]:
    """The form of a correction."""
    return await acts.shown(sanctions.MEND, request, tx, me, today, now, event_id)


@post("/desk/credit/events/{event_id:uuid}/correct", guards=_OFFICER, **_FORM)
async def mend(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, event_id: FromPath[UUID]
) -> Response[Any]:
    """Mend an event by a further one."""
    return await acts.done(sanctions.MEND, request, tx, me, today, now, event_id)


@get("/desk/complaints", guards=_OFFICER, include_in_schema=False)
async def complaints(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """Complaints of my district."""
    said = Said(tx, me, today, now, dict(request.query_params), request)
    return acts.desk(request, "field/complaints.html", today, me, **await hearing.listed(said))


@get("/desk/complaints/{complaint_id:uuid}", guards=_OFFICER, include_in_schema=False)
async def complaint(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, complaint_id: FromPath[UUID]
) -> Response[bytes]:
    """One complaint."""
    return await acts.shown(hearing.ANSWER, request, tx, me, today, now, complaint_id)


@post("/desk/complaints/{complaint_id:uuid}/answer", guards=_OFFICER, **_FORM)
async def answer(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, complaint_id: FromPath[UUID]
) -> Response[Any]:
    """Answer it, once."""
    return await acts.done(hearing.ANSWER, request, tx, me, today, now, complaint_id)


@get("/desk/signals", guards=_WATCHES, include_in_schema=False)
async def signals(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """What the latest run found."""
    return await acts.shown(hearing.RUN, request, tx, me, today, now)


@post("/desk/signals/run", guards=_OFFICER, **_FORM)
async def run(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Ask for a run now."""
    return await acts.done(hearing.RUN, request, tx, me, today, now)


@get("/desk/evaluations", guards=_READS, include_in_schema=False)
async def evaluations(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """A year's results."""
    said = Said(tx, me, today, now, dict(request.query_params), request)
    return acts.desk(request, "field/evaluations.html", today, me, **await hearing.evaluated(said))


@get("/desk/evaluations/new", guards=_EVALUATOR, include_in_schema=False)
async def new_evaluation(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """The form of a result."""
    return await acts.shown(hearing.ENTER, request, tx, me, today, now)


@post("/desk/evaluations/new", guards=_EVALUATOR, request_max_body_size=_SENT_MAX, **_FORM)
async def evaluate(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Enter an institution's result of a year."""
    return await acts.done(hearing.ENTER, request, tx, me, today, now)


@get("/desk/evaluations/{evaluation_id:uuid}", guards=_READS, include_in_schema=False)
async def evaluation(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, evaluation_id: FromPath[UUID]
) -> Response[bytes]:
    """One version of a result."""
    said = Said(tx, me, today, now, {}, request, evaluation_id)
    return acts.desk(request, "field/evaluation.html", today, me, **await hearing.evaluation(said))


@get("/desk/evaluations/{evaluation_id:uuid}/correct", guards=_EVALUATOR, include_in_schema=False)
async def to_correct(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, evaluation_id: FromPath[UUID]
) -> Response[bytes]:
    """The form of a correction."""
    return await acts.shown(hearing.CORRECT, request, tx, me, today, now, evaluation_id)


@post("/desk/evaluations/{evaluation_id:uuid}/correct", guards=_EVALUATOR, request_max_body_size=_SENT_MAX, **_FORM)
async def correct(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, evaluation_id: FromPath[UUID]
) -> Response[Any]:
    """Correct another person's result."""
    return await acts.done(hearing.CORRECT, request, tx, me, today, now, evaluation_id)


ROUTES = [
    *(penalties, new_penalty, propose, penalty, on_penalty),
    *(standing, export, new_event, record, to_mend, mend),
    *(complaints, complaint, answer, signals, run),
    *(evaluations, new_evaluation, evaluate, evaluation, to_correct, correct),
]
