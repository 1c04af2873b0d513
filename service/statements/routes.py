"""Statements of accounts handed in by a person, their lines, and closed days."""

from datetime import date
from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from domain.actor import Post
from service.journal import By
from service.openapi import files
from service.security import allow
from service.statements.commands import closing, resolving, taking
from service.statements.queries import closes, statements
from service.statements.schemas import (
    CloseList,
    CloseView,
    NewClose,
    NewLineResolution,
    NewSettingAside,
    StatementLineList,
    StatementLineView,
    StatementList,
    StatementView,
)
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, taken

Limit = Annotated[int, QueryParameter(ge=1, le=200)]
HANDS = allow(Post.MAKER, Post.CHECKER, Post.RELEASER)
EYES = allow(Post.MAKER, Post.CHECKER, Post.RELEASER, Post.AUDITOR)


@post("/api/statements", guards=[HANDS], operation_class=files(takes=tuple(taking.FORMS)))
async def take_statement(request: StrictRequest, tx: Tx, me: Me, now: Now, once: Once) -> Response[StatementView]:
    """Hand in a bank's statement of an account as it came; the same bytes again change nothing."""
    form = taking.FORMS[taken(request, taking.FORMS)]
    data = await request.body()
    file, by = taking.read(form, data), By.actor(me, next(each for each in taking.TAKERS if me.holds(each)), now)
    return answered(await once(tx, StatementView, lambda: taking.take_statement(tx, me, form, file, data, by)))


@get("/api/statements", guards=[EYES])
async def list_statements(tx: Tx, me: Me, cursor: FromQuery[UUID | None] = None, limit: Limit = 50) -> StatementList:
    """Statements of my district's accounts, the latest first."""
    return await statements.list_statements(tx, me, cursor, limit)


@get("/api/statements/blocked", guards=[EYES])
async def list_blocked(tx: Tx, me: Me) -> StatementList:
    """Statements that do not follow the last one: nothing of them is counted until the missing one is here."""
    return await statements.list_blocked(tx, me)


@post("/api/statements/{statement_id:uuid}/set-aside", guards=[HANDS], status_code=200)
async def set_aside(
    tx: Tx, me: Me, now: Now, once: Once, statement_id: FromPath[UUID], data: JSONBody[NewSettingAside]
) -> Response[StatementView]:
    """Say why a blocked statement is not waited for."""
    return answered(await once(tx, StatementView, lambda: taking.set_aside(tx, me, statement_id, data, now)), 200)


@get("/api/statements/{statement_id:uuid}/lines", guards=[EYES])
async def list_lines(
    tx: Tx, me: Me, statement_id: FromPath[UUID], cursor: FromQuery[UUID | None] = None, limit: Limit = 100
) -> StatementLineList:
    """A statement's lines and whose each is, masked."""
    return await statements.list_lines(tx, me, cursor, limit, statement_id=statement_id)


@get("/api/statement-lines/exceptions", guards=[EYES])
async def exceptions(tx: Tx, me: Me, cursor: FromQuery[UUID | None] = None, limit: Limit = 100) -> StatementLineList:
    """Lines of statements that are nobody's and that a person must look at."""
    return await statements.list_lines(tx, me, cursor, limit, odd=True)


@post(
    "/api/statement-lines/{line_id:uuid}/resolve",
    guards=[allow(Post.CHECKER, Post.RELEASER)],
    status_code=200,
)
async def resolve(
    tx: Tx, me: Me, now: Now, once: Once, line_id: FromPath[UUID], data: JSONBody[NewLineResolution]
) -> Response[StatementLineView]:
    """Say how an exception of my district was worked off."""
    effect = once(tx, StatementLineView, lambda: resolving.resolve_line(tx, me, line_id, data, now))
    return answered(await effect, 200)


@get("/api/closes", guards=[EYES])
async def list_closes(tx: Tx, me: Me, today: Today, day: FromQuery[date]) -> CloseList:
    """The closed accounts of a day, and what keeps the next day of others open."""
    return await closes.list_closes(tx, me, day, today)


@post("/api/closes", guards=[HANDS])
async def close(tx: Tx, me: Me, now: Now, once: Once, data: JSONBody[NewClose]) -> Response[CloseView]:
    """Close the next day of an account by hand."""
    return answered(await once(tx, CloseView, lambda: closing.close_by_hand(tx, me, data, now)))


ROUTES = [
    take_statement,
    list_statements,
    list_blocked,
    set_aside,
    list_lines,
    exceptions,
    resolve,
    list_closes,
    close,
]
