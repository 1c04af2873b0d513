"""What stands before the public, and who objects to it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from litestar import Request, Response

from domain.actor import Actor
from domain.faults import Faults
from domain.notice_objection import ANSWER_WORKING_DAYS, CONTACT_MAX, WORDS_MAX
from domain.text import half_width
from service.access.queries import district_names
from service.database import Tx
from service.notices.commands import object_to
from service.notices.queries import line_shown, notice_page, objection_known, objection_state, open_notices
from service.notices.schemas import NewNoticeObjection, NoticeView
from service.pages import complaint_pages, forms
from service.pages.forms import Fault, Typed
from service.pages.language import gettext
from service.pages.rendering import page, private
from service.policies.queries import work_calendar

_Request = Request[Any, Any, Any]
_LINE_DIGITS_MAX = 6


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
    answer = page(
        request,
        "public/notice.html",
        today,
        lines=found.lines,
        next=found.next,
        first=not after,
        first_line=found.first_line,
        **told,
    )
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


async def objection_form(
    request: _Request, tx: Tx, today: date, notice_id: UUID, typed: Typed, faults: list[Fault]
) -> Response[bytes]:
    """How to object while it runs; 410 afterwards, with the other ways. A line may be typed already."""
    found = await notice_page(tx, notice_id, today, None, 1)
    if found is None:
        return _over(request, today)
    line = _line_of(typed)
    answer = private(
        request,
        "public/object.html",
        today,
        status=422 if faults else 200,
        typed={**typed, "once": complaint_pages.key_of(typed)},
        faults=faults,
        line=await line_shown(tx, notice_id, line) if line else None,
        days=ANSWER_WORKING_DAYS,
        most=WORDS_MAX,
        back=f"/notices/{notice_id}",
        back_text=gettext("公示"),
        **await _told(tx, found.notice, today),
    )
    answer.headers["X-Robots-Tag"] = "noindex"  # the line names a person, as the notice does
    return answer


async def objected(
    request: _Request, tx: Tx, me: Actor | None, notice_id: UUID, today: date, now: datetime
) -> Response[Any]:
    """Take an objection, once however often it is sent; to its receipt."""
    typed = await forms.typed(request)
    if await notice_page(tx, notice_id, today, None, 1) is None:
        return _over(request, today)
    number = complaint_pages.key_of(typed)
    if await objection_known(tx, number):
        return forms.see(f"/notices/objections/{number}")

    async def take() -> None:
        await object_to(tx, me, notice_id, _read(typed), today, now, number)

    if faults := await forms.refused(tx, take):
        return await objection_form(request, tx, today, notice_id, typed, faults)
    return forms.see(f"/notices/objections/{number}")


async def receipt(request: _Request, tx: Tx, today: date, objection_id: UUID) -> Response[bytes]:
    """How far an objection is, with its answer. NotFound `notice_objection.not_found`."""
    found = await objection_state(tx, objection_id, today)
    place = (await district_names(tx)).get(found.district, "")
    return private(
        request,
        "public/objection.html",
        today,
        objection=found,
        place=place,
        back="/notices",
        back_text=gettext("公示"),
    )


def _read(typed: Typed) -> NewNoticeObjection:
    """Everything that is wrong with it is told at once."""
    faults, line, said = Faults(), typed.get("line", ""), typed.get("words", "")
    if line and _line_of(typed) is None:
        faults.tell("value.form", "line")
    if not said:
        faults.tell("value.missing", "words")
    elif len(said) > WORDS_MAX:
        faults.tell("words.too_long", "words", limit=WORDS_MAX)
    if len(typed.get("contact", "")) > CONTACT_MAX:
        faults.tell("words.too_long", "contact", limit=CONTACT_MAX)
    faults.raise_all()
    return NewNoticeObjection(said, _line_of(typed), typed.get("contact", ""))


def _line_of(typed: Typed) -> int | None:
    """The number of a line as it was typed, in either width; None for what is none."""
    said = half_width(typed.get("line", "")).strip()
    return int(said) if said.isascii() and said.isdigit() and len(said) <= _LINE_DIGITS_MAX else None


async def _told(tx: Tx, notice: NoticeView, today: date) -> dict[str, Any]:
    place = (await district_names(tx)).get(notice.district, "")
    return {"notice": notice, "place": place, "left": _left(notice, today)}


def _left(notice: NoticeView, today: date) -> int:
    return work_calendar().left(today, notice.closes_on)


def _over(request: _Request, today: date) -> Response[bytes]:
    return page(request, "public/notice_over.html", today, status=410)
