"""Attendance of a class on pages: what it comes to for everybody, marks that cannot be true, sheets handed in."""

from asyncio import to_thread
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from litestar import Response

from domain.actor import Actor
from service.database import Tx
from service.gateways.attendance_sheets import LIMITS, read_sheet
from service.idempotency import Once
from service.pages import forms
from service.pages.forms import Fault
from service.pages.institution import class_form
from service.pages.institution.frame import Ask, shown
from service.training.commands import attendance
from service.training.queries.attendance import attendance_view, marks_of
from service.training.queries.views import class_view
from service.training.schemas.attendance import ReceivedView
from service.wording import words

_HEADINGS = {"id_number": "身份证号", "day": "日期", "came": "签到", "left": "签退"}


async def one(
    request: Ask,
    tx: Tx,
    me: Actor,
    today: date,
    now: datetime,
    class_id: UUID,
    line: int | None = None,
    faults: list[Fault] | None = None,
    file_name: str = "",
) -> Response[bytes]:
    """Everybody's attendance so far; with `line` every mark of that person; and what became of the sheet that was
    just handed in. NotFound `class.not_found`."""
    view = await class_view(tx, me, class_id, now)
    marks = (await marks_of(tx, me, class_id, line)).marks if line else []
    return await shown(
        request,
        tx,
        me,
        "attendance",
        today,
        status=422 if faults else 200,
        view=view,
        rates=await attendance_view(tx, me, class_id, now),
        line=line,
        marks=[(each, words(f"mark_source.{each.source}")) for each in marks],
        received=await _received(request, tx, me, class_id),
        headings=_HEADINGS,
        faults=faults or [],
        file_name=file_name or request.query_params.get("file", "")[:80],
        once=uuid4(),
        bytes_max=LIMITS.file_bytes,
    )


async def _received(request: Ask, tx: Tx, me: Actor, class_id: UUID) -> ReceivedView | None:
    """What became of the sheet that was sent under the key in the address."""
    key = request.query_params.get("upload", "")
    if not key:
        return None
    return await Once(me.user_id, f"POST {_at(class_id)}", key, b"").told(tx, ReceivedView)


def _at(class_id: UUID) -> str:
    return f"/institution/classes/{class_id}/attendance"


async def taken(request: Ask, tx: Tx, me: Actor, today: date, now: datetime, class_id: UUID) -> Response[Any]:
    """Take a sheet: lines that can be taken are, and the others are told with their reasons."""
    typed, sent, keys = await forms.typed(request), list[forms.Sent](), list[str]()

    async def take() -> None:
        sent.append(await forms.file_of(request, "sheet"))
        data = sent[0].data
        lines = await to_thread(read_sheet, data, f"attendance.{sent[0].kind}")
        once = forms.once_of(request, me, {**typed, "sheet": sent[0].sha256}, typed.get("once", ""))
        keys.append(once.key)
        await once(tx, ReceivedView, lambda: attendance.upload_sheet(tx, me, class_id, data, lines, today, now))

    if faults := class_form.placed(await forms.refused(tx, take), {}):
        name = sent[0].name if sent else ""
        return await one(request, tx, me, today, now, class_id, faults=faults, file_name=name)
    return forms.see(f"{_at(class_id)}?{urlencode({'upload': keys[0], 'file': sent[0].told})}")
