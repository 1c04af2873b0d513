"""A clerk's own pages: the day's work, rosters, papers, claims, money, and how the institution stands."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, QueryParameter

from domain.actor import Post
from service.gateways import assessment_sheets, file_store, roster_sheets
from service.pages.forms import BESIDE_A_FILE
from service.pages.institution import assessments, claims, papers, rosters, standing, templates
from service.pages.institution.frame import shown
from service.pages.institution.home import home as day
from service.security import allow
from service.web import Me, Now, StrictRequest, Today, Tx

CLERKS = [allow(Post.CLERK)]
Cursor = Annotated[str | None, QueryParameter(max_length=200)]
After = Annotated[int, QueryParameter(ge=0, le=2_000_000)]
Status = Annotated[str | None, QueryParameter(max_length=20)]
Year = Annotated[int | None, QueryParameter(ge=2000, le=2100)]
_Page = Response[bytes]


@get("/institution", guards=CLERKS, include_in_schema=False)
async def home(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """What is to be done today."""
    return await shown(request, tx, me, "home", today, **await day(tx, me, today))


@get("/institution/templates/{name:str}", guards=CLERKS, include_in_schema=False)
async def template(name: FromPath[str]) -> _Page:
    """A sheet to fill in."""
    return templates.blank(name)


@get("/institution/rosters", guards=CLERKS, include_in_schema=False)
async def list_rosters(request: StrictRequest, tx: Tx, me: Me, today: Today, cursor: Cursor = None) -> _Page:
    """My institution's rosters."""
    return await rosters.listed(request, tx, me, today, cursor)


@get("/institution/rosters/new", guards=CLERKS, include_in_schema=False)
async def new_roster(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """Where a sheet is dropped."""
    return await rosters.form(request, tx, me, today)


@post(
    "/institution/rosters/new",
    guards=CLERKS,
    include_in_schema=False,
    status_code=303,
    request_max_body_size=roster_sheets.LIMITS.file_bytes + BESIDE_A_FILE,
)
async def upload_roster(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Hand in a roster."""
    return await rosters.taken(request, tx, me, today, now)


@get("/institution/rosters/{roster_id:uuid}", guards=CLERKS, include_in_schema=False)
async def show_roster(
    request: StrictRequest, tx: Tx, me: Me, today: Today, roster_id: FromPath[UUID], after: After = 0
) -> _Page:
    """How far a roster is, and what is to be mended."""
    return await rosters.one(request, tx, me, today, roster_id, after)


@get("/institution/rosters/{roster_id:uuid}/progress", guards=CLERKS, include_in_schema=False)
async def roster_progress(request: StrictRequest, tx: Tx, me: Me, today: Today, roster_id: FromPath[UUID]) -> _Page:
    """The part of it that says how far it is."""
    return await rosters.progress(request, tx, me, today, roster_id)


@get("/institution/rosters/{roster_id:uuid}/sheet", guards=CLERKS, include_in_schema=False)
async def roster_sheet(tx: Tx, me: Me, roster_id: FromPath[UUID]) -> _Page:
    """The lines to mend as a sheet."""
    return await rosters.sheet_back(tx, me, roster_id)


@get("/institution/mandates", guards=CLERKS, include_in_schema=False)
async def list_mandates(
    request: StrictRequest, tx: Tx, me: Me, today: Today, cursor: FromQuery[UUID | None] = None
) -> _Page:
    """Mandates, and which end when."""
    return await papers.mandates(request, tx, me, today, cursor)


@post(
    "/institution/mandates",
    guards=CLERKS,
    include_in_schema=False,
    status_code=303,
    request_max_body_size=file_store.FILE_BYTES_MAX + BESIDE_A_FILE,
)
async def record_mandate(request: StrictRequest, tx: Tx, me: Me, today: Today) -> Response[Any]:
    """Register a mandate."""
    return await papers.mandate_recorded(request, tx, me, today)


@get("/institution/contracts", guards=CLERKS, include_in_schema=False)
async def list_contracts(
    request: StrictRequest, tx: Tx, me: Me, today: Today, cursor: FromQuery[UUID | None] = None
) -> _Page:
    """Contracts of an enterprise."""
    return await papers.contracts(request, tx, me, today, cursor)


@post(
    "/institution/contracts",
    guards=CLERKS,
    include_in_schema=False,
    status_code=303,
    request_max_body_size=file_store.FILE_BYTES_MAX + BESIDE_A_FILE,
)
async def record_contract(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Register a contract."""
    return await papers.contract_recorded(request, tx, me, today, now)


@get("/institution/claims", guards=CLERKS, include_in_schema=False)
async def list_claims(
    request: StrictRequest, tx: Tx, me: Me, today: Today, status: Status = None, cursor: Cursor = None
) -> _Page:
    """Claims that my institution filed."""
    return await claims.listed(request, tx, me, today, status or None, cursor)


@get("/institution/claims/{claim_id:uuid}", guards=CLERKS, include_in_schema=False)
async def show_claim(request: StrictRequest, tx: Tx, me: Me, today: Today, claim_id: FromPath[UUID]) -> _Page:
    """One of them."""
    return await claims.one(request, tx, me, today, claim_id)


@post("/institution/claims/{claim_id:uuid}/{act:str}", guards=CLERKS, include_in_schema=False, status_code=303)
async def act_on_claim(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, claim_id: FromPath[UUID], act: FromPath[str]
) -> Response[Any]:
    """Correct it, change its account, appeal, withdraw it."""
    return await claims.done(request, tx, me, today, now, claim_id, act)


@get("/institution/money", guards=CLERKS, include_in_schema=False)
async def show_money(request: StrictRequest, tx: Tx, me: Me, today: Today, cursor: Cursor = None) -> _Page:
    """What was paid, and what is to be paid back."""
    return await standing.money(request, tx, me, today, cursor)


@get("/institution/standing", guards=CLERKS, include_in_schema=False)
async def show_standing(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """How my institution stands."""
    return await standing.standing(request, tx, me, today)


@post("/institution/standing/{penalty_id:uuid}/appeal", guards=CLERKS, include_in_schema=False, status_code=303)
async def appeal(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, penalty_id: FromPath[UUID]
) -> Response[Any]:
    """Appeal against a penalty."""
    return await standing.appealed(request, tx, me, today, now, penalty_id)


@get("/institution/evaluation", guards=CLERKS, include_in_schema=False)
async def show_evaluation(request: StrictRequest, tx: Tx, me: Me, today: Today, year: Year = None) -> _Page:
    """Our result of a year."""
    return await standing.evaluation(request, tx, me, today, year)


@get("/institution/assessments", guards=CLERKS, include_in_schema=False)
async def list_assessments(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """Results that my body told."""
    return await assessments.listed(request, tx, me, today)


@post(
    "/institution/assessments",
    guards=CLERKS,
    include_in_schema=False,
    status_code=303,
    request_max_body_size=assessment_sheets.LIMITS.file_bytes + BESIDE_A_FILE,
)
async def upload_assessment(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Tell the results of a class."""
    return await assessments.taken(request, tx, me, today, now)


@get("/institution/assessments/{class_id:uuid}", guards=CLERKS, include_in_schema=False)
async def show_assessment(request: StrictRequest, tx: Tx, me: Me, today: Today, class_id: FromPath[UUID]) -> _Page:
    """The results of one class."""
    return await assessments.one(request, tx, me, today, class_id)


ROUTES = [
    *(home, template),
    *(list_rosters, new_roster, upload_roster, show_roster, roster_progress, roster_sheet),
    *(list_mandates, record_mandate, list_contracts, record_contract),
    *(list_claims, show_claim, act_on_claim, show_money),
    *(show_standing, appeal, show_evaluation),
    *(list_assessments, upload_assessment, show_assessment),
]
