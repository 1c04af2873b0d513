"""Classes of my institution on pages: the list, one class, and its roster as a sheet."""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from litestar import Response

from domain.actor import Actor
from domain.lifecycle import Lifecycle
from domain.training import CLASS_LIFECYCLE, ClassAction, ClassStatus
from service.access.queries import district_names
from service.database import Tx
from service.gateways.class_roster_sheets import LIMITS
from service.gateways.sheet_files import XLSX_TYPE, as_sheet
from service.pages.forms import Fault, Typed
from service.pages.institution.frame import Ask, shown
from service.training.queries.patrols import ours
from service.training.queries.views import class_view, classes_page
from service.training.schemas import ClassView
from service.web import private_file
from service.wording import words

_CLASSES_A_PAGE = 50
TONES = {
    **dict.fromkeys((ClassStatus.FILED, ClassStatus.RUNNING), "blue"),
    **dict.fromkeys((ClassStatus.APPROVED, ClassStatus.FINISHED), "green"),
    ClassStatus.SENT_BACK: "amber",
    ClassStatus.DENIED: "red",
}
_LIFE: Lifecycle[ClassStatus, ClassAction] = CLASS_LIFECYCLE
#: Attendance is kept of them.
_HELD = frozenset({ClassStatus.APPROVED, ClassStatus.RUNNING, ClassStatus.FINISHED, ClassStatus.CLOSED})


async def listed(
    request: Ask, tx: Tx, me: Actor, today: date, status: str | None, cursor: str | None
) -> Response[bytes]:
    """My institution's classes in a status, or all of them."""
    found = await classes_page(tx, me, status=status, district=None, cursor=cursor, limit=_CLASSES_A_PAGE)
    statuses = [(str(each), words(f"class_status.{each}")) for each in ClassStatus]
    about: dict[str, Any] = {
        "asked": status or "",
        "statuses": statuses,
        "tones": TONES,
        "later": cursor is not None,
    }
    return await shown(request, tx, me, "classes", today, found=found, **about)


async def one(
    request: Ask,
    tx: Tx,
    me: Actor,
    today: date,
    now: datetime,
    class_id: UUID,
    typed: Typed | None = None,
    faults: list[Fault] | None = None,
) -> Response[bytes]:
    """A class with its facts and what I may do about it. NotFound `class.not_found`."""
    view = await class_view(tx, me, class_id, now)
    return await shown(
        request,
        tx,
        me,
        "class",
        today,
        status=422 if faults else 200,
        view=view,
        tones=TONES,
        may=_may(view),
        held=view.status in _HELD,
        patrols=await ours(tx, me, today, class_id),
        said=next((each for each in reversed(view.steps) if each.action in {"send_back", "deny"}), None),
        district=(await district_names(tx)).get(view.district, view.district),
        typed=typed or {},
        faults=faults or [],
        once=uuid4(),
        bytes_max=LIMITS.file_bytes,
    )


def _may(view: ClassView) -> set[str]:
    """Which acts its status allows; whether they are in time is said when they are done."""
    status, actions = ClassStatus(view.status), (ClassAction.REFILE, ClassAction.CHANGE, ClassAction.WITHDRAW)
    return {str(action) for action in actions if (status, action) in _LIFE.moves}


async def roster_file(tx: Tx, me: Actor, now: datetime, class_id: UUID) -> Response[bytes]:
    """The roster with masked names and numbers, as a workbook. NotFound `class.not_found`."""
    view = await class_view(tx, me, class_id, now)
    rows = [["序号", "姓名", "身份证号"], *([str(each.line), each.name, each.id_number] for each in view.roster)]
    return private_file(as_sheet(rows, "xlsx"), XLSX_TYPE, f"名册 {view.number or view.item_name}.xlsx")
