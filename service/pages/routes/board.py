"""The leaders' board, each of its measures, and their files."""

from typing import Annotated

from litestar import Response, get
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from domain.actor import Post
from service.pages import board, measures
from service.pages.figure_tables import streamed
from service.pages.rendering import private
from service.security import allow
from service.web import Me, Now, StrictRequest, Today, Tx

#: Who signs for the bureaus, who publishes, and who audits (docs/decisions/0054-who-sees-the-board.md).
LEADERS = (Post.HR_SIGNER, Post.FINANCE_SIGNER, Post.CATALOG_PUBLISHER, Post.AUDITOR)

Month = Annotated[str | None, QueryParameter(max_length=7)]
Weigh = Annotated[str | None, QueryParameter(max_length=10)]


@get("/board", guards=[allow(*LEADERS)], include_in_schema=False)
async def board_page(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, month: Month = None, by: Weigh = None
) -> Response[bytes]:
    """The share, why it moved, and what stands beside it; one sheet."""
    found = await board.board(tx, me, month or None, by, today, now)
    return private(request, "board/board.html", today, **found)


@get("/board/{code:str}", guards=[allow(*LEADERS)], include_in_schema=False)
async def measure_page(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, code: FromPath[str]
) -> Response[bytes]:
    """One measure with its table."""
    found = await measures.measured(tx, me, code, request.query_params, today, now)
    return private(request, "board/measure.html", today, **found)


@get("/board/{code:str}/file", guards=[allow(*LEADERS)], include_in_schema=False)
async def measure_file(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, code: FromPath[str]) -> Stream:
    """The same table as CSV."""
    found = await measures.measured(tx, me, code, request.query_params, today, now)
    return streamed(found["table"], f"{code}.csv")


ROUTES = [board_page, measure_page, measure_file]
