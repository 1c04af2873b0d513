"""Classes and inspections over HTTP."""

import asyncio
from typing import Annotated, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from domain.actor import Post
from service.gateways.class_roster_sheets import FORM, LIMITS, read_class_roster
from service.gateways.sheet_files import CSV_TYPE, KINDS, TYPES, XLSX_TYPE, as_sheet
from service.openapi import files
from service.security import allow
from service.training.commands import deciding, filing, inspecting, rosters
from service.training.queries import inspections, overlaps, views
from service.training.schemas import (
    ClassesView,
    ClassView,
    InspectionsView,
    InspectionView,
    NewChange,
    NewClass,
    NewClassReason,
    NewInspection,
    NewResult,
    OverlapsView,
)
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, private_file, taken

SEES = allow(Post.CLERK, *views.STAFF)
FILES = allow(Post.CLERK)
DECIDES = allow(Post.INSTITUTION_OFFICER)
INSPECTS = allow(Post.INSPECTOR)

SheetKind = Literal["csv", "xlsx"]
Limit = Annotated[int, QueryParameter(ge=1, le=100)]


@get("/api/classes", guards=[SEES])
async def list_classes(
    tx: Tx,
    me: Me,
    status: Annotated[str | None, QueryParameter(max_length=20)] = None,
    district: Annotated[str | None, QueryParameter(max_length=20)] = None,
    cursor: Annotated[str | None, QueryParameter(max_length=200)] = None,
    limit: Limit = 50,
) -> ClassesView:
    """Classes of my institution or district, oldest first, by page."""
    return await views.classes_page(tx, me, status=status, district=district, cursor=cursor, limit=limit)


@get("/api/classes/overlaps", guards=[SEES])
async def list_overlaps(tx: Tx, me: Me) -> OverlapsView:
    """People whom two live classes have at one time."""
    return await overlaps.overlaps(tx, me)


@get("/api/classes/{class_id:uuid}", guards=[SEES])
async def show_class(tx: Tx, me: Me, now: Now, class_id: FromPath[UUID]) -> ClassView:
    """One class with its timetable, roster, steps and decision."""
    return await views.class_view(tx, me, class_id, now)


@post("/api/classes", guards=[FILES])
async def file_class(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, data: JSONBody[NewClass]
) -> Response[ClassView]:
    """File a class of my institution before it begins."""
    return answered(await once(tx, ClassView, lambda: filing.file_class(tx, me, data, today, now)))


@post("/api/classes/{class_id:uuid}/refile", guards=[FILES], status_code=200)
async def refile_class(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, class_id: FromPath[UUID], data: JSONBody[NewClass]
) -> Response[ClassView]:
    """File a class anew that was sent back, as a whole."""
    return answered(await once(tx, ClassView, lambda: filing.refile_class(tx, me, class_id, data, today, now)), 200)


@post("/api/classes/{class_id:uuid}/change", guards=[FILES], status_code=200)
async def change_class(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, class_id: FromPath[UUID], data: JSONBody[NewChange]
) -> Response[ClassView]:
    """Change sessions, teachers, the site or the roster before they happen."""
    return answered(await once(tx, ClassView, lambda: filing.change_class(tx, me, class_id, data, today, now)), 200)


@post(
    "/api/classes/{class_id:uuid}/roster",
    guards=[FILES],
    status_code=200,
    request_max_body_size=LIMITS.file_bytes,
    operation_class=files(takes=(CSV_TYPE, XLSX_TYPE)),
)
async def upload_class_roster(
    request: StrictRequest,
    tx: Tx,
    me: Me,
    today: Today,
    now: Now,
    once: Once,
    class_id: FromPath[UUID],
    reason: Annotated[str, QueryParameter(max_length=500)],
) -> Response[ClassView]:
    """The roster of a class that has not begun, from a sheet: CSV in UTF-8 or GB18030, or XLSX."""
    kind = KINDS[taken(request, KINDS)]
    lines = await asyncio.to_thread(read_class_roster, await request.body(), f"roster.{kind}")
    effect = once(tx, ClassView, lambda: rosters.change_roster(tx, me, class_id, lines, reason, today, now))
    return answered(await effect, 200)


@get("/api/classes/roster/template", guards=[FILES], operation_class=files(gives=(XLSX_TYPE, CSV_TYPE)))
async def class_roster_template(kind: Annotated[SheetKind, QueryParameter()] = "xlsx") -> Response[bytes]:
    """The sheet to fill in."""
    return private_file(as_sheet(FORM.template(), kind), TYPES[kind], f"class-roster-template.{kind}")


@post("/api/classes/{class_id:uuid}/withdraw", guards=[FILES], status_code=200)
async def withdraw_class(
    tx: Tx, me: Me, now: Now, once: Once, class_id: FromPath[UUID], data: JSONBody[NewClassReason]
) -> Response[ClassView]:
    """Give up a class before it begins."""
    return answered(await once(tx, ClassView, lambda: filing.withdraw_class(tx, me, class_id, data, now)), 200)


@post("/api/classes/{class_id:uuid}/approve", guards=[DECIDES], status_code=200)
async def approve_class(tx: Tx, me: Me, now: Now, once: Once, class_id: FromPath[UUID]) -> Response[ClassView]:
    """Approve a class of my district; it is given its number."""
    return answered(await once(tx, ClassView, lambda: deciding.approve_class(tx, me, class_id, now)), 200)


@post("/api/classes/{class_id:uuid}/send-back", guards=[DECIDES], status_code=200)
async def send_class_back(
    tx: Tx, me: Me, now: Now, once: Once, class_id: FromPath[UUID], data: JSONBody[NewClassReason]
) -> Response[ClassView]:
    """Send a class back with everything that is to be mended."""
    return answered(await once(tx, ClassView, lambda: deciding.send_class_back(tx, me, class_id, data, now)), 200)


@post("/api/classes/{class_id:uuid}/deny", guards=[DECIDES], status_code=200)
async def deny_class(
    tx: Tx, me: Me, now: Now, once: Once, class_id: FromPath[UUID], data: JSONBody[NewClassReason]
) -> Response[ClassView]:
    """Say that a class is not to be held."""
    return answered(await once(tx, ClassView, lambda: deciding.deny_class(tx, me, class_id, data, now)), 200)


@post("/api/classes/{class_id:uuid}/close", guards=[DECIDES], status_code=200)
async def close_class(tx: Tx, me: Me, now: Now, once: Once, class_id: FromPath[UUID]) -> Response[ClassView]:
    """Close a class that is finished."""
    return answered(await once(tx, ClassView, lambda: deciding.close_class(tx, me, class_id, now)), 200)


@get("/api/inspections", guards=[SEES])
async def list_inspections(
    tx: Tx, me: Me, institution_id: Annotated[UUID | None, QueryParameter()] = None
) -> InspectionsView:
    """The latest inspections of institutions of my district, newest first; of my institution those that are over."""
    return await inspections.inspections(tx, me, institution_id)


@post("/api/inspections", guards=[INSPECTS])
async def open_inspection(
    tx: Tx, me: Me, now: Now, once: Once, data: JSONBody[NewInspection]
) -> Response[InspectionView]:
    """Open an inspection of an institution and join it."""
    return answered(await once(tx, InspectionView, lambda: inspecting.open_inspection(tx, me, data, now)))


@post("/api/inspections/{inspection_id:uuid}/join", guards=[INSPECTS], status_code=200)
async def join_inspection(
    tx: Tx, me: Me, now: Now, once: Once, inspection_id: FromPath[UUID]
) -> Response[InspectionView]:
    """Join an inspection that a colleague opened."""
    return answered(
        await once(tx, InspectionView, lambda: inspecting.join_inspection(tx, me, inspection_id, now)), 200
    )


@post("/api/inspections/{inspection_id:uuid}/result", guards=[INSPECTS], status_code=200)
async def record_result(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, inspection_id: FromPath[UUID], data: JSONBody[NewResult]
) -> Response[InspectionView]:
    """Say what an inspection found, when at least two were there."""

    async def effect() -> InspectionView:
        return await inspecting.record_result(tx, me, inspection_id, data, today, now)

    return answered(await once(tx, InspectionView, effect), 200)


ROUTES = [
    list_classes,
    list_overlaps,
    show_class,
    file_class,
    refile_class,
    change_class,
    upload_class_roster,
    class_roster_template,
    withdraw_class,
    approve_class,
    send_class_back,
    deny_class,
    close_class,
    list_inspections,
    open_inspection,
    join_inspection,
    record_result,
]
