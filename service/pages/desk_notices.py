"""Public notices at the desk: what can be published as the public would read it, and what stands there now."""

from datetime import date, datetime
from typing import Any
from uuid import uuid4

from litestar import Request, Response

from domain.actor import Actor
from service.database import Tx
from service.notices.commands import publish_notice
from service.notices.queries import objections_waiting, open_notices, publishable
from service.notices.schemas import PublishedView
from service.pages import forms
from service.pages.desk import shown, working_days_left
from service.pages.forms import Fault
from service.policies.queries import work_calendar
from service.statistics.queries.overdue import overdue

_Request = Request[Any, Any, Any]


async def notices(request: _Request, tx: Tx, me: Actor, today: date) -> Response[bytes]:
    """What can be published, and the notices of my district that are running."""
    return await _page(request, tx, me, today, [])


async def published(request: _Request, tx: Tx, me: Actor, today: date, now: datetime) -> Response[Any]:
    """Publish; once, however often the form is sent."""
    typed = await forms.typed(request)

    async def publish() -> None:
        once = forms.once_of(request, me, typed, typed.get("once") or str(uuid4()))
        await once(tx, PublishedView, lambda: publish_notice(tx, me, today, now))

    if faults := await forms.refused(tx, publish):
        return await _page(request, tx, me, today, faults)
    return forms.see("/desk/notices", "published")


async def _page(request: _Request, tx: Tx, me: Actor, today: date, faults: list[Fault]) -> Response[bytes]:
    running = [each for each in await open_notices(tx, today) if me.district in (None, each.district)]
    return await shown(
        request,
        tx,
        me,
        "notices",
        today,
        "/desk/notices",
        status=409 if faults else 200,
        faults=[("form", said) for _, said in faults],
        objections=await objections_waiting(tx, me),
        waiting=await publishable(tx, me, today) if me.district else None,
        running=[(each, working_days_left(work_calendar(), today, each.closes_on)) for each in running],
        once=uuid4(),
    )


async def late(request: _Request, tx: Tx, me: Actor, today: date) -> Response[bytes]:
    """What is late on its way in my district, the oldest first."""
    found = await overdue(tx, me, today)
    return await shown(request, tx, me, "overdue", today, "/desk/overdue", found=found)
