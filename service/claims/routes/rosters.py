"""Rosters over HTTP."""

import asyncio
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter
from litestar.response import ServerSentEvent

from domain.actor import Post
from service.claims.commands import rosters
from service.claims.queries import roster_sheet
from service.claims.queries import rosters as kept
from service.claims.queries.roster_progress import progress
from service.claims.schemas import RosterPage, RostersView, RosterView
from service.gateways.roster_sheets import FORM, LIMITS
from service.gateways.sheet_files import CSV_TYPE, KINDS, TYPES, XLSX_TYPE, as_sheet
from service.openapi import files
from service.security import allow
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, private_file, taken

Cursor = Annotated[str | None, QueryParameter(max_length=200)]
Limit = Annotated[int, QueryParameter(ge=1, le=200)]
After = Annotated[int, QueryParameter(ge=0, le=2_000_000)]
#: What a listener is sent.
EVENTS = "text/event-stream"
SheetKind = Literal["csv", "xlsx"]
LineIs = Annotated[Literal["filed", "refused"] | None, QueryParameter()]


@post(
    "/api/rosters",
    guards=[allow(Post.CLERK)],
    status_code=202,
    request_max_body_size=LIMITS.file_bytes,
    operation_class=files(takes=(CSV_TYPE, XLSX_TYPE)),
)
async def upload_roster(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    once: Once,
    class_number: Annotated[str | None, QueryParameter(max_length=40)] = None,
) -> Response[RosterView]:
    """Hand in a roster (代领名册): CSV in UTF-8 or GB18030, or XLSX. The same bytes again are the same roster.
    `class_number` is the class (开班编号) of every line that names none."""
    kind = KINDS[taken(request, KINDS)]
    data = await request.body()
    await asyncio.to_thread(rosters.look_at, data, kind)

    async def effect() -> RosterView:
        return await rosters.receive_roster(tx, me, data, kind, today, now, class_number)

    return answered(await once(tx, RosterView, effect), status=202)


@get("/api/rosters", guards=[allow(Post.CLERK)])
async def list_rosters(tx: Tx, me: Me, cursor: Cursor = None, limit: Limit = 50) -> RostersView:
    """My institution's rosters, newest first."""
    return await kept.rosters_page(tx, me, cursor=cursor, limit=limit)


@get("/api/rosters/template", guards=[allow(Post.CLERK)], operation_class=files(gives=(XLSX_TYPE, CSV_TYPE)))
async def roster_template(kind: Annotated[SheetKind, QueryParameter()] = "xlsx") -> Response[bytes]:
    """The sheet to fill in."""
    return private_file(as_sheet(FORM.template(), kind), TYPES[kind], f"roster-template.{kind}")


@get("/api/rosters/{roster_id:uuid}", guards=[allow(Post.CLERK)])
async def show_roster(
    tx: Tx, me: Me, roster_id: FromPath[UUID], after: After = 0, limit: Limit = 100, outcome: LineIs = None
) -> RosterPage:
    """How far a roster of my institution is, and what became of its lines, by page."""
    return await kept.roster_page(tx, me, roster_id, after=after, limit=limit, outcome=outcome)


@get("/api/rosters/{roster_id:uuid}/progress", guards=[allow(Post.CLERK)], operation_class=files(gives=(EVENTS,)))
async def follow_roster(tx: Tx, me: Me, roster_id: FromPath[UUID]) -> ServerSentEvent:
    """How far a roster of my institution is, as events, one each time it has come further (as `GET` tells it)."""
    await kept.roster_view(tx, me, roster_id)
    told = (msgspec.json.encode(each).decode() async for each in progress(me, roster_id))
    return ServerSentEvent(told, event_type="progress", retry_duration=2_000)


@get(
    "/api/rosters/{roster_id:uuid}/sheet",
    guards=[allow(Post.CLERK)],
    operation_class=files(gives=(XLSX_TYPE, CSV_TYPE)),
)
async def roster_sheet_back(
    tx: Tx,
    me: Me,
    roster_id: FromPath[UUID],
    every: Annotated[bool, QueryParameter(name="all")] = False,
    kind: Annotated[SheetKind | None, QueryParameter()] = None,
) -> Response[bytes]:
    """My institution's own sheet with a column that says what to mend: those lines, or with `all` every line."""
    file = await roster_sheet.sheet_of(tx, me, roster_id, every=every, kind=kind)
    return private_file(file.content, TYPES[file.kind], f"roster-{roster_id}.{file.kind}")


ROUTES = [upload_roster, list_rosters, roster_template, show_roster, follow_roster, roster_sheet_back]
