"""Finance's own pages: batches and what is signed, and the month of the funds, which is printed."""

from asyncio import to_thread
from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from domain.actor import Post
from domain.fund import Movement, PositionKey
from domain.fund_month import parse_month
from service.access.commands.step_up import SIGNERS
from service.accounting.queries.statement import statement, statement_book, statement_lines
from service.accounting.routes import FINANCE, Code, Month
from service.gateways.sheet_files import XLSX_TYPE
from service.pages import finance, signing
from service.pages.rendering import private
from service.pages.standard_pages import waiting_for
from service.security import allow
from service.web import Me, Now, StrictRequest, Today, Tx, private_file
from service.wording import words

_LINES_A_PAGE = 200
_DESK = (*SIGNERS, Post.AUDITOR)
After = Annotated[str | None, QueryParameter(max_length=60)]


@get("/funds/statement", guards=[allow(*FINANCE)], include_in_schema=False)
async def statement_page(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, month: Month = None
) -> Response[bytes]:
    """A month of my district's funds, to be read and printed on A4."""
    view = await statement(tx, me, parse_month(month or f"{today:%Y-%m}"), now)
    waiting = len(await waiting_for(tx, me)) if me.holds(Post.FINANCE_SIGNER) else None
    return private(request, "finance/statement.html", today, statement=view, standards_to_sign=waiting)


@get("/funds/statement/lines", guards=[allow(*FINANCE)], include_in_schema=False)
async def lines_page(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    month: Annotated[str, QueryParameter(max_length=7)],
    district: Code,
    fund: Code,
    year: Annotated[int, QueryParameter(ge=2000, le=2100)],
    kind: Annotated[Movement, QueryParameter()],
    cursor: Annotated[int | None, QueryParameter(ge=0, le=2**63 - 1)] = None,
) -> Response[bytes]:
    """The lines that add up to one figure."""
    of = PositionKey(district, fund, year)
    found = await statement_lines(tx, me, of, parse_month(month), kind, cursor, _LINES_A_PAGE)
    asked = {"month": month, "kind": str(kind), **vars(of)}
    name = words(f"movement.{kind}")
    return private(request, "finance/lines.html", today, found=found, asked=asked, name=name)


@get("/funds/statement/book", guards=[allow(*FINANCE)], include_in_schema=False)
async def book(tx: Tx, me: Me, today: Today, now: Now, month: Month = None) -> Response[bytes]:
    """The month as a workbook."""
    view = await statement(tx, me, parse_month(month or f"{today:%Y-%m}"), now)
    return private_file(await to_thread(statement_book, view), XLSX_TYPE, f"funds-{view.month}.xlsx")


@get("/finance", guards=[allow(*_DESK)], include_in_schema=False)
async def desk(request: StrictRequest, tx: Tx, me: Me, today: Today, after: After = None) -> Response[bytes]:
    """What can be put into batches, and the batches of my district."""
    return private(request, "finance/batches.html", today, **await finance.desk(tx, me, after))


@post("/finance/batches", guards=[allow(Post.MAKER)], include_in_schema=False, status_code=303)
async def open_batch(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Put what is due into a batch."""
    return await signing.opened(request, tx, me, today, now)


@get("/finance/batches/{batch_id:uuid}", guards=[allow(*_DESK)], include_in_schema=False)
async def batch(
    request: StrictRequest, tx: Tx, me: Me, today: Today, batch_id: FromPath[UUID], after: After = None
) -> Response[bytes]:
    """One batch as it is signed."""
    return private(request, "finance/batch.html", today, **await finance.batch(tx, me, batch_id, after, {}))


@post("/finance/batches/{batch_id:uuid}/sign", guards=[allow(*SIGNERS)], include_in_schema=False, status_code=303)
async def sign(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, batch_id: FromPath[UUID]
) -> Response[Any]:
    """Sign what I was shown."""
    return await signing.signed(request, tx, me, batch_id, today, now)


@post(
    "/finance/batches/{batch_id:uuid}/reject",
    guards=[allow(Post.CHECKER, Post.RELEASER)],
    include_in_schema=False,
    status_code=303,
)
async def reject(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, batch_id: FromPath[UUID]
) -> Response[Any]:
    """Say no, with a reason."""
    return await signing.rejected(request, tx, me, batch_id, today, now)


ROUTES = [statement_page, lines_page, book, desk, open_batch, batch, sign, reject]
