"""The registry of institutions and their selection, on officers' and assessors' desks."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from domain.actor import Post
from service.institutions.queries.selection import document
from service.pages.field import acts, institutions, selections
from service.pages.field.acts import Said
from service.security import allow
from service.web import Me, Now, StrictRequest, Today, Tx, private_file

_OFFICER = [allow(Post.INSTITUTION_OFFICER)]
_KEEPS = [allow(Post.INSTITUTION_OFFICER, Post.AUDITOR)]
_SELECTS = [allow(Post.INSTITUTION_OFFICER, Post.ASSESSOR, Post.AUDITOR)]
_FORM: dict[str, Any] = {"include_in_schema": False, "status_code": 303}


@get("/desk/institutions", guards=_KEEPS, include_in_schema=False)
async def listed(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """Institutions of my district."""
    said = Said(tx, me, today, now, dict(request.query_params), request)
    return acts.desk(request, "field/institutions.html", today, me, **await institutions.listed(said))


@get("/desk/institutions/new", guards=_OFFICER, include_in_schema=False)
async def new_institution(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """The form of an institution."""
    return await acts.shown(institutions.REGISTER, request, tx, me, today, now)


@post("/desk/institutions/new", guards=_OFFICER, **_FORM)
async def register(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Put it into the registry."""
    return await acts.done(institutions.REGISTER, request, tx, me, today, now)


@get("/desk/institutions/{institution_id:uuid}", guards=_KEEPS, include_in_schema=False)
async def record(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, institution_id: FromPath[UUID]
) -> Response[bytes]:
    """Everything about one."""
    return await acts.shown(institutions.ANSWER_ACCOUNT, request, tx, me, today, now, institution_id)


@get("/desk/institutions/{institution_id:uuid}/{act:str}", guards=_OFFICER, include_in_schema=False)
async def act_page(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, institution_id: FromPath[UUID], act: FromPath[str]
) -> Response[bytes]:
    """The form of a dated fact, of its end, or of an account."""
    return await acts.shown(institutions.on(act), request, tx, me, today, now, institution_id)


@post("/desk/institutions/{institution_id:uuid}/{act:str}", guards=_OFFICER, **_FORM)
async def do_act(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, institution_id: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """Add it, or end it."""
    return await acts.done(institutions.on(act), request, tx, me, today, now, institution_id)


@post("/desk/institutions/{institution_id:uuid}/proposals/{proposal_id:uuid}", guards=_OFFICER, **_FORM)
async def answer_account(
    *,
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    institution_id: FromPath[UUID],
    proposal_id: FromPath[UUID],
) -> Response[Any]:
    """Confirm or decline the account that another person proposed."""
    about = institution_id, proposal_id
    return await acts.done(institutions.ANSWER_ACCOUNT, request, tx, me, today, now, *about)


@get(
    "/desk/institutions/{institution_id:uuid}/documents/{document_id:uuid}", guards=_SELECTS, include_in_schema=False
)
async def paper(tx: Tx, me: Me, institution_id: FromPath[UUID], document_id: FromPath[UUID]) -> Response[bytes]:
    """A file that the institution handed in."""
    name, media_type, content = await document(tx, me, institution_id, document_id)
    return private_file(content, media_type, name)


@get("/desk/selections", guards=_SELECTS, include_in_schema=False)
async def rounds(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """The latest rounds."""
    said = Said(tx, me, today, now, {}, request)
    return acts.desk(request, "field/rounds.html", today, me, **await selections.listed(said))


@get("/desk/selections/new", guards=_OFFICER, include_in_schema=False)
async def new_round(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """The form of a round."""
    return await acts.shown(selections.ANNOUNCE, request, tx, me, today, now)


@post("/desk/selections/new", guards=_OFFICER, **_FORM)
async def announce(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Announce a round."""
    return await acts.done(selections.ANNOUNCE, request, tx, me, today, now)


@get("/desk/selections/{round_id:uuid}", guards=_SELECTS, include_in_schema=False)
async def one_round(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, round_id: FromPath[UUID]
) -> Response[bytes]:
    """One round with its applications."""
    return await acts.shown(selections.MOVE_ROUND, request, tx, me, today, now, round_id)


@post("/desk/selections/{round_id:uuid}/move", guards=_OFFICER, **_FORM)
async def move_round(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, round_id: FromPath[UUID]
) -> Response[Any]:
    """Publicise it, close it, give it up."""
    return await acts.done(selections.MOVE_ROUND, request, tx, me, today, now, round_id)


@get("/desk/selections/applications/{application_id:uuid}", guards=_SELECTS, include_in_schema=False)
async def application(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, application_id: FromPath[UUID]
) -> Response[bytes]:
    """One application."""
    return await acts.shown(selections.SCORE, request, tx, me, today, now, application_id)


@post("/desk/selections/applications/{application_id:uuid}/scores", guards=[allow(Post.ASSESSOR)], **_FORM)
async def score(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, application_id: FromPath[UUID]
) -> Response[Any]:
    """Score it, once."""
    return await acts.done(selections.SCORE, request, tx, me, today, now, application_id)


@post("/desk/selections/applications/{application_id:uuid}/{act:str}", guards=_OFFICER, **_FORM)
async def decide(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, application_id: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """Admit it or turn it down."""
    return await acts.done(selections.deciding(act), request, tx, me, today, now, application_id)


ROUTES = [
    *(listed, new_institution, register, record, act_page, do_act, answer_account, paper),
    *(rounds, new_round, announce, one_round, move_round, application, score, decide),
]
