"""What stands before the public, and who objects to it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from litestar import Request, Response

from domain.actor import Actor
from service.access.queries import district_names
from service.database import Tx
from service.notices.queries import claimed_through, notice_page, open_notices
from service.notices.schemas import NoticeView
from service.pages import complaint_pages, forms
from service.pages.forms import Fault, Typed
from service.pages.rendering import page, private
from service.policies.queries import parameters, work_calendar
from service.wording import words

_Request = Request[Any, Any, Any]


async def running(tx: Tx, today: date, district: str = "") -> dict[str, Any]:
    """The notices of today, each with its working days left."""
    found, names = await open_notices(tx, today), await district_names(tx)
    shown = [each for each in found if district in ("", each.district)]
    return {
        "notices": [(each, names.get(each.district, ""), _left(each, today)) for each in shown],
        "district": district,
        "districts": [(code, names.get(code, "")) for code in sorted({each.district for each in found})],
    }


async def shown(request: _Request, tx: Tx, today: date, notice_id: UUID, after: UUID | None) -> Response[bytes]:
    """A page of a notice, which no machine shall keep; 410 once it is over. NotFound `notice.not_found`."""
    found = await notice_page(tx, notice_id, today, after)
    if found is None:
        return _over(request, today)
    told = await _told(tx, found.notice, today)
    answer = page(request, "public/notice.html", today, lines=found.lines, next=found.next, first=not after, **told)
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


async def objection_form(
    request: _Request, tx: Tx, today: date, notice_id: UUID, typed: Typed, faults: list[Fault]
) -> Response[bytes]:
    """How to object while it runs; 410 afterwards, with the other ways."""
    found = await notice_page(tx, notice_id, today, None, 1)
    if found is None:
        return _over(request, today)
    return private(
        request,
        "public/object.html",
        today,
        status=422 if faults else 200,
        typed={**typed, "once": complaint_pages.key_of(typed)},
        faults=faults,
        institutions=await claimed_through(tx, notice_id),
        most=complaint_pages.WORDS_MAX,
        policies=await parameters(tx, today),
        back=f"/notices/{notice_id}",
        back_text="公示",
        **await _told(tx, found.notice, today),
    )


async def objected(
    request: _Request, tx: Tx, me: Actor | None, notice_id: UUID, today: date, now: datetime
) -> Response[Any]:
    """Take an objection to what an institution claimed, as a complaint of it, which says to which notice."""
    typed = await forms.typed(request)
    found = await notice_page(tx, notice_id, today, None, 1)
    if found is None:
        return _over(request, today)
    notice = found.notice
    facts = {"district": (await district_names(tx)).get(notice.district, ""), "opens_on": notice.opens_on}
    about = words("complaint.of_notice", {**facts, "hash": notice.content_hash})
    number, faults = await complaint_pages.filed(tx, me, typed, today, now, about)
    if faults:
        return await objection_form(request, tx, today, notice_id, typed, faults)
    return forms.see(f"/complain/{number}")


async def _told(tx: Tx, notice: NoticeView, today: date) -> dict[str, Any]:
    place = (await district_names(tx)).get(notice.district, "")
    return {"notice": notice, "place": place, "left": _left(notice, today)}


def _left(notice: NoticeView, today: date) -> int:
    return work_calendar().left(today, notice.closes_on)


def _over(request: _Request, today: date) -> Response[bytes]:
    return page(request, "public/notice_over.html", today, status=410)
