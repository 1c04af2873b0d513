"""Finance over HTTP: whether the money lasts, the monthly statement with its lines, and the vouchers of batches."""

from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, get
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from domain.actor import Post
from domain.fund import Movement, PositionKey
from domain.fund_month import parse_month
from service.accounting.queries import vouchers as kept
from service.accounting.queries.forecast import forecasts
from service.accounting.queries.statement import book_of, statement_lines, statement_of
from service.accounting.schemas import ForecastList, LedgerLines, StatementView
from service.gateways.sheet_files import CSV_TYPE, TYPES, XLSX_TYPE
from service.openapi import files
from service.security import allow
from service.web import Me, Now, Today, Tx, private_file

#: Who keeps the money and who looks over their shoulders.
FINANCE = (Post.MAKER, Post.CHECKER, Post.RELEASER, Post.FINANCE_SIGNER, Post.AUDITOR)
_LEADERS = (Post.HR_SIGNER, Post.INSTITUTION_OFFICER)

Month = Annotated[str | None, QueryParameter(max_length=7)]
Code = Annotated[str, QueryParameter(min_length=1, max_length=40)]
SheetKind = Annotated[Literal["csv", "xlsx"], QueryParameter()]


@get("/api/funds/forecast", guards=[allow(*FINANCE, *_LEADERS)])
async def forecast(
    tx: Tx, me: Me, today: Today, now: Now, days: Annotated[int, QueryParameter(ge=1, le=365)] = 30
) -> ForecastList:
    """Will it last: this year's positions of my district, at the pace of the last `days`, beside what is owed."""
    return await forecasts(tx, me, today, now, days)


@get("/api/funds/statement", guards=[allow(*FINANCE)])
async def show_statement(tx: Tx, me: Me, now: Now, month: Month = None) -> StatementView:
    """What my district's funds were, what moved and what they are, in a month such as 2026-03 (else this one)."""
    return await statement_of(tx, me, month, now)


@get("/api/funds/statement/book", guards=[allow(*FINANCE)], operation_class=files(gives=(XLSX_TYPE,)))
async def statement_file(tx: Tx, me: Me, now: Now, month: Month = None) -> Response[bytes]:
    """The statement as XLSX."""
    content, name = await book_of(tx, me, month, now)
    return private_file(content, XLSX_TYPE, name)


@get("/api/funds/statement/lines", guards=[allow(*FINANCE)])
async def show_lines(
    tx: Tx,
    me: Me,
    month: Annotated[str, QueryParameter(max_length=7)],
    district: Code,
    fund: Code,
    year: Annotated[int, QueryParameter(ge=2000, le=2100)],
    kind: Annotated[Movement, QueryParameter()],
    cursor: Annotated[int | None, QueryParameter(ge=0, le=2**63 - 1)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> LedgerLines:
    """The lines of the ledger that add up to one figure of the statement: ids, amounts and posts, no person."""
    of = PositionKey(district, fund, year)
    return await statement_lines(tx, me, of, parse_month(month), kind, cursor, limit)


@get(
    "/api/batches/{batch_id:uuid}/vouchers",
    guards=[allow(*FINANCE)],
    operation_class=files(gives=(CSV_TYPE, XLSX_TYPE)),
)
async def vouchers(tx: Tx, me: Me, batch_id: FromPath[UUID], kind: SheetKind = "csv") -> Stream:
    """The voucher list of a batch: a debit and a credit for each payment, reversed where the bank returned it, with
    economic classification codes. It names nobody."""
    batch = await kept.batch_to_account(tx, me, batch_id)
    name = f"vouchers-{batch.number}.{kind}"
    written = kept.vouchers_xlsx(batch) if kind == "xlsx" else kept.vouchers_csv(batch)
    headers = private_file(b"", TYPES[kind], name).headers
    return Stream(written, media_type=TYPES[kind], headers=headers)


ROUTES = [forecast, show_statement, statement_file, show_lines, vouchers]
