"""Finance's pages beside the batches: the bank's files, payments of unknown fate, what is owed back, the funds."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, PathParameter, QueryParameter

from domain.actor import Post
from domain.standard import SetStatus
from domain.step_up import SIGNERS
from service.access.queries import district_names
from service.batches.commands.delegating import CITY_FINANCE
from service.batches.queries import list_delegations
from service.claims.queries.accounts import open_checks
from service.clawbacks.commands.demanding import OFFICERS
from service.clawbacks.queries import corrections
from service.pages import money_bank, money_doing, money_files, money_funds, money_owed
from service.pages.money import EYES, page
from service.reconciliation import queries
from service.security import allow
from service.standards.queries import sets
from service.statements.queries import statements
from service.web import Me, Now, StrictRequest, Today, Tx

_A_PAGE = 50
_OWED = (Post.REVIEWER, *OFFICERS, Post.AUDITOR)
_Page = Response[bytes]
Code = Annotated[str, QueryParameter(max_length=60)]
Reference = Annotated[str | None, QueryParameter(pattern="^[A-Z0-9]{1,35}$")]
Act = Annotated[str, PathParameter(max_length=40)]


@get("/finance/acts/{act:str}/{subject:str}", guards=[allow(*money_doing.posts())], include_in_schema=False)
async def act_page(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, act: Act, subject: FromPath[str]
) -> _Page:
    """The form of something that is done to one thing."""
    return await money_doing.shown(request, tx, me, act, subject, today, now)


@post(
    "/finance/acts/{act:str}/{subject:str}",
    guards=[allow(*money_doing.posts())],
    include_in_schema=False,
    status_code=303,
)
async def do_act(
    request: StrictRequest, me: Me, today: Today, now: Now, act: Act, subject: FromPath[str]
) -> Response[Any]:
    """Do it, or say what is wrong."""
    return await money_doing.done(request, me, act, subject, today, now)


@get("/finance/returns", guards=[allow(*EYES)], include_in_schema=False)
async def returns(
    request: StrictRequest, tx: Tx, me: Me, today: Today, cursor: FromQuery[UUID | None] = None
) -> _Page:
    """The return files of my district's batches."""
    return await money_files.returns(request, tx, me, today, cursor, [])


@post("/finance/returns", guards=[allow(Post.MAKER)], include_in_schema=False, status_code=303)
async def take_return(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Hand in a return file as it came."""
    return await money_files.take_return(request, tx, me, today, now)


@get("/finance/exceptions", guards=[allow(*EYES)], include_in_schema=False)
async def exceptions(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    kind: Code = "",
    cursor: Code = "",
    resolved: FromQuery[bool] = False,
) -> _Page:
    """Lines that a person must look at, by kind."""
    found = await money_bank.exceptions(tx, me, now, kind, cursor, resolved=resolved)
    may = me.holds(Post.CHECKER, Post.RELEASER)
    return page(request, "exceptions", today, me, may_resolve=may, **found)


@get("/finance/missing", guards=[allow(*EYES)], include_in_schema=False)
async def missing(request: StrictRequest, tx: Tx, me: Me, today: Today, cursor: Reference = None) -> _Page:
    """Payments of which no return has told in time how they ended."""
    return page(request, "missing", today, me, found=await queries.list_missing(tx, me, today, cursor, _A_PAGE))


@get("/finance/unknown", guards=[allow(*EYES)], include_in_schema=False)
async def unknown(request: StrictRequest, tx: Tx, me: Me, today: Today, cursor: Reference = None) -> _Page:
    """Payments of which the bank cannot tell what became of them."""
    return page(request, "unknown", today, me, found=await queries.list_unknown(tx, me, cursor, _A_PAGE))


@get("/finance/unknown/{reference:str}", guards=[allow(*EYES)], include_in_schema=False)
async def unknown_one(request: StrictRequest, tx: Tx, me: Me, today: Today, reference: FromPath[str]) -> _Page:
    """One of them, with what the bank and two persons said."""
    found = await money_bank.unknown(tx, me, reference)
    return page(request, "unknown_one", today, me, may_decide=me.holds(*SIGNERS), **found)


@get("/finance/statements", guards=[allow(*EYES)], include_in_schema=False)
async def list_statements(
    request: StrictRequest, tx: Tx, me: Me, today: Today, cursor: FromQuery[UUID | None] = None
) -> _Page:
    """Statements of my district's accounts, and those that do not follow."""
    return await money_files.statements_page(request, tx, me, today, cursor, [])


@post("/finance/statements", guards=[allow(*SIGNERS)], include_in_schema=False, status_code=303)
async def take_statement(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Hand in a statement as it came."""
    return await money_files.take_statement(request, tx, me, today, now)


@get("/finance/statements/{statement_id:uuid}", guards=[allow(*EYES)], include_in_schema=False)
async def statement(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    statement_id: FromPath[UUID],
    cursor: FromQuery[UUID | None] = None,
) -> _Page:
    """One statement, line by line."""
    return page(
        request,
        "statement_lines",
        today,
        me,
        statement=await statements.find_statement(tx, me, statement_id),
        found=await statements.list_lines(tx, me, cursor, _A_PAGE, statement_id=statement_id),
        may_resolve=me.holds(Post.CHECKER, Post.RELEASER),
        may_take=me.holds(*SIGNERS),
    )


@get(["/finance/close", "/finance/close/{of:str}"], guards=[allow(*EYES)], include_in_schema=False)
async def close(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """A month's closed days, or the accounts of one day; this month where none is named."""
    of = request.path_params.get("of") or request.query_params.get("of") or f"{today:%Y-%m}"
    found = await money_bank.closed(tx, me, str(of), today)
    return page(request, "close", today, me, may_take=me.holds(*SIGNERS), **found)


@get("/finance/clawbacks", guards=[allow(*_OWED)], include_in_schema=False)
async def clawbacks(
    *,
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    status: Code = "",
    overdue: Code = "",
    cursor: FromQuery[UUID | None] = None,
) -> _Page:
    """What is owed back in my district."""
    found = await money_owed.listed(tx, me, status, cursor, today, overdue=overdue == "true")
    return page(request, "clawbacks", today, me, **found)


@get("/finance/clawbacks/{clawback_id:uuid}", guards=[allow(*_OWED)], include_in_schema=False)
async def clawback(request: StrictRequest, tx: Tx, me: Me, today: Today, clawback_id: FromPath[UUID]) -> _Page:
    """One, with its parts and what is open to me."""
    found = await money_owed.one(tx, me, clawback_id, today)
    return page(request, "clawback", today, me, may_act=me.holds(*OFFICERS), **found)


@get("/finance/corrections", guards=[allow(Post.REVIEWER, Post.AUDITOR)], include_in_schema=False)
async def amount_corrections(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """Amounts that a corrected standard changes: by a published one, nobody is paid by a draft."""
    found, known = await corrections.list_corrections(tx, me), (await sets.sets(tx, None)).sets
    published = [each for each in known if each.status == SetStatus.PUBLISHED]
    return page(request, "corrections", today, me, found=found, sets=published)


@get("/finance/funds", guards=[allow(Post.REVIEWER, *EYES)], include_in_schema=False)
async def funds(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> _Page:
    """What there is, for how long, and what was proposed."""
    may = {"may_answer": me.holds(Post.CHECKER, Post.RELEASER), "may_read_months": me.holds(*EYES)}
    return page(request, "funds", today, me, **may, **await money_funds.overview(tx, me, today, now))


@get("/finance/delegations", guards=[allow(*CITY_FINANCE, Post.AUDITOR)], include_in_schema=False)
async def delegations(request: StrictRequest, tx: Tx, me: Me, today: Today) -> _Page:
    """Who of city finance stands in for whom."""
    found, may = (await list_delegations(tx, me)).delegations, me.holds(*CITY_FINANCE) and me.district is None
    names = await district_names(tx)
    return page(request, "delegations", today, me, delegations=found, may_delegate=may, districts=names)


@get("/finance/account-checks", guards=[allow(Post.CHECKER)], include_in_schema=False)
async def account_checks(
    request: StrictRequest, tx: Tx, me: Me, today: Today, cursor: FromQuery[UUID | None] = None
) -> _Page:
    """Cards that claimants named for money that came back."""
    return page(request, "account_checks", today, me, found=await open_checks(tx, me, cursor, _A_PAGE))


ROUTES = [
    *(act_page, do_act, returns, take_return, exceptions, missing, unknown, unknown_one),
    *(list_statements, take_statement, statement, close),
    *(clawbacks, clawback, amount_corrections, funds, delegations, account_checks),
]
