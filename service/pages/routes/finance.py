"""Finance's own pages: batches and what is signed, and the month of the funds, which is printed."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from domain.actor import Post
from domain.fund import Movement, PositionKey
from domain.fund_month import parse_month
from domain.step_up import SIGNERS
from service.access.queries import district_names
from service.accounting.queries import vouchers as kept
from service.accounting.queries.statement import book_of, statement_lines, statement_of
from service.accounting.routes import FINANCE, Code, Month
from service.funds.queries import fund_names
from service.gateways.sheet_files import CSV_TYPE, XLSX_TYPE
from service.pages import finance, signing
from service.pages.acts import Asked
from service.pages.money import EYES, page
from service.pages.standard_pages import waiting_for
from service.security import allow
from service.web import Me, Now, StrictRequest, Today, Tx, private_file
from service.wording import words

_LINES_A_PAGE = 200
After = Annotated[str | None, QueryParameter(max_length=60)]
Text = Annotated[str, QueryParameter(max_length=40)]


@get("/funds/statement", guards=[allow(*FINANCE)], include_in_schema=False)
async def statement_page(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, month: Month = None
) -> Response[bytes]:
    """A month of my district's funds, to be read and printed on A4."""
    view = await statement_of(tx, me, month, now)
    waiting = len(await waiting_for(tx, me)) if me.holds(Post.FINANCE_SIGNER) else None
    return page(request, "statement", today, me, statement=view, standards_to_sign=waiting)


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
    names = await district_names(tx) | await fund_names(tx)
    return page(request, "lines", today, me, found=found, asked=asked, name=words(f"movement.{kind}"), names=names)


@get("/funds/statement/book", guards=[allow(*FINANCE)], include_in_schema=False)
async def book(tx: Tx, me: Me, now: Now, month: Month = None) -> Response[bytes]:
    """The month as a workbook."""
    content, name = await book_of(tx, me, month, now)
    return private_file(content, XLSX_TYPE, name)


@get("/finance", guards=[allow(*EYES)], include_in_schema=False)
async def desk(
    request: StrictRequest, tx: Tx, me: Me, today: Today, status: Text = "", after: After = None
) -> Response[bytes]:
    """The batches of my district."""
    return page(request, "batches", today, me, **await finance.desk(tx, me, status, after))


@get("/finance/batches/new", guards=[allow(*EYES)], include_in_schema=False)
async def due(request: StrictRequest, tx: Tx, me: Me, today: Today) -> Response[bytes]:
    """What batches opened now would take, with a filter."""
    return page(request, "new_batch", today, me, **await finance.due(tx, me, dict(request.query_params.items()), []))


@post("/finance/batches", guards=[allow(Post.MAKER)], include_in_schema=False, status_code=303)
async def open_batch(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Put what is due into a batch."""
    return await signing.opened(request, tx, me, today, now)


@get("/finance/batches/{batch_id:uuid}", guards=[allow(*EYES)], include_in_schema=False)
async def batch(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    batch_id: FromPath[UUID],
    after: After = None,
    seed: Annotated[int | None, QueryParameter(ge=0, le=10**6)] = None,
) -> Response[bytes]:
    """One batch as it is signed."""
    asked = Asked(tx, me, today, now, {}, str(batch_id))
    return page(request, "batch", today, me, **await finance.batch(asked, after, [], seed))


@post("/finance/batches/{batch_id:uuid}/sign", guards=[allow(*SIGNERS)], include_in_schema=False, status_code=303)
async def sign(request: StrictRequest, today: Today, now: Now, batch_id: FromPath[UUID]) -> Response[Any]:
    """Sign what I was shown."""
    return await signing.signed(request, request.user, batch_id, today, now)


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


@get("/finance/batches/{batch_id:uuid}/vouchers", guards=[allow(*EYES)], include_in_schema=False)
async def vouchers(tx: Tx, me: Me, batch_id: FromPath[UUID]) -> Stream:
    """The voucher list of a batch as a sheet of text."""
    of = await kept.batch_to_account(tx, me, batch_id)
    headers = private_file(b"", CSV_TYPE, f"vouchers-{of.number}.csv").headers
    return Stream(kept.vouchers_csv(of), media_type=CSV_TYPE, headers=headers)


@get("/finance/batches/{batch_id:uuid}/bank-file", guards=[allow(*SIGNERS)], include_in_schema=False)
async def bank_file(tx: Tx, me: Me, now: Now, batch_id: FromPath[UUID]) -> Response[bytes]:
    """The bytes of the file that I took out; each look is in the journal."""
    return private_file(*await signing.file_taken(tx, me, batch_id, now))


ROUTES = [
    *(statement_page, lines_page, book, desk, due, open_batch, batch),
    *(sign, reject, vouchers, bank_file),
]
