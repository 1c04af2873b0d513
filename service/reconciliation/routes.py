"""Return files handed in by a person, and what a person must look at."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.exceptions import ClientException
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import QueryParameter

from domain.actor import Post
from service.journal import By
from service.reconciliation import commands, queries
from service.reconciliation.schemas import ExceptionList, ReturnView
from service.security import allow
from service.web import Me, Now, Once, StrictRequest, Tx, answered

_CURSOR = "^[0-9a-f-]{36}[.][0-9]{1,9}$"


@dataclass
class _CsvBody(Operation):
    """The description of a body that is a file and not JSON."""

    def __post_init__(self) -> None:
        schema = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        self.request_body = RequestBody({"text/csv": OpenAPIMediaType(schema=schema)}, required=True)


@post("/api/returns", guards=[allow(Post.MAKER)], operation_class=_CsvBody)
async def take_return(request: StrictRequest, tx: Tx, me: Me, now: Now, once: Once) -> Response[ReturnView]:
    """Hand in a bank's return file as it came; the same bytes again change nothing."""
    if request.content_type[0] != "text/csv":
        raise ClientException("a return file is text/csv", status_code=415)
    data, by = await request.body(), By.actor(me, Post.MAKER, now)
    file = commands.read(data)
    return answered(await once(tx, ReturnView, lambda: commands.take_return(tx, me, file, data, "upload", by)))


@get("/api/returns/exceptions", guards=[allow(Post.MAKER, Post.CHECKER, Post.RELEASER, Post.AUDITOR)])
async def exceptions(
    tx: Tx,
    me: Me,
    cursor: Annotated[str | None, QueryParameter(pattern=_CURSOR)] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 100,
) -> ExceptionList:
    """Lines of return files that fit no open payment, masked, oldest first."""
    return await queries.list_exceptions(tx, me, _seen(cursor), limit)


def _seen(cursor: str | None) -> tuple[UUID, int] | None:
    if cursor is None:
        return None
    return_id, _, line_no = cursor.partition(".")
    try:
        return UUID(return_id), int(line_no)
    except ValueError:
        raise ClientException("not a cursor of ours") from None


ROUTES = [take_return, exceptions]
