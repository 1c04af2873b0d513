"""Patrols over HTTP."""

from typing import Annotated
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from domain.actor import Post
from domain.faults import Faults
from domain.period import parse_date, read_period
from service.gateways.file_store import FILE_BYTES_MAX, TYPES
from service.openapi import files
from service.security import allow
from service.training.commands import patrols
from service.training.queries import coverage as covered
from service.training.queries import patrols as seen
from service.training.queries.views import STAFF
from service.training.schemas.patrols import (
    CoverageView,
    DrawView,
    EvidenceView,
    NewDraw,
    NewPatrolResult,
    PatrolsView,
    PatrolView,
)
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, private_file, taken

PATROLS = allow(*patrols.PATROLS)
SEES = allow(Post.CLERK, *STAFF)
OFFICERS = allow(*STAFF)

Day = Annotated[str | None, QueryParameter(max_length=10)]


@post("/api/patrols/draw", guards=[PATROLS])
async def draw_patrols(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewDraw]
) -> Response[DrawView]:
    """Draw sessions of a day at random, weighted by risk; the seed and all candidates are kept with the draw."""
    return answered(await once(tx, DrawView, lambda: patrols.draw_patrols(tx, me, data, today, now)))


@get("/api/patrols/draws/{draw_id:uuid}", guards=[OFFICERS])
async def show_draw(tx: Tx, me: Me, draw_id: FromPath[UUID]) -> DrawView:
    """A draw of my district with its seed and candidates, so that it can be made again."""
    return await seen.draw_view(tx, me, draw_id)


@get("/api/patrols", guards=[SEES])
async def list_patrols(
    tx: Tx, me: Me, today: Today, day: Day = None, overdue: Annotated[bool, QueryParameter()] = False
) -> PatrolsView:
    """Patrols of my district, latest first; of my institution those that are over. `overdue`: whose result is due."""
    return await seen.patrols(tx, me, parse_date(day, "day") if day else None, overdue, today)


@get("/api/patrols/coverage", guards=[OFFICERS])
async def show_coverage(
    tx: Tx,
    me: Me,
    now: Now,
    first: Annotated[str, QueryParameter(name="from", max_length=10)],
    last: Annotated[str, QueryParameter(name="to", max_length=10)],
) -> CoverageView:
    """Of the classes that held a session in a period, how many were patrolled: all, by district, by institution."""
    faults = Faults()
    period = read_period(first, last, faults)
    faults.raise_all()
    return await covered.coverage(tx, me, period, now)


@get("/api/patrols/{patrol_id:uuid}", guards=[SEES])
async def show_patrol(tx: Tx, me: Me, now: Now, patrol_id: FromPath[UUID]) -> PatrolView:
    """One patrol."""
    return await seen.patrol_view(tx, me, patrol_id, now)


@post("/api/patrols/{patrol_id:uuid}/join", guards=[PATROLS], status_code=200)
async def join_patrol(tx: Tx, me: Me, now: Now, once: Once, patrol_id: FromPath[UUID]) -> Response[PatrolView]:
    """Go there, or look at what is sent live."""
    return answered(await once(tx, PatrolView, lambda: patrols.join_patrol(tx, me, patrol_id, now)), 200)


@post(
    "/api/patrols/{patrol_id:uuid}/evidence",
    guards=[PATROLS],
    request_max_body_size=FILE_BYTES_MAX,
    operation_class=files(takes=TYPES),
)
async def hand_in_evidence(
    request: StrictRequest, tx: Tx, me: Me, now: Now, once: Once, patrol_id: FromPath[UUID]
) -> Response[EvidenceView]:
    """Hand in a photo or paper (PDF, JPEG or PNG) of a patrol that I joined."""
    media_type = taken(request, TYPES)
    about = patrol_id, media_type, await request.body(), now
    return answered(await once(tx, EvidenceView, lambda: patrols.hand_in_evidence(tx, me, *about)))


@get("/api/patrols/{patrol_id:uuid}/evidence/{sha256:str}", guards=[SEES], operation_class=files(gives=TYPES))
async def show_evidence(tx: Tx, me: Me, patrol_id: FromPath[UUID], sha256: FromPath[str]) -> Response[bytes]:
    """The file itself."""
    media_type, content = await seen.evidence(tx, me, patrol_id, sha256)
    return private_file(content, media_type)


@post("/api/patrols/{patrol_id:uuid}/result", guards=[PATROLS], status_code=200)
async def record_patrol(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, patrol_id: FromPath[UUID], data: JSONBody[NewPatrolResult]
) -> Response[PatrolView]:
    """Say what was found, with evidence, within a working day; later is late. A failed patrol costs credit."""

    async def effect() -> PatrolView:
        return await patrols.record_result(tx, me, patrol_id, data, today, now)

    return answered(await once(tx, PatrolView, effect), 200)


ROUTES = [
    draw_patrols,
    show_draw,
    list_patrols,
    show_coverage,
    show_patrol,
    join_patrol,
    hand_in_evidence,
    show_evidence,
    record_patrol,
]
