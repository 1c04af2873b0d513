"""Pages of what stands before the public and who objects to it, and of what anybody complains of."""

from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from service.pages import complaint_pages, forms, notice_pages
from service.pages.catalog_pages import readable
from service.pages.rendering import page
from service.security import NO_FORM, PUBLIC
from service.web import Now, StrictRequest, Today, Tx

_Page = Response[bytes]


@get("/notices", opt=NO_FORM, include_in_schema=False)
async def notices(request: StrictRequest, tx: Tx, today: Today) -> _Page:
    """The notices of today."""
    district = readable(request.query_params.get("district", ""))
    return page(request, "public/notices.html", today, **await notice_pages.running(tx, today, district))


@get("/notices/{notice_id:uuid}", opt=NO_FORM, include_in_schema=False)
async def notice(
    request: StrictRequest, tx: Tx, today: Today, notice_id: FromPath[UUID], after: FromQuery[UUID | None] = None
) -> _Page:
    """Who will be paid what."""
    return await notice_pages.shown(request, tx, today, notice_id, after)


@get("/notices/{notice_id:uuid}/object", opt={PUBLIC: True}, include_in_schema=False)
async def objection(request: StrictRequest, tx: Tx, today: Today, notice_id: FromPath[UUID]) -> _Page:
    """How to object to it; `line` may stand in the address."""
    said = {"line": readable(request.query_params.get("line", ""))}
    return await notice_pages.objection_form(request, tx, today, notice_id, said, [])


@post("/notices/{notice_id:uuid}/object", opt={PUBLIC: True}, include_in_schema=False, status_code=303)
async def object_to(
    request: StrictRequest, tx: Tx, today: Today, now: Now, notice_id: FromPath[UUID]
) -> Response[Any]:
    """Object to it."""
    return await notice_pages.objected(request, tx, request.user, notice_id, today, now)


@get("/notices/objections/{objection_id:uuid}", opt={PUBLIC: True}, include_in_schema=False)
async def objection_receipt(request: StrictRequest, tx: Tx, today: Today, objection_id: FromPath[UUID]) -> _Page:
    """How far an objection is, and the answer."""
    return await notice_pages.receipt(request, tx, today, objection_id)


@get("/complain", opt={PUBLIC: True}, include_in_schema=False)
async def complain(request: StrictRequest, tx: Tx, today: Today) -> _Page:
    """The form; `institution` may stand in the address."""
    said = {"institution": readable(request.query_params.get("institution", ""))}
    return await complaint_pages.form_shown(request, tx, today, said)


@post("/complain", opt={PUBLIC: True}, include_in_schema=False, status_code=303)
async def complained(request: StrictRequest, tx: Tx, today: Today, now: Now) -> Response[Any]:
    """Take a complaint, or show the form again."""
    typed = await forms.typed(request)
    number, faults = await complaint_pages.filed(tx, request.user, typed, today, now)
    if faults:
        return await complaint_pages.form_shown(request, tx, today, typed, faults)
    return forms.see(f"/complain/{number}")


@get("/complain/mine", opt={PUBLIC: True}, include_in_schema=False)
async def mine() -> Redirect:
    """Where receipts of before lead; what I complained of has one page."""
    return Redirect("/me/complaints", status_code=301)


@get("/complain/find", opt={PUBLIC: True}, include_in_schema=False)
async def find(request: StrictRequest, tx: Tx, today: Today) -> _Page:
    """How far the complaint is whose number somebody typed."""
    return await complaint_pages.receipt(request, tx, today, readable(request.query_params.get("number", "")))


@get("/complain/{known_by:str}", opt={PUBLIC: True}, include_in_schema=False)
async def receipt(request: StrictRequest, tx: Tx, today: Today, known_by: FromPath[str]) -> _Page:
    """How far a complaint is."""
    return await complaint_pages.receipt(request, tx, today, known_by)


ROUTES = [notices, notice, objection, object_to, objection_receipt, complain, complained, mine, find, receipt]
