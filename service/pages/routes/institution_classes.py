"""A clerk's pages of classes: filing and changing them, their rosters, attendance and results."""

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, QueryParameter

from service.gateways import attendance_sheets, class_roster_sheets
from service.pages.forms import BESIDE_A_FILE
from service.pages.institution import assessments, attendance, class_acts, classes
from service.pages.routes.institution import CLERKS, Cursor, Status
from service.web import Me, Now, StrictRequest, Today, Tx

_WITH_ROSTER = class_roster_sheets.LIMITS.file_bytes + BESIDE_A_FILE
Line = Annotated[int | None, QueryParameter(ge=1, le=1_000)]
_Page = Response[bytes]


@get("/institution/classes", guards=CLERKS, include_in_schema=False)
async def list_classes(
    request: StrictRequest, tx: Tx, me: Me, today: Today, status: Status = None, cursor: Cursor = None
) -> _Page:
    """My institution's classes."""
    return await classes.listed(request, tx, me, today, status, cursor)


@get("/institution/classes/new", guards=CLERKS, include_in_schema=False)
async def new_class(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> _Page:
    """The form of a class."""
    return await class_acts.form(request, tx, me, today, now, None)


@post(
    "/institution/classes/new",
    guards=CLERKS,
    include_in_schema=False,
    status_code=303,
    request_max_body_size=_WITH_ROSTER,
)
async def file_class(request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now) -> Response[Any]:
    """File a class."""
    return await class_acts.filed(request, tx, me, today, now, None)


@get("/institution/classes/{class_id:uuid}", guards=CLERKS, include_in_schema=False)
async def show_class(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, class_id: FromPath[UUID]
) -> _Page:
    """One class."""
    return await classes.one(request, tx, me, today, now, class_id)


@get("/institution/classes/{class_id:uuid}/refile", guards=CLERKS, include_in_schema=False)
async def refile_form(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, class_id: FromPath[UUID]
) -> _Page:
    """The form of a class that was sent back."""
    return await class_acts.form(request, tx, me, today, now, class_id)


@post(
    "/institution/classes/{class_id:uuid}/refile",
    guards=CLERKS,
    include_in_schema=False,
    status_code=303,
    request_max_body_size=_WITH_ROSTER,
)
async def refile(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, class_id: FromPath[UUID]
) -> Response[Any]:
    """File it anew."""
    return await class_acts.filed(request, tx, me, today, now, class_id)


@get("/institution/classes/{class_id:uuid}/change", guards=CLERKS, include_in_schema=False)
async def change_form(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, class_id: FromPath[UUID]
) -> _Page:
    """What has not begun, to be changed."""
    return await class_acts.change_form(request, tx, me, today, now, class_id)


@post("/institution/classes/{class_id:uuid}/change", guards=CLERKS, include_in_schema=False, status_code=303)
async def change(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, class_id: FromPath[UUID]
) -> Response[Any]:
    """Change it."""
    return await class_acts.changed(request, tx, me, today, now, class_id)


@get("/institution/classes/{class_id:uuid}/roster", guards=CLERKS, include_in_schema=False)
async def roster(tx: Tx, me: Me, now: Now, class_id: FromPath[UUID]) -> _Page:
    """Its roster as a sheet, masked."""
    return await classes.roster_file(tx, me, now, class_id)


@post(
    "/institution/classes/{class_id:uuid}/roster",
    guards=CLERKS,
    include_in_schema=False,
    status_code=303,
    request_max_body_size=_WITH_ROSTER,
)
async def upload_roster(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, class_id: FromPath[UUID]
) -> Response[Any]:
    """Another roster."""
    return await class_acts.roster_changed(request, tx, me, today, now, class_id)


@post("/institution/classes/{class_id:uuid}/withdraw", guards=CLERKS, include_in_schema=False, status_code=303)
async def withdraw(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, class_id: FromPath[UUID]
) -> Response[Any]:
    """Give it up."""
    return await class_acts.withdrawn(request, tx, me, today, now, class_id)


@get("/institution/classes/{class_id:uuid}/attendance", guards=CLERKS, include_in_schema=False)
async def show_attendance(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, class_id: FromPath[UUID], line: Line = None
) -> _Page:
    """Who was there, and how much."""
    return await attendance.one(request, tx, me, today, now, class_id, line)


@post(
    "/institution/classes/{class_id:uuid}/attendance",
    guards=CLERKS,
    include_in_schema=False,
    status_code=303,
    request_max_body_size=attendance_sheets.LIMITS.file_bytes + BESIDE_A_FILE,
)
async def upload_attendance(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, class_id: FromPath[UUID]
) -> Response[Any]:
    """Hand in a sheet."""
    return await attendance.taken(request, tx, me, today, now, class_id)


@get("/institution/classes/{class_id:uuid}/results", guards=CLERKS, include_in_schema=False)
async def show_results(
    request: StrictRequest, tx: Tx, me: Me, today: Today, now: Now, class_id: FromPath[UUID]
) -> _Page:
    """What its assessment came to."""
    return await assessments.of_class(request, tx, me, today, now, class_id)


ROUTES = [
    *(list_classes, new_class, file_class, show_class, refile_form, refile, change_form, change),
    *(roster, upload_roster, withdraw, show_attendance, upload_attendance, show_results),
]
