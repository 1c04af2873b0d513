"""The officers' desk: what waits, one claim on one screen, sets, notices, objections and appeals, the counter."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter
from litestar.response import Redirect

from domain.actor import Post
from service.gateways.file_store import FILE_BYTES_MAX
from service.pages import desk, desk_acts, desk_answers, desk_counter, desk_notices, desk_sets
from service.pages.catalog_pages import readable
from service.pages.desk_answers import AfterEach
from service.security import allow
from service.verification.queries.manual import evidence
from service.web import Me, Now, StrictRequest, Today, Tx, private_file
from service.work.commands.taking import LOOKS
from service.work.queries.waiting import Chosen
from service.work.schemas import Kind

_LOOKS, _REVIEWER = [allow(*LOOKS)], [allow(Post.REVIEWER)]
_CASE = [allow(*desk.OFFICERS, Post.CHECKER)]
_PUBLISHER, _ACCEPTOR = [allow(Post.NOTICE_PUBLISHER)], [allow(Post.ACCEPTOR)]
_ANSWERS = [allow(Post.REVIEWER, Post.NOTICE_PUBLISHER)]
_LATE = [allow(*LOOKS, Post.NOTICE_PUBLISHER)]
#: A form with a file is a little larger than the file.
_FORM_BYTES_MAX = FILE_BYTES_MAX + 64 * 1024
_Page = Response[bytes]

Short = Annotated[str | None, QueryParameter(max_length=40)]
Choice = Annotated[str, QueryParameter(max_length=20)]
After = Annotated[str | None, QueryParameter(max_length=200)]
Cursor = Annotated[UUID | None, QueryParameter()]


@get("/desk", guards=_LOOKS, include_in_schema=False)
async def work_list(
    *,
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    kind: Annotated[Kind | None, QueryParameter()] = None,
    status: Short = None,
    why: Short = None,
    after: After = None,
) -> _Page:
    """What waits for me, due first."""
    return await desk.listed(request, tx, me, Chosen(kind, None, status, why or None), after, today, now)


@post("/desk/next", guards=_LOOKS, include_in_schema=False, status_code=303)
async def take_next(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Take the next one."""
    return await desk.taken_next(request, tx, me, today, now)


@get("/desk/claims/set", guards=_REVIEWER, include_in_schema=False)
async def preview_set(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, filed_to: Choice = "", limit: Choice = ""
) -> _Page:
    """What approving a set would do."""
    return await desk_sets.looked_at(request, tx, me, filed_to, limit, today, now)


@post("/desk/claims/set", guards=_REVIEWER, include_in_schema=False, status_code=303)
async def approve_set(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Approve just what was shown."""
    return await desk_sets.approved(request, tx, me, today, now)


@get("/desk/claims/{claim_id:uuid}", guards=_CASE, include_in_schema=False)
async def case(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, claim_id: FromPath[UUID]) -> _Page:
    """One claim on one screen."""
    return await desk_acts.case_shown(request, tx, me, claim_id, today, now)


@get("/desk/claims/{claim_id:uuid}/{act:str}", guards=_CASE, include_in_schema=False)
async def act_page(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, claim_id: FromPath[UUID], act: FromPath[str]
) -> _Page:
    """The form of something that I can do about it."""
    return await desk_acts.form_shown(request, tx, me, claim_id, act, today, now)


@post(
    "/desk/claims/{claim_id:uuid}/{act:str}",
    guards=_CASE,
    include_in_schema=False,
    status_code=303,
    request_max_body_size=_FORM_BYTES_MAX,
)
async def do_act(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, claim_id: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """Do it, or say what is wrong."""
    return await desk_acts.done(request, tx, me, claim_id, act, today, now)


@get("/desk/claims/{claim_id:uuid}/evidence/{sha256:str}", guards=_REVIEWER, include_in_schema=False)
async def show_evidence(tx: Tx, me: Me, claim_id: FromPath[UUID], sha256: FromPath[str]) -> _Page:
    """What a check by hand rests on."""
    media_type, content = await evidence(tx, me, claim_id, sha256)
    return private_file(content, media_type)


@get("/desk/notices", guards=_PUBLISHER, include_in_schema=False)
async def notices(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """What can be published, and what is."""
    return await desk_notices.notices(request, tx, me, today)


@post("/desk/notices", guards=_PUBLISHER, include_in_schema=False, status_code=303)
async def publish(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Publish."""
    return await desk_notices.published(request, tx, me, today, now)


@get("/desk/notice-objections", guards=_PUBLISHER, include_in_schema=False)
async def notice_objections(
    request: StrictRequest, tx: Tx, me: Me, today: Today, cursor: Cursor = None, closed: FromQuery[bool] = False
) -> _Page:
    """Objections to the notices of my district, and what was answered; or the one whose number was told."""
    after = AfterEach(cursor, number=readable(request.query_params.get("number", "")))
    return await desk_answers.waiting(request, tx, me, "notice-objections", after, today, closed=closed)


@get("/desk/overdue", guards=_LATE, include_in_schema=False)
async def overdue(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """What is late."""
    return await desk_notices.late(request, tx, me, today)


@get("/desk/objections", guards=_REVIEWER, include_in_schema=False)
async def objections(
    request: StrictRequest, tx: Tx, me: Me, today: Today, cursor: Cursor = None, closed: FromQuery[bool] = False
) -> _Page:
    """Objections that wait for a finding, or have one."""
    return await desk_answers.waiting(request, tx, me, "objections", AfterEach(cursor), today, closed=closed)


@get("/desk/appeals", guards=_REVIEWER, include_in_schema=False)
async def appeals(
    *,
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    cursor: Cursor = None,
    amounts: Cursor = None,
    demands: Cursor = None,
    closed: FromQuery[bool] = False,
) -> _Page:
    """Appeals against refusals, amounts and demands, a page of each."""
    after = AfterEach(cursor, amounts, demands)
    return await desk_answers.waiting(request, tx, me, "appeals", after, today, closed=closed)


@get("/desk/accounts", guards=[allow(Post.CHECKER)], include_in_schema=False, status_code=301)
async def accounts() -> Redirect:
    """Where accounts stood that a second person confirms."""
    return Redirect("/finance/account-checks", status_code=301, headers={"Cache-Control": "no-store"})


@post("/desk/{kind:str}/{about:uuid}", guards=_ANSWERS, include_in_schema=False, status_code=303)
async def answer(
    *,
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    kind: FromPath[str],
    about: FromPath[UUID],
    cursor: Cursor = None,
    amounts: Cursor = None,
    demands: Cursor = None,
) -> Response[Any]:
    """Answer an objection or an appeal, a notice's objection among them."""
    after = AfterEach(cursor, amounts, demands)
    return await desk_answers.answered(request, tx, me, kind, about, after, today, now)


@get("/desk/counter", guards=_ACCEPTOR, include_in_schema=False)
async def counter(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """A form for whoever stands there."""
    return await desk_counter.counter(request, tx, me, today)


@post("/desk/counter", guards=_ACCEPTOR, include_in_schema=False, status_code=303)
async def file_at_counter(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """File for them."""
    return await desk_counter.filed(request, tx, me, today, now)


ROUTES = [
    *(work_list, take_next, preview_set, approve_set, case, act_page, do_act, show_evidence),
    *(notices, publish, notice_objections, overdue, objections, appeals, accounts, answer, counter, file_at_counter),
]
