"""The pages that finance prints: the monthly statement of funds, and the lines behind its figures."""

from typing import Annotated

from litestar import Response, get
from litestar.params import QueryParameter

from domain.fund import Movement, PositionKey
from domain.fund_month import parse_month
from service.accounting.queries.statement import statement, statement_lines
from service.accounting.routes import FINANCE, Code, Month
from service.pages.rendering import private
from service.security import allow
from service.web import Me, Now, StrictRequest, Today, Tx
from service.wording import words

_LINES_A_PAGE = 200


@get("/funds/statement", guards=[allow(*FINANCE)], include_in_schema=False)
async def statement_page(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, month: Month = None
) -> Response[bytes]:
    """A month of my district's funds, to be read and printed on A4."""
    view = await statement(tx, me, parse_month(month or f"{today:%Y-%m}"), now)
    return private(request, "finance/statement.html", today, statement=view)


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


ROUTES = [statement_page, lines_page]
