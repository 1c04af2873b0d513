"""Attendance over HTTP: sheets of clerks, marks of devices, and what they come to."""

import asyncio
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Response, get, post
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath, JSONBody, QueryParameter

from domain.actor import Post
from domain.errors import SignedOut
from domain.period import parse_date
from service.clock import now as instant
from service.gateways import attendance_sheets
from service.gateways.sheet_files import CSV_TYPE, KINDS, TYPES, XLSX_TYPE, as_sheet
from service.openapi import files
from service.security import allow
from service.training.commands import attendance, attendance_corrections, attendance_keys
from service.training.queries import attendance as seen
from service.training.queries import attendance_flags, views
from service.training.queries import attendance_keys as keys
from service.training.schemas.attendance import (
    AttendanceKeysView,
    AttendanceKeyView,
    AttendanceView,
    FlagsView,
    IssuedKeyView,
    MarksView,
    MarkView,
    NewAttendanceKey,
    NewDeviceMarks,
    NewMarkCorrection,
    NewRevocation,
    ReceivedView,
)
from service.web import Me, Now, Once, StrictRequest, Today, Tx, answered, private_file, taken

CLERK = allow(Post.CLERK)
SEES = allow(Post.CLERK, *views.STAFF)
FLAGGED = allow(*views.STAFF)
OFFICER = allow(Post.INSTITUTION_OFFICER)
KEEPS_KEYS = allow(Post.CLERK, Post.INSTITUTION_OFFICER)

_DEVICE = "device"
#: Looked through for flags, unless more is asked for.
DAYS_FLAGGED = 31


async def by_key(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """The guard of what devices ask: `Authorization: Bearer` with a key that holds."""
    device = await keys.device_with(connection.auth, instant()) if connection.auth else None
    if device is None:
        raise SignedOut("signed_out")
    connection.scope["state"][_DEVICE] = device


@post(
    "/api/classes/{class_id:uuid}/attendance",
    guards=[CLERK],
    status_code=200,
    operation_class=files(takes=(CSV_TYPE, XLSX_TYPE)),
)
async def upload_attendance(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, once: Once, class_id: FromPath[UUID]
) -> Response[ReceivedView]:
    """Hand in a sheet of a class of my institution: CSV in UTF-8 or GB18030, or XLSX. What is known stays."""
    kind = KINDS[taken(request, KINDS)]
    data = await request.body()
    lines = await asyncio.to_thread(attendance_sheets.read_sheet, data, f"attendance.{kind}")

    async def effect() -> ReceivedView:
        return await attendance.upload_sheet(tx, me, class_id, data, lines, today, now)

    return answered(await once(tx, ReceivedView, effect), 200)


@get("/api/classes/{class_id:uuid}/attendance", guards=[SEES])
async def show_attendance(tx: Tx, me: Me, now: Now, class_id: FromPath[UUID]) -> AttendanceView:
    """Hours and share of everybody in a class so far; who came late, was marked twice, or cannot have been there."""
    return await seen.attendance_view(tx, me, class_id, now)


@get("/api/classes/{class_id:uuid}/attendance/marks", guards=[SEES])
async def list_marks(
    tx: Tx, me: Me, class_id: FromPath[UUID], line: Annotated[int, QueryParameter(ge=1, le=1_000)]
) -> MarksView:
    """Every mark of one line of the roster, with those that were corrected."""
    return await seen.marks_of(tx, me, class_id, line)


@post("/api/attendance/marks/{mark_id:uuid}/correct", guards=[OFFICER])
async def correct_mark(
    tx: Tx, me: Me, today: Today, now: Now, once: Once, mark_id: FromPath[UUID], data: JSONBody[NewMarkCorrection]
) -> Response[MarkView]:
    """Correct a mark of a class of my district by a further one, with the reason."""

    async def effect() -> MarkView:
        return await attendance_corrections.correct_mark(tx, me, mark_id, data, today, now)

    return answered(await once(tx, MarkView, effect))


@get("/api/attendance/flags", guards=[FLAGGED])
async def list_flags(
    tx: Tx, me: Me, today: Today, since: Annotated[str | None, QueryParameter(name="from", max_length=10)] = None
) -> FlagsView:
    """Marks of my district that have somebody in two places at one time, or twice in one session; latest first.
    Without `from` those of the last month."""
    first = parse_date(since, "from") if since else today - timedelta(days=DAYS_FLAGGED)
    return await attendance_flags.flags(tx, me, first)


@get("/api/attendance/template", guards=[CLERK], operation_class=files(gives=(XLSX_TYPE, CSV_TYPE)))
async def attendance_template(kind: Annotated[Literal["csv", "xlsx"], QueryParameter()] = "xlsx") -> Response[bytes]:
    """The sheet to fill in."""
    return private_file(as_sheet(attendance_sheets.FORM.template(), kind), TYPES[kind], f"attendance.{kind}")


@post("/api/attendance/device", guards=[by_key], status_code=200)
async def receive_marks(
    request: StrictRequest, tx: Tx, today: Today, now: Now, data: JSONBody[NewDeviceMarks]
) -> ReceivedView:
    """For devices, by a key instead of a session: marks of one class. An event that came before is known."""
    return await attendance.receive_from_device(tx, request.scope["state"][_DEVICE], data, today, now)


@get("/api/attendance/keys", guards=[allow(Post.CLERK, Post.INSTITUTION_OFFICER, Post.AUDITOR)])
async def list_keys(tx: Tx, me: Me) -> AttendanceKeysView:
    """Keys of devices of my institution or district, newest first; never the keys themselves."""
    return await keys.keys(tx, me)


@post("/api/attendance/keys", guards=[KEEPS_KEYS])
async def issue_key(tx: Tx, me: Me, today: Today, now: Now, data: JSONBody[NewAttendanceKey]) -> IssuedKeyView:
    """Issue a key for a device. It is shown once and no answer is kept to be repeated: asked again, it is another."""
    return await attendance_keys.issue_key(tx, me, data, today, now)


@post("/api/attendance/keys/{key_id:uuid}/revoke", guards=[KEEPS_KEYS], status_code=200)
async def revoke_key(
    tx: Tx, me: Me, now: Now, once: Once, key_id: FromPath[UUID], data: JSONBody[NewRevocation]
) -> Response[AttendanceKeyView]:
    """Revoke a key from now on."""
    effect = once(tx, AttendanceKeyView, lambda: attendance_keys.revoke_key(tx, me, key_id, data, now))
    return answered(await effect, 200)


ROUTES = [
    upload_attendance,
    show_attendance,
    list_marks,
    correct_mark,
    list_flags,
    attendance_template,
    receive_marks,
    list_keys,
    issue_key,
    revoke_key,
]
