"""Patrols and first inspections, for a phone."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath

from domain.actor import Post
from service.gateways.file_store import FILE_BYTES_MAX
from service.pages.field import acts, visits
from service.pages.field.acts import Said
from service.security import allow
from service.training.commands.patrols import PATROLS
from service.training.queries.patrols import evidence
from service.training.queries.views import STAFF
from service.web import Me, Now, StrictRequest, Today, Tx, private_file

_SEES, _GOES, _INSPECTS = [allow(*STAFF)], [allow(*PATROLS)], [allow(Post.INSPECTOR)]
#: Several photos and the answers beside them.
_SENT_MAX = 4 * FILE_BYTES_MAX


@get("/patrols", guards=_SEES, include_in_schema=False)
async def patrols(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """Where I go, and how much was looked at."""
    return await acts.shown(visits.DRAW, request, tx, me, today, now)


@post("/patrols/draw", guards=_GOES, include_in_schema=False, status_code=303)
async def draw(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Draw sessions of a day."""
    return await acts.done(visits.DRAW, request, tx, me, today, now)


@get("/patrols/draws/{draw_id:uuid}", guards=_SEES, include_in_schema=False)
async def drawn(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, draw_id: FromPath[UUID]
) -> Response[bytes]:
    """A draw with its seed and candidates."""
    said = Said(tx, me, today, now, {}, request, draw_id)
    return acts.desk(request, "field/draw.html", today, me, **await visits.draw(said))


@get("/patrols/{patrol_id:uuid}", guards=_SEES, include_in_schema=False)
async def patrol(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, patrol_id: FromPath[UUID]
) -> Response[bytes]:
    """One patrol."""
    return await acts.shown(visits.RECORD_PATROL, request, tx, me, today, now, patrol_id)


@get("/patrols/{patrol_id:uuid}/evidence/{sha256:str}", guards=_SEES, include_in_schema=False)
async def photo(tx: Tx, me: Me, patrol_id: FromPath[UUID], sha256: FromPath[str]) -> Response[bytes]:
    """A photo or paper of it."""
    media_type, content = await evidence(tx, me, patrol_id, sha256)
    return private_file(content, media_type)


@post("/patrols/{patrol_id:uuid}/join", guards=_GOES, include_in_schema=False, status_code=303)
async def join_patrol(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, patrol_id: FromPath[UUID]
) -> Response[Any]:
    """Go there."""
    return await acts.done(visits.JOIN_PATROL, request, tx, me, today, now, patrol_id)


@post(
    "/patrols/{patrol_id:uuid}/result",
    guards=_GOES,
    include_in_schema=False,
    status_code=303,
    request_max_body_size=_SENT_MAX,
)
async def record_patrol(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, patrol_id: FromPath[UUID]
) -> Response[Any]:
    """Say what was found, with photos."""
    return await visits.told(visits.RECORD_PATROL, request, tx, me, today, now, patrol_id)


@get("/inspections", guards=_SEES, include_in_schema=False)
async def inspections(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[bytes]:
    """The latest inspections."""
    return await acts.shown(visits.OPEN, request, tx, me, today, now)


@post("/inspections/open", guards=_INSPECTS, include_in_schema=False, status_code=303)
async def open_inspection(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """Begin one, and join it."""
    return await acts.done(visits.OPEN, request, tx, me, today, now)


@get("/inspections/{inspection_id:uuid}", guards=_SEES, include_in_schema=False)
async def inspection(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, inspection_id: FromPath[UUID]
) -> Response[bytes]:
    """One inspection."""
    return await acts.shown(visits.RECORD_INSPECTION, request, tx, me, today, now, inspection_id)


@post("/inspections/{inspection_id:uuid}/join", guards=_INSPECTS, include_in_schema=False, status_code=303)
async def join_inspection(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, inspection_id: FromPath[UUID]
) -> Response[Any]:
    """Go there as well."""
    return await acts.done(visits.JOIN_INSPECTION, request, tx, me, today, now, inspection_id)


@post("/inspections/{inspection_id:uuid}/result", guards=_INSPECTS, include_in_schema=False, status_code=303)
async def record_inspection(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, inspection_id: FromPath[UUID]
) -> Response[Any]:
    """Say what was found."""
    return await visits.told(visits.RECORD_INSPECTION, request, tx, me, today, now, inspection_id)


ROUTES = [
    *(patrols, draw, drawn, patrol, photo, join_patrol, record_patrol),
    *(inspections, open_inspection, inspection, join_inspection, record_inspection),
]
